from __future__ import annotations

import pytest
from pyspark.sql import functions as F

from common.transforms.aggregates import daily_revenue_by_category, daily_sales, sales, user_metrics
from tests.unit.transforms.frames import frame, rows_of

LINES = """user_id string, user_sk bigint, product_sk bigint, order_id bigint, quantity int, status string,
    is_sale boolean, is_return boolean, gross_amount decimal(18,2), return_amount decimal(18,2),
    net_amount decimal(18,2), discount_amount decimal(12,2), tax_amount decimal(12,2), shipping_amount decimal(12,2),
    cost_amount decimal(18,2), margin_amount decimal(18,2), transaction_date date"""
USERS = """user_sk bigint, user_id string, country string, loyalty_tier string, signup_date date,
    is_current boolean"""
PRODUCTS = "product_sk bigint, category string"
VISITS = "user_id string, events bigint"


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
        "transaction_date": "2025-06-15",
    }
    return {**sale, **changes}


def _return(user, order, amount, **changes):
    taken = {"quantity": -1, "status": "returned", "is_sale": False, "is_return": True, "return_amount": amount}
    return _sale(user, order, "0.00", **{**taken, "net_amount": f"-{amount}", **changes})


def _unsold(user, order, status, **changes):
    return _sale(user, order, "0.00", status=status, is_sale=False, **changes)


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
        _sale("ann", 1, "5.00", product_sk=2),
        _sale("ann", 2, "3.01", transaction_date="2025-06-25"),
        _return("ann", 3, "5.00", transaction_date="2025-06-26"),
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


def test_sales_of_a_day_and_country(lines):
    columns = ("sales_date", "country", "orders", "customers", "lines", "sale_lines", "units", "gross_amount")

    assert rows_of(daily_sales(lines), *columns, "net_amount", "average_order_value") == [
        ("2025-06-15", "DE", 1, 1, 2, 2, 3, "15.00", "15.00", "15.00"),
        ("2025-06-15", "unknown", 2, 2, 4, 2, 2, "8.00", "8.00", "4.00"),
        ("2025-06-25", "DE", 1, 1, 1, 1, 1, "3.01", "3.01", "3.01"),
        ("2025-06-26", "DE", 0, 0, 1, 0, 0, "0.00", "-5.00", None),
    ]


def test_what_is_not_sold_is_counted_apart(lines):
    of_day = daily_sales(lines).where("sales_date = '2025-06-15' and country = 'unknown'")
    columns = ("cancelled_lines", "pending_lines", "tax_amount", "discount_amount", "cost_amount", "margin_amount")

    assert rows_of(of_day, *columns) == [(1, 1, "2.00", None, "1.00", "6.00")]


def test_revenue_of_a_day_and_category(lines):
    found = daily_revenue_by_category(lines)

    assert rows_of(found, "sales_date", "category", "orders", "lines", "gross_amount", "return_amount") == [
        ("2025-06-15", "Books", 2, 3, "17.00", "0.00"),
        ("2025-06-15", "Toys", 1, 1, "5.00", "0.00"),
        ("2025-06-15", "unknown", 1, 2, "1.00", "0.00"),
        ("2025-06-25", "Books", 1, 1, "3.01", "0.00"),
        ("2025-06-26", "Books", 0, 1, "0.00", "5.00"),
    ]


@pytest.mark.parametrize("aggregate", [daily_sales, daily_revenue_by_category])
def test_lines_and_amounts_are_conserved(lines, aggregate):
    amounts = ("gross_amount", "return_amount", "net_amount", "margin_amount")
    expected = lines.agg(F.count(F.lit(1)), *[F.sum(name) for name in amounts]).first()
    found = aggregate(lines).agg(F.sum("lines"), *[F.sum(name) for name in amounts]).first()

    assert tuple(found) == tuple(expected)


def test_a_row_for_each_current_customer(spark, users, lines):
    visits = frame(spark, VISITS, [{"user_id": "ann", "events": 3}, {"user_id": "ann", "events": 4}, {"events": 9}])
    found = user_metrics(users, lines, visits)

    columns = ("user_id", "orders", "units", "gross_amount", "lifetime_value", "sessions", "events")
    assert rows_of(found, *columns) == [
        ("ann", 2, 4, "18.01", "13.01", 2, 7),
        ("bob", 1, 1, "7.00", "7.00", 0, 0),
        ("cy", 0, 0, "0.00", "0.00", 0, 0),
    ]
    dates = ("user_id", "first_purchase_date", "last_purchase_date", "recency_days", "as_of_date")
    assert rows_of(found, *dates) == [
        ("ann", "2025-06-15", "2025-06-25", 1, "2025-06-26"),
        ("bob", "2025-06-15", "2025-06-15", 11, "2025-06-26"),
        ("cy", None, None, None, "2025-06-26"),
    ]
    averages = ("user_id", "average_order_value", "average_days_between_orders", "distinct_categories")
    assert rows_of(found, *averages) == [("ann", "9.01", "10.00", 2), ("bob", "7.00", None, 1), ("cy", None, None, 0)]


def test_scores_rank_buyers_and_equal_figures_equally(spark):
    people = [f"u{n}" for n in range(6)]
    users = frame(spark, USERS, [{"user_sk": n, "user_id": name, "is_current": True} for n, name in enumerate(people)])
    spent = ["1.00", "1.00", "2.00", "3.00", "4.00"]
    rows = [_sale(name, n, gross) for n, (name, gross) in enumerate(zip(people, spent, strict=False))]
    lines = sales(frame(spark, LINES, rows), users, frame(spark, PRODUCTS, [{"product_sk": 1}]))
    found = user_metrics(users, lines, frame(spark, VISITS, []))

    assert rows_of(found, "user_id", "recency_score", "frequency_score", "monetary_score") == [
        ("u0", 1, 1, 1),
        ("u1", 1, 1, 1),
        ("u2", 1, 1, 3),
        ("u3", 1, 1, 4),
        ("u4", 1, 1, 5),
        ("u5", None, None, None),
    ]


def test_no_sales_make_empty_aggregates_and_idle_customers(spark, users):
    none = sales(frame(spark, LINES, []), users, frame(spark, PRODUCTS, []))

    assert daily_sales(none).count() == 0
    assert daily_revenue_by_category(none).count() == 0
    idle = user_metrics(users, none, frame(spark, VISITS, []))
    assert rows_of(idle, "user_id", "as_of_date", "orders") == [("ann", None, 0), ("bob", None, 0), ("cy", None, 0)]
