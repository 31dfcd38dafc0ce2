"""Features of customers: by hand, and blind to what comes after the as-of date."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from common.errors import GateFailedError
from common.ml.churn_evaluation import refuse_foresight
from common.settings import SourceSettings
from common.transforms.customer_days import NONE_YET
from common.transforms.features import FEATURES, customer_features, out_of_range, with_exposure, with_label
from tests.unit.ml.frames import day, event, history, line, product, user

AS_OF = day(60)
LINES = [
    line("a", 10, 1),
    line("a", 10, 2, discount_amount=Decimal("1.00"), total_amount=Decimal("9.00")),
    line("a", 20, 1, product_sk=1),
    line("a", 50, 3, quantity=-1),
    line("a", 50, 3),
    line("b", 59, 1),
]
EVENTS = [
    event("a", 50),
    event("a", 50, "add_to_cart"),
    event("a", 10),
    event("a", 55, is_bot=True),
    event("a", 56, near_duplicate_of="x"),
    event(None, 57),
]


def features(spark: SparkSession, source: SourceSettings, lines: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Features by customer as of AS_OF."""
    found = customer_features(history(spark, lines, **more), [AS_OF], day(0), 30, source)
    return {row["user_id"]: row.asDict() for row in found.collect()}


def test_features_by_hand(spark: SparkSession, source: SourceSettings) -> None:
    products = [product(1), product(2), product(3, category="Toys")]
    found = features(spark, source, LINES, events=EVENTS, products=products)["a"]
    expected = {
        "recency_days": 10, "purchase_days": 3, "orders": 3, "purchase_rate": 4 / 90, "silence": 10 * 4 / 90,
        "purchase_days_14": 1, "purchase_days_30": 1, "purchase_trend": 1 - 2,
        "mean_gap_days": 20, "gap_spread_days": 10, "longest_gap_days": 30, "last_gap_days": 30,
        "silence_in_gaps": 0.5, "observed_days": 60, "days_since_first": 50,
        "spend": 39, "order_value": 13, "lines_an_order": 4 / 3, "discount_share": 0.25,
        "products": 3, "categories": 2, "returns": 1, "days_since_return": 10,
        "visits": 2, "visit_days": 2, "visit_days_14": 1, "visit_days_30": 1, "visit_rate": 3 / 90,
        "days_since_visit": 10, "cart_adds_30": 1, "loyalty_rank": 1,
    }  # fmt: skip
    assert {name: found[name] for name in FEATURES} == pytest.approx(expected)
    assert found["newest_input"] == day(50)


def test_a_customer_who_bought_once_has_no_pauses_and_no_visits(spark: SparkSession, source: SourceSettings) -> None:
    found = features(spark, source, LINES)["b"]
    none = ("mean_gap_days", "gap_spread_days", "longest_gap_days", "last_gap_days", "silence_in_gaps")
    assert {found[name] for name in (*none, "days_since_return", "days_since_visit")} == {NONE_YET}
    assert (found["visits"], found["returns"], found["recency_days"]) == (0, 0, 1)


def test_a_newcomer_is_observed_since_signing_up(spark: SparkSession, source: SourceSettings) -> None:
    found = features(spark, source, [line("c", 50)], users=[user("c", signup_date=day(45))])["c"]
    assert found["observed_days"] == 15


def test_without_a_known_tier_or_signup(spark: SparkSession, source: SourceSettings) -> None:
    found = features(spark, source, [line("c", 50)], users=[user("c", signup_date=None, loyalty_tier="lead")])["c"]
    assert (found["observed_days"], found["loyalty_rank"]) == (60, NONE_YET)


def test_the_version_that_held_tells_the_tier(spark: SparkSession, source: SourceSettings) -> None:
    change = datetime(2025, 7, 31, 12, tzinfo=UTC)  # on the as-of date itself
    users = [
        user("c", valid_to=change, is_current=False),
        user("c", valid_from=change, loyalty_tier="platinum"),
    ]
    assert features(spark, source, [line("c", 50)], users=users)["c"]["loyalty_rank"] == 1


def test_who_had_left_or_is_unknown_is_left_out(spark: SparkSession, source: SourceSettings) -> None:
    lines = [line("gone", 10), line("ghost", 10, is_unknown_user=True), line("late", 60), line("a", 1)]
    users = [user("gone", is_deleted=True), user("late"), user("a")]
    assert set(features(spark, source, lines, users=users)) == {"a"}


def test_the_future_changes_nothing(spark: SparkSession, source: SourceSettings) -> None:
    later = [line("a", 60, 9), line("a", 75, 1, quantity=-1), line("b", 61, 2)]
    visits = [event("a", 60), event("b", 99)]
    assert features(spark, source, LINES, events=EVENTS) == features(
        spark, source, LINES + later, events=EVENTS + visits, users=[user("a"), user("b")]
    )


def test_several_dates_are_each_their_own(spark: SparkSession, source: SourceSettings) -> None:
    shop = history(spark, LINES, EVENTS)
    both = customer_features(shop, [day(30), AS_OF], day(0), 30, source)
    alone = customer_features(shop, [day(30)], day(0), 30, source)
    assert both.where(F.col("as_of") == day(30)).collect() == alone.collect()


def test_the_label_looks_at_the_horizon_alone(spark: SparkSession, source: SourceSettings) -> None:
    lines = [
        line("before", 59),
        line("first", 1), line("first", 60),
        line("last", 1), line("last", 89),
        line("after", 1), line("after", 90),
        line("back", 1), line("back", 70, quantity=-1),
    ]  # fmt: skip
    shop = history(spark, lines)
    labelled = with_label(customer_features(shop, [AS_OF], day(0), 30, source), shop.lines, 30)
    found = {row["user_id"]: row["label"] for row in labelled.collect()}
    assert found == {"before": 1.0, "first": 0.0, "last": 0.0, "after": 1.0, "back": 1.0}


def test_exposure_goes_by_date(spark: SparkSession, source: SourceSettings) -> None:
    shop = history(spark, LINES)
    found = with_exposure(customer_features(shop, [day(30), AS_OF], day(0), 30, source), {day(30): 1.0, AS_OF: 1.25})
    assert {(row["as_of"], row["exposure"]) for row in found.collect()} == {(day(30), 1.0), (AS_OF, 1.25)}


def test_ranges_name_the_first_feature_that_is_off(spark: SparkSession, source: SourceSettings) -> None:
    good = customer_features(history(spark, LINES, EVENTS), [AS_OF], day(0), 30, source)
    wrong = good.withColumn("discount_share", F.lit(1.5)).withColumn("spend", F.lit(None).cast("double"))
    assert {row[0] for row in good.select(out_of_range()).collect()} == {"none"}
    assert {row[0] for row in wrong.select(out_of_range()).collect()} == {"spend"}
    assert {row[0] for row in good.withColumn("orders", F.lit(float("nan"))).select(out_of_range()).collect()} == {
        "orders"
    }


def test_a_feature_with_foresight_is_refused_by_name(spark: SparkSession, source: SourceSettings) -> None:
    whole = customer_features(history(spark, LINES, EVENTS), [AS_OF], day(0), 30, source)
    refuse_foresight(whole, whole)
    knowing = whole.withColumn("spend", F.col("spend") + F.when(F.col("user_id") == "a", 1.0).otherwise(0.0))
    with pytest.raises(GateFailedError, match=r"label leakage: .*: spend \(1 customers\)"):
        refuse_foresight(knowing, whole)


def test_a_customer_who_is_there_by_foresight_is_refused(spark: SparkSession, source: SourceSettings) -> None:
    whole = customer_features(history(spark, LINES, EVENTS), [AS_OF], day(0), 30, source)
    with pytest.raises(GateFailedError, match="label leakage"):
        refuse_foresight(whole, whole.where("user_id = 'a'"))
