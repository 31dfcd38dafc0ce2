"""Small frames for the transforms' tests: a row a line, typed by the schema, and compared as whole tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

import pyarrow as pa
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType


def frame(spark: SparkSession, schema: str, rows: Sequence[Mapping[str, Any]]) -> DataFrame:
    """Rows as mappings; a column that a row leaves out is null, text becomes whatever the schema says."""
    fields = cast(StructType, StructType.fromDDL(schema)).fields
    texts = {field.name: pa.array([_text(row.get(field.name)) for row in rows], pa.string()) for field in fields}
    unknown = {name for row in rows for name in row} - {field.name for field in fields}
    assert not unknown, f"the schema has no {unknown}"
    return spark.createDataFrame(pa.table(texts)).select(
        *[F.col(field.name).cast(field.dataType).alias(field.name) for field in fields]
    )


def table(spark: SparkSession, schema: str, rows: Sequence[Sequence[Any]]) -> DataFrame:
    """Rows as sequences in the order of the schema's columns."""
    names = cast(StructType, StructType.fromDDL(schema)).names
    return frame(spark, schema, [dict(zip(names, row, strict=True)) for row in rows])


def assert_rows(found: DataFrame, schema: str, rows: Sequence[Sequence[Any]]) -> None:
    """The frame has these columns in this order, of these types, and these rows in any order."""
    # In one partition, sorting takes no job of its own to find out where to cut.
    frames = found.coalesce(1), table(found.sparkSession, schema, rows).coalesce(1)
    assert_df_equality(*frames, ignore_row_order=True, ignore_nullable=True)


def assert_part(found: DataFrame, schema: str, rows: Sequence[Sequence[Any]]) -> None:
    """The same of the columns that the schema names."""
    assert_rows(found.select(*cast(StructType, StructType.fromDDL(schema)).names), schema, rows)


def rows_of(found: DataFrame, *columns: str) -> list[tuple]:
    """The rows in the columns' own order, times and dates as text."""
    plain = [tuple(_plain(value) for value in row) for row in found.select(*columns).collect()]
    return sorted(plain, key=lambda row: [(value is None, str(value)) for value in row])


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | Decimal):
        return str(value)
    return value
