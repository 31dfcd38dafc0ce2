"""Frames of a few rows that the driver knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType


def local_frame(spark: SparkSession, rows: Sequence[Sequence[Any]], schema: str | StructType) -> DataFrame:
    """A frame of a few rows; handed over by Arrow, as a list of tuples would start Python workers to be read.

    Args:
        spark: The session.
        rows: Values in the order of the columns.
        schema: Columns and types, as DDL or as such.
    """
    structure = cast(StructType, StructType.fromDDL(schema)) if isinstance(schema, str) else schema
    named = [dict(zip(structure.names, row, strict=True)) for row in rows]
    table = pa.Table.from_pylist(named, schema=to_arrow_schema(structure, timezone="UTC"))
    return spark.createDataFrame(table, structure)
