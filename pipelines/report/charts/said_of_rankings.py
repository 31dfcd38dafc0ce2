"""Sentences about bars. A ranking that was cut has an end at which nothing is the highest or the lowest."""

from __future__ import annotations

from pipelines.report import formats
from pipelines.report.charts.specs import ChartSpec, Row
from pipelines.report.charts.wording import Wording, row_name, sentence, tied
from pipelines.report.results import Column, Query

# Which column says what part of the whole a figure is.
_PARTS = {
    "net_revenue": "net_revenue_share",
    "customers": "customer_share",
    "abandoned_sessions": "session_share",
}


def ranking(query: Query, spec: ChartSpec, words: Wording) -> str:
    """The highest and the lowest of a ranking, and what part of the whole the highest has."""
    said = [_extremes(query, name, spec, words) for name in spec.y]
    beside = [_beside(query, name, spec, words) for name in spec.beside if name not in _PARTS.values()]
    parts = ["; ".join(each for each in said if each), *(each for each in beside if each)]
    return " ".join([*(sentence(each) for each in parts if each), *_not_drawn(query, spec)]) or "No values to show."


def _extremes(query: Query, name: str, spec: ChartSpec, words: Wording) -> str | None:
    column = query.column(name)
    known = [row for row in query.rows if row[name] is not None]
    if not known or column is None:
        return None
    highest = max(known, key=lambda row: row[name])
    lowest = min(known, key=lambda row: row[name])
    if highest[name] == lowest[name]:
        each = row_name(highest, spec) if len(known) == 1 else f"all {len(known)}"
        return f"{column.label}: {each} with {words.say(highest[name], column)}"
    high = f"{row_name(highest, spec)}{tied(known, highest, name)}"
    low = f"{row_name(lowest, spec)}{tied(known, lowest, name)}"
    said = {
        "lowest": f"highest {high} ({words.say(highest[name], column)}{_part(query, highest, name)})",
        "highest": f"lowest {low} ({words.say(lowest[name], column)})",
    }
    # Of a ranking cut from one end, the other end is only where it was cut.
    kept = [text for cut, text in said.items() if cut != spec.ranked]
    return f"{column.label}: {', '.join(kept)}"


def _part(query: Query, row: Row, name: str) -> str:
    column = query.column(_PARTS.get(name, ""))
    value = row.get(column.name) if column else None
    return f", {formats.share(value)} of the whole" if value is not None and value > 0 else ""


def _beside(query: Query, name: str, spec: ChartSpec, words: Wording) -> str | None:
    column: Column | None = query.column(name)
    known = [row for row in query.rows if row[name] is not None]
    # Rows taken by one figure say nothing of the ends of another.
    if column is None or not known or spec.ranked is not None:
        return None
    said = words.extremes(column, known, lambda row: row_name(row, spec))
    return f"{column.label}: {said}" if said else None


def _not_drawn(query: Query, spec: ChartSpec) -> list[str]:
    drawn = len(spec.limited(query.rows))
    return [f"{drawn} of {len(query.rows)} drawn."] if drawn < len(query.rows) else []
