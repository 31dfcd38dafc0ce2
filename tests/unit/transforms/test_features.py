"""Features where something is missing, equal or just at the edge; by hand and against foresight: tests/unit/ml."""

from __future__ import annotations

from typing import Any

from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from common.settings import SourceSettings
from common.transforms.customer_days import NONE_YET
from common.transforms.features import FEATURES, RANGES, customer_features, out_of_range, with_exposure, with_label
from tests.unit.ml.frames import day, event, history, line, product, user
from tests.unit.transforms.frames import assert_part, assert_rows, frame, table

AS_OF, FIRST_DAY, PRIOR_DAYS = day(60), day(0), 30
KEYS = "as_of date, user_id string"
ALL = ", ".join([KEYS, *[f"{name} double" for name in FEATURES], "newest_input date"])


def _features(spark: SparkSession, source: SourceSettings, lines: list[dict[str, Any]], **more: Any) -> DataFrame:
    return customer_features(history(spark, lines, **more), [AS_OF], FIRST_DAY, PRIOR_DAYS, source)


def test_a_customer_of_whom_next_to_nothing_is_known(spark, source):
    lines = [line("u", 59, discount_amount=None)]
    known = {
        **dict.fromkeys(FEATURES, 0.0),
        "as_of": AS_OF,
        "user_id": "u",
        "recency_days": 1.0,
        "purchase_days": 1.0,
        "orders": 1.0,
        "purchase_rate": 2 / 90,
        "silence": 2 / 90,
        "purchase_days_14": 1.0,
        "purchase_days_30": 1.0,
        "purchase_trend": 1.0,
        "mean_gap_days": NONE_YET,
        "gap_spread_days": NONE_YET,
        "longest_gap_days": NONE_YET,
        "last_gap_days": NONE_YET,
        "silence_in_gaps": NONE_YET,
        "observed_days": 60.0,
        "days_since_first": 1.0,
        "spend": 10.0,
        "order_value": 10.0,
        "lines_an_order": 1.0,
        "products": 1.0,
        "days_since_return": NONE_YET,
        "visit_rate": 1 / 90,
        "days_since_visit": NONE_YET,
        "loyalty_rank": NONE_YET,
        "newest_input": day(59),
    }
    users = [user("u", signup_date=None, loyalty_tier=None)]

    found = _features(spark, source, lines, users=users, products=[product(1, category=None)])

    assert_df_equality(found, frame(spark, ALL, [known]), ignore_nullable=True)


def test_pauses_of_equal_length_have_no_spread(spark, source):
    lines = [
        *[line("weekly", on) for on in (32, 39, 46, 53)],
        *[line("twice", on) for on in (40, 50)],
        *[line("one day", 50, number, order_id=number) for number in (1, 2)],
    ]
    gaps = "mean_gap_days double, gap_spread_days double, longest_gap_days double, last_gap_days double"

    assert_part(
        _features(spark, source, lines),
        f"user_id string, {gaps}, silence_in_gaps double, orders double, purchase_days double",
        [
            ("weekly", 7, 0, 7, 7, 1, 4, 4),
            ("twice", 10, 0, 10, 10, 1, 2, 2),
            ("one day", -1, -1, -1, -1, -1, 2, 1),
        ],
    )


def test_observation_begins_with_the_data_the_signup_or_the_first_purchase(spark, source):
    signups = {
        "not told": None,
        "before the data": day(-1),
        "with the data": day(0),
        "a day later": day(1),
        "with the first purchase": day(50),
        "after the first purchase": day(51),
    }
    users = [user(name, signup_date=signup) for name, signup in signups.items()]
    lines = [*[line(name, 50) for name in signups], line("bought before the data", -5)]

    assert_part(
        _features(spark, source, lines, users=[*users, user("bought before the data")]),
        "user_id string, observed_days double, days_since_first double",
        [
            ("not told", 60, 10),
            ("before the data", 60, 10),
            ("with the data", 60, 10),
            ("a day later", 59, 10),
            ("with the first purchase", 10, 10),
            ("after the first purchase", 10, 10),
            ("bought before the data", 65, 65),
        ],
    )


def test_the_newest_input_is_the_newest_of_each_kind(spark, source):
    lines = [
        *[line(name, 10) for name in ("purchase", "visit", "return")],
        line("return", 20, quantity=-1),
        line("purchase", 30),
    ]
    events = [event("visit", 40), event("purchase", 29), event("return", 19)]

    assert_part(
        _features(spark, source, lines, events=events),
        "user_id string, newest_input date, days_since_return double, days_since_visit double",
        [("purchase", day(30), -1, 31), ("visit", day(40), -1, 20), ("return", day(20), 40, 41)],
    )


def test_visits_of_long_ago_put_nothing_into_recent_carts(spark, source):
    lines = [line("recent", 1), line("long ago", 1)]
    events = [event("recent", 30, "add_to_cart"), event("long ago", 29, "add_to_cart")]

    assert_part(
        _features(spark, source, lines, events=events),
        "user_id string, cart_adds_30 double, visit_days_30 double, visits double",
        [("recent", 1, 1, 1), ("long ago", 0, 0, 1)],
    )


def test_who_only_returned_or_visited_has_no_features(spark, source):
    lines = [line("buyer", 1), line("returns", 1, quantity=-1), line("nothing", 1, quantity=0)]
    users = [user(name) for name in ("buyer", "returns", "nothing", "visitor")]

    found = _features(spark, source, lines, users=users, events=[event("visitor", 1)])

    assert_part(found, "user_id string", [("buyer",)])


def test_ranges_include_their_ends(spark):
    step = {name: 1.0 if abs(high) > 1e6 else 1e-9 for name, (_, high) in RANGES.items()}
    usual = {name: low for name, (low, _) in RANGES.items()}
    cases = [
        ({**usual, name: value}, wrong)
        for name, (low, high) in RANGES.items()
        for value, wrong in (
            (low, "none"),
            (high, "none"),
            (low - step[name], name),
            (high + step[name], name),
            (None, name),
        )
    ]
    schema = ", ".join(["wrong string", *[f"{name} double" for name in FEATURES]])
    rows = frame(spark, schema, [{**values, "wrong": wrong} for values, wrong in cases])

    found = rows.select("wrong", out_of_range().alias("found")).where("wrong != found")

    assert_rows(found, "wrong string, found string", [])


def test_exposure_is_null_on_a_date_without_any(spark):
    features = table(spark, KEYS, [(day(30), "a"), (day(30), "b"), (day(45), "a"), (AS_OF, "a")])

    assert_rows(
        with_exposure(features, {day(30): 1.25, day(45): 2, day(90): 9.0}),
        f"{KEYS}, exposure double",
        [(day(30), "a", 1.25), (day(30), "b", 1.25), (day(45), "a", 2), (AS_OF, "a", None)],
    )


def test_labels_at_the_edges_of_a_horizon_of_a_day(spark):
    names = ("before", "on the day", "the day after", "twice", "unsold", "returned", "not known", "never")
    lines = [
        line("before", 59),
        line("on the day", 60),
        line("the day after", 61),
        line("twice", 60),
        line("twice", 60, 2, order_id=9),
        line("unsold", 60, quantity=0),
        line("returned", 60, quantity=-1),
        line("not known", 60, is_unknown_user=True),
        line("somebody else", 60),
    ]
    features = table(spark, f"{KEYS}, orders double", [(AS_OF, name, 1) for name in names])
    back = {"on the day", "twice"}

    assert_rows(
        with_label(features, history(spark, lines).lines, 1),
        f"{KEYS}, orders double, label double",
        [(AS_OF, name, 1, 0 if name in back else 1) for name in names],
    )


def test_each_date_has_its_own_label(spark):
    features = table(spark, KEYS, [(on, name) for on in (day(30), day(60)) for name in ("a", "b")])
    lines = [line("a", 59), line("b", 30), line("b", 31), line("b", 60)]

    assert_rows(
        with_label(features, history(spark, lines).lines, 30),
        f"{KEYS}, label double",
        [(day(30), "a", 0), (day(30), "b", 0), (day(60), "a", 1), (day(60), "b", 0)],
    )
