"""Small frames for the transforms' tests, written as SQL literals: a row a line, typed by the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType


def frame(spark: SparkSession, schema: str, rows: Sequence[Mapping[str, Any]]) -> DataFrame:
    """Rows as mappings; a column that a row leaves out is null, text becomes whatever the schema says."""
    fields = cast(StructType, StructType.fromDDL(schema)).fields
    texts = [tuple(_text(row.get(field.name)) for field in fields) for row in rows]
    unknown = {name for row in rows for name in row} - {field.name for field in fields}
    assert not unknown, f"the schema has no {unknown}"
    loose = ", ".join(f"{field.name} string" for field in fields)
    return spark.createDataFrame(texts, loose).select(
        *[F.col(field.name).cast(field.dataType).alias(field.name) for field in fields]
    )


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
