"""What each partition of a table holds, as rows and hash sum; kept with the commit that wrote it.

The figures of a commit are taken from the frame that was gated, so that whoever reads the files later can hold what
they read against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame, Row, SparkSession

from common.storage import delta
from common.storage.fingerprint import ROWS, SUM, fingerprint_columns

Values = tuple[str, ...]
Contents = dict[Values, tuple[int, int]]
_KEY = "contents"


def contents_of(frame: DataFrame, by: Sequence[str], *further: Column) -> tuple[Contents, list[Row]]:
    """Rows and hash sum of each partition, in one pass.

    Args:
        frame: The rows.
        by: The partition columns; a table without any has one partition, also when it has no rows.
        further: Aggregates that are wanted besides.

    Returns:
        The contents, and the rows with the further aggregates, one for each partition.
    """
    found = frame.groupBy(*by).agg(*fingerprint_columns(frame), *further).collect()
    contents = {tuple(row[column] for column in by): (int(row[ROWS]), int(row[SUM])) for row in found}
    return contents or ({} if by else {(): (0, 0)}), found


def as_metadata(contents: Mapping[Values, tuple[int, int]]) -> dict[str, Any]:
    """What goes into the metadata of the commit."""
    parts = [
        {"values": list(values), "rows": rows, "hash_sum": str(hash_sum)}
        for values, (rows, hash_sum) in sorted(contents.items())
    ]
    return {_KEY: parts}


def recorded_contents(spark: SparkSession, path: str, version: int) -> Contents | None:
    """What the commit of a version says that the table holds; None where it says nothing."""
    parts = delta.metadata_of(spark, path, version).get(_KEY)
    if parts is None:
        return None
    return {tuple(part["values"]): (int(part["rows"]), int(part["hash_sum"])) for part in parts}
