-- The five dashboards, in Impala's SQL. The job bi_dashboards reads this file, rewrites it for Spark and runs it; with
-- impala-shell it runs as it is:
--
--   impala-shell --var=from_date=2025-11-01 --var=to_date=2025-11-30 --var=time_zone=UTC -f impala_bi_queries.sql
--
-- Parameters
--   from_date, to_date   the first and the last business day of the period. The job takes the newest business day in
--                        the data as the last one, and counts back from it the days that `period` names.
--   time_zone            the shop's, for what is asked by the hour of the day.
-- Tables
--   ecommerce.*          the seven published tables.
--   lake.sessions, lake.cart_items   Delta tables under warehouse/lake, which Spark reads by path. Impala reads no
--                        Delta: it needs a copy as Parquet in a database `lake` (hive_ddl_create_tables.sql).
-- Annotations, which common/bi/catalogue.py reads
--   @dashboard, @query   a name, unique among its kind; a query belongs to the dashboard before it.
--   title, question, grain   for the reader.
--   key                  the columns that tell one row from another.
--   period               `N days` that end with to_date; `all` of the data; `none` where the query asks for the state
--                        at the end of the data.
--   columns              each column with its unit. A figure below zero, or a share above one, is an error unless
--                        `signed` stands behind it. Nothing forbids a discount that is higher than a line's value, or
--                        below zero: gross amounts, discounts and prices after discount are signed.
--   needs                what the answer is made of (sales, clickstream, costs or stock of products); without it the
--                        result is empty.
--   agrees               sums that are the same as those of another query of the dashboard. Their LIMIT is above the
--                        rows that there can be or are to be expected: an answer that reaches it may have been cut, and
--                        its sums are not compared.
-- A margin is of the lines whose cost is known. Its share is that in the net revenue of the same lines, so that lines
-- without a cost count neither above nor below.
-- Amounts are decimals. A quotient is computed from operands cast to 18 digits, so that it keeps twelve or more
-- decimal places, and is rounded once, half up, by the last cast. Partitions are pruned by comparing month texts:
-- '2025-11' and '2025-11-30' both lie between '2025-11' and '2025-11-30', whether partitions are months or days. Where
-- days without data have a row, a calendar of a hundred days is made of digits: the period has at most 94 days there.


-- @dashboard revenue
-- title: Revenue
-- summary: What the shop took in, when, from which categories, countries and ways to pay, and what stayed as margin.

-- @query revenue_summary
-- title: Revenue at a glance
-- question: What did the shop take in during the period, and how does that compare with the same number of days before?
-- grain: one row; what was before is empty unless the data covers all of those days
-- key: from_date
-- period: 30 days
-- needs: sales
-- columns: from_date date, to_date date, net_revenue money signed, net_revenue_before money signed,
--   net_revenue_growth growth signed, gross_revenue money signed, gross_revenue_before money signed,
--   gross_revenue_growth growth signed, returned money, returned_before money, orders count, orders_before count,
--   orders_growth growth signed, customers count, customers_before count, customers_growth growth signed,
--   average_order_value money signed, average_order_value_before money signed, margin money signed,
--   margin_before money signed, margin_share share signed
WITH order_totals AS (
  SELECT
    CASE WHEN transaction_date >= DATE '${var:from_date}' THEN 1 ELSE 0 END AS is_now,
    user_id,
    order_id,
    MAX(CASE WHEN is_sale THEN 1 ELSE 0 END) AS is_order,
    SUM(gross_amount) AS gross,
    SUM(return_amount) AS returned,
    SUM(net_amount) AS net,
    SUM(margin_amount) AS margin,
    SUM(CASE WHEN margin_amount IS NOT NULL THEN net_amount END) AS costed
  FROM ecommerce.fact_transactions
  WHERE transaction_date BETWEEN
      DATE_SUB(DATE '${var:from_date}', DATEDIFF(DATE '${var:to_date}', DATE '${var:from_date}') + 1)
      AND DATE '${var:to_date}'
    AND transaction_month >= SUBSTR(CAST(
      DATE_SUB(DATE '${var:from_date}', DATEDIFF(DATE '${var:to_date}', DATE '${var:from_date}') + 1) AS STRING), 1, 7)
    AND transaction_month <= '${var:to_date}'
  GROUP BY 1, 2, 3
),
customer_totals AS (
  SELECT
    is_now,
    user_id,
    MAX(is_order) AS is_customer,
    SUM(is_order) AS orders,
    SUM(gross) AS gross,
    SUM(returned) AS returned,
    SUM(net) AS net,
    SUM(margin) AS margin,
    SUM(costed) AS costed
  FROM order_totals
  GROUP BY 1, 2
),
totals AS (
  SELECT
    CAST(COALESCE(SUM(CASE WHEN is_now = 1 THEN net END), 0) AS DECIMAL(18,2)) AS net_now,
    CAST(COALESCE(SUM(CASE WHEN is_now = 0 THEN net END), 0) AS DECIMAL(18,2)) AS net_before,
    CAST(COALESCE(SUM(CASE WHEN is_now = 1 THEN gross END), 0) AS DECIMAL(18,2)) AS gross_now,
    CAST(COALESCE(SUM(CASE WHEN is_now = 0 THEN gross END), 0) AS DECIMAL(18,2)) AS gross_before,
    CAST(COALESCE(SUM(CASE WHEN is_now = 1 THEN returned END), 0) AS DECIMAL(18,2)) AS returned_now,
    CAST(COALESCE(SUM(CASE WHEN is_now = 0 THEN returned END), 0) AS DECIMAL(18,2)) AS returned_before,
    COALESCE(SUM(CASE WHEN is_now = 1 THEN orders END), 0) AS orders_now,
    COALESCE(SUM(CASE WHEN is_now = 0 THEN orders END), 0) AS orders_before,
    COALESCE(SUM(CASE WHEN is_now = 1 THEN is_customer END), 0) AS customers_now,
    COALESCE(SUM(CASE WHEN is_now = 0 THEN is_customer END), 0) AS customers_before,
    CAST(SUM(CASE WHEN is_now = 1 THEN margin END) AS DECIMAL(18,2)) AS margin_now,
    CAST(SUM(CASE WHEN is_now = 0 THEN margin END) AS DECIMAL(18,2)) AS margin_before,
    CAST(SUM(CASE WHEN is_now = 1 THEN costed END) AS DECIMAL(18,2)) AS costed_now
  FROM customer_totals
),
history AS (
  SELECT
    MIN(sales_date)
      <= DATE_SUB(DATE '${var:from_date}', DATEDIFF(DATE '${var:to_date}', DATE '${var:from_date}') + 1)
      AS reaches_back
  FROM ecommerce.agg_daily_sales
),
compared AS (
  SELECT
    net_now,
    gross_now,
    returned_now,
    orders_now,
    customers_now,
    margin_now,
    costed_now,
    CASE WHEN reaches_back THEN net_before END AS net_before,
    CASE WHEN reaches_back THEN gross_before END AS gross_before,
    CASE WHEN reaches_back THEN returned_before END AS returned_before,
    CASE WHEN reaches_back THEN orders_before END AS orders_before,
    CASE WHEN reaches_back THEN customers_before END AS customers_before,
    CASE WHEN reaches_back THEN margin_before END AS margin_before
  FROM totals
  CROSS JOIN history
)
SELECT
  DATE '${var:from_date}' AS from_date,
  DATE '${var:to_date}' AS to_date,
  net_now AS net_revenue,
  net_before AS net_revenue_before,
  CAST((net_now - net_before) / NULLIF(net_before, 0) AS DECIMAL(18,4)) AS net_revenue_growth,
  gross_now AS gross_revenue,
  gross_before AS gross_revenue_before,
  CAST((gross_now - gross_before) / NULLIF(gross_before, 0) AS DECIMAL(18,4)) AS gross_revenue_growth,
  returned_now AS returned,
  returned_before,
  orders_now AS orders,
  orders_before,
  CAST(CAST(orders_now - orders_before AS DECIMAL(18,0)) / NULLIF(CAST(orders_before AS DECIMAL(18,0)), 0)
    AS DECIMAL(18,4)) AS orders_growth,
  customers_now AS customers,
  customers_before,
  CAST(CAST(customers_now - customers_before AS DECIMAL(18,0)) / NULLIF(CAST(customers_before AS DECIMAL(18,0)), 0)
    AS DECIMAL(18,4)) AS customers_growth,
  CAST(gross_now / NULLIF(CAST(orders_now AS DECIMAL(18,0)), 0) AS DECIMAL(18,2)) AS average_order_value,
  CAST(gross_before / NULLIF(CAST(orders_before AS DECIMAL(18,0)), 0) AS DECIMAL(18,2)) AS average_order_value_before,
  margin_now AS margin,
  margin_before,
  CAST(margin_now / NULLIF(costed_now, 0) AS DECIMAL(18,4)) AS margin_share
FROM compared
ORDER BY from_date
LIMIT 2;

-- @query hourly_revenue
-- title: Value of order lines by hour
-- question: What is the value of all order lines, with tax and shipping, of each hour of the newest day and the seven
--   days before it?
-- grain: an hour (UTC) with order lines; `revenue` is the total of all of them with tax and shipping, cancelled and
--   pending ones too, refunds taken off. `net_revenue` is what the shop keeps without tax and shipping: pending lines
--   come to it once they are paid, so that it is not complete for the newest day
-- key: hour
-- period: 8 days
-- needs: sales
-- columns: hour time, revenue money signed, line_count count, orders count, gross_revenue money signed,
--   net_revenue money signed, pending_lines count
SELECT
  DATE_TRUNC('hour', transaction_ts) AS hour,
  CAST(SUM(total_amount) AS DECIMAL(18,2)) AS revenue,
  COUNT(*) AS line_count,
  COUNT(DISTINCT CASE WHEN is_sale THEN order_id END) AS orders,
  CAST(SUM(gross_amount) AS DECIMAL(18,2)) AS gross_revenue,
  CAST(SUM(net_amount) AS DECIMAL(18,2)) AS net_revenue,
  SUM(CASE WHEN status = 'pending' THEN 1 ELSE 0 END) AS pending_lines
FROM ecommerce.fact_transactions
WHERE transaction_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  AND transaction_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
GROUP BY 1
ORDER BY hour DESC
LIMIT 800;

-- @query daily_revenue
-- title: Revenue by day
-- question: How did revenue, orders and margin move from day to day, and what is the trend beneath the week's rhythm?
-- grain: a business day, also one without sales; the moving average is over the seven days that end with it. Pending
--   lines come to the revenue once they are paid, so that a day with such lines, as the newest one, is not complete
-- key: sales_date
-- period: 90 days
-- needs: sales
-- columns: sales_date date, orders count, gross_revenue money signed, returned money, net_revenue money signed,
--   margin money signed, average_order_value money signed, net_revenue_7_day_average money signed, pending_lines count
WITH digits AS (
  SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
  UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
),
offsets AS (
  SELECT CAST(tens.d * 10 + ones.d AS INT) AS days FROM digits tens CROSS JOIN digits ones
),
calendar AS (
  SELECT DATE_ADD(DATE_SUB(DATE '${var:from_date}', 6), days) AS sales_date
  FROM offsets
  WHERE days <= DATEDIFF(DATE '${var:to_date}', DATE '${var:from_date}') + 6
),
sales AS (
  SELECT
    sales_date,
    SUM(orders) AS orders,
    SUM(pending_lines) AS pending_lines,
    SUM(gross_amount) AS gross,
    SUM(return_amount) AS returned,
    SUM(net_amount) AS net,
    SUM(margin_amount) AS margin
  FROM ecommerce.agg_daily_sales
  GROUP BY 1
),
filled AS (
  SELECT
    c.sales_date,
    COALESCE(s.orders, 0) AS orders,
    COALESCE(s.pending_lines, 0) AS pending_lines,
    CAST(COALESCE(s.gross, 0) AS DECIMAL(18,2)) AS gross,
    CAST(COALESCE(s.returned, 0) AS DECIMAL(18,2)) AS returned,
    CAST(COALESCE(s.net, 0) AS DECIMAL(18,2)) AS net,
    CAST(s.margin AS DECIMAL(18,2)) AS margin
  FROM calendar c
  LEFT JOIN sales s ON s.sales_date = c.sales_date
),
averaged AS (
  SELECT
    filled.*,
    SUM(net) OVER (ORDER BY sales_date ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS net_of_7_days
  FROM filled
),
history AS (
  SELECT MIN(sales_date) AS first_date FROM ecommerce.agg_daily_sales
)
SELECT
  sales_date,
  orders,
  gross AS gross_revenue,
  returned,
  net AS net_revenue,
  margin,
  CAST(gross / NULLIF(CAST(orders AS DECIMAL(18,0)), 0) AS DECIMAL(18,2)) AS average_order_value,
  CASE
    WHEN sales_date >= DATE_ADD(first_date, 6)
    THEN CAST(CAST(net_of_7_days AS DECIMAL(18,2)) / CAST(7 AS DECIMAL(18,0)) AS DECIMAL(18,2))
  END AS net_revenue_7_day_average,
  pending_lines
FROM averaged
CROSS JOIN history
WHERE sales_date >= DATE '${var:from_date}'
ORDER BY sales_date
LIMIT 100;

-- @query weekly_revenue
-- title: Revenue by week
-- question: Which weeks were better than the week before?
-- grain: a week from Monday to Sunday; growth is left out where it or the week before is not whole
-- key: week_start
-- period: 182 days
-- needs: sales
-- columns: week_start date, days_with_sales count, orders count, gross_revenue money signed, returned money,
--   net_revenue money signed, margin money signed, net_revenue_growth growth signed
WITH weeks AS (
  SELECT
    CAST(DATE_TRUNC('week', sales_date) AS DATE) AS week_start,
    COUNT(DISTINCT sales_date) AS days_with_sales,
    SUM(orders) AS orders,
    CAST(SUM(gross_amount) AS DECIMAL(18,2)) AS gross,
    CAST(SUM(return_amount) AS DECIMAL(18,2)) AS returned,
    CAST(SUM(net_amount) AS DECIMAL(18,2)) AS net,
    CAST(SUM(margin_amount) AS DECIMAL(18,2)) AS margin
  FROM ecommerce.agg_daily_sales
  WHERE sales_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  GROUP BY 1
),
history AS (
  SELECT MIN(sales_date) AS first_date FROM ecommerce.agg_daily_sales
)
SELECT
  w.week_start,
  w.days_with_sales,
  w.orders,
  w.gross AS gross_revenue,
  w.returned,
  w.net AS net_revenue,
  w.margin,
  CASE
    WHEN DATE_ADD(w.week_start, 6) <= DATE '${var:to_date}'
      AND b.week_start >= DATE '${var:from_date}'
      AND b.week_start >= h.first_date
    THEN CAST((w.net - b.net) / NULLIF(b.net, 0) AS DECIMAL(18,4))
  END AS net_revenue_growth
FROM weeks w
CROSS JOIN history h
LEFT JOIN weeks b ON b.week_start = DATE_SUB(w.week_start, 7)
ORDER BY week_start
LIMIT 60;

-- @query monthly_margin
-- title: Margin by month
-- question: What stays of each month's sales after discounts, returns and the cost of the goods?
-- grain: a calendar month
-- key: month_start
-- period: all
-- needs: sales
-- columns: month_start date, orders count, units count, gross_revenue money signed, discounts money signed,
--   returned money, net_revenue money signed, margin money signed, margin_share share signed,
--   return_share share signed
WITH months AS (
  SELECT
    CAST(DATE_TRUNC('month', sales_date) AS DATE) AS month_start,
    SUM(orders) AS orders,
    SUM(units) AS units,
    CAST(SUM(gross_amount) AS DECIMAL(18,2)) AS gross,
    CAST(COALESCE(SUM(discount_amount), 0) AS DECIMAL(18,2)) AS discounts,
    CAST(SUM(return_amount) AS DECIMAL(18,2)) AS returned,
    CAST(SUM(net_amount) AS DECIMAL(18,2)) AS net,
    CAST(SUM(margin_amount) AS DECIMAL(18,2)) AS margin
  FROM ecommerce.agg_daily_sales
  WHERE sales_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  GROUP BY 1
),
costed_lines AS (
  SELECT
    CAST(DATE_TRUNC('month', transaction_date) AS DATE) AS month_start,
    CAST(SUM(net_amount) AS DECIMAL(18,2)) AS net
  FROM ecommerce.fact_transactions
  WHERE margin_amount IS NOT NULL
    AND transaction_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
    AND transaction_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
  GROUP BY 1
)
SELECT
  m.month_start,
  m.orders,
  m.units,
  m.gross AS gross_revenue,
  m.discounts,
  m.returned,
  m.net AS net_revenue,
  m.margin,
  CAST(m.margin / NULLIF(c.net, 0) AS DECIMAL(18,4)) AS margin_share,
  CAST(m.returned / NULLIF(m.gross, 0) AS DECIMAL(18,4)) AS return_share
FROM months m
LEFT JOIN costed_lines c ON c.month_start = m.month_start
ORDER BY month_start
LIMIT 120;

-- @query revenue_by_category
-- title: Revenue by category
-- question: Which categories bring the revenue and the margin, and which grow?
-- grain: a category, as the product had it when it was sold; what was before is empty unless the data covers all of
--   those days
-- key: category
-- period: 30 days
-- needs: sales
-- columns: category text, orders count, units count, gross_revenue money signed, returned money,
--   net_revenue money signed, net_revenue_share share signed, net_revenue_before money signed,
--   net_revenue_growth growth signed, margin money signed, margin_share share signed
-- agrees: gross_revenue = revenue_summary.gross_revenue, net_revenue = revenue_summary.net_revenue,
--   returned = revenue_summary.returned
WITH days AS (
  SELECT
    category,
    CASE WHEN sales_date >= DATE '${var:from_date}' THEN 1 ELSE 0 END AS is_now,
    orders, units, gross_amount, return_amount, net_amount, margin_amount
  FROM ecommerce.mv_daily_revenue_by_category
  WHERE sales_date BETWEEN
    DATE_SUB(DATE '${var:from_date}', DATEDIFF(DATE '${var:to_date}', DATE '${var:from_date}') + 1)
    AND DATE '${var:to_date}'
),
categories AS (
  SELECT
    category,
    SUM(CASE WHEN is_now = 1 THEN orders ELSE 0 END) AS orders,
    SUM(CASE WHEN is_now = 1 THEN units ELSE 0 END) AS units,
    CAST(COALESCE(SUM(CASE WHEN is_now = 1 THEN gross_amount END), 0) AS DECIMAL(18,2)) AS gross,
    CAST(COALESCE(SUM(CASE WHEN is_now = 1 THEN return_amount END), 0) AS DECIMAL(18,2)) AS returned,
    CAST(COALESCE(SUM(CASE WHEN is_now = 1 THEN net_amount END), 0) AS DECIMAL(18,2)) AS net,
    CAST(COALESCE(SUM(CASE WHEN is_now = 0 THEN net_amount END), 0) AS DECIMAL(18,2)) AS net_before,
    CAST(SUM(CASE WHEN is_now = 1 THEN margin_amount END) AS DECIMAL(18,2)) AS margin
  FROM days
  GROUP BY category
),
costed_lines AS (
  SELECT COALESCE(p.category, 'unknown') AS category, CAST(SUM(t.net_amount) AS DECIMAL(18,2)) AS net
  FROM ecommerce.fact_transactions t
  LEFT JOIN ecommerce.dim_products p ON p.product_sk = t.product_sk
  WHERE t.margin_amount IS NOT NULL
    AND t.transaction_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
    AND t.transaction_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
  GROUP BY 1
),
history AS (
  SELECT
    MIN(sales_date)
      <= DATE_SUB(DATE '${var:from_date}', DATEDIFF(DATE '${var:to_date}', DATE '${var:from_date}') + 1)
      AS reaches_back
  FROM ecommerce.agg_daily_sales
),
compared AS (
  SELECT
    c.category,
    c.orders,
    c.units,
    c.gross,
    c.returned,
    c.net,
    c.margin,
    l.net AS costed,
    CASE WHEN h.reaches_back THEN c.net_before END AS net_before
  FROM categories c
  LEFT JOIN costed_lines l ON l.category = c.category
  CROSS JOIN history h
)
SELECT
  category,
  orders,
  units,
  gross AS gross_revenue,
  returned,
  net AS net_revenue,
  CAST(net / NULLIF(CAST(SUM(net) OVER () AS DECIMAL(18,2)), 0) AS DECIMAL(18,4)) AS net_revenue_share,
  net_before AS net_revenue_before,
  CAST((net - net_before) / NULLIF(net_before, 0) AS DECIMAL(18,4)) AS net_revenue_growth,
  margin,
  CAST(margin / NULLIF(costed, 0) AS DECIMAL(18,4)) AS margin_share
FROM compared
ORDER BY net_revenue DESC, category
LIMIT 500;

-- @query revenue_by_country
-- title: Revenue by country
-- question: Where do the customers who bring the revenue live, and where does it grow?
-- grain: a country, as the customer had it at the time of the sale; what was before is empty unless the data covers all
--   of those days
-- key: country
-- period: 30 days
-- needs: sales
-- columns: country text, orders count, gross_revenue money signed, returned money, net_revenue money signed,
--   net_revenue_share share signed, net_revenue_before money signed, net_revenue_growth growth signed,
--   average_order_value money signed, margin money signed
-- agrees: gross_revenue = revenue_summary.gross_revenue, net_revenue = revenue_summary.net_revenue,
--   returned = revenue_summary.returned
WITH days AS (
  SELECT
    country,
    CASE WHEN sales_date >= DATE '${var:from_date}' THEN 1 ELSE 0 END AS is_now,
    orders, gross_amount, return_amount, net_amount, margin_amount
  FROM ecommerce.agg_daily_sales
  WHERE sales_date BETWEEN
    DATE_SUB(DATE '${var:from_date}', DATEDIFF(DATE '${var:to_date}', DATE '${var:from_date}') + 1)
    AND DATE '${var:to_date}'
),
countries AS (
  SELECT
    country,
    SUM(CASE WHEN is_now = 1 THEN orders ELSE 0 END) AS orders,
    CAST(COALESCE(SUM(CASE WHEN is_now = 1 THEN gross_amount END), 0) AS DECIMAL(18,2)) AS gross,
    CAST(COALESCE(SUM(CASE WHEN is_now = 1 THEN return_amount END), 0) AS DECIMAL(18,2)) AS returned,
    CAST(COALESCE(SUM(CASE WHEN is_now = 1 THEN net_amount END), 0) AS DECIMAL(18,2)) AS net,
    CAST(COALESCE(SUM(CASE WHEN is_now = 0 THEN net_amount END), 0) AS DECIMAL(18,2)) AS net_before,
    CAST(SUM(CASE WHEN is_now = 1 THEN margin_amount END) AS DECIMAL(18,2)) AS margin
  FROM days
  GROUP BY country
),
history AS (
  SELECT
    MIN(sales_date)
      <= DATE_SUB(DATE '${var:from_date}', DATEDIFF(DATE '${var:to_date}', DATE '${var:from_date}') + 1)
      AS reaches_back
  FROM ecommerce.agg_daily_sales
),
compared AS (
  SELECT country, orders, gross, returned, net, margin, CASE WHEN reaches_back THEN net_before END AS net_before
  FROM countries
  CROSS JOIN history
)
SELECT
  country,
  orders,
  gross AS gross_revenue,
  returned,
  net AS net_revenue,
  CAST(net / NULLIF(CAST(SUM(net) OVER () AS DECIMAL(18,2)), 0) AS DECIMAL(18,4)) AS net_revenue_share,
  net_before AS net_revenue_before,
  CAST((net - net_before) / NULLIF(net_before, 0) AS DECIMAL(18,4)) AS net_revenue_growth,
  CAST(gross / NULLIF(CAST(orders AS DECIMAL(18,0)), 0) AS DECIMAL(18,2)) AS average_order_value,
  margin
FROM compared
ORDER BY net_revenue DESC, country
LIMIT 300;

-- @query revenue_by_payment
-- title: Revenue by payment method
-- question: How do customers pay, and how much comes back by each way to pay?
-- grain: a payment method
-- key: payment_method
-- period: 30 days
-- needs: sales
-- columns: payment_method text, orders count, gross_revenue money signed, returned money, net_revenue money signed,
--   net_revenue_share share signed, average_order_value money signed, return_share share signed
-- agrees: gross_revenue = revenue_summary.gross_revenue, net_revenue = revenue_summary.net_revenue,
--   returned = revenue_summary.returned
WITH methods AS (
  SELECT
    COALESCE(payment_method, 'unknown') AS payment_method,
    COUNT(DISTINCT CASE WHEN is_sale THEN order_id END) AS orders,
    CAST(SUM(gross_amount) AS DECIMAL(18,2)) AS gross,
    CAST(SUM(return_amount) AS DECIMAL(18,2)) AS returned,
    CAST(SUM(net_amount) AS DECIMAL(18,2)) AS net
  FROM ecommerce.fact_transactions
  WHERE transaction_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
    AND transaction_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
  GROUP BY 1
)
SELECT
  payment_method,
  orders,
  gross AS gross_revenue,
  returned,
  net AS net_revenue,
  CAST(net / NULLIF(CAST(SUM(net) OVER () AS DECIMAL(18,2)), 0) AS DECIMAL(18,4)) AS net_revenue_share,
  CAST(gross / NULLIF(CAST(orders AS DECIMAL(18,0)), 0) AS DECIMAL(18,2)) AS average_order_value,
  CAST(returned / NULLIF(gross, 0) AS DECIMAL(18,4)) AS return_share
FROM methods
ORDER BY net_revenue DESC, payment_method
LIMIT 200;

-- @query revenue_by_weekday_hour
-- title: Revenue by weekday and hour
-- question: When in the week do customers buy?
-- grain: a weekday (1 Monday to 7 Sunday) and hour of the day in the shop's time zone, with sales
-- key: weekday, hour_of_day
-- period: 28 days
-- needs: sales
-- columns: weekday number, hour_of_day number, orders count, gross_revenue money signed, net_revenue money signed
SELECT
  CAST(PMOD(DAYOFWEEK(transaction_date) + 5, 7) + 1 AS INT) AS weekday,
  HOUR(FROM_UTC_TIMESTAMP(transaction_ts, '${var:time_zone}')) AS hour_of_day,
  COUNT(DISTINCT CASE WHEN is_sale THEN order_id END) AS orders,
  CAST(SUM(gross_amount) AS DECIMAL(18,2)) AS gross_revenue,
  CAST(SUM(net_amount) AS DECIMAL(18,2)) AS net_revenue
FROM ecommerce.fact_transactions
WHERE transaction_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  AND transaction_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
GROUP BY 1, 2
ORDER BY weekday, hour_of_day
LIMIT 168;


-- @dashboard product_performance
-- title: Product performance
-- summary: Which products sell, earn and convert, which do not, what discounts bring in, and how long the stock lasts.

-- @query top_products
-- title: Products with the highest revenue
-- question: Which products bring the most revenue?
-- grain: a product sold in the period
-- key: product_id
-- period: 30 days
-- needs: sales
-- columns: product_id text, product_name text, category text, brand text, orders count, units count,
--   gross_revenue money signed, returned money, net_revenue money signed, net_revenue_share share signed,
--   margin money signed, margin_share share signed
WITH sold AS (
  SELECT
    product_id,
    COUNT(DISTINCT CASE WHEN is_sale THEN order_id END) AS orders,
    SUM(CASE WHEN is_sale THEN quantity ELSE 0 END) AS units,
    CAST(SUM(gross_amount) AS DECIMAL(18,2)) AS gross,
    CAST(SUM(return_amount) AS DECIMAL(18,2)) AS returned,
    CAST(SUM(net_amount) AS DECIMAL(18,2)) AS net,
    CAST(SUM(margin_amount) AS DECIMAL(18,2)) AS margin,
    CAST(SUM(CASE WHEN margin_amount IS NOT NULL THEN net_amount END) AS DECIMAL(18,2)) AS costed
  FROM ecommerce.fact_transactions
  WHERE transaction_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
    AND transaction_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
  GROUP BY product_id
),
shares AS (
  SELECT sold.*, CAST(net / NULLIF(CAST(SUM(net) OVER () AS DECIMAL(18,2)), 0) AS DECIMAL(18,4)) AS net_share
  FROM sold
)
SELECT
  s.product_id,
  COALESCE(p.product_name, '(not in the current catalogue)') AS product_name,
  COALESCE(p.category, 'unknown') AS category,
  COALESCE(p.brand, 'unknown') AS brand,
  s.orders,
  s.units,
  s.gross AS gross_revenue,
  s.returned,
  s.net AS net_revenue,
  s.net_share AS net_revenue_share,
  s.margin,
  CAST(s.margin / NULLIF(s.costed, 0) AS DECIMAL(18,4)) AS margin_share
FROM shares s
LEFT JOIN ecommerce.dim_products p ON p.product_id = s.product_id AND p.is_current
WHERE s.units > 0
ORDER BY net_revenue DESC, product_id
LIMIT 25;

-- @query bottom_products
-- title: Products with the lowest revenue
-- question: Which products that sold at all brought in the least, returns taken off?
-- grain: a product sold in the period
-- key: product_id
-- period: 30 days
-- needs: sales
-- columns: product_id text, product_name text, category text, brand text, units count, returned_units count,
--   gross_revenue money signed, returned money, net_revenue money signed, margin money signed
WITH sold AS (
  SELECT
    product_id,
    SUM(CASE WHEN is_sale THEN quantity ELSE 0 END) AS units,
    SUM(CASE WHEN is_return THEN ABS(quantity) ELSE 0 END) AS returned_units,
    CAST(SUM(gross_amount) AS DECIMAL(18,2)) AS gross,
    CAST(SUM(return_amount) AS DECIMAL(18,2)) AS returned,
    CAST(SUM(net_amount) AS DECIMAL(18,2)) AS net,
    CAST(SUM(margin_amount) AS DECIMAL(18,2)) AS margin
  FROM ecommerce.fact_transactions
  WHERE transaction_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
    AND transaction_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
  GROUP BY product_id
)
SELECT
  s.product_id,
  COALESCE(p.product_name, '(not in the current catalogue)') AS product_name,
  COALESCE(p.category, 'unknown') AS category,
  COALESCE(p.brand, 'unknown') AS brand,
  s.units,
  s.returned_units,
  s.gross AS gross_revenue,
  s.returned,
  s.net AS net_revenue,
  s.margin
FROM sold s
LEFT JOIN ecommerce.dim_products p ON p.product_id = s.product_id AND p.is_current
WHERE s.units > 0
ORDER BY net_revenue, product_id
LIMIT 25;

-- @query top_products_by_units
-- title: Products sold most often
-- question: Which products leave the shelf most often?
-- grain: a product sold in the period
-- key: product_id
-- period: 30 days
-- needs: sales
-- columns: product_id text, product_name text, category text, units count, orders count, gross_revenue money signed,
--   average_unit_price money signed
WITH sold AS (
  SELECT
    product_id,
    SUM(quantity) AS units,
    COUNT(DISTINCT order_id) AS orders,
    CAST(SUM(gross_amount) AS DECIMAL(18,2)) AS gross
  FROM ecommerce.fact_transactions
  WHERE is_sale
    AND transaction_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
    AND transaction_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
  GROUP BY product_id
)
SELECT
  s.product_id,
  COALESCE(p.product_name, '(not in the current catalogue)') AS product_name,
  COALESCE(p.category, 'unknown') AS category,
  s.units,
  s.orders,
  s.gross AS gross_revenue,
  CAST(s.gross / CAST(s.units AS DECIMAL(18,0)) AS DECIMAL(18,2)) AS average_unit_price
FROM sold s
LEFT JOIN ecommerce.dim_products p ON p.product_id = s.product_id AND p.is_current
ORDER BY units DESC, product_id
LIMIT 25;

-- @query products_by_margin
-- title: Highest and lowest margins
-- question: Which products earn the most, and on which does the shop lose money or earn the least?
-- grain: a product sold in the period, among the 15 with the highest or the 15 with the lowest margin
-- key: ranking, place
-- period: 30 days
-- needs: costs
-- columns: ranking text, place number, product_id text, product_name text, category text, units count,
--   net_revenue money signed, margin money signed, margin_share share signed
WITH sold AS (
  SELECT
    product_id,
    SUM(CASE WHEN is_sale THEN quantity ELSE 0 END) AS units,
    CAST(SUM(net_amount) AS DECIMAL(18,2)) AS net,
    CAST(SUM(margin_amount) AS DECIMAL(18,2)) AS margin,
    CAST(SUM(CASE WHEN margin_amount IS NOT NULL THEN net_amount END) AS DECIMAL(18,2)) AS costed
  FROM ecommerce.fact_transactions
  WHERE transaction_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
    AND transaction_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
  GROUP BY product_id
),
placed AS (
  SELECT
    sold.*,
    ROW_NUMBER() OVER (ORDER BY margin DESC, product_id) AS from_top,
    ROW_NUMBER() OVER (ORDER BY margin, product_id) AS from_bottom
  FROM sold
  WHERE margin IS NOT NULL AND units > 0
),
chosen AS (
  SELECT 'highest' AS ranking, from_top AS place, product_id, units, net, margin, costed
  FROM placed
  WHERE from_top <= 15
  UNION ALL
  SELECT 'lowest' AS ranking, from_bottom AS place, product_id, units, net, margin, costed
  FROM placed
  WHERE from_bottom <= 15
)
SELECT
  c.ranking,
  CAST(c.place AS INT) AS place,
  c.product_id,
  COALESCE(p.product_name, '(not in the current catalogue)') AS product_name,
  COALESCE(p.category, 'unknown') AS category,
  c.units,
  c.net AS net_revenue,
  c.margin,
  CAST(c.margin / NULLIF(c.costed, 0) AS DECIMAL(18,4)) AS margin_share
FROM chosen c
LEFT JOIN ecommerce.dim_products p ON p.product_id = c.product_id AND p.is_current
ORDER BY ranking, place
LIMIT 30;

-- @query view_to_purchase
-- title: From view to purchase
-- question: Of the visits that looked at a product, how many bought it in the same visit?
-- grain: a product, among the 50 seen by most visits
-- key: product_id
-- period: 30 days
-- needs: clickstream
-- columns: product_id text, product_name text, category text, viewing_sessions count, buying_sessions count,
--   conversion share
WITH viewed AS (
  SELECT DISTINCT session_id, product_id
  FROM ecommerce.fact_clickstream
  WHERE event_type = 'product_view' AND product_id IS NOT NULL AND NOT is_bot AND near_duplicate_of IS NULL
    AND event_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
    AND event_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
),
bought AS (
  SELECT DISTINCT session_id, product_id
  FROM ecommerce.fact_transactions
  WHERE quantity > 0 AND session_id IS NOT NULL
    AND transaction_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
    AND transaction_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
),
counted AS (
  SELECT v.product_id, COUNT(*) AS viewing_sessions, COUNT(b.session_id) AS buying_sessions
  FROM viewed v
  LEFT JOIN bought b ON b.session_id = v.session_id AND b.product_id = v.product_id
  GROUP BY v.product_id
)
SELECT
  c.product_id,
  COALESCE(p.product_name, '(not in the current catalogue)') AS product_name,
  COALESCE(p.category, 'unknown') AS category,
  c.viewing_sessions,
  c.buying_sessions,
  CAST(CAST(c.buying_sessions AS DECIMAL(18,0)) / CAST(c.viewing_sessions AS DECIMAL(18,0)) AS DECIMAL(18,4))
    AS conversion
FROM counted c
LEFT JOIN ecommerce.dim_products p ON p.product_id = c.product_id AND p.is_current
ORDER BY viewing_sessions DESC, product_id
LIMIT 50;

-- @query discount_return
-- title: Return on discount
-- question: Do deeper discounts sell more, and what margin comes back for each unit of money given away?
-- grain: a band of the discount's share in the list value of a sold line; margin per discount is of the lines whose
--   cost is known
-- key: band
-- period: 30 days
-- needs: sales
-- columns: band number, discount_band text, line_count count, units count, units_per_line ratio, list_value money,
--   discounts money signed, gross_revenue money signed, margin money signed, margin_share share signed,
--   margin_per_discount ratio signed
WITH sold AS (
  SELECT
    CASE
      WHEN COALESCE(discount_amount, 0) <= 0 THEN 0
      WHEN discount_amount * 20 <= quantity * unit_price THEN 1
      WHEN discount_amount * 10 <= quantity * unit_price THEN 2
      WHEN discount_amount * 5 <= quantity * unit_price THEN 3
      ELSE 4
    END AS band,
    quantity,
    quantity * unit_price AS list_value,
    discount_amount,
    gross_amount,
    net_amount,
    margin_amount
  FROM ecommerce.fact_transactions
  WHERE is_sale
    AND transaction_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
    AND transaction_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
),
bands AS (
  SELECT
    band,
    COUNT(*) AS line_count,
    SUM(quantity) AS units,
    CAST(SUM(list_value) AS DECIMAL(18,2)) AS list_value,
    CAST(COALESCE(SUM(discount_amount), 0) AS DECIMAL(18,2)) AS discounts,
    CAST(SUM(gross_amount) AS DECIMAL(18,2)) AS gross,
    CAST(SUM(margin_amount) AS DECIMAL(18,2)) AS margin,
    CAST(SUM(CASE WHEN margin_amount IS NOT NULL THEN net_amount END) AS DECIMAL(18,2)) AS costed,
    CAST(SUM(CASE WHEN margin_amount IS NOT NULL THEN discount_amount END) AS DECIMAL(18,2)) AS costed_discounts
  FROM sold
  GROUP BY band
)
SELECT
  CAST(band AS INT) AS band,
  CASE band
    WHEN 0 THEN 'none'
    WHEN 1 THEN 'up to 5 %'
    WHEN 2 THEN 'over 5 % to 10 %'
    WHEN 3 THEN 'over 10 % to 20 %'
    ELSE 'over 20 %'
  END AS discount_band,
  line_count,
  units,
  CAST(CAST(units AS DECIMAL(18,0)) / CAST(line_count AS DECIMAL(18,0)) AS DECIMAL(18,4)) AS units_per_line,
  list_value,
  discounts,
  gross AS gross_revenue,
  margin,
  CAST(margin / NULLIF(costed, 0) AS DECIMAL(18,4)) AS margin_share,
  CAST(margin / NULLIF(costed_discounts, 0) AS DECIMAL(18,4)) AS margin_per_discount
FROM bands
ORDER BY band
LIMIT 5;

-- @query stock_cover
-- title: Stock cover
-- question: Which products run out first if they go on selling as they did?
-- grain: an active product that sold more than came back in the period, among the 50 with the least cover; units a day
--   are of those days of the period that the data covers
-- key: product_id
-- period: 30 days
-- needs: stock
-- columns: product_id text, product_name text, category text, stock count, net_units count, units_a_day ratio,
--   days_of_cover days
WITH sold AS (
  SELECT
    product_id,
    SUM(CASE WHEN is_sale THEN quantity ELSE 0 END)
      - SUM(CASE WHEN is_return THEN ABS(quantity) ELSE 0 END) AS net_units
  FROM ecommerce.fact_transactions
  WHERE transaction_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
    AND transaction_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
  GROUP BY product_id
),
history AS (
  SELECT
    CASE
      WHEN MIN(sales_date) > DATE '${var:from_date}' THEN DATEDIFF(DATE '${var:to_date}', MIN(sales_date)) + 1
      ELSE DATEDIFF(DATE '${var:to_date}', DATE '${var:from_date}') + 1
    END AS days
  FROM ecommerce.agg_daily_sales
),
covered AS (
  SELECT
    p.product_id,
    p.product_name,
    p.category,
    p.stock_quantity,
    s.net_units,
    h.days
  FROM ecommerce.dim_products p
  JOIN sold s ON s.product_id = p.product_id
  CROSS JOIN history h
  WHERE p.is_current AND p.is_active AND p.stock_quantity >= 0 AND s.net_units > 0
)
SELECT
  product_id,
  COALESCE(product_name, 'unknown') AS product_name,
  COALESCE(category, 'unknown') AS category,
  CAST(stock_quantity AS BIGINT) AS stock,
  net_units,
  CAST(CAST(net_units AS DECIMAL(18,0)) / CAST(days AS DECIMAL(18,0)) AS DECIMAL(18,4)) AS units_a_day,
  CAST(CAST(stock_quantity * days AS DECIMAL(18,0)) / CAST(net_units AS DECIMAL(18,0)) AS DECIMAL(18,1))
    AS days_of_cover
FROM covered
ORDER BY days_of_cover, net_units DESC, product_id
LIMIT 50;


-- @dashboard customer_segmentation
-- title: Customer segmentation
-- summary: Who the customers are by recency, frequency and money, how many come back, and what they are worth.

-- @query rfm_segments
-- title: Customers by segment
-- question: How many customers are there of each kind, and how much of the revenue do they bring?
-- grain: a segment; the first of these that fits, with scores from 1 to 5 (5: most recent, most orders, most revenue):
--   champions (all scores 4 or more), loyal (recency 3 or more, frequency 4 or more), big spenders (recency 3 or more,
--   money 4 or more), recent (recency 4 or more), fading (recency 3), valuable but away (frequency and money 4 or
--   more), away (recency 2), lost (recency 1), never bought
-- key: segment_order
-- period: none
-- needs: sales
-- columns: segment_order number, segment text, customers count, customer_share share, orders count,
--   net_revenue money signed, net_revenue_share share signed, net_revenue_per_customer money signed,
--   average_recency_days days
WITH labelled AS (
  SELECT
    CASE
      WHEN recency_score IS NULL THEN 9
      WHEN recency_score >= 4 AND frequency_score >= 4 AND monetary_score >= 4 THEN 1
      WHEN recency_score >= 3 AND frequency_score >= 4 THEN 2
      WHEN recency_score >= 3 AND monetary_score >= 4 THEN 3
      WHEN recency_score >= 4 THEN 4
      WHEN recency_score = 3 THEN 5
      WHEN frequency_score >= 4 AND monetary_score >= 4 THEN 6
      WHEN recency_score = 2 THEN 7
      ELSE 8
    END AS segment_order,
    orders,
    net_amount,
    recency_days
  FROM ecommerce.agg_user_metrics
),
segments AS (
  SELECT
    segment_order,
    COUNT(*) AS customers,
    SUM(orders) AS orders,
    CAST(SUM(net_amount) AS DECIMAL(18,2)) AS net,
    CAST(SUM(recency_days) AS DECIMAL(18,0)) AS recency_days,
    CAST(COUNT(recency_days) AS DECIMAL(18,0)) AS buyers
  FROM labelled
  GROUP BY segment_order
)
SELECT
  CAST(segment_order AS INT) AS segment_order,
  CASE segment_order
    WHEN 1 THEN 'champions'
    WHEN 2 THEN 'loyal'
    WHEN 3 THEN 'big spenders'
    WHEN 4 THEN 'recent'
    WHEN 5 THEN 'fading'
    WHEN 6 THEN 'valuable but away'
    WHEN 7 THEN 'away'
    WHEN 8 THEN 'lost'
    ELSE 'never bought'
  END AS segment,
  customers,
  CAST(CAST(customers AS DECIMAL(18,0)) / CAST(SUM(customers) OVER () AS DECIMAL(18,0)) AS DECIMAL(18,4))
    AS customer_share,
  orders,
  net AS net_revenue,
  CAST(net / NULLIF(CAST(SUM(net) OVER () AS DECIMAL(18,2)), 0) AS DECIMAL(18,4)) AS net_revenue_share,
  CAST(net / CAST(customers AS DECIMAL(18,0)) AS DECIMAL(18,2)) AS net_revenue_per_customer,
  CAST(recency_days / NULLIF(buyers, 0) AS DECIMAL(18,1)) AS average_recency_days
FROM segments
ORDER BY segment_order
LIMIT 9;

-- @query rfm_matrix
-- title: Recency and frequency
-- question: How do recency and frequency of the buyers go together?
-- grain: a recency score and a frequency score that some customer has
-- key: recency_score, frequency_score
-- period: none
-- needs: sales
-- columns: recency_score score, frequency_score score, customers count, orders count, net_revenue money signed,
--   net_revenue_per_customer money signed
WITH cells AS (
  SELECT
    recency_score,
    frequency_score,
    COUNT(*) AS customers,
    SUM(orders) AS orders,
    CAST(SUM(net_amount) AS DECIMAL(18,2)) AS net
  FROM ecommerce.agg_user_metrics
  WHERE recency_score IS NOT NULL
  GROUP BY 1, 2
)
SELECT
  recency_score,
  frequency_score,
  customers,
  orders,
  net AS net_revenue,
  CAST(net / CAST(customers AS DECIMAL(18,0)) AS DECIMAL(18,2)) AS net_revenue_per_customer
FROM cells
ORDER BY recency_score, frequency_score
LIMIT 25;

-- @query cohort_retention
-- title: Retention by cohort
-- question: Of the customers whose first purchase since the data begins was in a month, how many bought again in each
--   month after it?
-- grain: a cohort (the month of the first purchase since the data begins) and a month since then in which the shop sold
--   something; month 0 is the first purchase itself. What was bought before the data begins is not known: the first
--   cohort also has customers from earlier. A month is whole when the data covers it from its first to its last day
-- key: cohort_month, months_since
-- period: all
-- needs: sales
-- columns: cohort_month date, months_since number, is_first_cohort flag, is_whole_month flag, customers count,
--   active_customers count, retention share
WITH members AS (
  SELECT user_id, CAST(DATE_TRUNC('month', first_purchase_date) AS DATE) AS cohort_month
  FROM ecommerce.agg_user_metrics
  WHERE first_purchase_date IS NOT NULL
),
cohorts AS (
  SELECT cohort_month, COUNT(*) AS customers FROM members GROUP BY 1
),
months AS (
  SELECT DISTINCT CAST(DATE_TRUNC('month', sales_date) AS DATE) AS active_month
  FROM ecommerce.agg_daily_sales
  WHERE orders > 0
),
active AS (
  SELECT DISTINCT user_id, CAST(DATE_TRUNC('month', transaction_date) AS DATE) AS active_month
  FROM ecommerce.fact_transactions
  WHERE is_sale
),
counted AS (
  SELECT m.cohort_month, a.active_month, COUNT(*) AS active_customers
  FROM members m
  JOIN active a ON a.user_id = m.user_id
  GROUP BY 1, 2
)
SELECT
  c.cohort_month,
  CAST((YEAR(m.active_month) - YEAR(c.cohort_month)) * 12 + MONTH(m.active_month) - MONTH(c.cohort_month) AS INT)
    AS months_since,
  LAST_DAY(c.cohort_month) = LAST_DAY(DATE '${var:from_date}') AS is_first_cohort,
  m.active_month >= DATE '${var:from_date}' AND LAST_DAY(m.active_month) <= DATE '${var:to_date}' AS is_whole_month,
  c.customers,
  COALESCE(n.active_customers, 0) AS active_customers,
  CAST(CAST(COALESCE(n.active_customers, 0) AS DECIMAL(18,0)) / CAST(c.customers AS DECIMAL(18,0)) AS DECIMAL(18,4))
    AS retention
FROM cohorts c
CROSS JOIN months m
LEFT JOIN counted n ON n.cohort_month = c.cohort_month AND n.active_month = m.active_month
WHERE m.active_month >= c.cohort_month
ORDER BY cohort_month, months_since
LIMIT 1000;

-- @query cohort_value
-- title: Value by cohort
-- question: How much has a customer of each cohort brought in, month after month since the first purchase in the data?
-- grain: a cohort (the month of the first purchase since the data begins) and a month since then in which the shop sold
--   something; returns are taken off in the month in which they come. The first cohort also has customers from before
--   the data begins. A month is whole when the data covers it from its first to its last day
-- key: cohort_month, months_since
-- period: all
-- needs: sales
-- columns: cohort_month date, months_since number, is_first_cohort flag, is_whole_month flag, customers count,
--   net_revenue money signed, revenue_per_customer_to_date money signed
WITH members AS (
  SELECT user_id, CAST(DATE_TRUNC('month', first_purchase_date) AS DATE) AS cohort_month
  FROM ecommerce.agg_user_metrics
  WHERE first_purchase_date IS NOT NULL
),
cohorts AS (
  SELECT cohort_month, COUNT(*) AS customers FROM members GROUP BY 1
),
months AS (
  SELECT DISTINCT CAST(DATE_TRUNC('month', sales_date) AS DATE) AS active_month
  FROM ecommerce.agg_daily_sales
  WHERE orders > 0
),
summed AS (
  SELECT m.cohort_month, CAST(DATE_TRUNC('month', t.transaction_date) AS DATE) AS active_month, SUM(t.net_amount) AS net
  FROM ecommerce.fact_transactions t
  JOIN members m ON m.user_id = t.user_id
  GROUP BY 1, 2
),
filled AS (
  SELECT
    c.cohort_month,
    m.active_month,
    c.customers,
    CAST(COALESCE(s.net, 0) AS DECIMAL(18,2)) AS net
  FROM cohorts c
  CROSS JOIN months m
  LEFT JOIN summed s ON s.cohort_month = c.cohort_month AND s.active_month = m.active_month
  WHERE m.active_month >= c.cohort_month
)
SELECT
  cohort_month,
  CAST((YEAR(active_month) - YEAR(cohort_month)) * 12 + MONTH(active_month) - MONTH(cohort_month) AS INT)
    AS months_since,
  LAST_DAY(cohort_month) = LAST_DAY(DATE '${var:from_date}') AS is_first_cohort,
  active_month >= DATE '${var:from_date}' AND LAST_DAY(active_month) <= DATE '${var:to_date}' AS is_whole_month,
  customers,
  net AS net_revenue,
  CAST(CAST(SUM(net) OVER (PARTITION BY cohort_month ORDER BY active_month
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS DECIMAL(18,2)) / CAST(customers AS DECIMAL(18,0))
    AS DECIMAL(18,2)) AS revenue_per_customer_to_date
FROM filled
ORDER BY cohort_month, months_since
LIMIT 1000;

-- @query lifetime_value
-- title: Lifetime value by tenth of the customers
-- question: How much of the revenue do the best customers bring?
-- grain: a tenth of those who bought, by net revenue to date, 1 being the highest; customers with equal revenue are in
--   the same tenth
-- key: tenth
-- period: none
-- needs: sales
-- columns: tenth number, customers count, lowest_value money signed, highest_value money signed,
--   net_revenue money signed, net_revenue_share share signed, net_revenue_share_to_here growth signed,
--   average_value money signed
WITH ranked AS (
  SELECT
    lifetime_value,
    RANK() OVER (ORDER BY lifetime_value DESC) AS place,
    COUNT(*) OVER () AS buyers
  FROM ecommerce.agg_user_metrics
  WHERE orders > 0
),
tenths AS (
  SELECT
    (place - 1) * 10 DIV buyers + 1 AS tenth,
    COUNT(*) AS customers,
    MIN(lifetime_value) AS lowest,
    MAX(lifetime_value) AS highest,
    CAST(SUM(lifetime_value) AS DECIMAL(18,2)) AS net
  FROM ranked
  GROUP BY 1
)
SELECT
  CAST(tenth AS INT) AS tenth,
  customers,
  lowest AS lowest_value,
  highest AS highest_value,
  net AS net_revenue,
  CAST(net / NULLIF(CAST(SUM(net) OVER () AS DECIMAL(18,2)), 0) AS DECIMAL(18,4)) AS net_revenue_share,
  CAST(CAST(SUM(net) OVER (ORDER BY tenth ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS DECIMAL(18,2))
    / NULLIF(CAST(SUM(net) OVER () AS DECIMAL(18,2)), 0) AS DECIMAL(18,4)) AS net_revenue_share_to_here,
  CAST(net / CAST(customers AS DECIMAL(18,0)) AS DECIMAL(18,2)) AS average_value
FROM tenths
ORDER BY tenth
LIMIT 10;

-- @query new_and_returning
-- title: New and returning customers
-- question: How much of each week's revenue comes from first orders, and how much from customers who had bought before?
-- grain: a week from Monday and a kind of customer: new (on the day of the first purchase since the data begins),
--   returning, or unknown (not among the current customers). Returns name no order: net revenue has what comes back
--   taken off from the kind that the customer is of on that day, which is returning but for returns on the first day.
--   So gross revenue compares the kinds, and net revenue says what a week came to
-- key: week_start, customer_kind
-- period: 91 days
-- needs: sales
-- columns: week_start date, customer_kind text, customers count, orders count, gross_revenue money signed,
--   net_revenue money signed, net_revenue_share share signed
WITH buyers AS (
  SELECT user_id, first_purchase_date FROM ecommerce.agg_user_metrics WHERE first_purchase_date IS NOT NULL
),
labelled AS (
  SELECT
    CAST(DATE_TRUNC('week', t.transaction_date) AS DATE) AS week_start,
    CASE
      WHEN u.first_purchase_date IS NULL THEN 'unknown'
      WHEN t.transaction_date <= u.first_purchase_date THEN 'new'
      ELSE 'returning'
    END AS customer_kind,
    t.user_id,
    t.order_id,
    MAX(CASE WHEN t.is_sale THEN 1 ELSE 0 END) AS is_order,
    SUM(t.gross_amount) AS gross,
    SUM(t.net_amount) AS net
  FROM ecommerce.fact_transactions t
  LEFT JOIN buyers u ON u.user_id = t.user_id
  WHERE t.transaction_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
    AND t.transaction_month BETWEEN SUBSTR('${var:from_date}', 1, 7) AND '${var:to_date}'
  GROUP BY 1, 2, 3, 4
),
kinds AS (
  SELECT
    week_start,
    customer_kind,
    COUNT(DISTINCT CASE WHEN is_order = 1 THEN user_id END) AS customers,
    SUM(is_order) AS orders,
    CAST(SUM(gross) AS DECIMAL(18,2)) AS gross,
    CAST(SUM(net) AS DECIMAL(18,2)) AS net
  FROM labelled
  GROUP BY 1, 2
)
SELECT
  week_start,
  customer_kind,
  customers,
  orders,
  gross AS gross_revenue,
  net AS net_revenue,
  CAST(net / NULLIF(CAST(SUM(net) OVER (PARTITION BY week_start) AS DECIMAL(18,2)), 0) AS DECIMAL(18,4))
    AS net_revenue_share
FROM kinds
ORDER BY week_start, customer_kind
LIMIT 90;

-- @query loyalty_tiers
-- title: Customers by loyalty tier
-- question: Are the customers of the higher tiers worth more?
-- grain: a loyalty tier
-- key: loyalty_tier
-- period: none
-- needs: sales
-- columns: loyalty_tier text, customers count, buyers count, buyer_share share, orders_per_buyer ratio,
--   net_revenue money signed, net_revenue_per_customer money signed
WITH tiers AS (
  SELECT
    COALESCE(loyalty_tier, 'none') AS loyalty_tier,
    CAST(COUNT(*) AS DECIMAL(18,0)) AS customers,
    CAST(SUM(CASE WHEN orders > 0 THEN 1 ELSE 0 END) AS DECIMAL(18,0)) AS buyers,
    CAST(SUM(orders) AS DECIMAL(18,0)) AS orders,
    CAST(SUM(net_amount) AS DECIMAL(18,2)) AS net
  FROM ecommerce.agg_user_metrics
  GROUP BY 1
)
SELECT
  loyalty_tier,
  CAST(customers AS BIGINT) AS customers,
  CAST(buyers AS BIGINT) AS buyers,
  CAST(buyers / customers AS DECIMAL(18,4)) AS buyer_share,
  CAST(orders / NULLIF(buyers, 0) AS DECIMAL(18,4)) AS orders_per_buyer,
  net AS net_revenue,
  CAST(net / customers AS DECIMAL(18,2)) AS net_revenue_per_customer
FROM tiers
ORDER BY net_revenue DESC, loyalty_tier
LIMIT 50;


-- @dashboard conversion_funnel
-- title: Conversion funnel
-- summary: How far visits get on the way from looking to buying, and where they stop. A step counts when it comes at or
--   after the step before it in the same visit; bots and events sent twice are left out.

-- @query funnel_steps
-- title: The funnel
-- question: How many visits reach each step, and how many are lost on the way to it?
-- grain: a step of the funnel
-- key: step
-- period: 30 days
-- needs: clickstream
-- columns: step number, step_name text, sessions count, share_of_visits share, share_of_step_before share,
--   lost_sessions count
WITH depths AS (
  SELECT funnel_depth, COUNT(*) AS sessions
  FROM lake.sessions
  WHERE session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  GROUP BY funnel_depth
),
names AS (
  SELECT 0 AS step, 'visit' AS step_name
  UNION ALL SELECT 1, 'product view'
  UNION ALL SELECT 2, 'add to cart'
  UNION ALL SELECT 3, 'begin checkout'
  UNION ALL SELECT 4, 'purchase'
),
reached AS (
  SELECT n.step, n.step_name, COALESCE(SUM(d.sessions), 0) AS sessions
  FROM names n
  LEFT JOIN depths d ON d.funnel_depth >= n.step
  GROUP BY 1, 2
),
compared AS (
  SELECT
    step,
    step_name,
    sessions,
    MAX(sessions) OVER () AS visits,
    LAG(sessions) OVER (ORDER BY step) AS sessions_before
  FROM reached
)
SELECT
  CAST(step AS INT) AS step,
  step_name,
  sessions,
  CAST(CAST(sessions AS DECIMAL(18,0)) / NULLIF(CAST(visits AS DECIMAL(18,0)), 0) AS DECIMAL(18,4)) AS share_of_visits,
  CAST(CAST(sessions AS DECIMAL(18,0)) / NULLIF(CAST(sessions_before AS DECIMAL(18,0)), 0) AS DECIMAL(18,4))
    AS share_of_step_before,
  sessions_before - sessions AS lost_sessions
FROM compared
ORDER BY step
LIMIT 5;

-- @query funnel_by_device
-- title: Funnel by device
-- question: On which devices do visits turn into purchases, and on which do they stop?
-- grain: a device type, of those with the most visits
-- key: device_type
-- period: 30 days
-- needs: clickstream
-- columns: device_type text, visits count, viewed count, added_to_cart count, began_checkout count, purchased count,
--   conversion share, cart_to_purchase share
-- agrees: visits = funnel_by_source.visits, viewed = funnel_by_source.viewed, purchased = funnel_by_source.purchased
WITH devices AS (
  SELECT
    COALESCE(device_type, 'unknown') AS device_type,
    COUNT(*) AS visits,
    SUM(CASE WHEN funnel_depth >= 1 THEN 1 ELSE 0 END) AS viewed,
    SUM(CASE WHEN funnel_depth >= 2 THEN 1 ELSE 0 END) AS added_to_cart,
    SUM(CASE WHEN funnel_depth >= 3 THEN 1 ELSE 0 END) AS began_checkout,
    SUM(CASE WHEN funnel_depth >= 4 THEN 1 ELSE 0 END) AS purchased
  FROM lake.sessions
  WHERE session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  GROUP BY 1
)
SELECT
  device_type,
  visits,
  viewed,
  added_to_cart,
  began_checkout,
  purchased,
  CAST(CAST(purchased AS DECIMAL(18,0)) / CAST(visits AS DECIMAL(18,0)) AS DECIMAL(18,4)) AS conversion,
  CAST(CAST(purchased AS DECIMAL(18,0)) / NULLIF(CAST(added_to_cart AS DECIMAL(18,0)), 0) AS DECIMAL(18,4))
    AS cart_to_purchase
FROM devices
ORDER BY visits DESC, device_type
LIMIT 100;

-- @query funnel_by_source
-- title: Funnel by source
-- question: Which sources and media bring visits that buy?
-- grain: a source and medium of the visit's first address
-- key: entry_source, entry_medium
-- period: 30 days
-- needs: clickstream
-- columns: entry_source text, entry_medium text, visits count, viewed count, added_to_cart count, began_checkout count,
--   purchased count, conversion share, purchase_amount money signed
WITH sources AS (
  SELECT
    entry_source,
    entry_medium,
    COUNT(*) AS visits,
    SUM(CASE WHEN funnel_depth >= 1 THEN 1 ELSE 0 END) AS viewed,
    SUM(CASE WHEN funnel_depth >= 2 THEN 1 ELSE 0 END) AS added_to_cart,
    SUM(CASE WHEN funnel_depth >= 3 THEN 1 ELSE 0 END) AS began_checkout,
    SUM(CASE WHEN funnel_depth >= 4 THEN 1 ELSE 0 END) AS purchased,
    CAST(SUM(purchase_amount) AS DECIMAL(18,2)) AS purchase_amount
  FROM lake.sessions
  WHERE session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  GROUP BY 1, 2
)
SELECT
  entry_source,
  entry_medium,
  visits,
  viewed,
  added_to_cart,
  began_checkout,
  purchased,
  CAST(CAST(purchased AS DECIMAL(18,0)) / CAST(visits AS DECIMAL(18,0)) AS DECIMAL(18,4)) AS conversion,
  purchase_amount
FROM sources
ORDER BY visits DESC, entry_source, entry_medium
LIMIT 1000;

-- @query daily_funnel
-- title: Funnel by day
-- question: How do visits and conversion move from day to day?
-- grain: a business day, also one without visits
-- key: session_date
-- period: 90 days
-- needs: clickstream
-- columns: session_date date, visits count, viewed count, added_to_cart count, began_checkout count, purchased count,
--   conversion share
WITH digits AS (
  SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
  UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
),
offsets AS (
  SELECT CAST(tens.d * 10 + ones.d AS INT) AS days FROM digits tens CROSS JOIN digits ones
),
calendar AS (
  SELECT DATE_ADD(DATE '${var:from_date}', days) AS session_date
  FROM offsets
  WHERE days <= DATEDIFF(DATE '${var:to_date}', DATE '${var:from_date}')
),
counted AS (
  SELECT
    session_date,
    COUNT(*) AS visits,
    SUM(CASE WHEN funnel_depth >= 1 THEN 1 ELSE 0 END) AS viewed,
    SUM(CASE WHEN funnel_depth >= 2 THEN 1 ELSE 0 END) AS added_to_cart,
    SUM(CASE WHEN funnel_depth >= 3 THEN 1 ELSE 0 END) AS began_checkout,
    SUM(CASE WHEN funnel_depth >= 4 THEN 1 ELSE 0 END) AS purchased
  FROM lake.sessions
  WHERE session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  GROUP BY session_date
)
SELECT
  d.session_date,
  COALESCE(c.visits, 0) AS visits,
  COALESCE(c.viewed, 0) AS viewed,
  COALESCE(c.added_to_cart, 0) AS added_to_cart,
  COALESCE(c.began_checkout, 0) AS began_checkout,
  COALESCE(c.purchased, 0) AS purchased,
  CAST(CAST(c.purchased AS DECIMAL(18,0)) / CAST(c.visits AS DECIMAL(18,0)) AS DECIMAL(18,4)) AS conversion
FROM calendar d
LEFT JOIN counted c ON c.session_date = d.session_date
ORDER BY session_date
LIMIT 100;

-- @query step_times
-- title: Time between steps
-- question: How long do visits take from one step to the next?
-- grain: a step and the one before it; the median and the ninth tenth are times that a visit really took (nearest rank)
-- key: step
-- period: 30 days
-- needs: clickstream
-- columns: step number, step_name text, sessions count, median_seconds seconds, ninth_tenth_seconds seconds,
--   average_seconds seconds
WITH moves AS (
  SELECT 1 AS step, UNIX_TIMESTAMP(reached_view_at) - UNIX_TIMESTAMP(started_at) AS seconds
  FROM lake.sessions
  WHERE reached_view_at IS NOT NULL AND session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  UNION ALL
  SELECT 2, UNIX_TIMESTAMP(reached_cart_at) - UNIX_TIMESTAMP(reached_view_at)
  FROM lake.sessions
  WHERE reached_cart_at IS NOT NULL AND session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  UNION ALL
  SELECT 3, UNIX_TIMESTAMP(reached_checkout_at) - UNIX_TIMESTAMP(reached_cart_at)
  FROM lake.sessions
  WHERE reached_checkout_at IS NOT NULL AND session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  UNION ALL
  SELECT 4, UNIX_TIMESTAMP(reached_purchase_at) - UNIX_TIMESTAMP(reached_checkout_at)
  FROM lake.sessions
  WHERE reached_purchase_at IS NOT NULL AND session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
),
counted AS (
  SELECT step, seconds, COUNT(*) AS sessions FROM moves GROUP BY 1, 2
),
placed AS (
  SELECT
    step,
    seconds,
    sessions,
    SUM(sessions) OVER (PARTITION BY step ORDER BY seconds ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS up_to,
    SUM(sessions) OVER (PARTITION BY step) AS in_all
  FROM counted
)
SELECT
  CAST(step AS INT) AS step,
  CASE step
    WHEN 1 THEN 'visit to product view'
    WHEN 2 THEN 'product view to cart'
    WHEN 3 THEN 'cart to checkout'
    ELSE 'checkout to purchase'
  END AS step_name,
  SUM(sessions) AS sessions,
  MIN(CASE WHEN up_to * 2 >= in_all THEN seconds END) AS median_seconds,
  MIN(CASE WHEN up_to * 10 >= in_all * 9 THEN seconds END) AS ninth_tenth_seconds,
  CAST(CAST(SUM(seconds * sessions) AS DECIMAL(18,0)) / CAST(SUM(sessions) AS DECIMAL(18,0)) AS DECIMAL(18,1))
    AS average_seconds
FROM placed
GROUP BY step
ORDER BY step
LIMIT 4;


-- @dashboard abandoned_carts
-- title: Abandoned carts
-- summary: Visits that put something into the cart and did not buy: how many, when, what was left behind, and whether
--   the customer came back for it. A cart is known by the events of putting things in and taking them out; what was
--   bought without such an event is in no cart, so that carts cover a part of the purchases only.

-- @query abandonment_summary
-- title: Abandoned carts at a glance
-- question: How many carts were abandoned, what lay in them, and how does that compare with as many days before?
-- grain: one row; an emptied cart is an abandoned one in which nothing was left, and the average is over the others;
--   what was before is empty unless the data covers all of those days
-- key: from_date
-- period: 30 days
-- needs: clickstream
-- columns: from_date date, to_date date, cart_sessions count, cart_sessions_before count, abandoned_sessions count,
--   abandoned_sessions_before count, emptied_sessions count, abandonment_rate share, abandonment_rate_before share,
--   abandoned_value money, abandoned_value_before money, abandoned_value_growth growth signed,
--   average_abandoned_value money
WITH visits AS (
  SELECT
    CASE WHEN session_date >= DATE '${var:from_date}' THEN 1 ELSE 0 END AS is_now,
    is_abandoned,
    cart_items,
    cart_value
  FROM lake.sessions
  WHERE carts > 0
    AND session_date BETWEEN
      DATE_SUB(DATE '${var:from_date}', DATEDIFF(DATE '${var:to_date}', DATE '${var:from_date}') + 1)
      AND DATE '${var:to_date}'
),
totals AS (
  SELECT
    COALESCE(SUM(is_now), 0) AS carts_now,
    COALESCE(SUM(1 - is_now), 0) AS carts_before,
    COALESCE(SUM(CASE WHEN is_abandoned THEN is_now END), 0) AS abandoned_now,
    COALESCE(SUM(CASE WHEN is_abandoned THEN 1 - is_now END), 0) AS abandoned_before,
    COALESCE(SUM(CASE WHEN is_abandoned AND cart_items = 0 THEN is_now END), 0) AS emptied_now,
    CAST(COALESCE(SUM(CASE WHEN is_abandoned AND is_now = 1 THEN cart_value END), 0) AS DECIMAL(18,2)) AS value_now,
    CAST(COALESCE(SUM(CASE WHEN is_abandoned AND is_now = 0 THEN cart_value END), 0) AS DECIMAL(18,2)) AS value_before
  FROM visits
),
history AS (
  SELECT
    MIN(session_date)
      <= DATE_SUB(DATE '${var:from_date}', DATEDIFF(DATE '${var:to_date}', DATE '${var:from_date}') + 1)
      AS reaches_back
  FROM lake.sessions
),
compared AS (
  SELECT
    carts_now,
    abandoned_now,
    emptied_now,
    value_now,
    CASE WHEN reaches_back THEN carts_before END AS carts_before,
    CASE WHEN reaches_back THEN abandoned_before END AS abandoned_before,
    CASE WHEN reaches_back THEN value_before END AS value_before
  FROM totals
  CROSS JOIN history
)
SELECT
  DATE '${var:from_date}' AS from_date,
  DATE '${var:to_date}' AS to_date,
  carts_now AS cart_sessions,
  carts_before AS cart_sessions_before,
  abandoned_now AS abandoned_sessions,
  abandoned_before AS abandoned_sessions_before,
  emptied_now AS emptied_sessions,
  CAST(CAST(abandoned_now AS DECIMAL(18,0)) / NULLIF(CAST(carts_now AS DECIMAL(18,0)), 0) AS DECIMAL(18,4))
    AS abandonment_rate,
  CAST(CAST(abandoned_before AS DECIMAL(18,0)) / NULLIF(CAST(carts_before AS DECIMAL(18,0)), 0) AS DECIMAL(18,4))
    AS abandonment_rate_before,
  value_now AS abandoned_value,
  value_before AS abandoned_value_before,
  CAST((value_now - value_before) / NULLIF(value_before, 0) AS DECIMAL(18,4)) AS abandoned_value_growth,
  CAST(value_now / NULLIF(CAST(abandoned_now - emptied_now AS DECIMAL(18,0)), 0) AS DECIMAL(18,2))
    AS average_abandoned_value
FROM compared
ORDER BY from_date
LIMIT 2;

-- @query abandonment_by_day
-- title: Abandoned carts by day
-- question: How do the number, the rate and the value of abandoned carts move from day to day?
-- grain: a business day, also one without carts
-- key: session_date
-- period: 90 days
-- needs: clickstream
-- columns: session_date date, cart_sessions count, abandoned_sessions count, abandonment_rate share,
--   abandoned_value money
WITH digits AS (
  SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
  UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
),
offsets AS (
  SELECT CAST(tens.d * 10 + ones.d AS INT) AS days FROM digits tens CROSS JOIN digits ones
),
calendar AS (
  SELECT DATE_ADD(DATE '${var:from_date}', days) AS session_date
  FROM offsets
  WHERE days <= DATEDIFF(DATE '${var:to_date}', DATE '${var:from_date}')
),
counted AS (
  SELECT
    session_date,
    COUNT(*) AS carts,
    SUM(CASE WHEN is_abandoned THEN 1 ELSE 0 END) AS abandoned,
    SUM(CASE WHEN is_abandoned THEN cart_value END) AS abandoned_value
  FROM lake.sessions
  WHERE carts > 0 AND session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  GROUP BY session_date
)
SELECT
  d.session_date,
  COALESCE(c.carts, 0) AS cart_sessions,
  COALESCE(c.abandoned, 0) AS abandoned_sessions,
  CAST(CAST(c.abandoned AS DECIMAL(18,0)) / CAST(c.carts AS DECIMAL(18,0)) AS DECIMAL(18,4)) AS abandonment_rate,
  CAST(COALESCE(c.abandoned_value, 0) AS DECIMAL(18,2)) AS abandoned_value
FROM calendar d
LEFT JOIN counted c ON c.session_date = d.session_date
ORDER BY session_date
LIMIT 100;

-- @query abandonment_by_hour
-- title: Abandoned carts by hour of the day
-- question: At which times of the day are carts abandoned most?
-- grain: an hour of the day in the shop's time zone in which a visit with a cart began
-- key: hour_of_day
-- period: 30 days
-- needs: clickstream
-- columns: hour_of_day number, cart_sessions count, abandoned_sessions count, abandonment_rate share,
--   abandoned_value money
-- agrees: cart_sessions = abandonment_summary.cart_sessions, abandoned_value = abandonment_summary.abandoned_value,
--   abandoned_sessions = abandonment_summary.abandoned_sessions
WITH hours AS (
  SELECT
    HOUR(FROM_UTC_TIMESTAMP(started_at, '${var:time_zone}')) AS hour_of_day,
    COUNT(*) AS carts,
    SUM(CASE WHEN is_abandoned THEN 1 ELSE 0 END) AS abandoned,
    CAST(COALESCE(SUM(CASE WHEN is_abandoned THEN cart_value END), 0) AS DECIMAL(18,2)) AS abandoned_value
  FROM lake.sessions
  WHERE carts > 0 AND session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  GROUP BY 1
)
SELECT
  hour_of_day,
  carts AS cart_sessions,
  abandoned AS abandoned_sessions,
  CAST(CAST(abandoned AS DECIMAL(18,0)) / CAST(carts AS DECIMAL(18,0)) AS DECIMAL(18,4)) AS abandonment_rate,
  abandoned_value
FROM hours
ORDER BY hour_of_day
LIMIT 25;

-- @query abandonment_by_device
-- title: Abandoned carts by device
-- question: On which devices are carts abandoned most?
-- grain: a device type, of those with the most carts; the average is over carts in which something was left
-- key: device_type
-- period: 30 days
-- needs: clickstream
-- columns: device_type text, cart_sessions count, abandoned_sessions count, emptied_sessions count,
--   abandonment_rate share, abandoned_value money, average_abandoned_value money
-- agrees: cart_sessions = abandonment_summary.cart_sessions, abandoned_value = abandonment_summary.abandoned_value,
--   abandoned_sessions = abandonment_summary.abandoned_sessions,
--   emptied_sessions = abandonment_summary.emptied_sessions
WITH devices AS (
  SELECT
    COALESCE(device_type, 'unknown') AS device_type,
    COUNT(*) AS carts,
    SUM(CASE WHEN is_abandoned THEN 1 ELSE 0 END) AS abandoned,
    SUM(CASE WHEN is_abandoned AND cart_items = 0 THEN 1 ELSE 0 END) AS emptied,
    CAST(COALESCE(SUM(CASE WHEN is_abandoned THEN cart_value END), 0) AS DECIMAL(18,2)) AS abandoned_value
  FROM lake.sessions
  WHERE carts > 0 AND session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  GROUP BY 1
)
SELECT
  device_type,
  carts AS cart_sessions,
  abandoned AS abandoned_sessions,
  emptied AS emptied_sessions,
  CAST(CAST(abandoned AS DECIMAL(18,0)) / CAST(carts AS DECIMAL(18,0)) AS DECIMAL(18,4)) AS abandonment_rate,
  abandoned_value,
  CAST(abandoned_value / NULLIF(CAST(abandoned - emptied AS DECIMAL(18,0)), 0) AS DECIMAL(18,2))
    AS average_abandoned_value
FROM devices
ORDER BY cart_sessions DESC, device_type
LIMIT 100;

-- @query abandonment_by_category
-- title: Left behind by category
-- question: From which categories are things put into carts and left there?
-- grain: a category, as the product had it when it was put into the cart; units and value left in abandoned carts
-- key: category
-- period: 30 days
-- needs: clickstream
-- columns: category text, added_units count, left_units count, left_share share, left_value money, sessions count
-- agrees: left_value = abandonment_summary.abandoned_value
WITH items AS (
  SELECT
    COALESCE(p.category, 'unknown') AS category,
    i.session_id,
    i.added_quantity,
    CASE WHEN s.is_abandoned THEN i.left_quantity ELSE 0 END AS left_quantity,
    CASE WHEN s.is_abandoned THEN i.cart_value ELSE CAST(0 AS DECIMAL(18,2)) END AS left_value,
    CASE WHEN s.is_abandoned AND i.left_quantity > 0 THEN i.session_id END AS left_session
  FROM lake.cart_items i
  JOIN lake.sessions s ON s.session_id = i.session_id
  LEFT JOIN ecommerce.dim_products p ON p.product_sk = i.product_sk
  WHERE s.session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
),
categories AS (
  SELECT
    category,
    SUM(added_quantity) AS added_units,
    SUM(left_quantity) AS left_units,
    CAST(SUM(left_value) AS DECIMAL(18,2)) AS left_value,
    COUNT(DISTINCT left_session) AS sessions
  FROM items
  GROUP BY category
)
SELECT
  category,
  added_units,
  left_units,
  CAST(CAST(left_units AS DECIMAL(18,0)) / NULLIF(CAST(added_units AS DECIMAL(18,0)), 0) AS DECIMAL(18,4))
    AS left_share,
  left_value,
  sessions
FROM categories
ORDER BY left_value DESC, category
LIMIT 500;

-- @query cart_recovery
-- title: Recovered later
-- question: Of the abandoned carts, how many did the customer come back for and buy something that was left in them,
--   how soon, and how many were followed by another purchase only?
-- grain: an outcome, also one that no cart had. A cart is recovered by the next sale, to the same customer, of a
--   product that was left in it; cancelled and pending lines are no sales, and the time counts from the end of the
--   visit. Emptied carts have nothing to come back for, and visitors who were not signed in cannot be followed: the
--   share of the known is of the other carts. Outcomes are as of the end of the data: for the newest carts they are not
--   decided yet, and their customers may still come back
-- key: outcome_order
-- period: 30 days
-- needs: clickstream
-- columns: outcome_order number, outcome text, abandoned_sessions count, session_share share, share_of_known share,
--   abandoned_value money
-- agrees: abandoned_sessions = abandonment_summary.abandoned_sessions,
--   abandoned_value = abandonment_summary.abandoned_value
WITH abandoned AS (
  SELECT session_id, user_id, ended_at, cart_items, cart_value
  FROM lake.sessions
  WHERE is_abandoned AND session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
),
left_items AS (
  SELECT session_id, product_id
  FROM lake.cart_items
  -- A day of slack, as days are those of the shop's time zone.
  WHERE left_quantity > 0 AND first_added_at >= DATE_SUB(DATE '${var:from_date}', 1)
),
sold AS (
  SELECT user_id, product_id, transaction_ts
  FROM ecommerce.fact_transactions
  WHERE is_sale
    AND transaction_date >= DATE '${var:from_date}'
    AND transaction_month >= SUBSTR('${var:from_date}', 1, 7)
),
followed AS (
  SELECT
    a.session_id,
    a.user_id,
    a.cart_items,
    a.cart_value,
    MAX(s.transaction_ts) AS last_sold_at,
    MIN(CASE WHEN i.product_id IS NOT NULL THEN UNIX_TIMESTAMP(s.transaction_ts) - UNIX_TIMESTAMP(a.ended_at) END)
      AS seconds
  FROM abandoned a
  LEFT JOIN sold s ON s.user_id = a.user_id AND s.transaction_ts > a.ended_at
  LEFT JOIN left_items i ON i.session_id = a.session_id AND i.product_id = s.product_id
  GROUP BY 1, 2, 3, 4
),
labelled AS (
  SELECT
    CASE
      WHEN cart_items = 0 THEN 7
      WHEN user_id IS NULL THEN 8
      WHEN last_sold_at IS NULL THEN 6
      WHEN seconds IS NULL THEN 5
      WHEN seconds <= 3600 THEN 1
      WHEN seconds <= 86400 THEN 2
      WHEN seconds <= 604800 THEN 3
      ELSE 4
    END AS outcome_order,
    cart_value
  FROM followed
),
counted AS (
  SELECT outcome_order, COUNT(*) AS sessions, SUM(cart_value) AS abandoned_value
  FROM labelled
  GROUP BY outcome_order
),
names AS (
  SELECT 1 AS outcome_order, 'recovered within an hour' AS outcome
  UNION ALL SELECT 2, 'recovered within a day'
  UNION ALL SELECT 3, 'recovered within a week'
  UNION ALL SELECT 4, 'recovered later'
  UNION ALL SELECT 5, 'bought something else later'
  UNION ALL SELECT 6, 'bought nothing so far'
  UNION ALL SELECT 7, 'cart was emptied'
  UNION ALL SELECT 8, 'visitor not known'
),
outcomes AS (
  SELECT
    n.outcome_order,
    n.outcome,
    COALESCE(c.sessions, 0) AS sessions,
    CASE WHEN n.outcome_order <= 6 THEN COALESCE(c.sessions, 0) END AS known_sessions,
    CAST(COALESCE(c.abandoned_value, 0) AS DECIMAL(18,2)) AS abandoned_value
  FROM names n
  LEFT JOIN counted c ON c.outcome_order = n.outcome_order
)
SELECT
  CAST(outcome_order AS INT) AS outcome_order,
  outcome,
  sessions AS abandoned_sessions,
  CAST(CAST(sessions AS DECIMAL(18,0)) / NULLIF(CAST(SUM(sessions) OVER () AS DECIMAL(18,0)), 0) AS DECIMAL(18,4))
    AS session_share,
  CAST(CAST(known_sessions AS DECIMAL(18,0)) / NULLIF(CAST(SUM(known_sessions) OVER () AS DECIMAL(18,0)), 0)
    AS DECIMAL(18,4)) AS share_of_known,
  abandoned_value
FROM outcomes
ORDER BY outcome_order
LIMIT 9;

-- @query top_left_behind
-- title: Products left behind most
-- question: Which products lie in abandoned carts with the highest value?
-- grain: a product left in abandoned carts
-- key: product_id
-- period: 30 days
-- needs: clickstream
-- columns: product_id text, product_name text, category text, sessions count, left_units count, left_value money
WITH left_items AS (
  SELECT
    i.product_id,
    COUNT(*) AS sessions,
    SUM(i.left_quantity) AS left_units,
    CAST(SUM(i.cart_value) AS DECIMAL(18,2)) AS left_value
  FROM lake.cart_items i
  JOIN lake.sessions s ON s.session_id = i.session_id
  WHERE s.is_abandoned AND i.left_quantity > 0
    AND s.session_date BETWEEN DATE '${var:from_date}' AND DATE '${var:to_date}'
  GROUP BY i.product_id
)
SELECT
  l.product_id,
  COALESCE(p.product_name, '(not in the current catalogue)') AS product_name,
  COALESCE(p.category, 'unknown') AS category,
  l.sessions,
  l.left_units,
  l.left_value
FROM left_items l
LEFT JOIN ecommerce.dim_products p ON p.product_id = l.product_id AND p.is_current
ORDER BY left_value DESC, product_id
LIMIT 25;
