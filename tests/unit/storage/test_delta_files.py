"""The files of a Delta table, as its log names them, and its rows read from them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.storage import delta
from common.storage.delta_files import as_parquet, data_files
from common.storage.local_frames import local_frame

Rows = Callable[..., DataFrame]

_MOST_LISTED = "spark.databricks.delta.allFilesInCrc.thresholdNumFiles"


@contextmanager
def listing_at_most(spark: SparkSession, files: int) -> Iterator[None]:
    spark.conf.set(_MOST_LISTED, files)
    try:
        yield
    finally:
        spark.conf.unset(_MOST_LISTED)


@pytest.mark.parametrize("most", [50, 0], ids=["listed with the commit", "put together from the log"])
def test_the_log_names_the_files_of_each_version_and_their_rows(
    spark: SparkSession, rows: Rows, path: str, most: int
) -> None:
    with listing_at_most(spark, most):
        delta.overwrite(rows(("a b", 1), ("ü/%", 2), ("ü/%", 3)), path, {}, partition_by=("id",))
        delta.overwrite(rows(("c", 4)), path, {}, replace_where="id IN ('c', 'a b')")
    assert [is_listed(path, version) for version in range(2)] == [most > 0] * 2
    for version, held in enumerate([{"a b": 1, "ü/%": 2}, {"ü/%": 2, "c": 1}]):
        files = data_files(spark, path, version)
        found: Counter[str | None] = Counter()
        for file in files:
            assert Path(file.path).parent.parent == Path(path)
            assert pq.ParquetFile(file.path).metadata.num_rows == file.rows
            found[file.partition["id"]] += file.rows or 0
        assert found == held
        assert delta.recorded_rows(spark, path, version) == sum(held.values())
    assert data_files(spark, path) == data_files(spark, path, 1)


def is_listed(path: str, version: int) -> bool:
    return "allFiles" in json.loads(Path(path, "_delta_log", f"{version:020d}.crc").read_text())


def test_rows_that_the_log_does_not_tell_are_counted(spark: SparkSession, rows: Rows, path: str) -> None:
    spark.conf.set("spark.databricks.delta.stats.collect", "false")
    try:
        delta.overwrite(rows(("a", 1), ("b", 2)), path, {})
    finally:
        spark.conf.unset("spark.databricks.delta.stats.collect")
    assert {file.rows for file in data_files(spark, path)} == {None}
    assert delta.recorded_rows(spark, path) == 2


def test_rows_that_a_deletion_vector_hides_do_not_count(spark: SparkSession, rows: Rows, path: str) -> None:
    delta.overwrite(rows(*[(str(n), n) for n in range(10)]).coalesce(1), path, {})
    spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    delta.delete(spark, path, F.col("id") == "3", {})
    assert [file.rows for file in data_files(spark, path)] == [9]
    assert delta.recorded_rows(spark, path) == delta.read(spark, path).count() == 9


class TestRowsWithoutDelta:
    def test_are_those_of_each_version(self, spark: SparkSession, rows: Rows, path: str) -> None:
        delta.overwrite(rows(("a", 1), (None, None)), path, {})
        delta.append(rows(("b", 2), ("c", 3)), path, {})
        delta.upsert(rows(("b", 20), ("d", 4)), path, "id", {})
        delta.delete(spark, path, F.col("id") == "a", {})
        delta.overwrite(rows(), path, {})
        for version in range(5):
            assert_df_equality(plain(spark, path, version), by_delta(spark, path, version), ignore_row_order=True)
        assert plain(spark, path).schema == by_delta(spark, path, 4).schema
        assert plain(spark, path).isEmpty()

    @pytest.mark.parametrize(
        "partition", ["name", "day", "number", "amount"], ids=["text", "a date", "a whole number", "a decimal"]
    )
    def test_have_the_values_of_their_partition_in_its_place(
        self, spark: SparkSession, path: str, partition: str
    ) -> None:
        names = ["a b", "ü/%", "x=y:z", "%41", "007", "__HIVE_DEFAULT_PARTITION_", None]
        frame = local_frame(
            spark, [(number, name) for number, name in enumerate(names)], "number int, name string"
        ).select(
            F.when(F.col("number") > 0, F.col("number").cast("bigint")).alias("number"),
            "name",
            F.when(F.col("number") > 1, F.date_add(F.lit("2025-02-27").cast("date"), F.col("number"))).alias("day"),
            (F.col("number") / 4).cast("decimal(12,2)").alias("amount"),
            F.lit("last").alias("last"),
        )
        delta.overwrite(frame, path, {}, partition_by=(partition,))
        assert_df_equality(plain(spark, path), frame, ignore_row_order=True, ignore_nullable=True)
        assert_df_equality(plain(spark, path), by_delta(spark, path, 0), ignore_row_order=True)

    def test_of_files_from_before_a_column_came_lack_it(self, spark: SparkSession, rows: Rows, path: str) -> None:
        delta.overwrite(rows(("a", 1)), path, {})
        spark.sql(f"ALTER TABLE delta.`{path}` ADD COLUMN w INT FIRST")
        delta.append(rows(("b", 2)).withColumn("w", F.lit(3)), path, {})
        frame = plain(spark, path)
        assert frame.columns == ["w", "id", "v"]
        assert sorted((tuple(row) for row in frame.collect()), key=str) == [(3, "b", 2), (None, "a", 1)]


@pytest.mark.parametrize("most", [50, 0], ids=["listed with the commit", "put together from the log"])
def test_what_is_committed_later_is_not_in_a_frame(spark: SparkSession, rows: Rows, path: str, most: int) -> None:
    with listing_at_most(spark, most):
        delta.overwrite(rows(("a", 1)), path, {})
        before = delta.read(spark, path)
        delta.overwrite(rows(("b", 2), ("c", 3)), path, {})
    assert_df_equality(before, rows(("a", 1)))
    assert delta.read(spark, path).count() == 2


class TestDeltaReads:
    """Tables that are more than a list of plain files."""

    def test_one_of_many_files(self, spark: SparkSession, rows: Rows, path: str) -> None:
        with listing_at_most(spark, 0):
            delta.overwrite(rows(("a", 1)), path, {})
        assert as_parquet(spark, path) is None
        assert_df_equality(delta.read(spark, path), rows(("a", 1)))

    def test_one_with_rows_that_are_marked_as_deleted(self, spark: SparkSession, rows: Rows, path: str) -> None:
        delta.overwrite(rows(("a", 1), ("b", 2)).coalesce(1), path, {})
        spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
        delta.delete(spark, path, F.col("id") == "a", {})
        assert len(list(Path(path).glob("*.parquet"))) == 1, "the file would have been written anew"
        assert as_parquet(spark, path) is None
        assert_df_equality(delta.read(spark, path), rows(("b", 2)))
        assert_df_equality(plain(spark, path, 0), rows(("a", 1), ("b", 2)), ignore_row_order=True)

    def test_one_whose_columns_have_other_names_in_the_files(self, spark: SparkSession, rows: Rows, path: str) -> None:
        delta.overwrite(rows(("a", 1)), path, {})
        spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
        spark.sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN v TO w")
        assert as_parquet(spark, path) is None
        assert_df_equality(delta.read(spark, path), rows(("a", 1)).withColumnRenamed("v", "w"))

    def test_one_whose_directories_do_not_tell_the_partition(self, spark: SparkSession, rows: Rows, path: str) -> None:
        delta.overwrite(rows(("a", 1)), path, {}, partition_by=("id",))
        spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.randomizeFilePrefixes' = 'true')")
        delta.append(rows(("b", 2)), path, {})
        assert as_parquet(spark, path) is None
        assert_df_equality(delta.read(spark, path), rows(("a", 1), ("b", 2)), ignore_row_order=True)

    @pytest.mark.parametrize("name", ["shop[1]", "shop{a}", "shop*", "shop?"])
    def test_one_whose_path_is_a_pattern_to_spark(
        self, spark: SparkSession, rows: Rows, tmp_path: Path, name: str
    ) -> None:
        path = str(tmp_path / name)
        delta.overwrite(rows(("a", 1)), path, {})
        assert as_parquet(spark, path) is None
        assert_df_equality(delta.read(spark, path), rows(("a", 1)))

    def test_one_that_is_not_there(self, spark: SparkSession, path: str) -> None:
        assert as_parquet(spark, path) is None
        with pytest.raises(Exception, match=r"DELTA_TABLE_NOT_FOUND|PATH_NOT_FOUND|doesn't exist"):
            delta.read(spark, path).collect()


def plain(spark: SparkSession, path: str, version: int | None = None) -> DataFrame:
    """The rows without Delta; where only Delta can read them, the test is of something else."""
    frame = as_parquet(spark, path, version)
    assert frame is not None
    return frame


def by_delta(spark: SparkSession, path: str, version: int) -> DataFrame:
    return spark.read.format("delta").option("versionAsOf", version).load(path)
