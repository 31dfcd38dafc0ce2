"""Reasons in words: what moves a customer's risk, each theme once, the heaviest first."""

from __future__ import annotations

import numpy as np
import pytest
from pyspark.sql import SparkSession

from common.ml.reasons import _PHRASES, _THEMES, with_reasons
from common.ml.trees import Tree
from common.storage.local_frames import local_frame
from common.transforms.customer_days import NONE_YET
from common.transforms.features import FEATURES

TIERS = ("bronze", "silver", "gold")


def stump(feature: str, threshold: float, low: float, high: float) -> Tree:
    """A tree that asks one question; its mean is that of two rows, one on each side."""
    return Tree(
        feature=np.array([FEATURES.index(feature), -1, -1]),
        threshold=np.array([threshold, 0.0, 0.0]),
        left=np.array([1, -1, -1]),
        right=np.array([2, -1, -1]),
        value=np.array([(low + high) / 2, low, high]),
        weight=1.0,
        depth=1,
    )


def reasons(spark: SparkSession, trees: tuple[Tree, ...], count: int = 3, **values: float) -> list[str]:
    row = tuple(float(values.get(name, 0)) for name in FEATURES)
    frame = local_frame(spark, [row], ", ".join(f"{name} double" for name in FEATURES))
    (found,) = with_reasons(frame, trees, count, TIERS).select("reasons").collect()
    return list(found["reasons"])


def test_every_feature_has_one_theme_and_a_phrase() -> None:
    named = [name for names in _THEMES for name in names]
    assert sorted(named) == sorted(FEATURES)
    assert set(_PHRASES) | {"loyalty_rank"} == set(FEATURES)


def test_the_heaviest_comes_first_with_its_direction(spark: SparkSession) -> None:
    trees = (stump("returns", 1, -1, 1), stump("recency_days", 30, -3, 3), stump("visit_days_30", 2, 2, -2))
    assert reasons(spark, trees, recency_days=41, returns=2, visit_days_30=5) == [
        "last purchase 41 days ago (raises the risk)",
        "visited on 5 of the last 30 days (lowers the risk)",
        "2 products returned (raises the risk)",
    ]


def test_a_theme_is_one_reason_and_its_strongest_feature_speaks(spark: SparkSession) -> None:
    trees = (stump("silence", 1, -2, 2), stump("silence_in_gaps", 1, -1, 1), stump("recency_days", 30, -1, 1))
    found = reasons(spark, trees, silence=2.5, silence_in_gaps=2, recency_days=3)
    assert found == ["silent 2.5 times as long as usual (raises the risk)"]


def test_who_speaks_agrees_with_the_direction(spark: SparkSession) -> None:
    trees = (
        stump("purchase_days", 1, -3, 3), stump("orders", 1, 2, -2), stump("last_gap_days", 5, 2.5, -2.5),
    )  # fmt: skip
    found = reasons(spark, trees, purchase_days=4, orders=6, last_gap_days=9)
    assert found == ["last pause between purchases 9 days (lowers the risk)"]


def test_what_adds_up_to_nothing_is_no_reason(spark: SparkSession) -> None:
    trees = (stump("purchase_days", 1, -3, 3), stump("orders", 1, 3, -3), stump("spend", 1, -1, 1))
    assert reasons(spark, trees, purchase_days=4, orders=6, spend=10) == ["spent 10.00 so far (raises the risk)"]


def test_no_more_than_asked_for(spark: SparkSession) -> None:
    trees = (stump("spend", 1, -1, 1), stump("returns", 1, -2, 2))
    assert reasons(spark, trees, 1, spend=10, returns=2) == ["2 products returned (raises the risk)"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("loyalty_rank", 1, "loyalty tier silver"),
        ("loyalty_rank", NONE_YET, "no loyalty tier"),
        ("mean_gap_days", NONE_YET, "bought once only"),
        ("purchase_rate", 0.1, "usually buys on 3.0 days of a month"),
        ("discount_share", 0.25, "a discount on 25 % of the products bought"),
        ("days_since_visit", NONE_YET, "no visit known"),
    ],
)
def test_values_in_words(spark: SparkSession, name: str, value: float, said: str) -> None:
    assert reasons(spark, (stump(name, -5, 1, 2),), 3, **{name: value}) == [f"{said} (raises the risk)"]
