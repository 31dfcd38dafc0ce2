"""Bots at their thresholds, and chains of one event that was sent several times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from common.settings import SourceSettings
from common.storage.local_frames import local_frame
from common.transforms.traffic import annotate_traffic

_SCHEMA = (
    "event_id string, event_ts timestamp, user_id string, anonymous_id string, session_id string, event_type string, "
    "page_url string, product_id string, search_query string, live boolean"
)
NOON = datetime(2025, 11, 30, 12, tzinfo=UTC)


def event(name: str, seconds: float, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": name,
        "event_ts": NOON + timedelta(seconds=seconds),
        "user_id": "U1",
        "event_type": "page_view",
        "page_url": "/home",
        "live": True,
        **changes,
    }


def annotated(
    spark: SparkSession, source: SourceSettings, events: Sequence[dict[str, Any]]
) -> dict[str, tuple[bool, str | None]]:
    columns = [part.split()[0] for part in _SCHEMA.split(", ")]
    frame = local_frame(spark, [tuple(each.get(name) for name in columns) for each in events], _SCHEMA)
    result = annotate_traffic(frame, source, F.col("live"))
    assert result.columns == [*columns, "near_duplicate_of", "is_bot"]
    found = {row["event_id"]: (row["is_bot"], row["near_duplicate_of"]) for row in result.collect()}
    assert len(found) == len(events)
    return found


def test_near_duplicates(spark: SparkSession, source: SourceSettings) -> None:
    anonymous = {"user_id": None, "anonymous_id": "U1"}
    events = [
        event("a1", 0),
        event("a2", 1.0),  # at the bound
        event("a3", 1.9),  # near the one before it, and named after the first of the chain
        event("b1", 2.900001),  # a microsecond past the bound: a new chain
        event("b2", 3.0),
        event("c", 0.5, page_url="/other"),
        event("d", 0.5, event_type="search"),
        event("e", 0.5, product_id="P1"),
        event("f", 0.5, search_query="lamp"),
        event("g", 0.5, session_id="s"),
        event("h", 0.5, user_id="U2"),
        event("i", 0.5, **anonymous),  # a visitor with the name of a customer is somebody else
        event("j", 0.5, live=False),
        event("k", 0.6, live=False),
        event("l1", 0, user_id="U3"),
        event("l2", 0, user_id="U3"),  # at the same instant the smaller id is first
        event("m", 0, user_id=None),
        event("n", 0, user_id=None),  # nobody's events are no one's copies
    ]
    found = {name: original for name, (_, original) in annotated(spark, source, events).items() if original}
    assert found == {"a2": "a1", "a3": "a1", "b2": "b1", "l2": "l1"}


def test_a_chain_goes_on_over_midnight(spark: SparkSession, source: SourceSettings) -> None:
    midnight = 12 * 3600
    found = annotated(spark, source, [event("a", midnight - 0.4), event("b", midnight + 0.4)])
    assert found["b"] == (False, "a")


def burst(count: int, gap: float, start: float = 0, **changes: Any) -> list[dict[str, Any]]:
    return [event(f"{start}-{n:04d}", start + n * gap, page_url=f"/{n}", **changes) for n in range(count)]


@pytest.mark.parametrize(
    ("events", "bots"),
    [
        (burst(100, 2.5), 100),
        (burst(99, 2.5), 0),
        (burst(100, 2.500001), 0),
        (burst(50, 1) + burst(50, 60, start=1000), 0),  # 49 short pauses of 99
        (burst(51, 1) + burst(49, 60, start=1000), 100),  # 50 of 99
        (burst(60, 1, start=12 * 3600 - 60) + burst(60, 1, start=12 * 3600), 0),  # split by midnight
        (burst(100, 1, start=0) + burst(3, 60, start=12 * 3600), 100),  # that day's events only
        (burst(99, 1) + burst(10, 1, start=200, live=False), 0),
        (burst(60, 1) + burst(60, 1, start=100, user_id="U2"), 0),
        (burst(120, 1, user_id=None), 0),
        (burst(120, 1, user_id=None, anonymous_id="x"), 120),
    ],
    ids=["at both bounds", "an event short", "a microsecond slow", "median long", "median short", "midnight",
         "that day", "dead rows", "two actors", "nobody", "a visitor"],
)  # fmt: skip
def test_bots(spark: SparkSession, source: SourceSettings, events: list[dict[str, Any]], bots: int) -> None:
    found = annotated(spark, source, events)
    assert sum(is_bot for is_bot, _ in found.values()) == bots
    assert {type(is_bot) for is_bot, _ in found.values()} == {bool}
