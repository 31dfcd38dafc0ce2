"""What the log of a Delta table says, asked of Delta's own classes.

DESCRIBE HISTORY tells some of it as well, but starts Spark jobs: 0.3 s for each question.
"""

from __future__ import annotations

import json
from typing import Any

from pyspark.sql import SparkSession

from common.java_classes import DELTA_LOG


def log_of(spark: SparkSession, path: str) -> Any:  # noqa: ANN401 - a Java object
    """Delta's own log of the table at a path."""
    jvm = spark._jvm
    if jvm is None:
        raise RuntimeError("Delta's log is read through the JVM of a classic session, and this session has none")
    return getattr(jvm, DELTA_LOG).forTable(spark._jsparkSession, path)


def snapshot_of(log: Any, version: int | None = None) -> Any:  # noqa: ANN401 - Java objects
    """The table at a version, or after everything that was committed so far, by this process or another.

    Where there is no table, the version of the newest is -1.
    """
    newest = log.update(*[getattr(log, f"update$default${n}")() for n in (1, 2, 3)])
    if version is None or version == newest.version():
        return newest
    return log.getSnapshotAt(version, *[getattr(log, f"getSnapshotAt$default${n}")() for n in (2, 3, 4)])


def newest_version(log: Any) -> int:  # noqa: ANN401 - a Java object
    """The number of the newest commit."""
    return int(snapshot_of(log).version())


def commit_info(log: Any, version: int) -> dict[str, Any]:  # noqa: ANN401 - a Java object
    """What a commit says of itself; empty where its file has been cleaned away."""
    directory = log.logPath()
    configuration = log.newDeltaHadoopConf()
    file = directory.suffix(f"/{version:020d}.json")
    if not directory.getFileSystem(configuration).exists(file):
        return {}
    for line in log.store().read(file, configuration).mkString("\n").splitlines():
        action = json.loads(line)
        if "commitInfo" in action:
            return dict(action["commitInfo"])
    return {}
