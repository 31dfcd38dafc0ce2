from __future__ import annotations

import pytest
from pyspark.sql import functions as F

from common.transforms.aggregates import daily_revenue_by_category, daily_sales, sales, user_metrics
from tests.unit.transforms.frames import assert_part, assert_rows, frame, table

LINES = """user_id string, user_sk bigint, product_sk bigint, order_id bigint, quantity int, status string,
    is_sale boolean, is_return boolean, gross_amount decimal(18,2), return_amount decimal(18,2),
    net_amount decimal(18,2), discount_amount decimal(12,2), tax_amount decimal(12,2), shipping_amount decimal(12,2),
    cost_amount decimal(18,2), margin_amount decimal(18,2), transaction_date date"""
USERS = """user_sk bigint, user_id string, country string, loyalty_tier string, signup_date date,
    is_current boolean"""
PRODUCTS = "product_sk bigint, category string"
VISITS = "user_id string, events bigint"
AMOUNTS = """discount_amount decimal(18,2), tax_amount decimal(18,2), shipping_amount decimal(18,2),
    cost_amount decimal(18,2), margin_amount decimal(18,2)"""
SALES = """sales_date date, country string, category string, user_id string, order_id bigint, quantity int,
    status string, is_sale boolean, is_return boolean, gross_amount decimal(18,2), return_amount decimal(18,2),
    net_amount decimal(18,2), discount_amount decimal(12,2), tax_amount decimal(12,2), shipping_amount decimal(12,2),
    cost_amount decimal(18,2), margin_amount decimal(18,2)"""
DAILY_SALES = f"""sales_date date, country string, orders bigint, customers bigint, lines bigint, sale_lines bigint,
    return_lines bigint, cancelled_lines bigint, pending_lines bigint, units bigint, returned_units bigint,
    gross_amount decimal(18,2), return_amount decimal(18,2), net_amount decimal(18,2), {AMOUNTS},
    average_order_value decimal(18,2)"""
BY_CATEGORY = """sales_date date, category string, orders bigint, lines bigint, sale_lines bigint, units bigint,
    returned_units bigint, gross_amount decimal(18,2), return_amount decimal(18,2), net_amount decimal(18,2),
    cost_amount decimal(18,2), margin_amount decimal(18,2)"""
USER_METRICS = """user_id string, user_sk bigint, country string, loyalty_tier string, signup_date date,
    as_of_date date, first_purchase_date date, last_purchase_date date, recency_days int, orders bigint, units bigint,
    return_lines bigint, gross_amount decimal(18,2), return_amount decimal(18,2), net_amount decimal(18,2),
    margin_amount decimal(18,2), average_order_value decimal(18,2), average_days_between_orders decimal(18,2),
    distinct_categories bigint, sessions bigint, events bigint, lifetime_value decimal(18,2), recency_score int,
    frequency_score int, monetary_score int"""
FIRST_DAY, LATER, LAST_DAY = "2025-06-15", "2025-06-25", "2025-06-26"


def _sale(user, order, gross, **changes):
    sale = {
        "user_id": user,
        "user_sk": {"ann": 1, "bob": 2}.get(user, -1),
        "product_sk": 1,
        "order_id": order,
        "quantity": 1,
        "status": "paid",
        "is_sale": True,
        "is_return": False,
        "gross_amount": gross,
        "return_amount": "0.00",
        "net_amount": gross,
        "tax_amount": "1.00",
        "cost_amount": "1.00",
        "margin_amount": "2.00",
        "transaction_date": FIRST_DAY,
    }
    return {**sale, **changes}


def _return(user, order, amount, **changes):
    taken = {"quantity": -1, "status": "returned", "is_sale": False, "is_return": True, "return_amount": amount}
    return _sale(user, order, "0.00", **{**taken, "net_amount": f"-{amount}", **changes})


def _unsold(user, order, status, **changes):
    return _sale(user, order, "0.00", status=status, is_sale=False, **changes)


def _sold(spark, rows):
    """Lines of customers and products that no dimension knows."""
    return sales(frame(spark, LINES, rows), frame(spark, USERS, []), frame(spark, PRODUCTS, []))


def _customers(spark, names):
    rows = [{"user_sk": number, "user_id": name, "is_current": True} for number, name in enumerate(names, start=1)]
    return frame(spark, USERS, rows)


@pytest.fixture
def users(spark):
    rows = [
        {"user_sk": 1, "user_id": "ann", "country": "DE", "is_current": True, "loyalty_tier": "gold"},
        {"user_sk": 2, "user_id": "bob", "is_current": True, "signup_date": "2025-01-01"},
        {"user_sk": 3, "user_id": "cy", "country": "US", "is_current": True},
        {"user_sk": 4, "user_id": "ann", "country": "FR", "is_current": False},
        {"user_sk": -1, "user_id": "unknown", "is_current": True},
    ]
    return frame(spark, USERS, rows)


@pytest.fixture
def lines(spark, users):
    rows = [
        _sale("ann", 1, "10.00", quantity=2, discount_amount="0.50"),
        _sale("ann", 1, "5.00", product_sk=2, shipping_amount="4.00"),
        _sale("ann", 2, "3.01", transaction_date=LATER),
        _return("ann", 3, "5.00", transaction_date=LAST_DAY),
        _sale("bob", 4, "7.00", cost_amount=None, margin_amount=None),
        _unsold("bob", 5, "cancelled"),
        _unsold("bob", 6, "pending", product_sk=3),
        _sale("stranger", 7, "1.00", product_sk=-1),
    ]
    products = frame(
        spark,
        PRODUCTS,
        [{"product_sk": 1, "category": "Books"}, {"product_sk": 2, "category": "Toys"}, {"product_sk": 3}],
    )
    return sales(frame(spark, LINES, rows), users, products)


def test_a_line_has_country_and_category_of_its_versions(spark, users):
    rows = [
        _sale("ann", 1, "1.00", user_sk=1, product_sk=1),
        _sale("ann", 2, "2.00", user_sk=4, product_sk=2),
        _sale("bob", 3, "3.00", user_sk=2, product_sk=3),
        _sale("stranger", 4, "4.00", user_sk=-1, product_sk=-1),
        _return("gone", 5, "5.00", user_sk=99, product_sk=99, status=None, quantity=None),
    ]
    products = table(spark, PRODUCTS, [(1, "Books"), (2, "Toys"), (3, None), (-1, None)])
    sold = (1, "paid", True, False)
    rest = (None, "1.00", None, "1.00", "2.00")

    assert_rows(
        sales(frame(spark, LINES, rows), users, products),
        SALES,
        [
            (FIRST_DAY, "DE", "Books", "ann", 1, *sold, "1.00", "0.00", "1.00", *rest),
            (FIRST_DAY, "FR", "Toys", "ann", 2, *sold, "2.00", "0.00", "2.00", *rest),
            (FIRST_DAY, "unknown", "unknown", "bob", 3, *sold, "3.00", "0.00", "3.00", *rest),
            (FIRST_DAY, "unknown", "unknown", "stranger", 4, *sold, "4.00", "0.00", "4.00", *rest),
            (FIRST_DAY, "unknown", "unknown", "gone", 5, None, None, False, True, "0.00", "5.00", "-5.00", *rest),
        ],
    )


def test_sales_of_a_day_and_country(lines):
    nothing = (None, None, None, None)
    assert_rows(
        daily_sales(lines),
        DAILY_SALES,
        [
            (
                *(FIRST_DAY, "DE", 1, 1, 2, 2, 0, 0, 0, 3, 0, "15.00", "0.00", "15.00"),
                *("0.50", "2.00", "4.00", "2.00", "4.00", "15.00"),
            ),
            (
                *(FIRST_DAY, "unknown", 2, 2, 4, 2, 0, 1, 1, 2, 0, "8.00", "0.00", "8.00"),
                *(None, "2.00", None, "1.00", "6.00", "4.00"),
            ),
            (
                *(LATER, "DE", 1, 1, 1, 1, 0, 0, 0, 1, 0, "3.01", "0.00", "3.01"),
                *(None, "1.00", None, "1.00", "2.00", "3.01"),
            ),
            (LAST_DAY, "DE", 0, 0, 1, 0, 1, 0, 0, 0, 1, "0.00", "5.00", "-5.00", *nothing, "2.00", None),
        ],
    )


def test_an_order_and_a_customer_count_once_a_day(spark):
    rows = [
        _sale("ann", 1, "1.00"),
        _sale("ann", 1, "2.00", is_return=True, return_amount="2.00", net_amount="0.00", quantity=3),
        _return("ann", 1, "1.00", quantity=-4),
        _sale("ann", 2, "4.00"),
        _sale("ann", 3, "8.00", transaction_date=LATER),
        _unsold("ann", 4, "cancelled"),
        _unsold("bob", 5, "pending"),
        _unsold("bob", 6, None),
        _sale(None, 7, "16.00"),
    ]
    counts = """orders bigint, customers bigint, lines bigint, sale_lines bigint, return_lines bigint,
        cancelled_lines bigint, pending_lines bigint, units bigint, returned_units bigint, gross_amount decimal(18,2),
        average_order_value decimal(18,2)"""

    assert_part(
        daily_sales(_sold(spark, rows)),
        f"sales_date date, {counts}",
        [(FIRST_DAY, 3, 2, 8, 4, 2, 1, 1, 6, 7, "23.00", "7.67"), (LATER, 1, 1, 1, 1, 0, 0, 0, 1, 0, "8.00", "8.00")],
    )


def test_an_average_is_rounded_half_up_and_once(spark):
    amounts = {
        "2025-06-01": ["10.00", "0.01"],
        "2025-06-02": ["10.00", "0.00", "0.00"],
        "2025-06-03": ["20.00", "0.00", "0.00"],
        "2025-06-04": ["0.00"],
    }
    rows = [
        _sale("ann", number, amount, transaction_date=on)
        for on, each in amounts.items()
        for number, amount in enumerate(each)
    ]

    assert_part(
        daily_sales(_sold(spark, rows)),
        "sales_date date, average_order_value decimal(18,2)",
        list(zip(amounts, ("5.01", "3.33", "6.67", "0.00"), strict=True)),
    )


def test_revenue_of_a_day_and_category(lines):
    assert_rows(
        daily_revenue_by_category(lines),
        BY_CATEGORY,
        [
            (FIRST_DAY, "Books", 2, 3, 2, 3, 0, "17.00", "0.00", "17.00", "1.00", "4.00"),
            (FIRST_DAY, "Toys", 1, 1, 1, 1, 0, "5.00", "0.00", "5.00", "1.00", "2.00"),
            (FIRST_DAY, "unknown", 1, 2, 1, 1, 0, "1.00", "0.00", "1.00", "1.00", "4.00"),
            (LATER, "Books", 1, 1, 1, 1, 0, "3.01", "0.00", "3.01", "1.00", "2.00"),
            (LAST_DAY, "Books", 0, 1, 0, 0, 1, "0.00", "5.00", "-5.00", None, "2.00"),
        ],
    )


def test_an_order_counts_once_in_each_of_its_categories(spark, users):
    rows = [_sale("ann", 1, "1.00"), _sale("ann", 1, "2.00"), _sale("ann", 1, "4.00", product_sk=2)]
    unsold = [_unsold("ann", 2, "pending", margin_amount=None), _return("ann", 3, "1.00", quantity=-2, product_sk=2)]
    products = table(spark, PRODUCTS, [(1, "Books"), (2, "Toys")])

    assert_part(
        daily_revenue_by_category(sales(frame(spark, LINES, rows + unsold), users, products)),
        "category string, orders bigint, lines bigint, returned_units bigint, margin_amount decimal(18,2)",
        [("Books", 1, 3, 0, "4.00"), ("Toys", 1, 2, 2, "4.00")],
    )


@pytest.mark.parametrize("aggregate", [daily_sales, daily_revenue_by_category])
def test_lines_amounts_and_units_are_conserved(lines, aggregate):
    amounts = ("gross_amount", "return_amount", "net_amount", "margin_amount")
    units = ("sum(quantity) FILTER (WHERE is_sale)", "sum(abs(quantity)) FILTER (WHERE is_return)")
    expected = lines.agg(F.count(F.lit(1)), *[F.sum(name) for name in amounts], *map(F.expr, units)).first()
    sums = [F.sum(name) for name in ("lines", *amounts, "units", "returned_units")]
    found = aggregate(lines).agg(*sums).first()

    assert tuple(found) == tuple(expected)
    assert all(expected)


@pytest.mark.parametrize("aggregate", [daily_sales, daily_revenue_by_category])
def test_what_is_known_of_no_line_stays_unknown(spark, aggregate):
    unknown = {"cost_amount": None, "margin_amount": None}
    known = {"transaction_date": LATER}
    rows = [
        _sale("ann", 1, "1.00", **unknown),
        _sale("ann", 2, "1.00", **known),
        _sale("ann", 3, "1.00", **unknown, **known),
    ]

    assert_part(
        aggregate(_sold(spark, rows)),
        "sales_date date, cost_amount decimal(18,2), margin_amount decimal(18,2)",
        [(FIRST_DAY, None, None), (LATER, "1.00", "2.00")],
    )


def test_a_row_for_each_current_customer(spark, users, lines):
    visits = table(spark, VISITS, [("ann", 3), ("ann", 4), (None, 9)])

    assert_rows(
        user_metrics(users, lines, visits),
        USER_METRICS,
        [
            (
                *("ann", 1, "DE", "gold", None, LAST_DAY, FIRST_DAY, LATER, 1, 2, 4, 1),
                *("18.01", "5.00", "13.01", "8.00", "9.01", "10.00", 2, 2, 7, "13.01", 3, 3, 3),
            ),
            (
                *("bob", 2, None, None, "2025-01-01", LAST_DAY, FIRST_DAY, FIRST_DAY, 11, 1, 1, 0),
                *("7.00", "0.00", "7.00", "4.00", "7.00", None, 1, 0, 0, "7.00", 1, 1, 1),
            ),
            (
                *("cy", 3, "US", None, None, LAST_DAY, None, None, None, 0, 0, 0),
                *("0.00", "0.00", "0.00", None, None, None, 0, 0, 0, "0.00", None, None, None),
            ),
        ],
    )


def test_who_only_returned_has_a_value_and_no_scores(spark):
    rows = [
        _return("back", 1, "5.00"),
        _unsold("waits", 2, "pending"),
        _sale("buys", 3, "1.00", margin_amount=None, transaction_date=LATER),
    ]
    found = user_metrics(_customers(spark, ("back", "waits", "buys")), _sold(spark, rows), frame(spark, VISITS, []))

    assert_part(
        found,
        """user_id string, orders bigint, return_lines bigint, recency_days int, lifetime_value decimal(18,2),
            margin_amount decimal(18,2), average_order_value decimal(18,2), distinct_categories bigint,
            recency_score int, frequency_score int, monetary_score int""",
        [
            ("back", 0, 1, None, "-5.00", "2.00", None, 0, None, None, None),
            ("waits", 0, 0, None, "0.00", "2.00", None, 0, None, None, None),
            ("buys", 1, 0, 0, "1.00", None, "1.00", 0, 1, 1, 1),
        ],
    )


def test_days_between_orders(spark):
    nine = [_sale("nine in a day", n, "1.00", transaction_date=LATER if n else "2025-06-24") for n in range(9)]
    rows = [
        *nine,
        *[_sale("two at once", n, "1.00") for n in (10, 11)],
        *[_sale("one of two lines", 12, "1.00", transaction_date=on) for on in (FIRST_DAY, LATER)],
        *[_sale("three", n, "1.00", transaction_date=on) for n, on in ((13, FIRST_DAY), (14, LATER), (15, LAST_DAY))],
        _return("three", 16, "1.00", transaction_date="2025-07-30"),
    ]
    names = ("nine in a day", "two at once", "one of two lines", "three")

    assert_part(
        user_metrics(_customers(spark, names), _sold(spark, rows), frame(spark, VISITS, [])),
        "user_id string, average_days_between_orders decimal(18,2), recency_days int",
        [
            ("nine in a day", "0.13", 35),
            ("two at once", "0.00", 45),
            ("one of two lines", None, 35),
            ("three", "5.50", 34),
        ],
    )


def test_scores_rank_buyers_and_equal_figures_equally(spark):
    people = [f"u{n}" for n in range(6)]
    spent = ["1.00", "1.00", "2.00", "3.00", "4.00"]
    rows = [_sale(name, n, gross) for n, (name, gross) in enumerate(zip(people, spent, strict=False))]
    found = user_metrics(_customers(spark, people), _sold(spark, rows), frame(spark, VISITS, []))

    assert_part(
        found,
        "user_id string, recency_score int, frequency_score int, monetary_score int",
        [
            ("u0", 1, 1, 1),
            ("u1", 1, 1, 1),
            ("u2", 1, 1, 3),
            ("u3", 1, 1, 4),
            ("u4", 1, 1, 5),
            ("u5", None, None, None),
        ],
    )


def test_scores_go_from_one_to_five_by_fifths_of_the_buyers(spark):
    people = [f"u{n}" for n in range(6)]
    rows = [
        _sale(name, 10 * n + order, "1.00", net_amount=f"{6 - n}.00", transaction_date=f"2025-06-{10 + n}")
        for n, name in enumerate(people)
        for order in range(n + 1)
    ]
    found = user_metrics(_customers(spark, people), _sold(spark, rows), frame(spark, VISITS, []))

    assert_part(
        found,
        "user_id string, net_amount decimal(18,2), recency_score int, frequency_score int, monetary_score int",
        [
            ("u0", "6.00", 1, 1, 1),
            ("u1", "10.00", 1, 1, 2),
            ("u2", "12.00", 2, 2, 4),
            ("u3", "12.00", 3, 3, 4),
            ("u4", "10.00", 4, 4, 2),
            ("u5", "6.00", 5, 5, 1),
        ],
    )


def test_no_sales_make_empty_aggregates_and_idle_customers(spark, users):
    none = sales(frame(spark, LINES, []), users, frame(spark, PRODUCTS, []))

    assert_rows(daily_sales(none), DAILY_SALES, [])
    assert_rows(daily_revenue_by_category(none), BY_CATEGORY, [])
    assert_part(
        user_metrics(users, none, frame(spark, VISITS, [])),
        "user_id string, as_of_date date, orders bigint",
        [("ann", None, 0), ("bob", None, 0), ("cy", None, 0)],
    )
