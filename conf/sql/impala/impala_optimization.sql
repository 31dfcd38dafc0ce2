-- What Impala is told after each publish, before the dashboards' queries: `impala-shell -f impala_optimization.sql`.
--
-- Impala keeps metadata of its own. publish_hive points tables and partitions at new directories through the metastore:
-- INVALIDATE METADATA makes Impala load a table's definition anew, REFRESH its files and partitions, and COMPUTE STATS
-- counts rows, distinct values and nulls, by which joins are ordered and small tables broadcast. Tables are published
-- whole or by partition, so that statistics are computed for all of each.
--
-- Spark's counterparts are REFRESH TABLE and ANALYZE TABLE … COMPUTE STATISTICS FOR ALL COLUMNS; Hive asks the
-- metastore each time and needs ANALYZE TABLE … COMPUTE STATISTICS FOR COLUMNS alone (common/bi/dialects.py).

INVALIDATE METADATA ecommerce.dim_users;
INVALIDATE METADATA ecommerce.dim_products;
INVALIDATE METADATA ecommerce.fact_transactions;
INVALIDATE METADATA ecommerce.fact_clickstream;
INVALIDATE METADATA ecommerce.agg_daily_sales;
INVALIDATE METADATA ecommerce.agg_user_metrics;
INVALIDATE METADATA ecommerce.mv_daily_revenue_by_category;

REFRESH ecommerce.dim_users;
REFRESH ecommerce.dim_products;
REFRESH ecommerce.fact_transactions;
REFRESH ecommerce.fact_clickstream;
REFRESH ecommerce.agg_daily_sales;
REFRESH ecommerce.agg_user_metrics;
REFRESH ecommerce.mv_daily_revenue_by_category;

COMPUTE STATS ecommerce.dim_users;
COMPUTE STATS ecommerce.dim_products;
COMPUTE STATS ecommerce.fact_transactions;
COMPUTE STATS ecommerce.fact_clickstream;
COMPUTE STATS ecommerce.agg_daily_sales;
COMPUTE STATS ecommerce.agg_user_metrics;
COMPUTE STATS ecommerce.mv_daily_revenue_by_category;
