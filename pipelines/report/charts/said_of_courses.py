"""Sentences about lines and columns. A week or month that is not whole is neither the highest nor the lowest."""

from __future__ import annotations

from typing import Any

from pipelines.report import formats
from pipelines.report.charts.buckets import comparable, grain_of, is_whole
from pipelines.report.charts.specs import ChartSpec
from pipelines.report.charts.wording import Wording, sentence
from pipelines.report.results import Column, Query

_NAMED = 4


def over_time(query: Query, spec: ChartSpec, words: Wording) -> str:
    """Sum, highest and lowest of a line; of several their sums or last values; then the same of those below."""
    x = spec.x or ""
    below = [_course(query, name, x, words, alone=True) for name in spec.below]
    if spec.series is not None:
        own = [_by_series(query, spec, words)]
    else:
        own = [_course(query, name, x, words, alone=len(spec.y) == 1) for name in spec.y[:_NAMED]]
    said = ["; ".join(each for each in own if each), *(each for each in below if each)]
    return " ".join(sentence(each) for each in said if each) or "No values to show."


def _course(query: Query, name: str, x: str, words: Wording, *, alone: bool) -> str | None:
    column = query.column(name)
    known = [row for row in query.rows if row[name] is not None and row[x] is not None]
    if not known or column is None:
        return None
    total = f"{words.say(sum(row[name] for row in known), column)} in all" if column.is_additive else ""
    if total and not alone:
        return f"{column.label} {total}"
    whole = [row for row in known if is_whole(query, x, row)]
    if column.unit == "growth" and whole:
        risen = sum(row[name] > 0 for row in whole)
        total = f"above zero in {risen} of {formats.plural(len(whole), grain_of(x) or 'place')}"
    extremes = words.extremes(column, whole, lambda row: words.place(row[x], x)) if whole else None
    if extremes is None and whole and not total:
        extremes = f"{words.say(whole[0][name], column)} throughout"
    return f"{column.label}: {', '.join(each for each in (total, extremes) if each)}" if total or extremes else None


def _by_series(query: Query, spec: ChartSpec, words: Wording) -> str | None:
    x, y, series = spec.x or "", spec.y[0], spec.series or ""
    column = query.column(y)
    groups: dict[str, list[tuple[Any, Any]]] = {}
    is_sum = column is not None and column.is_additive
    for row in query.rows if is_sum else comparable(query, x):
        if row[y] is not None and row[x] is not None:
            groups.setdefault(formats.category(row[series], series), []).append((row[x], row[y]))
    if not groups or column is None:
        return None
    if column.is_additive:
        totals = {name: sum(value for _, value in pairs) for name, pairs in groups.items()}
        return f"{column.label} in all: {_listed(totals, column, words)}"
    return _ends(groups, column, x, words)


def _ends(groups: dict[str, list[tuple[Any, Any]]], column: Column, x: str, words: Wording) -> str:
    """The last value of each line, with its place where they do not end at one."""
    ends = {name: max(pairs, key=lambda pair: _order(pair[0])) for name, pairs in groups.items()}
    places = {place for place, _ in ends.values()}
    if len(places) == 1:
        last = {name: value for name, (_, value) in ends.items()}
        return f"{column.label} at the end ({words.place(places.pop(), x)}): {_listed(last, column, words)}"
    best = sorted(ends.items(), key=lambda item: (-item[1][1], item[0]))
    named = ", ".join(
        f"{name} {words.say(value, column)} ({words.place(place, x)})" for name, (place, value) in best[:_NAMED]
    )
    return f"{column.label}, of each at its own end: {named}{_rest(len(best))}"


def _listed(values: dict[str, Any], column: Column, words: Wording) -> str:
    best = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {words.say(value, column)}" for name, value in best[:_NAMED]) + _rest(len(best))


def _rest(count: int) -> str:
    return f" and {formats.plural(count - _NAMED, 'other')}" if count > _NAMED else ""


def _order(place: Any) -> Any:  # noqa: ANN401 - places of one axis compare with each other
    # Runs and the like come in the order of their rows, which max keeps for equal keys.
    return 0 if isinstance(place, str) else place
