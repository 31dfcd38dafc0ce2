"""What happened by customer and day: at the edges of dates, windows and days of the shop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from common.transforms.customer_days import (
    before,
    current_users,
    purchase_totals,
    purchases,
    return_totals,
    returns,
    variety,
    visit_totals,
    visits,
)
from tests.unit.ml.frames import BEGINNING, END, day, event, history, line, product, user
from tests.unit.transforms.frames import assert_rows, table

AS_OF = day(60)
MIDNIGHT = datetime(2025, 7, 31, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
DAYS = "user_id string, day date"
PURCHASES = "user_id string, day date, orders bigint, lines bigint, spend decimal(22,2), discounted bigint, gap int"
PURCHASE_TOTALS = """as_of date, user_id string, purchase_days bigint, purchase_days_14 bigint,
    purchase_days_30 bigint, _purchase_days_before bigint, orders bigint, _lines bigint, spend decimal(32,2),
    _discounted bigint, first_purchase date, last_purchase date, _gaps bigint, _gap_sum bigint, _gap_squares bigint,
    longest_gap_days int, last_gap_days int"""
VISITS = "user_id string, day date, visits bigint, cart_adds bigint"
VISIT_TOTALS = """as_of date, user_id string, visits bigint, visit_days bigint, visit_days_14 bigint,
    visit_days_30 bigint, cart_adds_30 bigint, last_visit date"""
RETURN_TOTALS = "as_of date, user_id string, returns bigint, last_return date"
VARIETY = "as_of date, user_id string, products bigint, categories bigint, last_variety date"
CURRENT = "as_of date, user_id string, signup_date date, loyalty_rank double"


def test_a_date_sees_the_days_before_it_alone(spark):
    days = table(spark, DAYS, [("a", day(29)), ("a", day(30)), ("a", day(59)), ("a", day(60)), ("a", None)])

    assert_rows(
        days.transform(before, [day(30), day(60)]),
        "user_id string, day date, as_of date",
        [("a", day(29), day(30)), ("a", day(29), day(60)), ("a", day(30), day(60)), ("a", day(59), day(60))],
    )


def test_purchases_of_a_day(spark):
    lines = [
        line("a", 10),
        line("a", 10, 2, discount_amount=Decimal("0.01"), total_amount=Decimal("9.99")),
        line("a", 10, 3, discount_amount=None, order_id=11),
        line("a", 11, quantity=0),
        line("a", 12, quantity=-1, discount_amount=Decimal("-1.00")),
        line("a", 13, quantity=None),
        line("a", 14, status="cancelled"),
        line("a", 15, is_unknown_user=True),
        line("a", 17, is_unknown_product=True),
        line("b", 12),
    ]

    assert_rows(
        purchases(history(spark, lines).lines),
        PURCHASES,
        [
            ("a", day(10), 2, 3, "29.99", 1, None),
            ("a", day(14), 1, 1, "10.00", 0, 4),
            ("a", day(17), 1, 1, "10.00", 0, 3),
            ("b", day(12), 1, 1, "10.00", 0, None),
        ],
    )


def test_purchases_at_the_edges_of_the_windows(spark):
    days = [(AS_OF, "edges", day(60 - ago), 1, 1, "1.00", 0, None) for ago in (1, 14, 15, 30, 31, 60, 61)]

    assert_rows(
        purchase_totals(table(spark, f"as_of date, {PURCHASES}", days)),
        PURCHASE_TOTALS,
        [(AS_OF, "edges", 7, 2, 4, 2, 7, 7, "7.00", 0, day(-1), day(59), 0, None, None, None, None)],
    )


def test_purchases_of_each_customer_and_date(spark):
    days = [
        (AS_OF, "a", day(0), 1, 2, "10.00", 1, None),
        (AS_OF, "a", day(10), 2, 3, "20.00", 0, 10),
        (AS_OF, "a", day(13), 1, 1, "0.01", 1, 3),
        (day(10), "a", day(0), 1, 2, "10.00", 1, None),
        (AS_OF, "b", day(30), 1, 1, None, 0, None),
    ]

    assert_rows(
        purchase_totals(table(spark, f"as_of date, {PURCHASES}", days)),
        PURCHASE_TOTALS,
        [
            (AS_OF, "a", 3, 0, 0, 3, 4, 6, "30.01", 2, day(0), day(13), 2, 13, 109, 10, 3),
            (day(10), "a", 1, 1, 1, 0, 1, 2, "10.00", 1, day(0), day(0), 0, None, None, None, None),
            (AS_OF, "b", 1, 0, 1, 0, 1, 1, None, 0, day(30), day(30), 0, None, None, None, None),
        ],
    )


def test_visits_of_a_day(spark):
    events = [
        event("a", 10),
        event("a", 10, "add_to_cart"),
        event("a", 10, "add_to_cart", event_id="again"),
        event("a", 10, "search", session_id="another"),
        event("a", 11, "search", session_id=None),
        event("b", 10),
        event("b", 12, "add_to_cart", is_bot=True),
        event("b", 13, "add_to_cart", near_duplicate_of="x"),
        event(None, 10),
    ]

    assert_rows(
        visits(history(spark, [], events).events),
        VISITS,
        [("a", day(10), 2, 2), ("a", day(11), 0, 0), ("b", day(10), 1, 0)],
    )


def test_visits_at_the_edges_of_the_windows(spark):
    days = [("a", day(60 - ago), 2, 10 * ago) for ago in (0, 1, 14, 15, 30, 31)]
    once = [("b", day(29), 1, 7)]

    assert_rows(
        visit_totals(table(spark, VISITS, days + once), [AS_OF, day(30)]),
        VISIT_TOTALS,
        [
            (AS_OF, "a", 10, 5, 2, 4, 600, day(59)),
            (day(30), "a", 2, 1, 1, 1, 310, day(29)),
            (AS_OF, "b", 1, 1, 0, 0, None, day(29)),
            (day(30), "b", 1, 1, 1, 1, 7, day(29)),
        ],
    )


def test_what_came_back_before_a_date(spark):
    lines = [
        line("a", 30, quantity=-1),
        line("a", 30, 2, quantity=-2),
        line("a", 59, quantity=-1),
        line("a", 60, quantity=-1),
        line("b", 10, quantity=1, status="returned"),
        line("b", 11, quantity=0),
        line("b", 12, quantity=None),
    ]
    days = returns(history(spark, lines).lines)

    assert_rows(days, DAYS, [("a", day(30)), ("a", day(30)), ("a", day(59)), ("a", day(60))])
    assert_rows(
        return_totals(days, [day(30), day(31), AS_OF]),
        RETURN_TOTALS,
        [(day(31), "a", 2, day(30)), (AS_OF, "a", 3, day(59))],
    )


def test_products_and_categories_count_from_their_first_purchase(spark):
    products = [product(1), product(2), product(3, category="Toys"), product(4, category=None), product(5)]
    lines = [
        line("a", 10, 1),
        line("a", 40, 1),
        line("a", 20, 2),
        line("a", 29, 3),
        line("a", 30, 4),
        line("a", 31, -1, product_id="stranger", is_unknown_product=True),
        line("a", 60, 5),
        line("same day", 10, 1),
        line("same day", 10, 2),
        line("returned", 10, 1, quantity=-1),
    ]

    assert_rows(
        variety(history(spark, lines, products=products), [day(10), day(30), AS_OF]),
        VARIETY,
        [
            (day(30), "a", 3, 2, day(29)),
            (AS_OF, "a", 5, 2, day(31)),
            (day(30), "same day", 2, 1, day(10)),
            (AS_OF, "same day", 2, 1, day(10)),
        ],
    )


def test_versions_of_a_product_are_one_product(spark):
    products = [product(1), product(2, product_id="P1", is_current=False)]
    lines = [line("a", 10, 1), line("a", 20, 2, product_id="P1")]

    assert_rows(variety(history(spark, lines, products=products), [AS_OF]), VARIETY, [(AS_OF, "a", 1, 1, day(10))])


def test_a_product_that_moved_to_another_category_is_one_product(spark):
    products = [product(1), product(2, product_id="P1", category="Toys")]
    lines = [line("a", 10, 1), line("a", 20, 2, product_id="P1")]

    found = variety(history(spark, lines, products=products), [AS_OF])

    assert_rows(found.select("products"), "products bigint", [(1,)])


def test_the_version_that_held_just_before_a_date_began(spark, source):
    users = [
        user("always"),
        user("from then on", valid_from=MIDNIGHT),
        user("just in time", valid_from=MIDNIGHT - INSTANT),
        user("until then", valid_to=MIDNIGHT),
        user("until just before", valid_to=MIDNIGHT - INSTANT),
        user("left long ago", is_deleted=True, is_current=False),
        user("left then", valid_to=MIDNIGHT, is_current=False, signup_date=None),
        user("left then", valid_from=MIDNIGHT, is_deleted=True, is_current=False),
    ]

    assert_rows(
        current_users(history(spark, [], users=users).users, [AS_OF], source),
        CURRENT,
        [
            (AS_OF, "always", day(-100), 1),
            (AS_OF, "just in time", day(-100), 1),
            (AS_OF, "until then", day(-100), 1),
            (AS_OF, "left then", None, 1),
        ],
    )


def test_a_date_begins_at_midnight_in_the_shop(spark, source):
    shop = source.model_copy(update={"time_zone": "America/New_York"})
    summer, winter = datetime(2025, 7, 31, 4, tzinfo=UTC), datetime(2025, 1, 1, 5, tzinfo=UTC)
    ends = (BEGINNING, winter - INSTANT, winter, summer - INSTANT, summer, END)
    tiers = ("bronze", "silver", "gold", "platinum", "bronze")
    users = [
        user("a", valid_from=start, valid_to=end, loyalty_tier=tier)
        for start, end, tier in zip(ends, ends[1:], tiers, strict=False)
    ]

    assert_rows(
        current_users(history(spark, [], users=users).users, [winter.date(), summer.date()], shop),
        CURRENT,
        [(winter.date(), "a", day(-100), 1), (summer.date(), "a", day(-100), 3)],
    )


def test_ranks_of_loyalty(spark, source):
    tiers = {"bronze": 0, "Silver": 1, "GOLD": 2, "platinum": 3, "lead": -1, "": -1}
    users = [*[user(tier, loyalty_tier=tier) for tier in tiers], user("none", loyalty_tier=None)]

    assert_rows(
        current_users(history(spark, [], users=users).users, [AS_OF], source),
        CURRENT,
        [(AS_OF, name, day(-100), rank) for name, rank in {**tiers, "none": -1}.items()],
    )
