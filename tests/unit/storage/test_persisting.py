"""Frames that are kept: computed once, and released whatever happens."""

from __future__ import annotations

import re

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.storage import persisting
from common.storage.persisting import persisted


@pytest.fixture(params=["one process", "executors"])
def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the work is done; this session works in one process, and what is kept elsewhere can be kept here too."""
    if request.param == "executors":
        monkeypatch.setattr(persisting, "_ONE_PROCESS", re.compile("yarn"))


def _ids(spark: SparkSession, first: int = 0) -> DataFrame:
    """Rows that differ each time they are computed, which those of Spark's own uuid() do not."""
    made = F.expr("reflect('java.util.UUID', 'randomUUID')").alias("made")
    return spark.range(first, first + 6, numPartitions=2).select("id", made)


def _kept_count(spark: SparkSession) -> int:
    return len(spark.sparkContext._jsc.getPersistentRDDs())


def test_what_is_not_kept_is_computed_again(spark: SparkSession) -> None:
    rows = _ids(spark)
    assert rows.orderBy("id").collect() != rows.where("id >= 0").orderBy("id").collect()


@pytest.mark.usefixtures("kept")
class TestPersisted:
    def test_is_computed_once(self, spark: SparkSession) -> None:
        with persisted(_ids(spark)) as rows:
            first, second = rows.orderBy("id").collect(), rows.where("id >= 0").orderBy("id").collect()
        assert [row["id"] for row in first] == list(range(6))
        assert second == first

    def test_a_look_at_some_rows_leaves_the_others_right(self, spark: SparkSession) -> None:
        with persisted(_ids(spark)) as rows:
            some = rows.limit(1).collect()
            assert set(some) < set(rows.collect())
            assert rows.count() == 6

    def test_is_not_computed_before_it_is_looked_at(self, spark: SparkSession) -> None:
        with persisted(spark.range(1).select(F.raise_error(F.lit("looked at")).cast("int").alias("n"))):
            pass

    def test_is_released(self, spark: SparkSession) -> None:
        before = _kept_count(spark)
        with persisted(_ids(spark)) as rows:
            rows.collect()
            assert _kept_count(spark) == before + 1
        assert _kept_count(spark) == before

    def test_is_released_after_an_error(self, spark: SparkSession) -> None:
        before = _kept_count(spark)
        with pytest.raises(ValueError, match="after a look"), persisted(_ids(spark)) as rows:
            rows.collect()
            raise ValueError("after a look")
        assert _kept_count(spark) == before

    def test_frames_are_kept_side_by_side(self, spark: SparkSession) -> None:
        with persisted(_ids(spark)) as one, persisted(_ids(spark, 3)) as other:
            assert one.join(other, on="id").count() == 3
            assert one.join(other, on="made").count() == 0

    def test_a_frame_of_no_rows(self, spark: SparkSession) -> None:
        with persisted(_ids(spark).where("id < 0")) as rows:
            assert rows.isEmpty()
            assert rows.columns == ["id", "made"]


@pytest.mark.parametrize(
    ("master", "is_one"),
    [("local", True), ("local[2]", True), ("local[*, 3]", True), ("local-cluster[2,1,512]", False), ("yarn", False)],
)
def test_one_process(master: str, is_one: bool) -> None:
    assert bool(persisting._ONE_PROCESS.fullmatch(master)) is is_one
