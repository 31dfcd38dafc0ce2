"""A sentence for each chart: what it shows, for those who do not see it and for those in a hurry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from pipelines.report import formats
from pipelines.report.charts.specs import ChartSpec
from pipelines.report.results import Column, Query

_NAMED = 4
_DAYS_NAMED = 5


def summary(query: Query, spec: ChartSpec, currency: str | None) -> str:
    """What the chart of a query shows, in one or two sentences."""
    if not query.rows:
        return "There are no rows."
    say = _Speaker(query, currency)
    by_kind = {"bars": say.ranking, "heatmap": say.matrix, "funnel": say.funnel, "scatter": say.points}
    if spec.kind == "table":
        return f"{formats.plural(len(query.rows), 'row')}."
    return by_kind.get(spec.kind, say.over_time)(spec)


def missing_days(query: Query, start: date | None, end: date | None) -> list[date]:
    """Days of a period without any row, of a result by day or by hour; empty for a coarser one."""
    time = query.time_column
    if time is None or not query.rows:
        return []
    present = sorted({_as_day(row[time.name]) for row in query.rows if row[time.name] is not None})
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


def _as_day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


class _Speaker:
    def __init__(self, query: Query, currency: str | None) -> None:
        self._query, self._rows, self._currency = query, query.rows, currency

    def _say(self, value: Any, column: Column | None) -> str:  # noqa: ANN401 - any value of a row
        return formats.prose(value, column.unit if column else None, self._currency)

    def over_time(self, spec: ChartSpec) -> str:
        """Last, highest and lowest of a line; of several their totals or last values."""
        x = spec.x or ""
        if spec.series is not None:
            return self._by_series(spec.series, spec.y[0], x)
        parts = [self._course(name, x, alone=len(spec.y) == 1) for name in spec.y[:_NAMED]]
        return _sentence("; ".join(part for part in parts if part) or "No values to show")

    def _course(self, name: str, x: str, *, alone: bool) -> str | None:
        column = self._query.column(name)
        known = [(row[x], row[name]) for row in self._rows if row[name] is not None and row[x] is not None]
        if not known or column is None:
            return None
        highest = max(known, key=lambda pair: pair[1])
        lowest = min(known, key=lambda pair: pair[1])
        total = f"{self._say(sum(value for _, value in known), column)} in all" if column.is_additive else ""
        if total and not alone:
            return f"{column.label} {total}"
        extremes = (
            f"highest {self._say(highest[1], column)} ({self._x(highest[0], x)}), "
            f"lowest {self._say(lowest[1], column)} ({self._x(lowest[0], x)})"
        )
        return f"{column.label}: {total}{', ' if total else ''}{extremes}"

    def _x(self, value: Any, name: str) -> str:  # noqa: ANN401 - any value of a row
        column = self._query.column(name)
        if column is not None and column.is_number and name not in {"weekday", "hour_of_day"}:
            return f"{column.label} {self._say(value, column)}"
        if isinstance(value, str) or "month" in name.split("_") or name in {"weekday", "hour_of_day"}:
            return formats.category(value, name)
        return self._say(value, column)

    def _by_series(self, series: str, y: str, x: str) -> str:
        column = self._query.column(y)
        groups: dict[str, list[tuple[Any, Any]]] = {}
        for row in self._rows:
            if row[y] is not None and row[x] is not None:
                groups.setdefault(formats.category(row[series], series), []).append((row[x], row[y]))
        if not groups or column is None:
            return "No values to show."
        if column.is_additive:
            totals = {name: sum(value for _, value in pairs) for name, pairs in groups.items()}
            lead = f"{column.label} in all"
        else:
            totals = {name: max(pairs, key=lambda pair: pair[0])[1] for name, pairs in groups.items()}
            end = max(pairs[-1][0] for pairs in groups.values())
            lead = f"{column.label} at the end ({self._x(end, x)})"
        best = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
        named = ", ".join(f"{name} {self._say(value, column)}" for name, value in best[:_NAMED])
        rest = f" and {formats.plural(len(best) - _NAMED, 'other')}" if len(best) > _NAMED else ""
        return _sentence(f"{lead}: {named}{rest}")

    def ranking(self, spec: ChartSpec) -> str:
        """The highest and the lowest of a ranking, and what part of the whole the highest has."""
        said = [self._ranking(name, spec) for name in spec.y]
        return _sentence("; ".join(each for each in said if each) or "No values to show")

    def _ranking(self, name: str, spec: ChartSpec) -> str | None:
        column = self._query.column(name)
        known = [row for row in self._rows if row[name] is not None]
        if not known or column is None:
            return None

        def named(row: dict[str, Any]) -> str:
            return formats.category(row[spec.x or ""], spec.x or "") + (f" · {row[spec.label]}" if spec.label else "")

        highest = max(known, key=lambda row: row[name])
        lowest = min(known, key=lambda row: row[name])
        if highest[name] == lowest[name]:
            each = named(highest) if len(known) == 1 else f"all {len(known)}"
            return f"{column.label}: {each} with {self._say(highest[name], column)}"
        total = sum(row[name] for row in known)
        part = ""
        if column.is_additive and lowest[name] >= 0 and total:
            part = f", {formats.share(highest[name] / total)} of what the {len(known)} have together"
        high = f"highest {named(highest)} ({self._say(highest[name], column)}{part})"
        return f"{column.label}: {high}, lowest {named(lowest)} ({self._say(lowest[name], column)})"

    def matrix(self, spec: ChartSpec) -> str:
        """The highest and lowest cell of a matrix."""
        name, x, y = spec.value or "", spec.x or "", spec.y[0]
        column = self._query.column(name)
        known = [row for row in self._rows if row[name] is not None]
        if not known:
            return "No values to show."
        highest, lowest = max(known, key=lambda row: row[name]), min(known, key=lambda row: row[name])

        def place(row: dict[str, Any]) -> str:
            return f"{self._x(row[y], y)}, {self._x(row[x], x)}"

        return _sentence(
            f"{formats.words(name)}: highest {self._say(highest[name], column)} ({place(highest)}), "
            f"lowest {self._say(lowest[name], column)} ({place(lowest)})"
        )

    def funnel(self, spec: ChartSpec) -> str:
        """How many come through, and where most of them leave."""
        steps = [(str(row[spec.x or ""]), row[spec.y[0]] or 0) for row in self._rows]
        first, last = steps[0], steps[-1]
        if len(steps) < 2 or not first[1]:  # noqa: PLR2004 - a drop needs two steps
            return _sentence(f"{formats.words(first[0])}: {formats.count(first[1])}")
        drops = [
            (1 - Decimal(after[1]) / Decimal(before[1]), before[0], after[0])
            for before, after in pairwise(steps)
            if before[1]
        ]
        worst = max(drops, key=lambda drop: drop[0])
        return _sentence(
            f"{formats.count(last[1])} of {formats.count(first[1])} reach {formats.words(last[0])} "
            f"({formats.share(Decimal(last[1]) / Decimal(first[1]))}); "
            f"most leave between {formats.words(worst[1])} and {formats.words(worst[2])} ({formats.share(worst[0])})"
        )

    def points(self, spec: ChartSpec) -> str:
        """The extent of a cloud of points."""
        parts = []
        for name in (spec.x or "", spec.y[0]):
            column = self._query.column(name)
            values = [row[name] for row in self._rows if row[name] is not None]
            if values:
                parts.append(
                    f"{formats.words(name)} from {self._say(min(values), column)} to {self._say(max(values), column)}"
                )
        return _sentence(f"{formats.plural(len(self._rows), 'point')}: {', '.join(parts)}")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
