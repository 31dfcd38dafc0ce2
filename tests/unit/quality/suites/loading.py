"""The suites of dimensions, facts and what is published."""

from __future__ import annotations

from typing import Any

from tests.unit.quality.suites.cases import (
    ROWS,
    Case,
    between,
    either,
    fails,
    in_set,
    matching,
    no_nulls,
    too_few,
    twice,
)

_USUAL = {"rows_usual": ROWS}
_VERSION_COLUMNS = (
    "valid_from timestamp, valid_to timestamp, is_current boolean, is_deleted boolean, is_interval boolean"
)
_TOKEN = "0123456789abcdef" * 4
_NO_TOKENS = ("", _TOKEN[1:], f"0{_TOKEN}", f"{_TOKEN}0", f"{_TOKEN[1:]}g", _TOKEN.upper())
_NO_MONTHS = (
    "2010-1", "201-01", "20100-01", "2010-011", "2010-01-1", "2010-01-011", "x2010-01", "2010-01x", "201x-01",
    "2010-0x", "2010-01-x1", "2010.01",
)  # fmt: skip


def _version(number: int) -> dict[str, Any]:
    return {
        "valid_from": either(number, "1900-01-01 00:00:00", "9999-12-30 00:00:00"),
        "valid_to": either(number, "1900-01-01 00:00:00", "9999-12-31 00:00:00"),
        "is_current": True,
        "is_deleted": False,
        "is_interval": True,
    }


_VERSION_BREAKS = (
    fails("~table_row_count_to_be_between", rows=1, is_plain=True),
    fails("table_row_count_to_be_between", "~table_row_count_to_be_between", rows=0),
)
_BEYOND = in_set(is_interval=False) & between(
    valid_from=["1899-12-31 23:59:59", "9999-12-30 00:00:01"], valid_to=["1899-12-31 23:59:59", "9999-12-31 00:00:01"]
)

DIM_USERS = Case(
    "load_dimensions.dim_users",
    f"""user_sk long, user_id string, email_token string, phone_token string, name_token string, birth_year int,
    country string, {_VERSION_COLUMNS}""",
    lambda number: {
        "user_sk": number,
        "user_id": "U1",
        "email_token": _TOKEN,
        "phone_token": _TOKEN,
        "name_token": _TOKEN,
        "birth_year": either(number, 1900, 2100),
        "country": "Chile",
        **_version(number),
    },
    [
        *_VERSION_BREAKS,
        too_few()
        & no_nulls("user_sk", "user_id", "valid_from", "valid_to", "is_current", "is_deleted")
        & twice("be_unique user_sk")
        & _BEYOND
        & between(birth_year=[1899, 2101])
        & matching(email_token=_NO_TOKENS, phone_token=_NO_TOKENS, name_token=_NO_TOKENS)
        & fails("~not_be_null country", many={"country": [None] * 11}),
    ],
    {**_USUAL, "earliest_birth_year": 1900},
    {"country": [None] * 10},
)

DIM_PRODUCTS = Case(
    "load_dimensions.dim_products",
    f"""product_sk long, product_id string, list_price decimal(12,2), unit_cost decimal(12,2), stock_quantity int,
    category string, is_above_cost boolean, {_VERSION_COLUMNS}""",
    lambda number: {
        "product_sk": number,
        "product_id": "P1",
        "list_price": "0.00",
        "unit_cost": "0.00",
        "stock_quantity": 0,
        "category": "Books",
        "is_above_cost": True,
        **_version(number),
    },
    [
        *_VERSION_BREAKS,
        too_few()
        & no_nulls("product_sk", "product_id", "valid_from", "valid_to", "is_current", "is_deleted")
        & twice("be_unique product_sk")
        & _BEYOND
        & between(list_price="-0.01", unit_cost="-0.01", stock_quantity=-1)
        & fails("~not_be_null category", many={"category": [None] * 11})
        & fails("~be_in_set is_above_cost", many={"is_above_cost": [False] * 11}),
    ],
    _USUAL,
    {"category": [None] * 10, "is_above_cost": [False] * 10},
)

FACT_TRANSACTIONS = Case(
    "load_facts.fact_transactions",
    """transaction_id string, order_id long, user_sk long, product_sk long, user_id string, product_id string,
    quantity int, unit_price decimal(12,2), total_amount decimal(12,2), gross_amount decimal(12,2),
    return_amount decimal(12,2), net_amount decimal(12,2), transaction_ts timestamp, transaction_date date,
    transaction_month string, is_sale boolean, is_return boolean, is_unknown_user boolean, is_unknown_product boolean,
    status string, currency string, rating int""",
    lambda number: {
        "transaction_id": f"T{number}",
        "order_id": 1,
        "user_sk": 1,
        "product_sk": 1,
        "user_id": "U1",
        "product_id": "P1",
        "quantity": 1,
        "unit_price": "0.00",
        "total_amount": "0.00",
        "gross_amount": "0.00",
        "return_amount": "0.00",
        "net_amount": "0.00",
        "transaction_ts": "2010-01-01 00:00:00",
        "transaction_date": "2010-01-01",
        "transaction_month": either(number, "2010-01", "2010-01-31"),
        "is_sale": True,
        "is_return": False,
        "is_unknown_user": False,
        "is_unknown_product": False,
        "status": either(number, "paid", "returned"),
        "currency": "USD",
        "rating": either(number, 1, 5),
    },
    [
        no_nulls(
            "transaction_id", "order_id", "user_sk", "product_sk", "user_id", "product_id", "quantity", "unit_price",
            "total_amount", "gross_amount", "return_amount", "net_amount", "transaction_ts", "transaction_date",
            "transaction_month", "is_sale", "is_return", "is_unknown_user", "is_unknown_product",
        )
        & twice("be_unique transaction_id")
        & in_set(status="lost", currency="EUR")
        & between(rating=[0, 6], unit_price="-0.01", return_amount="-0.01", transaction_ts="2009-12-31 23:59:59")
        & matching(transaction_month=_NO_MONTHS)
        & fails("~be_between gross_amount", many={"gross_amount": ["-0.01"] * 2})
        & fails("~be_in_set is_unknown_user", many={"is_unknown_user": [True] * 6})
        & fails("~be_in_set is_unknown_product", many={"is_unknown_product": [True] * 6})
        & fails("~be_in_set is_sale", many={"is_sale": [False] * 31})
        & fails("~be_in_set is_return", many={"is_return": [True] * 21}),
    ],
    {"statuses": ["paid", "returned"], "currencies": ["USD"], "earliest_ts": "2010-01-01"},
    {
        "gross_amount": ["-0.01"], "is_unknown_user": [True] * 5, "is_unknown_product": [True] * 5,
        "is_sale": [False] * 30, "is_return": [True] * 20,
    },
)  # fmt: skip

FACT_CLICKSTREAM = Case(
    "load_facts.fact_clickstream",
    """event_id string, user_sk long, product_sk long, session_id string, event_ts timestamp, event_date date,
    event_month string, event_type string, quantity int, is_bot boolean, is_anonymous boolean,
    is_unknown_user boolean, is_unknown_product boolean""",
    lambda number: {
        "event_id": f"E{number}",
        "user_sk": 1,
        "product_sk": 1,
        "session_id": "S1",
        "event_ts": "2010-01-01 00:00:00",
        "event_date": "2010-01-01",
        "event_month": either(number, "2010-01", "2010-01-31"),
        "event_type": either(number, "search", "purchase"),
        "quantity": 0,
        "is_bot": False,
        "is_anonymous": True,
        "is_unknown_user": False,
        "is_unknown_product": False,
    },
    [
        no_nulls(
            "event_id", "user_sk", "product_sk", "session_id", "event_ts", "event_date", "event_month", "event_type",
            "is_bot", "is_anonymous", "is_unknown_user", "is_unknown_product",
        )
        & twice("be_unique event_id")
        & in_set(event_type="click")
        & between(quantity=-1, event_ts="2009-12-31 23:59:59")
        & matching(event_month=_NO_MONTHS)
        & fails("~be_in_set is_unknown_user", many={"is_unknown_user": [True] * 6})
        & fails("~be_in_set is_unknown_product", many={"is_unknown_product": [True] * 6})
        & fails("~be_in_set is_bot", many={"is_bot": [True] * 21}),
    ],
    {"event_types": ["search", "purchase"], "earliest_ts": "2010-01-01"},
    {"is_bot": [True] * 20, "is_unknown_user": [True] * 5, "is_unknown_product": [True] * 5},
)  # fmt: skip

INTEGRITY = Case(
    "load_facts.integrity",
    """rows_read long, rows long, sum_read decimal(38,2), sum_kept decimal(38,2), orphan_users long,
    orphan_products long""",
    lambda number: {
        "rows_read": number, "rows": number, "sum_read": "10.00", "sum_kept": "10.00", "orphan_users": 0,
        "orphan_products": 0,
    },
    [
        fails(
            "column_pair_values_to_be_equal rows_read rows", "column_pair_values_to_be_equal sum_read sum_kept",
            last={"rows": ROWS, "sum_kept": "10.01"},
        )
        & between(orphan_users=[1, -1], orphan_products=[1, -1]),
    ],
)  # fmt: skip

PUBLISH = Case(
    "publish_hive",
    "table_name string, lake_rows long, published_rows long",
    lambda number: {"table_name": f"table {number}", "lake_rows": 1, "published_rows": 1},
    [
        fails("column_distinct_values_to_equal_set table_name", rows=ROWS - 1, count=0),
        fails("column_distinct_values_to_equal_set table_name", last={"table_name": "table 100"})
        & twice("be_unique table_name")
        & fails("column_pair_values_to_be_equal lake_rows published_rows", last={"published_rows": 2})
        & fails("~be_between published_rows", last={"lake_rows": 0, "published_rows": 0}),
    ],
    {"tables": [f"table {number}" for number in range(ROWS)]},
)

CASES = (DIM_USERS, DIM_PRODUCTS, FACT_TRANSACTIONS, FACT_CLICKSTREAM, INTEGRITY, PUBLISH)
