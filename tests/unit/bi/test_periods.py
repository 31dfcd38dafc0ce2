"""Periods are counted from the data."""

from __future__ import annotations

from datetime import date

import pytest

from common.bi.periods import Period, Span

DATA = Period(date(2025, 6, 4), date(2025, 11, 30))


@pytest.mark.parametrize(
    ("text", "first"),
    [("1 days", date(2025, 11, 30)), ("30 days", date(2025, 11, 1)), ("400 days", date(2024, 10, 27))],
)
def test_days_end_with_the_newest(text: str, first: date) -> None:
    assert Span.parse(text).resolve(DATA) == Period(first, DATA.last)


def test_all_is_what_there_is() -> None:
    assert Span.parse("all").resolve(DATA) == DATA


def test_none_is_none() -> None:
    assert Span.parse("none").resolve(DATA) is None


@pytest.mark.parametrize("text", ["", "30", "-1 days", "0 days", "30 days ", "today"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        Span.parse(text)


def test_as_the_index_shows_it() -> None:
    assert DATA.as_json() == {"from": "2025-06-04", "to": "2025-11-30"}
