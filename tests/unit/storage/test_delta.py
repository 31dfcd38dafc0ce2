"""Delta tables by path: what a commit did by its own figures, an empty one too."""

from __future__ import annotations

from collections.abc import Callable

from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.storage import delta
from common.storage.delta import Commit

Rows = Callable[..., DataFrame]


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
