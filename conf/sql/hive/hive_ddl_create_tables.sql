-- The tables of the database ecommerce for Hive itself, as publish_hive lays them out.
--
-- publish_hive registers its tables on its own; this file is for a Hive whose metastore it does not write. It declares
-- external tables and loads nothing: the only way to load is the stage graph. `ops/tables.json` of the root says where
-- each table and partition lies; root is the directory of the zones:
--
--   beeline -u jdbc:hive2://HOST:PORT -n USER --hivevar root=hdfs:///ecommerce -f hive_ddl_create_tables.sql
--
-- Locations change with each publish. An unpartitioned table is declared with the directory of its table, in which the
-- versions lie, and pointed at the one that tables.json names:
--   ALTER TABLE ecommerce.dim_users SET LOCATION '…/warehouse/hive/dim_users/v000001';
-- a partitioned one gets its partitions:
--   ALTER TABLE ecommerce.fact_transactions ADD PARTITION (transaction_month='2025-11') LOCATION '…';

CREATE DATABASE IF NOT EXISTS ecommerce LOCATION '${hivevar:root}/warehouse/hive';

CREATE EXTERNAL TABLE IF NOT EXISTS ecommerce.agg_daily_sales (
  sales_date DATE,
  country STRING,
  orders BIGINT,
  customers BIGINT,
  lines BIGINT,
  sale_lines BIGINT,
  return_lines BIGINT,
  cancelled_lines BIGINT,
  pending_lines BIGINT,
  units BIGINT,
  returned_units BIGINT,
  gross_amount DECIMAL(18,2),
  return_amount DECIMAL(18,2),
  net_amount DECIMAL(18,2),
  discount_amount DECIMAL(18,2),
  tax_amount DECIMAL(18,2),
  shipping_amount DECIMAL(18,2),
  cost_amount DECIMAL(18,2),
  margin_amount DECIMAL(18,2),
  average_order_value DECIMAL(18,2)
)
STORED AS PARQUET
LOCATION '${hivevar:root}/warehouse/hive/agg_daily_sales';

CREATE EXTERNAL TABLE IF NOT EXISTS ecommerce.agg_user_metrics (
  user_id STRING,
  user_sk BIGINT,
  country STRING,
  loyalty_tier STRING,
  signup_date DATE,
  as_of_date DATE,
  first_purchase_date DATE,
  last_purchase_date DATE,
  recency_days INT,
  orders BIGINT,
  units BIGINT,
  return_lines BIGINT,
  gross_amount DECIMAL(18,2),
  return_amount DECIMAL(18,2),
  net_amount DECIMAL(18,2),
  margin_amount DECIMAL(18,2),
  average_order_value DECIMAL(18,2),
  average_days_between_orders DECIMAL(18,2),
  distinct_categories BIGINT,
  sessions BIGINT,
  events BIGINT,
  lifetime_value DECIMAL(18,2),
  recency_score INT,
  frequency_score INT,
  monetary_score INT
)
STORED AS PARQUET
LOCATION '${hivevar:root}/warehouse/hive/agg_user_metrics';

CREATE EXTERNAL TABLE IF NOT EXISTS ecommerce.dim_products (
  product_sk BIGINT,
  product_id STRING,
  product_name STRING,
  category STRING,
  subcategory STRING,
  brand STRING,
  list_price DECIMAL(12,2),
  unit_cost DECIMAL(12,2),
  stock_quantity INT,
  is_active BOOLEAN,
  created_at TIMESTAMP,
  valid_from TIMESTAMP,
  valid_to TIMESTAMP,
  is_current BOOLEAN,
  is_deleted BOOLEAN
)
STORED AS PARQUET
LOCATION '${hivevar:root}/warehouse/hive/dim_products';

CREATE EXTERNAL TABLE IF NOT EXISTS ecommerce.dim_users (
  user_sk BIGINT,
  user_id STRING,
  email_token STRING,
  phone_token STRING,
  name_token STRING,
  gender STRING,
  birth_year INT,
  city STRING,
  state STRING,
  country STRING,
  signup_ts TIMESTAMP,
  signup_date DATE,
  marketing_opt_in BOOLEAN,
  loyalty_tier STRING,
  valid_from TIMESTAMP,
  valid_to TIMESTAMP,
  is_current BOOLEAN,
  is_deleted BOOLEAN
)
STORED AS PARQUET
LOCATION '${hivevar:root}/warehouse/hive/dim_users';

CREATE EXTERNAL TABLE IF NOT EXISTS ecommerce.fact_clickstream (
  event_id STRING,
  user_sk BIGINT,
  product_sk BIGINT,
  user_id STRING,
  anonymous_id STRING,
  session_id STRING,
  event_ts TIMESTAMP,
  event_date DATE,
  event_type STRING,
  page_url STRING,
  referrer STRING,
  product_id STRING,
  search_query STRING,
  quantity INT,
  device_type STRING,
  device_os STRING,
  device_browser STRING,
  geo_country STRING,
  geo_city STRING,
  utm_source STRING,
  utm_medium STRING,
  utm_campaign STRING,
  is_bot BOOLEAN,
  near_duplicate_of STRING,
  is_anonymous BOOLEAN,
  is_unknown_user BOOLEAN,
  is_unknown_product BOOLEAN
)
PARTITIONED BY (event_month STRING)
STORED AS PARQUET
LOCATION '${hivevar:root}/warehouse/hive/fact_clickstream';

CREATE EXTERNAL TABLE IF NOT EXISTS ecommerce.fact_transactions (
  transaction_id STRING,
  order_id BIGINT,
  user_sk BIGINT,
  product_sk BIGINT,
  user_id STRING,
  product_id STRING,
  session_id STRING,
  quantity INT,
  unit_price DECIMAL(12,2),
  discount_amount DECIMAL(12,2),
  tax_amount DECIMAL(12,2),
  shipping_amount DECIMAL(12,2),
  total_amount DECIMAL(12,2),
  gross_amount DECIMAL(18,2),
  return_amount DECIMAL(18,2),
  net_amount DECIMAL(18,2),
  cost_amount DECIMAL(18,2),
  margin_amount DECIMAL(18,2),
  currency STRING,
  payment_method STRING,
  status STRING,
  rating INT,
  transaction_ts TIMESTAMP,
  transaction_date DATE,
  is_sale BOOLEAN,
  is_return BOOLEAN,
  is_unknown_user BOOLEAN,
  is_unknown_product BOOLEAN
)
PARTITIONED BY (transaction_month STRING)
STORED AS PARQUET
LOCATION '${hivevar:root}/warehouse/hive/fact_transactions';

CREATE EXTERNAL TABLE IF NOT EXISTS ecommerce.mv_daily_revenue_by_category (
  sales_date DATE,
  category STRING,
  orders BIGINT,
  lines BIGINT,
  sale_lines BIGINT,
  units BIGINT,
  returned_units BIGINT,
  gross_amount DECIMAL(18,2),
  return_amount DECIMAL(18,2),
  net_amount DECIMAL(18,2),
  cost_amount DECIMAL(18,2),
  margin_amount DECIMAL(18,2)
)
STORED AS PARQUET
LOCATION '${hivevar:root}/warehouse/hive/mv_daily_revenue_by_category';

-- What the dashboards ask at the grain of a visit. The lake's tables are Delta, which Hive and Impala do not read:
-- these are copies as Parquet, which Spark writes after a run:
--   spark.read.format("delta").load(ROOT + "/warehouse/lake/sessions").write.mode("overwrite").parquet(LOCATION)

CREATE DATABASE IF NOT EXISTS lake LOCATION '${hivevar:root}/analytics/lake_copies';

CREATE EXTERNAL TABLE IF NOT EXISTS lake.sessions (
  session_id STRING,
  user_id STRING,
  anonymous_id STRING,
  started_at TIMESTAMP,
  ended_at TIMESTAMP,
  session_date DATE,
  duration_seconds BIGINT,
  events BIGINT,
  page_views BIGINT,
  searches BIGINT,
  product_views BIGINT,
  carts BIGINT,
  removals BIGINT,
  checkouts BIGINT,
  purchases BIGINT,
  reviews BIGINT,
  first_view_at TIMESTAMP,
  first_cart_at TIMESTAMP,
  first_checkout_at TIMESTAMP,
  first_purchase_at TIMESTAMP,
  reached_view_at TIMESTAMP,
  reached_cart_at TIMESTAMP,
  reached_checkout_at TIMESTAMP,
  reached_purchase_at TIMESTAMP,
  funnel_depth INT,
  furthest_step STRING,
  entry_source STRING,
  entry_medium STRING,
  device_type STRING,
  country STRING,
  cart_items BIGINT,
  cart_value DECIMAL(18,2),
  purchased_lines BIGINT,
  purchase_amount DECIMAL(18,2),
  is_converted BOOLEAN,
  is_abandoned BOOLEAN
)
STORED AS PARQUET
LOCATION '${hivevar:root}/analytics/lake_copies/sessions';

CREATE EXTERNAL TABLE IF NOT EXISTS lake.cart_items (
  session_id STRING,
  product_id STRING,
  product_sk BIGINT,
  added_quantity BIGINT,
  removed_quantity BIGINT,
  left_quantity BIGINT,
  unit_price DECIMAL(12,2),
  cart_value DECIMAL(18,2),
  first_added_at TIMESTAMP,
  is_purchased BOOLEAN,
  is_left_behind BOOLEAN
)
STORED AS PARQUET
LOCATION '${hivevar:root}/analytics/lake_copies/cart_items';
