"""What is popular in a segment or a category, and what fills up where it is too little."""

from __future__ import annotations

from datetime import date

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from common.ml.popularity import popular_by_category, popular_by_segment
from common.storage.local_frames import local_frame
from tests.unit.ml.frames import day

DAILY = "user_id string, product_id string, day date, bought long"
ON_SALE = "product_id string, category string"


def daily(spark: SparkSession, *bought: tuple[str, str]) -> DataFrame:
    """Purchases, one a day; twice the same pair is the same customer again."""
    return local_frame(spark, [(user, product, day(on), 1) for on, (user, product) in enumerate(bought)], DAILY)


def products(spark: SparkSession, **categories: str | None) -> DataFrame:
    return local_frame(spark, list(categories.items()), ON_SALE)


def ranked(spark: SparkSession, group: str, **lists: list[str]) -> DataFrame:
    rows = [(name, product, place) for name, found in lists.items() for place, product in enumerate(found, 1)]
    return local_frame(spark, rows, f"{group} string, product_id string, rank int")


@pytest.fixture
def segments(spark: SparkSession) -> DataFrame:
    return local_frame(
        spark, [("a", "silver"), ("b", "silver"), ("c", "gold"), ("e", "all")], "user_id string, segment string"
    )


def test_customers_of_a_segment_are_counted_once_each(spark: SparkSession, segments: DataFrame) -> None:
    shop = daily(spark, ("a", "P1"), ("a", "P1"), ("b", "P2"), ("a", "P2"), ("c", "P3"), ("d", "P9"))
    found = popular_by_segment(shop, segments, products(spark, P1=None, P2=None, P3=None), 2)
    # P1 and P3 have one customer each among all: the lower id comes first.
    assert_df_equality(
        found.select("segment", "product_id", "rank"),
        ranked(spark, "segment", all=["P2", "P1"], silver=["P2", "P1"], gold=["P3"]),
        ignore_row_order=True,
        ignore_nullable=True,
    )


def test_who_has_no_segment_counts_for_all_alone(spark: SparkSession, segments: DataFrame) -> None:
    found = popular_by_segment(daily(spark, ("e", "P1"), ("nobody", "P1")), segments, products(spark, P1=None), 2)
    assert [tuple(row) for row in found.collect()] == [("all", "P1", 2, 1)]


@pytest.mark.parametrize(("before", "expected"), [(day(0), []), (day(1), ["P1"]), (None, ["P1", "P2"])])
def test_only_what_came_before_a_day_counts(
    spark: SparkSession, segments: DataFrame, before: date | None, expected: list[str]
) -> None:
    shop, sold = daily(spark, ("a", "P1"), ("a", "P2")), products(spark, P1="Books", P2="Books")
    in_segment = popular_by_segment(shop, segments, sold, 5, before).where("segment = 'silver'")
    in_category = popular_by_category(shop, sold, 5, before)
    for found in (in_segment, in_category):
        assert [row["product_id"] for row in found.orderBy("rank").collect()] == expected


def test_a_category_is_filled_up_with_what_is_popular_in_others(spark: SparkSession) -> None:
    shop = daily(
        spark, ("a", "B1"), ("a", "T1"), ("b", "T1"), ("c", "T1"), ("a", "T2"), ("b", "T2"), ("a", "N1"), ("a", "gone")
    )
    sold = products(spark, B1="Books", B2="Books", T1="Toys", T2="Toys", N1=None, E1="Empty")
    assert_df_equality(
        popular_by_category(shop, sold, 3),
        local_frame(spark, [
                ("Books", "B1", 1), ("Books", "T1", 2), ("Books", "T2", 3),
                ("Toys", "T1", 1), ("Toys", "T2", 2), ("Toys", "B1", 3),
                ("Empty", "T1", 1), ("Empty", "T2", 2), ("Empty", "B1", 3),
                ("", "T1", 1), ("", "T2", 2), ("", "B1", 3),
            ],
            "category string, product_id string, rank int",
        ),
        ignore_row_order=True,
        ignore_nullable=True,
    )  # fmt: skip


def test_no_product_is_twice_in_the_list_of_its_category(spark: SparkSession) -> None:
    shop = daily(spark, *[("a", f"P{number}") for number in range(6)])
    sold = products(spark, **{f"P{number}": "Books" for number in range(6)}, Q="Toys")
    found = popular_by_category(shop, sold, 3)
    lists = {
        name: [row["product_id"] for row in found.orderBy("rank").collect() if row["category"] == name]
        for name in ("Books", "Toys")
    }
    assert lists == {"Books": ["P0", "P1", "P2"], "Toys": ["P0", "P1", "P2"]}


def test_interest_without_a_purchase_makes_nothing_popular(spark: SparkSession, segments: DataFrame) -> None:
    viewed = local_frame(spark, [("a", "P1", day(0), 0)], DAILY)
    sold = products(spark, P1="Books")
    assert popular_by_segment(viewed, segments, sold, 2).isEmpty()
    assert popular_by_category(viewed, sold, 2).isEmpty()
