"""Delta tables by path: every write says what it did, in the figures of the commit itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession

from common.storage.delta_files import as_parquet, data_files
from common.storage.delta_log import commit_info, log_of, newest_version

_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
_CHANGE_FEED = "delta.enableChangeDataFeed"
_SKIP_EMPTY = "spark.databricks.delta.skipRecordingEmptyCommits"
_HISTORY_SEARCHED = 50


@dataclass(frozen=True)
class Commit:
    """What a commit did, by its own metrics.

    Attributes:
        version: The table's version after it.
        inserted: Rows that are new in the table; rows that were only copied along are not among them.
        updated: Rows that took the place of an older one.
        deleted: Rows that were taken away.
    """

    version: int
    inserted: int
    updated: int = 0
    deleted: int = 0

    @property
    def written(self) -> int:
        """Rows that the commit brought in."""
        return self.inserted + self.updated


def exists(spark: SparkSession, path: str) -> bool:
    """Whether a Delta table is at the path."""
    return bool(DeltaTable.isDeltaTable(spark, path))


def read(spark: SparkSession, path: str, version: int | None = None) -> DataFrame:
    """The table at the path, at its newest or at a given version; what is committed later is not in it.

    Delta looks for the files anew in each query on the frame, by a Spark job of its own; those of a table of a few
    dozen are read as Parquet instead, where they are nothing else.
    """
    plain = as_parquet(spark, path, version)
    if plain is not None:
        return plain
    reader = spark.read.format("delta")
    pinned = version if version is not None else version_of(spark, path)
    return (reader if pinned is None else reader.option("versionAsOf", pinned)).load(path)


def version_of(spark: SparkSession, path: str) -> int | None:
    """The table's newest version, or None where there is no table."""
    if not exists(spark, path):
        return None
    return newest_version(log_of(spark, path))


def recorded_rows(spark: SparkSession, path: str, version: int | None = None) -> int:
    """How many rows the table's log says it holds, now or at a version, without reading data."""
    counts = [file.rows for file in data_files(spark, path, version)]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else read(spark, path, version).count()


def changes(spark: SparkSession, path: str, since: int) -> DataFrame:
    """The rows that came, went or changed after a version, with `_change_type`."""
    reader = spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", since + 1)
    return reader.load(path)


def overwrite(  # noqa: PLR0913 - how a table is laid out is said by name
    frame: DataFrame,
    path: str,
    metadata: Mapping[str, Any],
    *,
    replace_where: str | None = None,
    partition_by: tuple[str, ...] = (),
    skip_by: tuple[str, ...] = (),
) -> Commit:
    """Replace a table, or the part of it that a predicate names.

    Args:
        frame: What is written; with `replace_where`, every row satisfies it, which Delta checks.
        path: Where the table is; made when it is not there.
        metadata: Kept with the commit; `recorded_metadata` finds it again.
        replace_where: A predicate over the table's columns.
        partition_by: Partition columns, for a table that is made or replaced as a whole.
        skip_by: Columns of which the log keeps the least and the greatest value of each file, for a table that is
            made. Delta's default, the first 32 columns, costs as much as the sort before it.
    """
    _record_empty_commits(frame.sparkSession)
    # Overwriting nothing starts a job that looks for what is to be removed.
    mode = "overwrite" if exists(frame.sparkSession, path) else "errorifexists"
    writer = frame.write.format("delta").mode(mode).option("userMetadata", json.dumps(metadata))
    writer = writer.option(_CHANGE_FEED, "true")
    if replace_where is None:
        writer = writer.option("overwriteSchema", "true").partitionBy(*partition_by).options(**_statistics(skip_by))
    else:
        writer = writer.option("replaceWhere", replace_where)
    writer.save(path)
    return _last_commit(frame.sparkSession, path)


def _statistics(columns: tuple[str, ...]) -> dict[str, str]:
    """The number of rows of each file is kept in any case."""
    if columns:
        return {"delta.dataSkippingStatsColumns": ",".join(columns)}
    return {"delta.dataSkippingNumIndexedCols": "0"}


def append(frame: DataFrame, path: str, metadata: Mapping[str, Any]) -> Commit:
    """Add rows to a table."""
    _record_empty_commits(frame.sparkSession)
    writer = frame.write.format("delta").mode("append").option("userMetadata", json.dumps(metadata))
    writer.option(_CHANGE_FEED, "true").save(path)
    return _last_commit(frame.sparkSession, path)


def upsert(frame: DataFrame, path: str, key: str, metadata: Mapping[str, Any]) -> Commit:
    """Put rows in by key: a row whose key is there takes its place. The key is unique in the frame."""
    spark = frame.sparkSession
    with _user_metadata(spark, metadata):
        (
            DeltaTable.forPath(spark, path)
            .alias("old")
            .merge(frame.alias("new"), f"old.{key} = new.{key}")
            .whenMatchedUpdateAll()
            .whenNotMatchedInsertAll()
            .execute()
        )
    return _last_commit(spark, path)


def delete(spark: SparkSession, path: str, condition: Column, metadata: Mapping[str, Any]) -> Commit:
    """Take rows away."""
    with _user_metadata(spark, metadata):
        DeltaTable.forPath(spark, path).delete(condition)
    return _last_commit(spark, path)


def recorded_metadata(spark: SparkSession, path: str) -> dict[str, Any]:
    """What the newest commit of this platform kept with itself; empty where there is none.

    Commits of maintenance, which keep nothing, are passed over.
    """
    if not exists(spark, path):
        return {}
    log = log_of(spark, path)
    newest = newest_version(log)
    for version in range(newest, max(-1, newest - _HISTORY_SEARCHED), -1):
        loaded = json.loads(commit_info(log, version).get("userMetadata", "null"))
        if isinstance(loaded, dict):
            return loaded
    return {}


def metadata_of(spark: SparkSession, path: str, version: int) -> dict[str, Any]:
    """What the commit of a version kept with itself; empty where it kept nothing or is gone from the log."""
    loaded = json.loads(commit_info(log_of(spark, path), version).get("userMetadata", "null"))
    return loaded if isinstance(loaded, dict) else {}


def _last_commit(spark: SparkSession, path: str) -> Commit:
    log = log_of(spark, path)
    version = newest_version(log)
    reported = commit_info(log, version).get("operationMetrics", {})
    metrics = {name: int(value) for name, value in reported.items() if value.lstrip("-").isdigit()}
    if "numTargetRowsInserted" in metrics:
        return Commit(
            version=version,
            inserted=metrics["numTargetRowsInserted"],
            updated=metrics.get("numTargetRowsUpdated", 0),
            deleted=metrics.get("numTargetRowsDeleted", 0),
        )
    copied = metrics.get("numCopiedRows", 0)
    return Commit(
        version=version,
        inserted=metrics.get("numOutputRows", copied) - copied,
        deleted=metrics.get("numDeletedRows", 0),
    )


def _record_empty_commits(spark: SparkSession) -> None:
    """Make a write without rows a commit as well: it keeps what was read, and its figures are not those before it."""
    spark.conf.set(_SKIP_EMPTY, "false")


@contextmanager
def _user_metadata(spark: SparkSession, metadata: Mapping[str, Any]) -> Iterator[None]:
    """MERGE and DELETE take the metadata from the session alone; each stage of a parallel run has its own session."""
    _record_empty_commits(spark)
    spark.conf.set(_USER_METADATA, json.dumps(metadata))
    try:
        yield
    finally:
        spark.conf.unset(_USER_METADATA)
