"""Hive's checks of the loaded tables, asked of DuckDB: each finds what it is there for, and nothing in good tables."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot

from common.settings import conf_root

EMPTY = """
CREATE SCHEMA ecommerce;
CREATE TABLE ecommerce.dim_users (user_sk BIGINT, user_id VARCHAR, valid_from DATE, valid_to DATE, is_current BOOLEAN);
CREATE TABLE ecommerce.dim_products
    (product_sk BIGINT, product_id VARCHAR, valid_from DATE, valid_to DATE, is_current BOOLEAN);
CREATE TABLE ecommerce.fact_transactions (transaction_id VARCHAR, user_sk BIGINT, product_sk BIGINT,
    transaction_date DATE, transaction_month VARCHAR, gross_amount DECIMAL(18,2), return_amount DECIMAL(18,2),
    net_amount DECIMAL(18,2));
CREATE TABLE ecommerce.fact_clickstream (event_id VARCHAR, user_sk BIGINT);
CREATE TABLE ecommerce.agg_daily_sales (sales_date DATE, net_amount DECIMAL(18,2));
CREATE TABLE ecommerce.mv_daily_revenue_by_category (sales_date DATE, net_amount DECIMAL(18,2));
"""
GOOD = """
INSERT INTO ecommerce.dim_users VALUES
    (-1, 'unknown', '1900-01-01', '9999-12-31', true),
    (1, 'U1', '1900-01-01', '2025-01-01', false), (2, 'U1', '2025-01-01', '9999-12-31', true);
INSERT INTO ecommerce.dim_products VALUES
    (-1, 'unknown', '1900-01-01', '9999-12-31', true), (1, 'P1', '1900-01-01', '9999-12-31', true);
INSERT INTO ecommerce.fact_transactions VALUES
    ('T1', 2, 1, '2025-11-30', '2025-11', 5, 1, 4), ('T2', -1, -1, '2025-11-29', '2025-11-29', 2, 0, 2);
INSERT INTO ecommerce.fact_clickstream VALUES ('E1', 2);
INSERT INTO ecommerce.agg_daily_sales VALUES ('2025-11-30', 4), ('2025-11-29', 2);
INSERT INTO ecommerce.mv_daily_revenue_by_category VALUES ('2025-11-30', 6);
"""
BAD = """
INSERT INTO ecommerce.dim_users VALUES
    (1, 'U1', '2025-01-01', '2025-01-01', true), (1, 'U1', '2025-01-01', '9999-12-31', true);
INSERT INTO ecommerce.dim_products VALUES
    (NULL, 'P1', '2025-01-02', '2025-01-01', true), (2, 'P1', '2025-01-01', '9999-12-31', true);
INSERT INTO ecommerce.fact_transactions VALUES
    ('T1', 7, 8, '2025-11-30', '2025-10', 5, 1, 5), ('T1', 7, 8, '2025-11-30', '2025-11', 5, 1, 4);
INSERT INTO ecommerce.fact_clickstream VALUES ('E1', 7), (NULL, 7);
INSERT INTO ecommerce.agg_daily_sales VALUES ('2025-11-28', 1);
INSERT INTO ecommerce.mv_daily_revenue_by_category VALUES ('2025-11-28', 1);
"""


def checked(rows: str) -> dict[str, int]:
    """Each check and how much it finds wrong; a sum over too few rows counts as well as one over too many."""
    text = (conf_root() / "sql" / "hive" / "hive_check_loads.sql").read_text(encoding="utf-8")
    (statement,) = sqlglot.transpile(text, read="hive", write="duckdb")
    with duckdb.connect() as db:
        db.execute(EMPTY + rows)
        return {name: abs(wrong) for name, wrong in db.execute(statement).fetchall()}


def test_good_tables_have_nothing_wrong() -> None:
    assert {name: wrong for name, wrong in checked(GOOD).items() if wrong} == {}


@pytest.mark.parametrize("name", sorted(checked(GOOD)))
def test_each_check_finds_what_it_is_there_for(name: str) -> None:
    assert checked(BAD)[name] > 0
