"""Delta tables by path: what a commit did by its own figures, an empty one too."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.storage import delta
from common.storage.delta import Commit
from common.storage.local_frames import local_frame

Rows = Callable[..., DataFrame]


@pytest.fixture
def rows(spark: SparkSession) -> Rows:
    """Frames of (id, v), both of which may be null."""

    def make(*values: tuple[str | None, int | None]) -> DataFrame:
        return local_frame(spark, list(values), "id string, v int")

    return make


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "table")


def test_there_is_nothing_before_the_first_write(spark: SparkSession, path: str) -> None:
    assert not delta.exists(spark, path)
    assert delta.version_of(spark, path) is None
    assert delta.recorded_metadata(spark, path) == {}


def test_each_way_of_writing_says_what_it_did(spark: SparkSession, rows: Rows, path: str) -> None:
    assert delta.overwrite(rows(("a", 1), (None, None)), path, {"n": 1}) == Commit(0, inserted=2)
    assert delta.append(rows(("b", 2), ("c", 3)), path, {"n": 2}) == Commit(1, inserted=2)
    assert delta.upsert(rows(("b", 20), ("d", 4)), path, "id", {"n": 3}) == Commit(2, inserted=1, updated=1)
    deleted = delta.delete(spark, path, F.col("id") == "a", {"n": 4})
    assert (deleted.version, deleted.deleted) == (3, 1)
    replaced = delta.overwrite(rows(("c", 30)), path, {"n": 5}, replace_where="id IN ('c')")
    assert (replaced.version, replaced.inserted) == (4, 1), "rows that were only copied along are not new"
    assert_df_equality(
        delta.read(spark, path), rows((None, None), ("b", 20), ("c", 30), ("d", 4)), ignore_row_order=True
    )
    assert delta.recorded_rows(spark, path) == 4
    assert delta.recorded_metadata(spark, path) == {"n": 5}
    assert_df_equality(delta.read(spark, path, version=0), rows(("a", 1), (None, None)), ignore_row_order=True)


def test_a_commit_without_rows_is_a_commit(spark: SparkSession, rows: Rows, path: str) -> None:
    """What was read is kept with the commit: without one it would be read again, and counted by the one before."""
    delta.overwrite(rows(("a", 1)), path, {"n": 0})
    assert delta.append(rows(), path, {"n": 1}) == Commit(1, inserted=0)
    assert delta.recorded_metadata(spark, path) == {"n": 1}
    assert delta.upsert(rows(), path, "id", {"n": 2}) == Commit(2, inserted=0)
    assert delta.recorded_metadata(spark, path) == {"n": 2}
    nothing = delta.overwrite(rows(), path, {"n": 3}, replace_where="id IN ('z')")
    assert (nothing.version, nothing.inserted) == (3, 0)
    assert delta.recorded_metadata(spark, path) == {"n": 3}
    none_left = delta.delete(spark, path, F.col("id") == "z", {"n": 4})
    assert (none_left.version, none_left.deleted) == (4, 0)
    assert delta.overwrite(rows(), path, {"n": 5}) == Commit(5, inserted=0)
    assert delta.recorded_rows(spark, path) == 0


@pytest.mark.parametrize("most", [50, 0], ids=["listed with the commit", "put together from the log"])
def test_the_log_names_the_files_of_each_version_and_their_rows(
    spark: SparkSession, rows: Rows, path: str, most: int
) -> None:
    spark.conf.set("spark.databricks.delta.allFilesInCrc.thresholdNumFiles", most)
    try:
        delta.overwrite(rows(("a b", 1), ("ü/%", 2), ("ü/%", 3)), path, {}, partition_by=("id",))
        delta.overwrite(rows(("c", 4)), path, {}, replace_where="id IN ('c', 'a b')")
    finally:
        spark.conf.unset("spark.databricks.delta.allFilesInCrc.thresholdNumFiles")
    assert [is_listed(path, version) for version in range(2)] == [most > 0] * 2
    for version, held in enumerate([{"a b": 1, "ü/%": 2}, {"ü/%": 2, "c": 1}]):
        files = delta.data_files(spark, path, version)
        found: Counter[str | None] = Counter()
        for file in files:
            assert Path(file.path).parent.parent == Path(path)
            assert pq.ParquetFile(file.path).metadata.num_rows == file.rows
            found[file.partition["id"]] += file.rows or 0
        assert found == held
        assert delta.recorded_rows(spark, path, version) == sum(held.values())
    assert delta.data_files(spark, path) == delta.data_files(spark, path, 1)


def is_listed(path: str, version: int) -> bool:
    return "allFiles" in json.loads(Path(path, "_delta_log", f"{version:020d}.crc").read_text())


def test_rows_that_the_log_does_not_tell_are_counted(spark: SparkSession, rows: Rows, path: str) -> None:
    spark.conf.set("spark.databricks.delta.stats.collect", "false")
    try:
        delta.overwrite(rows(("a", 1), ("b", 2)), path, {})
    finally:
        spark.conf.unset("spark.databricks.delta.stats.collect")
    assert {file.rows for file in delta.data_files(spark, path)} == {None}
    assert delta.recorded_rows(spark, path) == 2


def test_rows_that_a_deletion_vector_hides_do_not_count(spark: SparkSession, rows: Rows, path: str) -> None:
    delta.overwrite(rows(*[(str(n), n) for n in range(10)]).coalesce(1), path, {})
    spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    delta.delete(spark, path, F.col("id") == "3", {})
    assert [file.rows for file in delta.data_files(spark, path)] == [9]
    assert delta.recorded_rows(spark, path) == delta.read(spark, path).count() == 9


def test_commits_of_maintenance_are_passed_over(spark: SparkSession, rows: Rows, path: str) -> None:
    delta.overwrite(rows(("a", 1)), path, {"n": 0})
    delta.append(rows(("b", 1)), path, {"n": 1})
    spark.sql(f"OPTIMIZE delta.`{path}`")
    assert delta.version_of(spark, path) == 2
    assert delta.recorded_metadata(spark, path) == {"n": 1}


def test_a_write_leaves_no_metadata_for_the_next(spark: SparkSession, rows: Rows, path: str) -> None:
    delta.overwrite(rows(("a", 1)), path, {"n": 0})
    delta.upsert(rows(("a", 2)), path, "id", {"n": 1})
    delta.append(rows(("b", 2)), path, {})
    assert delta.recorded_metadata(spark, path) == {}
