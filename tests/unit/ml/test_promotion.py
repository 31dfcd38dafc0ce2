"""When a new recommender takes the place of the one in use, and who can be recommended nothing."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession

from common.ml.registry import Version
from common.settings import Settings
from common.stages import recommendations
from common.stages.recommendations_tables import Shop, _who_have_everything

OLD = {"explicit": {"rank": 5, "reg": 0.1}, "implicit": {"rank": 8, "reg": 1.0, "alpha": 1.0}}


def version(parameters: object) -> Version:
    return Version("recommendations", "3", "run", {}, {"parameters": json.dumps(parameters)})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"ndcg_at_10": 0.100, "rmse": 0.90}, {"ndcg_at_10": 0.096, "rmse": 0.93}, ""),
        ({"ndcg_at_10": 0.100, "rmse": 0.90}, {"ndcg_at_10": 0.094, "rmse": 0.90}, "ndcg_at_10 0.0940"),
        ({"ndcg_at_10": 0.100, "rmse": 0.90}, {"ndcg_at_10": 0.100, "rmse": 0.96}, "rmse 0.9600"),
        ({"ndcg_at_10": 0.100, "rmse": None}, {"ndcg_at_10": 0.100, "rmse": 0.96}, ""),
    ],
    ids=["within the margin", "ranks worse", "rates worse", "rated nothing"],
)
def test_other_parameters_are_measured_on_the_same_test(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, old: dict[str, Any], new: dict[str, Any], said: str
) -> None:
    asked: list[Any] = []

    def measure(_past: object, chosen: Any, *_: object) -> SimpleNamespace:
        asked.append(chosen.implicit.rank)
        return SimpleNamespace(figures=old)

    monkeypatch.setattr(recommendations, "measure", measure)
    chosen = recommendations._parameters_of(version({**OLD, "implicit": {"rank": 9, "reg": 1.0, "alpha": 1.0}}))
    shop = cast(Shop, SimpleNamespace(past=None, on_sale=None, segments=None))
    context = cast(Any, SimpleNamespace(settings=settings))
    measured = cast(Any, SimpleNamespace(figures=new))
    found = recommendations._worse(context, shop, chosen, measured, version(OLD))
    assert asked == [8]
    assert found.startswith(said) and bool(found) == bool(said)


def test_the_same_parameters_need_no_comparison(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommendations, "measure", None)
    chosen = recommendations._parameters_of(version(OLD))
    assert recommendations._worse(cast(Any, None), cast(Any, None), chosen, cast(Any, None), version(OLD)) == ""


def test_who_has_everything_is_counted(spark: SparkSession) -> None:
    had = spark.createDataFrame(
        [("a", "P1"), ("a", "P2"), ("b", "P1"), ("gone", "P1"), ("gone", "P2")], "user_id string, product_id string"
    )
    segments = spark.createDataFrame([("a", "all"), ("b", "all")], "user_id string, segment string")
    sold = "product_id string, is_replenishable boolean"
    for again, count in ((False, 1), (True, 0)):
        on_sale = spark.createDataFrame([("P1", False), ("P2", again)], sold)
        shop = Shop(cast(Any, None), date(2025, 12, 1), on_sale, segments)
        assert _who_have_everything(had, shop) == count
