-- What Impala is told after each publish, before the dashboards' queries: `impala-shell -f impala_optimization.sql`.
--
-- Impala keeps metadata of its own. publish_hive points tables and partitions at new directories through the metastore,
-- so that INVALIDATE METADATA lets Impala forget a table: definition, partitions and files are loaded anew when it is
-- asked next, also of a table that Impala has not seen yet. A REFRESH beside it would load them twice. COMPUTE STATS
-- counts rows, distinct values and nulls, by which joins are ordered and small tables broadcast. Tables are published
-- whole or by partition, so that statistics are computed for all of each.
--
-- The funnel and the carts are asked of copies of the lake's tables (hive_ddl_create_tables.sql). They come last: where
-- there are none, impala-shell stops here with all else done.
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

COMPUTE STATS ecommerce.dim_users;
COMPUTE STATS ecommerce.dim_products;
COMPUTE STATS ecommerce.fact_transactions;
COMPUTE STATS ecommerce.fact_clickstream;
COMPUTE STATS ecommerce.agg_daily_sales;
COMPUTE STATS ecommerce.agg_user_metrics;
COMPUTE STATS ecommerce.mv_daily_revenue_by_category;

INVALIDATE METADATA lake.sessions;
INVALIDATE METADATA lake.cart_items;
COMPUTE STATS lake.sessions;
COMPUTE STATS lake.cart_items;
