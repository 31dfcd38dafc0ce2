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
CREATE TABLE ecommerce.fact_transactions (transaction_id VARCHAR, order_id BIGINT, user_sk BIGINT, product_sk BIGINT,
    user_id VARCHAR, transaction_date DATE, transaction_month VARCHAR, gross_amount DECIMAL(18,2),
    return_amount DECIMAL(18,2), net_amount DECIMAL(18,2), is_sale BOOLEAN);
CREATE TABLE ecommerce.fact_clickstream (event_id VARCHAR, user_sk BIGINT, product_sk BIGINT);
CREATE TABLE ecommerce.agg_daily_sales (sales_date DATE, net_amount DECIMAL(18,2));
CREATE TABLE ecommerce.agg_user_metrics (user_id VARCHAR, orders BIGINT, net_amount DECIMAL(18,2));
CREATE TABLE ecommerce.mv_daily_revenue_by_category (sales_date DATE, net_amount DECIMAL(18,2));
"""
GOOD = """
INSERT INTO ecommerce.dim_users VALUES
    (-1, 'unknown', '1900-01-01', '9999-12-31', true),
    (1, 'U1', '1900-01-01', '2025-01-01', false), (2, 'U1', '2025-01-01', '9999-12-31', true),
    (3, 'U2', '1900-01-01', '9999-12-31', true);
INSERT INTO ecommerce.dim_products VALUES
    (-1, 'unknown', '1900-01-01', '9999-12-31', true), (1, 'P1', '1900-01-01', '9999-12-31', true);
INSERT INTO ecommerce.fact_transactions VALUES
    ('T1', 1, 2, 1, 'U1', '2025-11-30', '2025-11', 5, 1, 4, true),
    ('T2', 1, 2, 1, 'U1', '2025-11-30', '2025-11', 1, 0, 1, true),
    ('T3', 2, 2, 1, 'U1', '2025-11-30', '2025-11', 0, 0, 0, false),
    ('T4', 3, -1, -1, 'U9', '2025-11-29', '2025-11-29', 2, 0, 2, true);
INSERT INTO ecommerce.fact_clickstream VALUES ('E1', 2, 1), ('E2', -1, -1);
INSERT INTO ecommerce.agg_daily_sales VALUES ('2025-11-30', 5), ('2025-11-29', 2);
INSERT INTO ecommerce.agg_user_metrics VALUES ('U1', 1, 5), ('U2', 0, 0);
INSERT INTO ecommerce.mv_daily_revenue_by_category VALUES ('2025-11-30', 7);
"""
BAD = """
INSERT INTO ecommerce.dim_users VALUES
    (1, 'U1', '2025-01-01', '2025-01-01', true), (1, 'U1', '2025-01-02', '9999-12-31', true);
INSERT INTO ecommerce.dim_products VALUES
    (NULL, 'P1', '2025-01-02', '2025-01-01', true), (2, 'P1', '2025-01-03', '9999-12-31', true);
INSERT INTO ecommerce.fact_transactions VALUES
    ('T1', 1, 7, 8, 'U1', '2025-11-30', '2025-10', 5, 1, 5, true),
    ('T1', 1, 7, 8, 'U1', '2025-11-30', '2025-11', 5, 1, 4, true);
INSERT INTO ecommerce.fact_clickstream VALUES ('E1', 7, 8), (NULL, 7, 8);
INSERT INTO ecommerce.agg_daily_sales VALUES ('2025-11-28', 100);
INSERT INTO ecommerce.agg_user_metrics VALUES ('U1', 2, 9), ('U3', 0, 0);
INSERT INTO ecommerce.mv_daily_revenue_by_category VALUES ('2025-11-28', 1);
"""
OTHERS = {
    "an overlap": (
        "INSERT INTO ecommerce.dim_users VALUES (4, 'U4', '1900-01-01', '2025-01-02', false), "
        "(5, 'U4', '2025-01-01', '9999-12-31', true)",
        {
            "dim_users: versions of a user leave a gap or overlap": 1,
            "agg_user_metrics: a customer is missing, occurs twice or is not a current one": 1,
        },
    ),
    "a gap": (
        "INSERT INTO ecommerce.dim_products VALUES (4, 'P4', '1900-01-01', '2025-01-01', false), "
        "(5, 'P4', '2025-01-02', '9999-12-31', true)",
        {"dim_products: versions of a product leave a gap or overlap": 1},
    ),
    "a customer twice": (
        "INSERT INTO ecommerce.agg_user_metrics VALUES ('U2', 0, 0)",
        {"agg_user_metrics: a customer is missing, occurs twice or is not a current one": 1},
    ),
    "an order too many": (
        "UPDATE ecommerce.agg_user_metrics SET orders = 2 WHERE user_id = 'U1'",
        {"agg_user_metrics: orders or net revenue of a customer are not those of the lines": 1},
    ),
    "too much in an aggregate": (
        "UPDATE ecommerce.mv_daily_revenue_by_category SET net_amount = 8",
        {"mv_daily_revenue_by_category: cents of net revenue that the lines do not have": 100},
    ),
}


def checked(rows: str) -> dict[str, int]:
    """Each check and how much it finds wrong."""
    text = (conf_root() / "sql" / "hive" / "hive_check_loads.sql").read_text(encoding="utf-8")
    (statement,) = sqlglot.transpile(text, read="hive", write="duckdb")
    with duckdb.connect() as db:
        db.execute(EMPTY + rows)
        return dict(db.execute(statement).fetchall())


def test_good_tables_have_nothing_wrong() -> None:
    assert {name: wrong for name, wrong in checked(GOOD).items() if wrong} == {}


@pytest.mark.parametrize("name", sorted(checked(GOOD)))
def test_each_check_finds_what_it_is_there_for(name: str) -> None:
    assert checked(BAD)[name] > 0


@pytest.mark.parametrize(("change", "found"), OTHERS.values(), ids=OTHERS)
def test_one_thing_wrong_is_counted_where_it_belongs(change: str, found: dict[str, int]) -> None:
    assert {name: wrong for name, wrong in checked(f"{GOOD};{change};").items() if wrong} == found


def test_empty_tables_lack_their_unknown_members_and_nothing_else() -> None:
    found = checked("")
    assert None not in found.values()
    assert [name for name, wrong in found.items() if wrong] == [
        "dim_products: the unknown member is not there once",
        "dim_users: the unknown member is not there once",
    ]
