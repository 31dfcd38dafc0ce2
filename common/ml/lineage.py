"""Short lineages: what iterates, as ALS and boosting do, would otherwise carry its whole past with every task."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyspark.sql import SparkSession

_lock = threading.Lock()
_users: dict[str, int] = {}


@contextmanager
def checkpointed(spark: SparkSession, path: str) -> Iterator[None]:
    """Give Spark a directory for checkpoints, and remove it when nobody needs it any more.

    Without one the tasks of a long iteration grow until a stack overflows, which ends the whole JVM. Spark has one such
    directory for all its sessions, so that stages which work at the same time name the same one.

    Args:
        spark: The session.
        path: A directory on a file system that all executors see.
    """
    with _lock:
        if not _users.get(path):
            spark.sparkContext.setCheckpointDir(path)
        _users[path] = _users.get(path, 0) + 1
    try:
        yield
    finally:
        with _lock:
            _users[path] -= 1
            if not _users[path]:
                jvm: Any = spark._jvm
                directory = jvm.org.apache.hadoop.fs.Path(path)
                directory.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf()).delete(directory, True)
