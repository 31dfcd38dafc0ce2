"""Customers and products that training has not seen, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from common.ml.dates import Period
from common.ml.interactions import interactions
from common.ml.later import Later
from common.ml.newcomers import new_customer_figures, new_product_figures
from common.storage.local_frames import local_frame
from tests.unit.ml.frames import day

DAILY = "user_id string, product_id string, day date, strength decimal(12,3), bought long"
CUTOFF, END = 10, 20
SECOND = 1 / np.log2(3)


def later(spark: SparkSession, *rows: tuple[str, str, int, int], limit: int = 100) -> Later:
    """Interest as user, product, number of the day and lines bought."""
    made = [(user, product, day(on), None, bought) for user, product, on, bought in rows]
    daily = local_frame(spark, made, DAILY)
    return Later(daily, interactions(daily, day(CUTOFF)), Period(day(CUTOFF), day(END)), limit)


@pytest.fixture
def popular(spark: SparkSession) -> DataFrame:
    rows = [("all", "P1", 1), ("all", "P2", 2), ("gold", "P3", 1), ("gold", "P4", 2), ("gold", "P1", 3)]
    return local_frame(spark, rows, "segment string, product_id string, rank int")


@pytest.fixture
def segments(spark: SparkSession) -> DataFrame:
    rows = [("new", "gold"), ("other", "tierless"), ("known", "gold")]
    return local_frame(spark, rows, "user_id string, segment string")


def test_new_customers_get_what_their_segment_buys(
    spark: SparkSession, popular: DataFrame, segments: DataFrame
) -> None:
    what = later(
        spark,
        ("known", "P9", 9, 0), ("known", "P3", 10, 1),  # has looked at something before
        ("new", "P4", 10, 1), ("new", "P1", 19, 1),  # P1 is third in gold, and two are shown
        ("new", "P3", 20, 1),  # after the days of the test
        ("other", "P1", 12, 1),  # a segment without a list: that of all
        ("stranger", "P1", 12, 1),  # no current customer
    )  # fmt: skip
    found = new_customer_figures(what, popular, segments, 2)
    assert found == {"customers": 2, "ndcg_at_2": pytest.approx((SECOND / (1 + SECOND) + 1.0) / 2)}


def test_nobody_new_has_no_figure(spark: SparkSession, popular: DataFrame, segments: DataFrame) -> None:
    what = later(spark, ("known", "P1", 5, 1), ("known", "P2", 12, 1))
    assert new_customer_figures(what, popular, segments, 2) == {"customers": 0, "ndcg_at_2": None}


def test_customers_are_limited(spark: SparkSession, popular: DataFrame) -> None:
    names = [f"u{number}" for number in range(200)]
    segments = local_frame(spark, [(name, "all") for name in names], "user_id string, segment string")
    what = later(spark, *[(name, "P1", 12, 1) for name in names], limit=50)
    assert 20 < new_customer_figures(what, popular, segments, 2)["customers"] < 100


def test_buyers_of_a_new_product_are_shown_what_its_category_sells(spark: SparkSession) -> None:
    on_sale = local_frame(
        spark,
        [("B1", "Books"), ("B2", "Books"), ("T1", "Toys"), ("new", "Books"), ("newer", None), ("seen", "Books")],
        "product_id string, category string",
    )
    what = later(
        spark,
        ("x", "B1", 1, 1), ("y", "B1", 1, 1), ("x", "B2", 1, 1), ("z", "seen", 9, 0),
        ("a", "new", 12, 1), ("a", "B2", 13, 1),  # second of Books
        ("b", "newer", 12, 1), ("b", "B1", 13, 1), ("b", "T1", 13, 1),  # first of all products, of two to be found
        ("c", "new", 12, 1),  # bought nothing else
        ("d", "seen", 12, 1), ("x", "B1", 12, 1),  # not new: seen before, bought before
        ("e", "new", 20, 1),
    )  # fmt: skip
    found = new_product_figures(what, on_sale, 2)
    # Fresh purchases are those of a, b, c and d: T1 was never seen before either.
    assert (found["products"], found["pairs"]) == (3, 3)
    assert found["share_of_purchases"] == pytest.approx(4 / 7)
    of_t1 = 1 / (1 + SECOND)  # B1 of B1 and newer
    assert found["ndcg_at_2"] == pytest.approx((SECOND + 1 / (1 + SECOND) + of_t1) / 3)


def test_a_shop_without_new_products_has_no_figure(spark: SparkSession) -> None:
    on_sale = local_frame(spark, [("P1", None), ("P2", None)], "product_id string, category string")
    what = later(spark, ("a", "P1", 1, 1), ("b", "P2", 1, 1), ("a", "P2", 12, 1))
    assert new_product_figures(what, on_sale, 2) == {
        "products": 0, "share_of_purchases": 0.0, "pairs": 0, "ndcg_at_2": None,
    }  # fmt: skip
