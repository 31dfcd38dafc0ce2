"""What a page is, and the parts that pages share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.report import formats
from pipelines.report.charts.buckets import missing_days, missing_sentence
from pipelines.report.charts.canvas import Drawing
from pipelines.report.charts.figures import draw
from pipelines.report.charts.specs import TABLE, ChartSpec
from pipelines.report.charts.summaries import summary
from pipelines.report.pages.glance import glance_table, is_glance
from pipelines.report.results import Column, Query
from pipelines.report.tables import Head, Table, of_values

GROUPS = ("Run", "Dashboards", "Models", "Reference")


@dataclass(frozen=True)
class Card:
    """A question, its chart and its table.

    Attributes:
        key: Identifies it on its page.
        title: A few words.
        question: What it answers.
        figure: The chart as JSON; None where nothing is drawn.
        height: Of the chart in pixels.
        axis: What is measured, and in what.
        alt: Title and summary, for those who do not see the chart.
        summary: What the chart shows.
        table: The figures behind it.
        notes: What a reader should know: grain, missing days.
        sql: The query.
        empty: Why there is nothing.
        wide: Whether it takes the whole width.
        meta: As of, period.
    """

    key: str
    title: str
    question: str
    table: Table | None
    figure: str | None = None
    height: int = 0
    axis: str = ""
    alt: str = ""
    summary: str = ""
    notes: tuple[str, ...] = ()
    sql: str | None = None
    empty: str | None = None
    wide: bool = False
    meta: str = ""


@dataclass(frozen=True)
class Notice:
    """Something that must not be overlooked: bad, warn or plain."""

    kind: str
    title: str
    text: str
    href: str | None = None
    link: str = ""


@dataclass(frozen=True)
class Page:
    """A page of the site.

    Attributes:
        file: Its file name.
        title: As in the navigation.
        group: Its group in the navigation.
        template: What it is rendered with.
        lead: A sentence below the title.
        facts: Name and value of what holds for the whole page, such as "as of".
        notices: What must not be overlooked.
        context: What its template needs besides.
        tables: Tables of which a CSV file is written.
        copies: CSV files that are copied, by their place in the site.
    """

    file: str
    title: str
    group: str
    template: str
    lead: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    notices: tuple[Notice, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    copies: Mapping[str, Path] = field(default_factory=dict)


def made_query(name: str, title: str, question: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> Query:
    """Figures of the report's own in the form of a query, so that they are drawn like one."""
    keys = [column.name for column in columns]
    return Query(
        name=name,
        title=title,
        question=question,
        grain="",
        period=None,
        columns=tuple(columns),
        rows=tuple(dict(zip(keys, row, strict=True)) for row in rows),
        empty_because=None,
        csv=None,
        sql=None,
    )


def query_table(query: Query, csv_path: str, currency: str | None) -> Table:
    """The rows of a query as a table."""
    notes = {"money": currency, "seconds": None, "days": "days"}
    heads = [
        Head(column.name, column.label, column.unit, column.is_number, notes.get(column.unit or ""))
        for column in query.columns
    ]
    return of_values(
        query.name,
        query.title,
        heads,
        [[row[column.name] for column in query.columns] for row in query.rows],
        csv_path=csv_path,
    )


def card(
    query: Query,
    spec: ChartSpec,
    csv_path: str,
    currency: str | None = None,
    meta: str = "",
) -> Card:
    """A query with its chart, its sentence and its table."""
    period = (query.period.start, query.period.end) if query.period else None
    drawing = draw(spec.drawn(query), spec, currency, period)
    said = summary(query, spec, currency) if drawing else ""
    notes = [f"A row is {query.grain.replace('`', '')}."] if query.grain and query.grain != "one row" else []
    gaps = missing_sentence(missing_days(query, *(period or (None, None))))
    if gaps:
        notes.insert(0, gaps)
    table = glance_table if spec == TABLE and is_glance(query) else query_table
    empty = None
    if not query.rows:
        empty = query.empty_because or "no rows in this period"
    return Card(
        key=query.name,
        title=query.title,
        question=query.question,
        table=table(query, csv_path, currency) if query.rows else None,
        figure=figure_json(drawing) if drawing else None,
        height=drawing.height if drawing else 0,
        axis=drawing.axis if drawing else "",
        alt=alt(query.title, said) if drawing else "",
        summary=said,
        notes=tuple(notes),
        sql=query.sql,
        empty=empty,
        wide=spec.wide,
        meta=meta,
    )


def alt(title: str, said: str) -> str:
    """A chart in words."""
    return f"Chart: {title}. {said}"


def figure_json(drawing: Drawing) -> str:
    """A figure for a script element: no character that could end it."""
    return json.dumps(drawing.figure, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")


def days(start: date | None, end: date | None) -> str:
    """1 Nov 2025 to 30 Nov 2025."""
    if start is None or end is None:
        return "all data"
    return formats.day(end) if start == end else f"{formats.day(start)} to {formats.day(end)}"
