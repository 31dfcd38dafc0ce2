"""Days, weeks and months along an axis of time: which are missing, which are not whole, and how they are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from pipelines.report import formats
from pipelines.report.results import Query

Grain = Literal["week", "month"]
_DAYS_NAMED, _WHOLE_NAMED = 5, 3
_WEEK, _DECEMBER = 7, 12
_FIRST_COHORT = "is_first_cohort"


def missing_days(query: Query, start: date | None, end: date | None) -> list[date]:
    """Days of a period without any row, of a result by day or by hour; empty for a coarser one."""
    time = query.time_column
    if time is None or not query.rows:
        return []
    present = sorted({as_day(row[time.name]) for row in query.rows if row[time.name] is not None})
    if not present:
        return []
    steps = [(later - earlier).days for earlier, later in pairwise(present)]
    # By week or month no two days are neighbours; a single day tells nothing of the grain.
    if not steps or min(steps) > 1:
        return []
    first, last = start or present[0], end or present[-1]
    known = set(present)
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return [each for each in days if each not in known]


def missing_sentence(days: Sequence[date]) -> str | None:
    """Which days have no row; None when each has."""
    if not days:
        return None
    named = ", ".join(formats.day(each) for each in days[:_DAYS_NAMED])
    rest = f" and {len(days) - _DAYS_NAMED} more" if len(days) > _DAYS_NAMED else ""
    return f"No rows for {formats.plural(len(days), 'day')}: {named}{rest}."


def as_day(value: date) -> date:
    """The day of a day or of an instant."""
    return value.date() if isinstance(value, datetime) else value


def grain_of(column: str) -> Grain | None:
    """What a value of a column stands for, by its name; None for a day, an instant or anything else."""
    parts = column.split("_")
    return "week" if "week" in parts else "month" if "month" in parts else None


def is_whole(query: Query, x: str, row: Mapping[str, Any]) -> bool:
    """Whether the week or month of a row lies in the data with all its days.

    The query's own flag says so where it has one; otherwise its period does,
    and the days with sales of the first and the last week, which the data may
    have begun or ended in.
    """
    flag = next((column.name for column in query.columns if column.name.startswith("is_whole")), None)
    if flag is not None:
        return row[flag] is None or bool(row[flag])
    grain = grain_of(x)
    first = row.get(x)
    if grain is None or query.period is None or not isinstance(first, date):
        return True
    first = as_day(first)
    last = first + timedelta(days=_WEEK - 1) if grain == "week" else _next_month(first) - timedelta(days=1)
    if not query.period.start <= first <= last <= query.period.end:
        return False
    return grain != "week" or not _is_edge(query, x, row) or row.get("days_with_sales", _WEEK) == _WEEK


def comparable(query: Query, x: str) -> list[dict[str, Any]]:
    """Rows that can be held against each other: of whole weeks or months, and of cohorts that began in the data."""
    rows = [row for row in query.rows if is_whole(query, x, row)]
    return [row for row in rows if not row.get(_FIRST_COHORT)] or rows


def first_cohort_sentence(query: Query) -> str | None:
    """Which cohort may have begun before the data; None where none is said to."""
    first = {row["cohort_month"] for row in query.rows if row.get(_FIRST_COHORT) and row.get("cohort_month")}
    if not first or len(first) == len({row["cohort_month"] for row in query.rows}):
        return None
    cohort = name(min(first), "cohort_month")
    return f"Left out of the comparison: {cohort}, which also has customers from before the data."


def partial(query: Query, x: str) -> list[Any]:
    """The places along an axis whose week or month is not whole, in order."""
    return list(dict.fromkeys(row[x] for row in query.rows if row[x] is not None and not is_whole(query, x, row)))


def partial_sentence(query: Query, x: str) -> str | None:
    """Which weeks or months are not whole; None when all are."""
    places = partial(query, x)
    grain = grain_of(x)
    if not places or grain is None:
        return None
    named = ", ".join(name(place, x) for place in places[:_WHOLE_NAMED])
    rest = f" and {len(places) - _WHOLE_NAMED} more" if len(places) > _WHOLE_NAMED else ""
    one = len(places) == 1
    lead = f"Not a whole {grain}, hatched" if one else f"Not whole {grain}s, hatched"
    return f"{lead} and left out of the comparison: {named}{rest}."


def name(value: Any, x: str) -> str:  # noqa: ANN401 - any value of a row
    """A week or month as people say it: Jun 2025, the week of 2 Jun 2025."""
    if grain_of(x) == "month":
        return formats.category(value, x)
    return f"week of {formats.day(as_day(value))}" if isinstance(value, date) else str(value)


def tick_texts(values: Sequence[date], grain: Grain) -> list[str]:
    """What stands below each week or month: the year where it begins."""
    texts, year = [], None
    for value in values:
        text = f"{value:%b}" if grain == "month" else f"{value.day} {value:%b}"
        texts.append(text if value.year == year else f"{text}<br>{value.year}")
        year = value.year
    return texts


def _is_edge(query: Query, x: str, row: Mapping[str, Any]) -> bool:
    known = [each[x] for each in query.rows if each[x] is not None]
    return row[x] in {min(known), max(known)}


def _next_month(first: date) -> date:
    return date(first.year + first.month // _DECEMBER, first.month % _DECEMBER + 1, 1)
