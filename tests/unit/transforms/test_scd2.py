from __future__ import annotations

from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import functions as F

from common.storage.local_frames import local_frame
from common.transforms.scd2 import CHANGES_OF_KEY, UNKNOWN_SK, build_history, with_unknown_member

CHANGES = "id string, name string, stock int, updated_at string, op string, _payload_hash bigint"
VERSIONS = (
    "id string, name string, stock int, valid_from string, valid_to string, is_current boolean, is_deleted boolean"
)
ALWAYS, EVER = "1900-01-01 00:00:00", "9999-12-31 00:00:00"
ONE, TWO, THREE = "2025-01-01 00:00:00", "2025-02-01 00:00:00", "2025-03-01 00:00:00"


def _history(spark, rows):
    changes = local_frame(spark, rows, CHANGES).withColumn("updated_at", F.col("updated_at").cast("timestamp"))
    return build_history(changes, "id", ("name",), latest=("stock",), namespace="things")


def _readable(history):
    texts = {name: F.col(name).cast("string") for name in ("valid_from", "valid_to")}
    return history.withColumns(texts).drop("sk", CHANGES_OF_KEY)


CASES: dict[str, tuple[list[Any], list[Any]]] = {
    "one change": (
        [("a", "x", 1, ONE, "upsert", 1)],
        [("a", "x", 1, ALWAYS, EVER, True, False)],
    ),
    "a change of a tracked attribute": (
        [("a", "x", 1, ONE, "upsert", 1), ("a", "y", 2, TWO, "upsert", 2)],
        [("a", "x", 1, ALWAYS, TWO, False, False), ("a", "y", 2, TWO, EVER, True, False)],
    ),
    "an attribute that becomes null": (
        [("a", "x", 1, ONE, "upsert", 1), ("a", None, 1, TWO, "upsert", 2)],
        [("a", "x", 1, ALWAYS, TWO, False, False), ("a", None, 1, TWO, EVER, True, False)],
    ),
    "a change of the stock alone makes no version": (
        [("a", "x", 1, ONE, "upsert", 1), ("a", "x", 7, TWO, "upsert", 2)],
        [("a", "x", 7, ALWAYS, EVER, True, False)],
    ),
    "of two changes at one instant the higher hash wins": (
        [("a", "x", 1, ONE, "upsert", 1), ("a", "y", 1, TWO, "upsert", -5), ("a", "z", 1, TWO, "upsert", 4)],
        [("a", "x", 1, ALWAYS, TWO, False, False), ("a", "z", 1, TWO, EVER, True, False)],
    ),
    "a delete comes last at its instant and keeps what was known before": (
        [("a", "x", 1, ONE, "upsert", 1), ("a", "y", 1, TWO, "upsert", 9), ("a", None, None, TWO, "delete", 4)],
        [("a", "x", 1, ALWAYS, TWO, False, False), ("a", "x", 1, TWO, EVER, False, True)],
    ),
    "a delete first": (
        [("a", None, None, ONE, "delete", 1), ("a", "x", 1, TWO, "upsert", 2)],
        [("a", None, None, ALWAYS, TWO, False, True), ("a", "x", 1, TWO, EVER, True, False)],
    ),
    "deleted twice and brought back as it was": (
        [
            ("a", "x", 1, ONE, "upsert", 1),
            ("a", None, None, TWO, "delete", 2),
            ("a", None, None, "2025-02-02 00:00:00", "delete", 3),
            ("a", "x", 1, THREE, "upsert", 4),
        ],
        [
            ("a", "x", 1, ALWAYS, TWO, False, False),
            ("a", "x", 1, TWO, THREE, False, True),
            ("a", "x", 1, THREE, EVER, True, False),
        ],
    ),
    "instants outside of all time are moved to its ends": (
        [
            ("a", "x", 1, "1850-01-01 00:00:00", "upsert", 1),
            ("a", "y", 1, "1860-01-01 00:00:00", "upsert", 2),
            ("a", "z", 1, "9999-12-31 12:00:00", "upsert", 3),
        ],
        [
            ("a", "y", 1, ALWAYS, "9999-12-30 00:00:00", False, False),
            ("a", "z", 1, "9999-12-30 00:00:00", EVER, True, False),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_history(spark, name):
    rows, expected = CASES[name]
    assert_df_equality(
        _readable(_history(spark, rows)),
        local_frame(spark, expected, VERSIONS),
        ignore_row_order=True,
        ignore_nullable=True,
    )


def test_no_changes_make_no_versions(spark):
    assert _history(spark, []).count() == 0


def test_surrogate_keys_depend_on_key_and_beginning_only(spark):
    first = _history(spark, [("a", "x", 1, ONE, "upsert", 1), ("b", "x", 1, ONE, "upsert", 1)])
    again = _history(spark, [("a", "other", 1, THREE, "upsert", 5), ("b", "x", 1, ONE, "upsert", 1)])
    keys = [{row["id"]: row["sk"] for row in each.collect()} for each in (first, again)]

    assert keys[0] == keys[1]
    assert keys[0]["a"] != keys[0]["b"]


def test_unknown_member_holds_for_all_time(spark):
    dimension = with_unknown_member(_history(spark, [("a", "x", 1, ONE, "upsert", 1)]), "id")

    member = _readable(dimension.where(F.col("sk") == UNKNOWN_SK))

    expected = local_frame(spark, [("unknown", None, None, ALWAYS, EVER, True, False)], VERSIONS)
    assert_df_equality(member, expected, ignore_nullable=True)
    assert dimension.count() == 2
