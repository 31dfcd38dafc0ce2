"""Frames that are computed once and looked at several times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark import StorageLevel
from pyspark.sql import DataFrame


@contextmanager
def persisted(frame: DataFrame) -> Iterator[DataFrame]:
    """A frame that is computed when it is first looked at, and released at the end."""
    kept = frame.persist(StorageLevel.MEMORY_AND_DISK_DESER)
    try:
        yield kept
    finally:
        kept.unpersist()
