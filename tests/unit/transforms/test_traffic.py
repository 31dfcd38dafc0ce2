"""Actors, chains of repeated events and bots where columns are null or instants equal; more in tests/unit/cleaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.settings import SourceSettings
from common.transforms.traffic import actor, annotate_traffic
from tests.unit.transforms.frames import assert_part, assert_rows, frame

EVENTS = """event_id string, event_ts timestamp, user_id string, anonymous_id string, session_id string,
    event_type string, page_url string, product_id string, search_query string, quantity int, live boolean"""
MARKS = "event_id string, near_duplicate_of string, is_bot boolean"


@pytest.fixture(scope="module")
def shop(source: SourceSettings) -> SourceSettings:
    """A shop in which three events of a day with pauses of ten seconds are a machine's."""
    bots = source.bots.model_copy(update={"min_events": 3, "max_median_gap_seconds": 10.0})
    return source.model_copy(update={"bots": bots, "time_zone": "Asia/Tokyo"})


def _event(name: str, second: float | str, **changes: Any) -> dict[str, Any]:
    at = second if isinstance(second, str) else f"2025-06-15 12:{int(second) // 60:02d}:{second % 60:09.6f}"
    return {
        "event_id": name,
        "event_ts": at,
        "user_id": "u",
        "event_type": "page_view",
        "page_url": f"/{name}",
        "live": True,
        **changes,
    }


def _marked(spark: SparkSession, source: SourceSettings, events: Sequence[Mapping[str, Any]]) -> DataFrame:
    return annotate_traffic(frame(spark, EVENTS, events), source, F.col("live"))


def test_who_acted(spark):
    people = [
        {"event_id": "customer", "user_id": "x", "anonymous_id": "y"},
        {"event_id": "without a visitor", "user_id": "x"},
        {"event_id": "visitor", "anonymous_id": "x"},
        {"event_id": "nobody"},
    ]

    assert_rows(
        frame(spark, EVENTS, people).select("event_id", actor().alias("actor")),
        "event_id string, actor string",
        [("customer", "u:x"), ("without a visitor", "u:x"), ("visitor", "a:x"), ("nobody", None)],
    )


def test_every_row_and_column_stays(spark, source):
    events = [
        _event("a", 1, anonymous_id="v", session_id="s", product_id="p", search_query="q", quantity=2),
        _event("b", 2, live=False),
        {"event_id": "c"},
    ]

    assert_rows(
        _marked(spark, source, events),
        f"{EVENTS}, near_duplicate_of string, is_bot boolean",
        [
            ("a", "2025-06-15 12:00:01", "u", "v", "s", "page_view", "/a", "p", "q", 2, True, None, False),
            ("b", "2025-06-15 12:00:02", "u", None, None, "page_view", "/b", None, None, None, False, None, False),
            ("c", *[None] * 11, False),
        ],
    )


def test_a_null_is_equal_to_a_null_and_to_nothing_else(spark, source):
    nothing = {"page_url": None, "user_id": "n"}
    lamp = {**nothing, "user_id": "l"}
    events = [
        _event("all null", 0, **nothing),
        _event("all null again", 0.5, **nothing),
        _event("empty", 0.5, **{**nothing, "page_url": ""}),
        _event("nothing", 0, **lamp),
        _event("product", 0, **lamp, product_id="lamp"),
        _event("page", 0.5, **{**lamp, "page_url": "lamp"}),
        _event("query", 0.5, **lamp, search_query="lamp"),
        _event("session", 0.5, **lamp, session_id="lamp"),
        _event("another quantity", 0.5, **lamp, product_id="lamp", quantity=2),
    ]
    repeated = _marked(spark, source, events).where("near_duplicate_of is not null")

    assert_part(
        repeated,
        "event_id string, near_duplicate_of string",
        [("all null again", "all null"), ("another quantity", "product")],
    )


def test_of_events_at_one_instant_the_least_id_is_the_first(spark, source):
    same = {"page_url": "/"}
    events = [_event("c", 5, **same), _event("b", 5, **same), _event("a", 5.5, **same), _event("d", 5, **same)]

    assert_part(
        _marked(spark, source, events),
        MARKS,
        [("b", None, False), ("c", "b", False), ("d", "b", False), ("a", "b", False)],
    )


def test_a_chain_goes_on_past_other_events_and_other_actors(spark, source):
    same = {"page_url": "/"}
    events = [
        _event("a1", 0, **same),
        _event("between", 0.2),
        _event("stranger", 0.3, **same, user_id="v"),
        _event("signed out", 0.4, **same, user_id=None, anonymous_id="u"),
        _event("dead", 0.5, **same, live=False),
        _event("a2", 1, **same, anonymous_id="ignored"),
        _event("late", 2.000001, **same),
    ]
    repeated = _marked(spark, source, events).where("near_duplicate_of is not null")

    assert_part(repeated, "event_id string, near_duplicate_of string", [("a2", "a1")])


def test_rows_that_do_not_count_are_never_marked(spark, shop):
    events = [_event("dead", 0, live=False), _event("dead too", 0.5, live=False, page_url="/dead")]
    unknown = [_event("unknown", second, live=None, page_url="/") for second in (0, 0.1, 0.2)]
    marked = _marked(spark, shop, [*events, *unknown]).where("is_bot or near_duplicate_of is not null")

    assert_part(marked, MARKS, [])


def test_copies_of_a_row_that_does_not_count_are_never_marked(spark, shop):
    marked = _marked(spark, shop, [_event("dead", 0, live=False)] * 3)

    assert_part(marked, MARKS, [("dead", None, False)] * 3)


def test_bots_at_the_bounds(spark, shop):
    pauses = {
        "at the bound": (10, 10),
        "at once": (0, 0),
        "half of two": (10, 10.000001),
        "none of two": (10.000001, 10.000001),
        "a third": (10, 11, 11),
        "two thirds": (10, 10, 11),
        "an event short": (10,),
        "alone": (),
    }
    events = [
        _event(f"{name} {number}", sum(gaps[:number]), user_id=name)
        for name, gaps in pauses.items()
        for number in range(len(gaps) + 1)
    ]
    bots = _marked(spark, shop, events).where("is_bot").groupBy("user_id").count()

    assert_rows(
        bots,
        "user_id string, count bigint",
        [("at the bound", 3), ("at once", 3), ("half of two", 3), ("two thirds", 4)],
    )


def test_the_day_of_a_bot_is_that_of_utc(spark, shop):
    days = {
        "one day": ("00:00:00", "00:00:10", "00:00:20"),
        "of the day": ("23:59:40", "23:59:50", "23:59:59.999999"),
    }
    split = ("2025-06-15 23:59:50", "2025-06-15 23:59:59.999999", "2025-06-16 00:00:00", "2025-06-16 00:00:10")
    events = [
        _event(f"{name} {clock}", f"2025-06-15 {clock}", user_id=name)
        for name, clocks in days.items()
        for clock in clocks
    ]
    two_days = [_event(ts, ts, user_id="two days") for ts in split]
    bots = _marked(spark, shop, [*events, *two_days]).where("is_bot").groupBy("user_id").count()

    assert_rows(bots, "user_id string, count bigint", [("one day", 3), ("of the day", 3)])


def test_repeated_events_are_events_of_a_bot_too(spark, shop):
    events = [_event(name, second, page_url="/") for second, name in enumerate("abc")]

    assert_part(_marked(spark, shop, events), MARKS, [("a", None, True), ("b", "a", True), ("c", "a", True)])
