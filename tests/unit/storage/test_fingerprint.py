"""The fingerprint: the same for the same rows in any order, another for anything else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from common.storage.fingerprint import business_columns, fingerprint, render

_SCHEMA = "a int, b int, t string, m decimal(12,2)"
ROWS: list[tuple[Any, ...]] = [(1, None, "x", Decimal("1.00")), (None, 1, "x", None), (2, 2, None, Decimal("-3.50"))]


def of(spark: SparkSession, rows: list[tuple[Any, ...]], schema: str = _SCHEMA) -> str:
    return fingerprint(spark.createDataFrame(rows, schema))


def test_order_of_rows_and_columns_files_and_audit_columns_do_not_matter(spark: SparkSession) -> None:
    frame = spark.createDataFrame(ROWS, _SCHEMA)
    same = fingerprint(frame)
    assert of(spark, ROWS[::-1]) == same
    assert fingerprint(frame.select("m", "t", "b", "a")) == same
    assert fingerprint(frame.repartition(3)) == same
    assert fingerprint(frame.selectExpr("*", "'run 1' AS _run_id", "rand() AS _noise")) == same
    assert business_columns(frame.selectExpr("*", "1 AS _x")) == ["a", "b", "t", "m"]


@pytest.mark.parametrize(
    "rows",
    [
        [*ROWS, ROWS[0]],
        ROWS[:2],
        [(None, 1, "x", Decimal("1.00")), *ROWS[1:]],
        [(1, None, "x", Decimal("1.01")), *ROWS[1:]],
        [(1, None, "", Decimal("1.00")), *ROWS[1:]],
        [(1, 0, "x", Decimal("1.00")), *ROWS[1:]],
        [*ROWS, (None, None, None, None)],
    ],
    ids=["a copy", "one fewer", "null in another column", "a cent", "text", "null is not zero", "a row of nulls"],
)
def test_any_other_content_is_another_fingerprint(spark: SparkSession, rows: list[tuple[Any, ...]]) -> None:
    assert of(spark, rows) != of(spark, ROWS)


def test_two_copies_are_not_none(spark: SparkSession) -> None:
    assert of(spark, [ROWS[0], ROWS[0]]) != of(spark, [])
    assert of(spark, [ROWS[0], ROWS[0]]).partition(":")[2] != "0"


def test_no_rows_have_a_fingerprint(spark: SparkSession) -> None:
    assert of(spark, []) == "0:0" == render(0, 0)
