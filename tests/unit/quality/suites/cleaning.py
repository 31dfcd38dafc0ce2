"""The suites of land_raw and of the cleaning stages."""

from __future__ import annotations

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

_COUNTS = {"rows_read": ROWS, "rows_usual": ROWS}

LAND_RAW = Case(
    "land_raw",
    "dataset string, files int, rows_landed long, rows_on_day long, percent_of_usual long",
    lambda number: {
        "dataset": either(number, "users", "products"),
        "files": 1, "rows_landed": 1, "rows_on_day": 1, "percent_of_usual": 50,
    },
    [
        in_set(dataset="others")
        & fails(
            "be_between files", "~be_between rows_landed", "~be_between rows_on_day", "~be_between percent_of_usual",
            last={"files": 0, "rows_landed": 0, "rows_on_day": 0, "percent_of_usual": 49},
        ),
    ],
    {"datasets": ["users", "products"]},
)  # fmt: skip

USERS = Case(
    "clean_users",
    "user_id string, updated_at timestamp, op string, _payload_hash string, birth_date date, email string",
    lambda number: {
        "user_id": f"U{number % 5}",
        "updated_at": f"2025-06-0{1 + number // 5 % 5} 00:00:00",
        "op": either(number, "upsert", "delete"),
        "_payload_hash": f"hash {number // 25}",
        "birth_date": "1900-01-01",
        "email": either(number, "a@b", "Ada.L+x@shop.example"),
    },
    [
        too_few()
        & no_nulls("user_id", "updated_at", "op")
        & twice(
            "compound_columns_to_be_unique ['user_id', 'updated_at', '_payload_hash']",
            "table_row_count_to_be_between",
            birth_date="1999-01-01",
            email="b@c",
            op="upsert",
        )
        & matching(user_id="X1")
        & in_set(op="insert")
        & between(birth_date="1899-12-31")
        & fails("~match_regex email", many={"email": ["ada", "a@", "@b", "a@b@c", "a b@c", "a@b c"]}),
    ],
    {**_COUNTS, "user_id_pattern": "^U[0-9]+$", "earliest_birth_date": "1900-01-01"},
    {"email": ["ada"] * 5},
)

PRODUCTS = Case(
    "clean_products",
    """product_id string, updated_at timestamp, op string, _payload_hash string, list_price decimal(12,2),
    unit_cost decimal(12,2), stock_quantity int""",
    lambda number: {
        "product_id": f"P{number % 5}",
        "updated_at": f"2025-06-0{1 + number // 5 % 5} 00:00:00",
        "op": either(number, "upsert", "delete"),
        "_payload_hash": f"hash {number // 25}",
        "list_price": "0.00",
        "unit_cost": None if number in {50, 51} else "0.00",
        "stock_quantity": 0,
    },
    [
        too_few()
        & no_nulls("product_id", "updated_at", "op")
        & twice(
            "compound_columns_to_be_unique ['product_id', 'updated_at', '_payload_hash']",
            "table_row_count_to_be_between",
            list_price="9.00",
            unit_cost="1.00",
            stock_quantity=1,
            op="upsert",
        )
        & matching(product_id="X1")
        & in_set(op="insert")
        & between(unit_cost="-0.01", stock_quantity=-1)
        & fails("be_between list_price", last={"list_price": "-0.01", "unit_cost": None}),
        fails("~column_pair_values_a_to_be_greater_than_b list_price unit_cost", many={"unit_cost": ["0.01"] * 2}),
    ],
    {**_COUNTS, "product_id_pattern": "^P[0-9]+$"},
    {"unit_cost": ["0.01"]},
)

TRANSACTIONS = Case(
    "clean_transactions",
    """transaction_id string, user_id string, product_id string, quantity int, unit_price decimal(12,2),
    total_amount decimal(12,2), discount_amount decimal(12,2), transaction_ts timestamp, status string,
    currency string, rating int""",
    lambda number: {
        "transaction_id": f"T{number}",
        "user_id": "U1",
        "product_id": "P1",
        "quantity": either(number, -1, 1),
        "unit_price": "0.00",
        "total_amount": "10.00",
        "discount_amount": "0.00",
        "transaction_ts": "2010-01-01 00:00:00",
        "status": either(number, "paid", "returned"),
        "currency": "USD",
        "rating": either(number, 1, 5),
    },
    [
        too_few()
        & no_nulls(
            "transaction_id", "user_id", "product_id", "quantity", "unit_price", "total_amount", "transaction_ts"
        )
        & twice("be_unique transaction_id", "table_row_count_to_be_between")
        & matching(transaction_id="X1")
        & in_set(status="lost", currency="EUR")
        & between(unit_price="-0.01", rating=[0, 6], transaction_ts="2009-12-31 23:59:59")
        & fails("not_be_in_set quantity", last={"quantity": 0})
        & fails("~be_between discount_amount", many={"discount_amount": ["-0.01"] * 11}),
    ],
    {
        **_COUNTS,
        "transaction_id_pattern": "^T[0-9]+$",
        "statuses": ["paid", "returned"],
        "currencies": ["USD"],
        "earliest_ts": "2010-01-01",
    },
    {"discount_amount": ["-0.01"] * 10},
)

_EVENTS = (
    "page_view", "search", "product_view", "add_to_cart", "remove_from_cart", "begin_checkout", "purchase", "review",
)  # fmt: skip
CLICKSTREAM = Case(
    "clean_clickstream",
    """event_id string, event_ts timestamp, event_type string, is_bot boolean, quantity int,
    near_duplicate_of string""",
    lambda number: {
        "event_id": f"E{number}",
        "event_ts": "2010-01-01 00:00:00",
        "event_type": _EVENTS[number % len(_EVENTS)],
        "is_bot": False,
        "quantity": 0,
        "near_duplicate_of": None,
    },
    [
        too_few()
        & no_nulls("event_id", "event_ts", "event_type", "is_bot")
        & twice("be_unique event_id", "table_row_count_to_be_between")
        & matching(event_id="X1")
        & in_set(event_type="click")
        & between(quantity=-1, event_ts="2009-12-31 23:59:59"),
        fails("~be_in_set is_bot", many={"is_bot": [True] * 21})
        & fails("~be_null near_duplicate_of", many={"near_duplicate_of": ["E9"] * 6}),
    ],
    {**_COUNTS, "event_id_pattern": "^E[0-9]+$", "earliest_ts": "2010-01-01"},
    {"is_bot": [True] * 20, "near_duplicate_of": ["E9"] * 5},
)

CASES = (LAND_RAW, USERS, PRODUCTS, TRANSACTIONS, CLICKSTREAM)
