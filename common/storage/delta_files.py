"""The files of a Delta table, and their rows without Delta."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlparse

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from common.storage.delta_log import log_of, snapshot_of
from common.storage.local_frames import local_frame

_PLAIN_READER = 1
_PATTERN_CHARACTERS = frozenset("{}[]*?\\")


@dataclass(frozen=True)
class DataFile:
    """A file of a table.

    Attributes:
        path: Where it is, as a plain path of its file system.
        partition: Its value of each partition column.
        rows: How many rows it holds; None where the log does not say.
    """

    path: str
    partition: Mapping[str, str | None]
    rows: int | None


def data_files(spark: SparkSession, path: str, version: int | None = None) -> list[DataFile]:
    """The files of a table, at its newest or at a given version.

    With each commit Delta lists those of a table of a few dozen, so that no job need put the log together.
    """
    log = log_of(spark, path)
    snapshot = snapshot_of(log, version)
    actions = _listed(snapshot)
    if actions is None:
        collected = snapshot.allFiles().collectAsList()
        actions = [json.loads(collected.get(position).json())["add"] for position in range(collected.size())]
    root = log.dataPath().toUri().getPath()
    return [_data_file(action, root) for action in actions]


def as_parquet(spark: SparkSession, path: str, version: int | None = None) -> DataFrame | None:
    """The rows of a table, at its newest or at a given version, read from its Parquet files as such.

    A table that a reader of version 1 of Delta's protocol can read has no rows that are marked as deleted and no
    columns under other names; Spark takes the values of partition columns from the names of directories.

    Returns:
        None where there is no table, where the log does not list the files beside the commit, as of a table that has
        many, or where they are not that plain.
    """
    log = log_of(spark, path)
    snapshot = snapshot_of(log, version)
    actions = _listed(snapshot)
    if actions is None or snapshot.protocol().minReaderVersion() != _PLAIN_READER:
        return None
    root = log.dataPath().toString()
    if _PATTERN_CHARACTERS & set(root) or not all(_is_plain(action) for action in actions):
        return None
    schema = StructType.fromJson(json.loads(snapshot.metadata().schemaString()))
    if not actions:
        return local_frame(spark, (), schema)
    files = [posixpath.join(root, unquote(action["path"])) for action in actions]
    # Spark puts partition columns at the end.
    return spark.read.schema(schema).option("basePath", root).parquet(*files).select(*schema.names)


def _listed(snapshot: Any) -> list[dict[str, Any]] | None:  # noqa: ANN401 - a Java object
    """What is listed beside the commit; None where nothing is."""
    checksum = snapshot.checksumOpt()
    listed = checksum.get().allFiles() if checksum.isDefined() else None
    if listed is None or not listed.isDefined():
        return None
    files = listed.get()
    # By position: Py4J takes some ten milliseconds for each step of a Java iterator.
    return [json.loads(files.apply(position).json())["add"] for position in range(files.size())]


def _is_plain(action: Mapping[str, Any]) -> bool:
    """Whether a file is below the table, in directories that are named for its partition, and no pattern to Spark."""
    directories = [part.partition("=")[0] for part in action["path"].split("/")[:-1]]
    return directories == list(action["partitionValues"]) and not _PATTERN_CHARACTERS & set(unquote(action["path"]))


def _data_file(action: Mapping[str, Any], root: str) -> DataFile:
    """What the log says of a file; its path is a URI, and most often relative to the table's."""
    named = urlparse(action["path"])
    rows = json.loads(action.get("stats") or "{}").get("numRecords")
    if rows is not None and action.get("deletionVector"):
        rows -= action["deletionVector"]["cardinality"]
    return DataFile(posixpath.join(root, unquote(named.path)), dict(action["partitionValues"]), rows)
