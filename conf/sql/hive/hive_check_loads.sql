-- Checks of the loaded dimensions and facts, for Hive itself: `beeline … -f hive_check_loads.sql`. Each row of the
-- result is a check; `wrong` must be 0 in all of them. They load nothing and change nothing.

SELECT checked, wrong
FROM (
  SELECT 'dim_users: a surrogate key is missing or occurs twice' AS checked,
    COUNT(*) - COUNT(DISTINCT user_sk) AS wrong
  FROM ecommerce.dim_users
  UNION ALL
  SELECT 'dim_products: a surrogate key is missing or occurs twice',
    COUNT(*) - COUNT(DISTINCT product_sk)
  FROM ecommerce.dim_products
  UNION ALL
  SELECT 'dim_users: the unknown member is not there once',
    ABS(COALESCE(SUM(CASE WHEN user_sk = -1 THEN 1 ELSE 0 END), 0) - 1)
  FROM ecommerce.dim_users
  UNION ALL
  SELECT 'dim_products: the unknown member is not there once',
    ABS(COALESCE(SUM(CASE WHEN product_sk = -1 THEN 1 ELSE 0 END), 0) - 1)
  FROM ecommerce.dim_products
  UNION ALL
  SELECT 'dim_users: a version ends before it begins',
    COALESCE(SUM(CASE WHEN valid_from >= valid_to THEN 1 ELSE 0 END), 0)
  FROM ecommerce.dim_users
  UNION ALL
  SELECT 'dim_products: a version ends before it begins',
    COALESCE(SUM(CASE WHEN valid_from >= valid_to THEN 1 ELSE 0 END), 0)
  FROM ecommerce.dim_products
  UNION ALL
  SELECT 'dim_users: a user has two current versions',
    COALESCE(SUM(CASE WHEN versions > 1 THEN 1 ELSE 0 END), 0)
  FROM (SELECT user_id, COUNT(*) AS versions FROM ecommerce.dim_users WHERE is_current GROUP BY user_id) users
  UNION ALL
  SELECT 'dim_products: a product has two current versions',
    COALESCE(SUM(CASE WHEN versions > 1 THEN 1 ELSE 0 END), 0)
  FROM (
    SELECT product_id, COUNT(*) AS versions FROM ecommerce.dim_products WHERE is_current GROUP BY product_id
  ) products
  UNION ALL
  SELECT 'dim_users: versions of a user leave a gap or overlap',
    COALESCE(SUM(CASE WHEN valid_from <> ended THEN 1 ELSE 0 END), 0)
  FROM (
    SELECT valid_from, LAG(valid_to) OVER (PARTITION BY user_id ORDER BY valid_from, valid_to) AS ended
    FROM ecommerce.dim_users
  ) user_versions
  UNION ALL
  SELECT 'dim_products: versions of a product leave a gap or overlap',
    COALESCE(SUM(CASE WHEN valid_from <> ended THEN 1 ELSE 0 END), 0)
  FROM (
    SELECT valid_from, LAG(valid_to) OVER (PARTITION BY product_id ORDER BY valid_from, valid_to) AS ended
    FROM ecommerce.dim_products
  ) product_versions
  UNION ALL
  SELECT 'fact_transactions: a key is missing or occurs twice',
    COUNT(*) - COUNT(DISTINCT transaction_id)
  FROM ecommerce.fact_transactions
  UNION ALL
  SELECT 'fact_clickstream: a key is missing or occurs twice',
    COUNT(*) - COUNT(DISTINCT event_id)
  FROM ecommerce.fact_clickstream
  UNION ALL
  SELECT 'fact_transactions: a user key that dim_users does not have',
    COALESCE(SUM(CASE WHEN u.user_sk IS NULL THEN 1 ELSE 0 END), 0)
  FROM ecommerce.fact_transactions t
  LEFT JOIN ecommerce.dim_users u ON u.user_sk = t.user_sk
  UNION ALL
  SELECT 'fact_transactions: a product key that dim_products does not have',
    COALESCE(SUM(CASE WHEN p.product_sk IS NULL THEN 1 ELSE 0 END), 0)
  FROM ecommerce.fact_transactions t
  LEFT JOIN ecommerce.dim_products p ON p.product_sk = t.product_sk
  UNION ALL
  SELECT 'fact_clickstream: a user key that dim_users does not have',
    COALESCE(SUM(CASE WHEN u.user_sk IS NULL THEN 1 ELSE 0 END), 0)
  FROM ecommerce.fact_clickstream e
  LEFT JOIN ecommerce.dim_users u ON u.user_sk = e.user_sk
  UNION ALL
  SELECT 'fact_clickstream: a product key that dim_products does not have',
    COALESCE(SUM(CASE WHEN p.product_sk IS NULL THEN 1 ELSE 0 END), 0)
  FROM ecommerce.fact_clickstream e
  LEFT JOIN ecommerce.dim_products p ON p.product_sk = e.product_sk
  UNION ALL
  SELECT 'fact_transactions: a line lies in the partition of another month',
    COALESCE(SUM(CASE WHEN transaction_month <> SUBSTR(CAST(transaction_date AS STRING), 1, LENGTH(transaction_month))
      THEN 1 ELSE 0 END), 0)
  FROM ecommerce.fact_transactions
  UNION ALL
  SELECT 'fact_transactions: net is not gross less returns',
    COALESCE(SUM(CASE WHEN net_amount <> gross_amount - return_amount THEN 1 ELSE 0 END), 0)
  FROM ecommerce.fact_transactions
  UNION ALL
  SELECT 'agg_daily_sales: days that are not those of the lines',
    COUNT(*)
  FROM (SELECT DISTINCT transaction_date FROM ecommerce.fact_transactions) line_days
  FULL OUTER JOIN (SELECT DISTINCT sales_date FROM ecommerce.agg_daily_sales) sales_days
    ON sales_days.sales_date = line_days.transaction_date
  WHERE line_days.transaction_date IS NULL OR sales_days.sales_date IS NULL
  UNION ALL
  SELECT 'agg_daily_sales: cents of net revenue that the lines do not have',
    COALESCE(ABS(CAST(SUM(net) * 100 AS BIGINT)), 0)
  FROM (
    SELECT SUM(net_amount) AS net FROM ecommerce.fact_transactions
    UNION ALL
    SELECT -SUM(net_amount) AS net FROM ecommerce.agg_daily_sales
  ) compared
  UNION ALL
  SELECT 'mv_daily_revenue_by_category: cents of net revenue that the lines do not have',
    COALESCE(ABS(CAST(SUM(net) * 100 AS BIGINT)), 0)
  FROM (
    SELECT SUM(net_amount) AS net FROM ecommerce.fact_transactions
    UNION ALL
    SELECT -SUM(net_amount) AS net FROM ecommerce.mv_daily_revenue_by_category
  ) compared
  UNION ALL
  SELECT 'agg_user_metrics: a customer is missing, occurs twice or is not a current one',
    COALESCE(SUM(CASE WHEN found <> 1 OR wanted <> 1 THEN 1 ELSE 0 END), 0)
  FROM (
    SELECT user_id, SUM(found) AS found, SUM(wanted) AS wanted
    FROM (
      SELECT user_id, 1 AS found, 0 AS wanted FROM ecommerce.agg_user_metrics
      UNION ALL
      SELECT user_id, 0 AS found, 1 AS wanted FROM ecommerce.dim_users WHERE is_current AND user_sk <> -1
    ) both_sides
    GROUP BY user_id
  ) customers
  UNION ALL
  SELECT 'agg_user_metrics: orders or net revenue of a customer are not those of the lines',
    COALESCE(SUM(CASE WHEN m.orders <> COALESCE(l.orders, 0) OR m.net_amount <> COALESCE(l.net, 0) THEN 1 ELSE 0 END),
      0)
  FROM ecommerce.agg_user_metrics m
  LEFT JOIN (
    SELECT user_id, COUNT(DISTINCT CASE WHEN is_sale THEN order_id END) AS orders, SUM(net_amount) AS net
    FROM ecommerce.fact_transactions
    GROUP BY user_id
  ) l ON l.user_id = m.user_id
) checks
ORDER BY wrong DESC, checked;
