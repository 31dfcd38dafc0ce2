"""Short lineages: what iterates, as ALS and boosting do, would otherwise carry its whole past with every task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyspark.sql import SparkSession


@contextmanager
def checkpointed(spark: SparkSession, path: str) -> Iterator[None]:
    """Give Spark a directory for checkpoints, and remove it in the end.

    Without one the tasks of a long iteration grow until a stack overflows, which ends the whole JVM.

    Args:
        spark: The session.
        path: A directory on a file system that all executors see.
    """
    spark.sparkContext.setCheckpointDir(path)
    try:
        yield
    finally:
        jvm: Any = spark._jvm
        directory = jvm.org.apache.hadoop.fs.Path(path)
        directory.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf()).delete(directory, True)
