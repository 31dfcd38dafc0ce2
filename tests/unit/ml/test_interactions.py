"""What counts as interest, and what can be recommended to whom."""

from __future__ import annotations

from datetime import timedelta

from pyspark.sql import SparkSession

from common.ml.dates import Period
from common.ml.interactions import (
    customer_segments,
    daily_interactions,
    fresh_purchases,
    interactions,
    newest_ratings,
    products_on_sale,
    purchases_since,
    ratings,
)
from common.settings import Settings, SourceSettings
from tests.unit.ml.frames import day, event, history, line, product, user


def test_interest_adds_up_views_carts_and_purchases(spark: SparkSession, settings: Settings) -> None:
    events = [
        event("a", 1), event("a", 1, "add_to_cart"), event("a", 1, "remove_from_cart"), event("a", 1, "search"),
        event("a", 1, is_bot=True), event("a", 1, near_duplicate_of="x"), event(None, 1),
        event("a", 1, is_unknown_product=True),
    ]  # fmt: skip
    lines = [line("a", 1), line("a", 1, quantity=-1), line("a", 1, is_unknown_product=True)]
    found = daily_interactions(history(spark, lines, events), settings.ml.recommendations).collect()
    weights = settings.ml.recommendations
    expected = weights.event_weights["product_view"] + weights.event_weights["add_to_cart"] + weights.purchase_weight
    assert [
        (row["user_id"], row["product_id"], row["day"], float(row["strength"]), row["bought"]) for row in found
    ] == [("a", "P1", day(1), expected, 1)]


def test_interest_is_cut_off_before_a_day(spark: SparkSession, settings: Settings) -> None:
    daily = daily_interactions(history(spark, [line("a", 1), line("a", 5), line("b", 5)]), settings.ml.recommendations)
    assert [(row["user_id"], row["bought"]) for row in interactions(daily, day(5)).collect()] == [("a", 1)]
    later = purchases_since(daily, day(5)).orderBy("user_id").collect()
    assert [(row["user_id"], row["product_id"]) for row in later] == [("a", "P1"), ("b", "P1")]


def test_the_newest_rating_holds(spark: SparkSession) -> None:
    first = line("a", 1, rating=2)
    second = {
        **first,
        "transaction_id": "z",
        "rating": 5,
        "transaction_ts": first["transaction_ts"] + timedelta(hours=1),
    }
    shop = history(spark, [first, second, line("b", 1), line("c", 1, rating=3, is_unknown_user=True)])
    found = newest_ratings(ratings(shop.lines)).collect()
    assert [(row["user_id"], row["rating"]) for row in found] == [("a", 5.0)]


def test_only_current_products_on_sale_are_offered(spark: SparkSession, source: SourceSettings) -> None:
    products = [
        product(1), product(2, is_active=False), product(3, is_deleted=True), product(4, is_current=False),
        product(5, is_active=None), product(6, category="Grocery"), product(7, subcategory="Vitamins"),
        product(8, category=None, subcategory=None), product(-1, product_id="unknown"),
    ]  # fmt: skip
    found = products_on_sale(history(spark, [line("a", 1)], products=products).products, source).collect()
    assert {row["product_id"]: row["is_replenishable"] for row in found} == {
        "P1": False, "P5": False, "P6": True, "P7": True, "P8": False,
    }  # fmt: skip


def test_everything_can_be_replenishable(spark: SparkSession, source: SourceSettings) -> None:
    grocer = source.model_copy(update={"ml": source.ml.model_copy(update={"replenishable": ("*",)})})
    shop = history(spark, [line("a", 1)], products=[product(1, category=None)])
    assert [row["is_replenishable"] for row in products_on_sale(shop.products, grocer).collect()] == [True]


def test_fresh_is_what_its_customer_had_never_bought_before(spark: SparkSession, settings: Settings) -> None:
    lines = [line("a", 1, 1), line("a", 5, 1), line("a", 5, 2), line("b", 5, 1), line("b", 6, 3), line("a", 8, 4)]
    daily = daily_interactions(
        history(spark, lines, events=[event("b", 1, product_id="P1")]), settings.ml.recommendations
    )
    found = fresh_purchases(daily, interactions(daily, day(5)), Period(day(5), day(8)))
    # A view before is no purchase, and the end of the days is not among them.
    assert sorted(tuple(row) for row in found.collect()) == [("a", "P2"), ("b", "P1"), ("b", "P3")]


def test_segments_are_those_of_current_customers(spark: SparkSession) -> None:
    users = [
        user("a"), user("b", loyalty_tier=None), user("c", is_deleted=True), user("d", is_current=False),
    ]  # fmt: skip
    found = customer_segments(history(spark, [line("a", 1)], users=users).users).collect()
    assert sorted(tuple(row) for row in found) == [("a", "silver"), ("b", "all")]
