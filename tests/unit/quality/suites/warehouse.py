"""The suites of sessions, carts and aggregates."""

from __future__ import annotations

from tests.unit.quality.suites.cases import ROWS, Case, between, either, fails, in_set, key, no_nulls, too_few, twice

_USUAL = {"rows_usual": ROWS}

SESSIONS = Case(
    "etl_warehouse.sessions",
    """session_id string, started_at timestamp, ended_at timestamp, session_date date, entry_source string,
    entry_medium string, is_converted boolean, is_abandoned boolean, duration_seconds long, events long,
    funnel_depth int, furthest_step string, cart_value decimal(12,2), is_interval boolean""",
    lambda number: {
        "session_id": f"S{number}",
        "started_at": "2025-06-01 00:00:00",
        "ended_at": "2025-06-01 00:00:00",
        "session_date": "2025-06-01",
        "entry_source": "direct",
        "entry_medium": "none",
        "is_converted": True,
        "is_abandoned": False,
        "duration_seconds": either(number, 0, 21_600),
        "events": either(number, 1, 399),
        "funnel_depth": either(number, 0, 4),
        "furthest_step": either(number, "visit", "purchase"),
        "cart_value": "0.00",
        "is_interval": True,
    },
    [
        too_few()
        & no_nulls(
            "session_id", "started_at", "ended_at", "session_date", "entry_source", "entry_medium", "is_converted",
            "is_abandoned",
        )
        & twice("be_unique session_id", events=1)
        & between(duration_seconds=-1, events=0, funnel_depth=[-1, 5], cart_value="-0.01")
        & in_set(furthest_step="unknown", is_interval=False)
        & fails("~be_between duration_seconds", many={"duration_seconds": [21_601] * 2}),
        fails("~column_mean_to_be_between events", last={"events": 400}),
        fails(many={"events": [1] * ROWS}),
        fails("~column_mean_to_be_between events", many={"events": [1] * ROWS}) & between(events=0),
    ],
    {**_USUAL, "steps": ["visit", "purchase"]},
    {"duration_seconds": [21_601]},
)  # fmt: skip

CART_ITEMS = Case(
    "etl_warehouse.cart_items",
    """session_id string, product_id string, product_sk long, first_added_at timestamp, is_purchased boolean,
    is_left_behind boolean, added_quantity int, removed_quantity int, left_quantity int, cart_value decimal(12,2)""",
    lambda number: {
        **key(number, "session_id", "product_id"),
        "product_sk": 1,
        "first_added_at": "2025-06-01 00:00:00",
        "is_purchased": True,
        "is_left_behind": False,
        "added_quantity": 0,
        "removed_quantity": 0,
        "left_quantity": 0,
        "cart_value": "0.00",
    },
    [
        too_few()
        & no_nulls("session_id", "product_id", "product_sk", "first_added_at", "is_purchased", "is_left_behind")
        & twice("compound_columns_to_be_unique ['session_id', 'product_id']", first_added_at="2025-07-01 00:00:00")
        & between(added_quantity=-1, removed_quantity=-1, left_quantity=-1, cart_value="-0.01"),
    ],
    _USUAL,
)

_SALES = """orders long, lines long, gross_amount decimal(12,2), return_amount decimal(12,2),
    net_amount decimal(12,2), is_within_lines boolean"""
_SOLD = {
    "orders": 1, "lines": 1, "gross_amount": "0.00", "return_amount": "0.00", "net_amount": "0.00",
    "is_within_lines": True,
}  # fmt: skip


def _on_day(number: int, name: str) -> dict[str, str]:
    return {"sales_date": f"2025-06-{1 + number // 10:02}", name: f"{name} {number % 10}"}


_SALES_KEYS = ("orders", "lines", "gross_amount", "return_amount", "net_amount")

DAILY_SALES = Case(
    "etl_warehouse.agg_daily_sales",
    f"sales_date date, country string, customers long, units long, is_within_orders boolean, {_SALES}",
    lambda number: {
        **_on_day(number, "country"), "customers": 1, "units": 0, "is_within_orders": True,
        **_SOLD,
    },
    [
        too_few()
        & no_nulls("sales_date", "country", "customers", *_SALES_KEYS)
        & twice("compound_columns_to_be_unique ['sales_date', 'country']", lines=2)
        & between(lines=0, return_amount="-0.01", units=-1)
        & in_set(is_within_lines=False, is_within_orders=False),
    ],
    _USUAL,
)  # fmt: skip

REVENUE_BY_CATEGORY = Case(
    "etl_warehouse.mv_daily_revenue_by_category",
    f"sales_date date, category string, {_SALES}",
    lambda number: {**_on_day(number, "category"), **_SOLD},
    [
        too_few()
        & no_nulls("sales_date", "category", *_SALES_KEYS)
        & twice("compound_columns_to_be_unique ['sales_date', 'category']", lines=2)
        & between(lines=0, return_amount="-0.01")
        & in_set(is_within_lines=False),
    ],
    _USUAL,
)

_SCORES = ("recency_score", "frequency_score", "monetary_score")
USER_METRICS = Case(
    "etl_warehouse.agg_user_metrics",
    """user_id string, user_sk long, orders long, gross_amount decimal(12,2), net_amount decimal(12,2),
    lifetime_value decimal(12,2), sessions long, events long, recency_days int, recency_score int, frequency_score int,
    monetary_score int, is_interval boolean""",
    lambda number: {
        "user_id": f"U{number}",
        "user_sk": 1,
        "orders": 0,
        "gross_amount": "0.00",
        "net_amount": "0.00",
        "lifetime_value": "0.00",
        "sessions": 0,
        "events": 0,
        "recency_days": 0,
        **dict.fromkeys(_SCORES, either(number, 1, 5)),
        "is_interval": True,
    },
    [
        fails("table_row_count_to_equal", "~table_row_count_to_be_between", rows=ROWS - 1),
        too_few()
        & twice("table_row_count_to_equal", "be_unique user_id", user_sk=2)
        & no_nulls(
            "user_id", "user_sk", "orders", "gross_amount", "net_amount", "lifetime_value", "sessions", "events",
        )
        & between(orders=-1, recency_days=-1, **dict.fromkeys(_SCORES, (0, 6)))
        & in_set(is_interval=False),
    ],
    {**_USUAL, "customers": ROWS},
)  # fmt: skip

CASES = (SESSIONS, CART_ITEMS, DAILY_SALES, REVENUE_BY_CATEGORY, USER_METRICS)
