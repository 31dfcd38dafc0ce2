"""A sentence for each chart: what it shows, for those who do not see it and for those in a hurry."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from pipelines.report import formats
from pipelines.report.charts.buckets import comparable, first_cohort_sentence, partial_sentence
from pipelines.report.charts.matrices import lost
from pipelines.report.charts.said_of_courses import over_time
from pipelines.report.charts.said_of_rankings import ranking
from pipelines.report.charts.specs import ChartSpec, Row
from pipelines.report.charts.wording import Wording, row_name, sentence
from pipelines.report.results import Query


def summary(query: Query, spec: ChartSpec, currency: str | None) -> str:
    """What the chart of a query shows, in a few sentences.

    Args:
        query: With all its rows, also those that are not drawn.
        spec: What is drawn.
        currency: Of money.
    """
    drawn = spec.drawn(query)
    if not drawn.rows:
        return "There are no rows."
    if spec.kind == "table":
        return f"{formats.plural(len(drawn.rows), 'row')}."
    words = Wording(query, currency)
    by_kind = {"bars": ranking, "heatmap": _matrix, "funnel": _funnel, "drops": _drops, "scatter": _points}
    said = by_kind.get(spec.kind, over_time)(drawn, spec, words)
    unfinished = partial_sentence(drawn, spec.x or "") if spec.kind in {"columns", "stacked", "line"} else None
    aside = _left_out(query, spec, words)
    if aside and spec.kind == "bars":
        # Else the highest of those drawn would pass for the highest of all.
        return f"{aside} Of the rest, {said[:1].lower()}{said[1:]}"
    return " ".join(each for each in (said, unfinished, first_cohort_sentence(drawn), aside) if each)


def _left_out(query: Query, spec: ChartSpec, words: Wording) -> str | None:
    rows = spec.left_out(query)
    if not rows or spec.leave_out is None:
        return None
    name, value = spec.leave_out
    named = words.place(value, name)
    figures = spec.y if spec.kind == "bars" else (spec.value,) if spec.value else ()
    known = [(query.column(each), {row[each] for row in rows}) for each in figures if each]
    said = [
        f"{column.label} {words.say(values.pop(), column)}" for column, values in known if column and len(values) == 1
    ]
    return f"Not drawn: {named}{' (' + ', '.join(said) + ')' if said else ''}."


def _matrix(query: Query, spec: ChartSpec, words: Wording) -> str:
    """The highest and lowest cell of a matrix."""
    name, x, y = spec.value or "", spec.x or "", spec.y[0]
    column = query.column(name)
    known = [row for row in comparable(query, "") if row[name] is not None]
    if not known or column is None:
        return "No values to show."

    def place(row: Row) -> str:
        return f"{words.place(row[y], y)}, {words.place(row[x], x)}"

    extremes = words.extremes(column, known, place)
    return sentence(f"{column.label}: {extremes or f'{words.say(known[0][name], column)} throughout'}")


def _funnel(query: Query, spec: ChartSpec, words: Wording) -> str:
    """How many come through, and where most of them leave."""
    del words
    steps = [(str(row[spec.x or ""]), row[spec.y[0]] or 0) for row in query.rows]
    first, last = steps[0], steps[-1]
    if len(steps) < 2 or not first[1]:  # noqa: PLR2004 - a drop needs two steps
        return sentence(f"{formats.words(first[0])}: {formats.count(first[1])}")
    drops = [
        (1 - Decimal(after[1]) / Decimal(before[1]), before[0], after[0])
        for before, after in pairwise(steps)
        if before[1]
    ]
    worst = max(drops, key=lambda drop: drop[0])
    return sentence(
        f"{formats.count(last[1])} of {formats.count(first[1])} reach {formats.words(last[0])} "
        f"({formats.share(Decimal(last[1]) / Decimal(first[1]))}); the largest part is lost between "
        f"{formats.words(worst[1])} and {formats.words(worst[2])} ({formats.share(worst[0])})"
    )


def _drops(query: Query, spec: ChartSpec, words: Wording) -> str:
    """Who comes through best, and where most are lost."""
    column = query.column(spec.value or "")
    known = [row for row in query.rows if row[spec.value or ""] is not None]
    said = words.extremes(column, known, lambda row: row_name(row, spec)) if known and column else None
    first = sentence(f"{column.label}: {said}") if said and column else ""
    worst = []
    for row in query.rows:
        parts = [(part, step) for part, step in zip(lost(row, spec), spec.y[1:], strict=True) if part is not None]
        if parts:
            part, step = max(parts)
            worst.append(f"{row_name(row, spec)} before {formats.words(step)} ({formats.share(part)})")
    second = sentence(f"The largest part is lost on {', on '.join(worst)}") if worst else ""
    return " ".join(each for each in (first, second) if each) or "No values to show."


def _points(query: Query, spec: ChartSpec, words: Wording) -> str:
    """The extent of a cloud of points."""
    parts = []
    for name in (spec.x or "", spec.y[0]):
        column = query.column(name)
        values = [row[name] for row in query.rows if row[name] is not None]
        if values:
            parts.append(
                f"{formats.words(name)} from {words.say(min(values), column)} to {words.say(max(values), column)}"
            )
    return sentence(f"{formats.plural(len(query.rows), 'point')}: {', '.join(parts)}")
