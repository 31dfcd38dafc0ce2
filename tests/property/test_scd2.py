"""The history of a key against a model of it in plain Python, for any set of changes in any order."""

from __future__ import annotations

import random
import time
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from common.storage.local_frames import local_frame
from common.transforms.scd2 import BEGINNING, CHANGES_OF_KEY, END, build_history

SCHEMA = "key string, name string, price int, stock int, updated_at timestamp, op string, _payload_hash bigint"
START = datetime(2025, 6, 1, tzinfo=UTC)


@dataclass(frozen=True, order=True)
class Change:
    key: str
    minute: int
    op: str
    payload: int
    name: str | None
    price: int | None
    stock: int | None

    def row(self) -> tuple:
        at = START + timedelta(minutes=self.minute)
        return (self.key, self.name, self.price, self.stock, at, self.op, self.payload)


def _change(content: tuple) -> Change:
    key, minute, op, name, price, stock = content
    # As in the clean table, the hash is a function of the content.
    payload = zlib.crc32(repr(content).encode())
    return Change(key, minute, op, payload, name, price, stock)


# Few keys, instants and values, so that ties, repetitions and changes back happen all the time.
changes = st.tuples(
    st.sampled_from(["a", "b", "c"]),
    st.integers(0, 6),
    st.sampled_from(["upsert", "upsert", "delete"]),
    st.sampled_from(["x", "y", None]),
    st.sampled_from([1, 2, None]),
    st.sampled_from([10, 20, None]),
).map(_change)


def apart(histories: list[list[Change]]) -> list[Change]:
    """Several histories in one frame, each with keys of its own: a query takes longer than what it works on."""
    return [replace(row, key=f"{number}{row.key}") for number, rows in enumerate(histories) for row in rows]


def model(of_key: list[Change]) -> list[tuple]:
    """The versions of one key: (name, price, stock, from, to, is_current, is_deleted)."""
    last_at: dict[int, Change] = {}
    for change in sorted(of_key, key=lambda each: (each.minute, each.op == "delete", each.payload)):
        last_at[change.minute] = change
    versions: list[list] = []
    known: tuple = (None, None)
    stock = None
    for minute in sorted(last_at):
        change = last_at[minute]
        is_deleted = change.op == "delete"
        if not is_deleted:
            known, stock = (change.name, change.price), change.stock
        if versions and versions[-1][0] == known and versions[-1][3] == is_deleted:
            versions[-1][1] = stock
            continue
        at = START + timedelta(minutes=minute) if versions else BEGINNING
        versions.append([known, stock, at, is_deleted])
    ends = [version[2] for version in versions[1:]] + [END]
    return [
        (*attributes, last_stock, begin, end, end == END and not is_deleted, is_deleted)
        for (attributes, last_stock, begin, is_deleted), end in zip(versions, ends, strict=True)
    ]


def history(spark: SparkSession, rows: list[Change]) -> DataFrame:
    frame = local_frame(spark, [change.row() for change in rows], SCHEMA)
    return build_history(frame, "key", ("name", "price"), latest=("stock",), namespace="test")


def collected(spark: SparkSession, rows: list[Change]) -> list[tuple]:
    found = [tuple(row) for row in history(spark, rows).collect()]
    return sorted((_aware(row) for row in found), key=lambda row: (row[1], row[5]))


def _aware(row: tuple) -> tuple:
    """Spark gives times without a zone in that of the session, which is UTC."""
    return tuple(value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for value in row)


@pytest.fixture(autouse=True)
def _process_in_utc(monkeypatch):
    """Collected timestamps are turned into the local time of the process."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


several = st.lists(st.lists(changes, min_size=1, max_size=14), min_size=6, max_size=10)
relaxed = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@relaxed
@given(several, st.randoms(use_true_random=False))
def test_a_history_is_that_of_the_model(spark, histories: list[list[Change]], shuffled: random.Random) -> None:
    rows = apart(histories)
    # Distinct content with one hash would leave the winner of a tie open; the clean table has 64 bits against it.
    rows = list({(row.key, row.minute, row.op, row.payload): row for row in rows}.values())
    repeated = [*rows, *shuffled.choices(rows, k=len(rows) // 2)]
    shuffled.shuffle(repeated)

    found = collected(spark, repeated)

    for key in {row.key for row in rows}:
        expected = model([row for row in rows if row.key == key])
        assert [row[2:9] for row in found if row[1] == key] == expected
        assert sum(row[9] for row in found if row[1] == key) == len([row for row in repeated if row.key == key])
    assert {row[1] for row in found} == {row.key for row in rows}


@relaxed
@given(several)
def test_intervals_cover_all_time_once(spark, histories: list[list[Change]]) -> None:
    rows = apart(histories)
    found = collected(spark, rows)

    for key in {row.key for row in rows}:
        versions = [row for row in found if row[1] == key]
        assert versions[0][5] == BEGINNING
        assert versions[-1][6] == END
        assert [one[6] for one in versions[:-1]] == [other[5] for other in versions[1:]]
        assert all(begin < end for *_, begin, end, _, _, _ in versions)
        assert sum(row[7] for row in versions) == (0 if versions[-1][8] else 1)
    surrogate_keys = [row[0] for row in found]
    assert len(set(surrogate_keys)) == len(surrogate_keys)
    assert -1 not in surrogate_keys


@relaxed
@given(several, st.integers(1, 13))
def test_a_late_change_renumbers_no_version_with_the_same_beginning(
    spark, histories: list[list[Change]], cut: int
) -> None:
    first = [rows[: max(1, min(cut, len(rows) - 1))] for rows in histories]
    before = {(row[1], row[5]): row[0] for row in collected(spark, apart(first))}
    after = {(row[1], row[5]): row[0] for row in collected(spark, apart(histories))}

    assert before.keys() & after.keys()
    assert all(after[version] == before[version] for version in before.keys() & after.keys())


def test_changes_of_key_count_each_change_once(spark) -> None:
    rows = [_change(("a", minute, "upsert", "x", minute // 2, 10)) for minute in range(6)]

    found = history(spark, rows).select(CHANGES_OF_KEY).collect()

    assert sorted(row[0] for row in found) == [0, 0, 6]
