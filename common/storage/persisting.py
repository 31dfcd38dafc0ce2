"""Frames that are computed once and looked at several times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

_ONE_PROCESS = re.compile(r"local(\[.+\])?")
_SORT_INSTEAD_OF_HASH = "spark.sql.execution.replaceHashWithSortAgg"


@contextmanager
def persisted(frame: DataFrame) -> Iterator[DataFrame]:
    """A frame that is computed when it is first looked at, and released at the end.

    Where the work is done in one process its rows stay as they are. Executors can be lost with what they keep, so there
    it is kept by columns, which Spark computes anew from where they came.
    """
    is_one_process = _ONE_PROCESS.fullmatch(frame.sparkSession.sparkContext.master or "")
    with _rows_of(frame) if is_one_process else _columns_of(frame) as kept:
        yield kept


@contextmanager
def _rows_of(frame: DataFrame) -> Iterator[DataFrame]:
    """A local checkpoint: it costs less to copy a row than to put columns together and take them apart at each look."""
    kept = frame.localCheckpoint(eager=False, storageLevel=StorageLevel.MEMORY_AND_DISK_DESER)
    try:
        yield kept
    finally:
        # The plan is nothing but the rows, and the frame itself has no way to release them.
        kept._jdf.logicalPlan().rdd().unpersist(False)


@contextmanager
def _columns_of(frame: DataFrame) -> Iterator[DataFrame]:
    """The columns as they are: `MEMORY_AND_DISK` has PySpark serialise and compress them, and undo it at each look."""
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
