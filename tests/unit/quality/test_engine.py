"""Counts of one query are those of Great Expectations' own queries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from common.layout import Layout
from common.quality import engine
from common.quality.gate import Gatekeeper
from common.storage.local_frames import local_frame

COLUMNS = "day string, kind string, low double, high double"
HELD = [
    {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "kind"}},
    {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "low", "mostly": 0.1}},
    {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["day", "kind"]}},
    {
        "type": "expect_compound_columns_to_be_unique",
        "kwargs": {"column_list": ["day", "kind"], "ignore_row_if": "any_value_is_missing"},
    },
    {"type": "expect_column_pair_values_to_be_equal", "kwargs": {"column_A": "low", "column_B": "high"}},
    {
        "type": "expect_column_pair_values_a_to_be_greater_than_b",
        "kwargs": {"column_A": "high", "column_B": "low", "or_equal": True, "ignore_row_if": "either_value_is_missing"},
    },
]
ROWS = [
    ("1", "a", 1.0, 1.0),
    ("1", "a", 1.0, 2.0),
    ("1", "b", 3.0, 2.0),
    ("2", "b", None, 2.0),
    ("2", None, float("nan"), None),
    ("2", None, float("nan"), None),
    (None, None, None, None),
    (None, None, None, None),
    ("3", "a", 0.0, -0.0),
]


def counts(layout: Layout, suites: Path, frame: DataFrame) -> list[dict[str, Any]]:
    """What a gate finds for each expectation, from its stored results."""
    assert Gatekeeper(layout, "run-1", suites).validate("held", frame).evaluated == len(HELD)
    (stored,) = layout.local("ops", "gx", "validations").rglob("*.json")
    found = [each["result"] for each in json.loads(stored.read_text())["results"]]
    stored.unlink()
    return found


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], []], ids=["faults", "none", "no rows"])
def test_counts_are_those_of_its_own_queries(
    spark: SparkSession, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[tuple[Any, ...]]
) -> None:
    suites = tmp_path / "suites"
    suites.mkdir()
    (suites / "held.json").write_text(json.dumps({"name": "held", "expectations": HELD}))
    frame = local_frame(spark, rows, COLUMNS)
    ours = counts(layout, suites, frame)
    monkeypatch.setattr(engine.CountingEngine, "_counts", lambda *_: {})
    assert ours == counts(layout, suites, frame)
    if rows == ROWS:
        assert [each["unexpected_count"] for each in ours] == [5, 4, 4, 2, 5, 1]
