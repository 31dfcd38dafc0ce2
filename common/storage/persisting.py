"""Frames that are computed once and looked at several times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

_SORT_INSTEAD_OF_HASH = "spark.sql.execution.replaceHashWithSortAgg"


@contextmanager
def persisted(frame: DataFrame) -> Iterator[DataFrame]:
    """A frame that is computed when it is first looked at, and released at the end.

    Its columns stay as they are: `MEMORY_AND_DISK` has PySpark serialise and compress them, and undo that at each look.
    """
    kept = frame.persist(StorageLevel.MEMORY_AND_DISK_DESER)
    try:
        yield kept
    finally:
        kept.unpersist()


@contextmanager
def adding_up_sorted(spark: SparkSession) -> Iterator[None]:
    """Within it, rows that come sorted by what they are grouped by are added up one after the other.

    That is the faster way where groups are many and small. A frame is planned when it is persisted.
    """
    spark.conf.set(_SORT_INSTEAD_OF_HASH, "true")
    try:
        yield
    finally:
        spark.conf.unset(_SORT_INSTEAD_OF_HASH)
