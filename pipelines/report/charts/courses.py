"""Figures along time or an ordered category: lines and columns, with other figures of the same time below."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pipelines.report import formats
from pipelines.report.charts import axes
from pipelines.report.charts.buckets import missing_days, partial
from pipelines.report.charts.canvas import (
    LINE_HEIGHT,
    SERIES,
    Canvas,
    Drawing,
    Figure,
    hover_format,
    number,
    place,
    tick_format,
)
from pipelines.report.results import Column

_UPPER, _BELOW = 230, 120


def line(canvas: Canvas) -> Drawing:
    """Lines over time or an ordered category; one alone has its area filled."""
    column = canvas.column(canvas.spec.y[0])
    lines = _lines(canvas)
    traces: list[Figure] = []
    for index, (name, xs, ys) in enumerate(lines):
        trace = _line_trace(canvas, column, name, list(zip(xs, ys, strict=True)), SERIES[index % len(SERIES)])
        if name in canvas.spec.guides:
            trace["line"] = {"color": "@muted", "width": 1.5, "dash": "dot"}
        if len(lines) == 1:
            trace |= {"fill": "tozeroy", "fillcolor": "@area-1"}
        traces.append(trace)
    layout = _layout(canvas, column)
    axes.name_lines(layout, lines, LINE_HEIGHT)
    for end in layout.get("annotations", ()):
        if end["text"] in canvas.spec.guides:
            end["font"]["color"] = "@muted"
    title = canvas.axis(column, alone=bool(canvas.spec.series) or len(lines) == 1)
    return _with_panels(canvas, traces, layout, title)


def columns(canvas: Canvas) -> Drawing:
    """Columns over time or an ordered category, beside each other or stacked."""
    column = canvas.column(canvas.spec.y[0])
    lines = _lines(canvas)
    traces = [
        _column_trace(canvas, column, name, list(zip(xs, ys, strict=True)), SERIES[index % len(SERIES)])
        for index, (name, xs, ys) in enumerate(lines)
    ]
    if canvas.spec.trend is not None:
        for trace in traces:
            trace["marker"]["color"] = "@faint-1"
        trend = canvas.column(canvas.spec.trend)
        traces.append(_line_trace(canvas, trend, trend.label, _known(canvas, trend), SERIES[0]))
    layout = _layout(canvas, column) | {
        "barmode": "stack" if canvas.spec.kind == "stacked" else "group",
        "bargap": 0.25,
        "showlegend": len(traces) > 1,
    }
    title = canvas.axis(column, alone=len(lines) == 1 or bool(canvas.spec.series))
    return _with_panels(canvas, traces, layout, title)


def _with_panels(canvas: Canvas, traces: list[Figure], layout: Figure, title: str) -> Drawing:
    height = axes.panels(canvas, layout, _UPPER if canvas.spec.below else LINE_HEIGHT, _BELOW)
    for index, name in enumerate(canvas.spec.below):
        column = canvas.column(name)
        pairs = _known(canvas, column)
        colour = SERIES[(len(canvas.spec.y) + index) % len(SERIES)]
        if column.unit == "growth":
            trace = _column_trace(canvas, column, column.label, pairs, colour)
            trace["marker"]["color"] = ["@good" if value >= 0 else "@bad" for _, value in pairs]
        elif canvas.spec.kind == "columns" and not canvas.column(canvas.spec.x).is_time:
            trace = _column_trace(canvas, column, column.label, pairs, colour)
        else:
            trace = _line_trace(canvas, column, column.label, _filled(canvas, pairs), colour)
        traces.append(trace | {"yaxis": f"y{index + 2}", "showlegend": False})
    return Drawing({"data": traces, "layout": layout}, height, title)


def _line_trace(canvas: Canvas, column: Column, name: str, pairs: list[tuple[Any, Any]], colour: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines" if len(pairs) > 1 else "markers",
        "name": name,
        "x": [place(value) for value, _ in pairs],
        "y": [number(value) for _, value in pairs],
        "line": {"color": colour, "width": 2},
        "marker": {"color": colour, "size": 7},
        "hovertemplate": hover_format("y", column.unit, canvas.currency),
    }


def _column_trace(canvas: Canvas, column: Column, name: str, pairs: list[tuple[Any, Any]], colour: str) -> Figure:
    marker: Figure = {"color": colour}
    # What is not whole is hatched: it is lower because days are missing, not because less was sold.
    unfinished = set(partial(canvas.query, canvas.spec.x or ""))
    if unfinished:
        marker["pattern"] = {
            "shape": ["/" if value in unfinished else "" for value, _ in pairs],
            "fgcolor": "@surface",
            "fillmode": "overlay",
            "size": 6,
        }
    return {
        "type": "bar",
        "name": name,
        "x": [place(value) for value, _ in pairs],
        "y": [number(value) for _, value in pairs],
        "marker": marker,
        "hovertemplate": hover_format("y", column.unit, canvas.currency),
    }


def _layout(canvas: Canvas, column: Column) -> Figure:
    return {
        "xaxis": axes.across(canvas),
        "yaxis": {"rangemode": "tozero", "tickformat": tick_format(column.unit)},
        "hovermode": "x unified",
    }


def _lines(canvas: Canvas) -> list[axes.Line]:
    """Name, x and y of each line, with gaps where days are missing."""
    spec, rows = canvas.spec, canvas.query.rows
    x, y = spec.x or "", spec.y[0]
    lines: list[tuple[str, list[tuple[Any, Any]]]]
    if spec.series is not None:
        groups: dict[str, list[tuple[Any, Any]]] = {}
        series = spec.series
        for row in sorted(rows, key=lambda row: str(row[series])):
            groups.setdefault(formats.category(row[series], series), []).append((row[x], row[y]))
        lines = list(groups.items())
    else:
        lines = [(canvas.column(each).label, [(row[x], row[each]) for row in rows]) for each in spec.y]
    # Days and numbers are put in order; the rows' own order is that of anything else.
    in_order = canvas.column(x).is_time or canvas.column(x).is_number
    return [(name, *_unzip(_filled(canvas, pairs) if in_order else pairs)) for name, pairs in lines]


def _known(canvas: Canvas, column: Column) -> list[tuple[Any, Any]]:
    """The values of a column along the axis, where there are some."""
    x = canvas.spec.x or ""
    pairs = [(row[x], row[column.name]) for row in canvas.query.rows if row[column.name] is not None]
    return sorted((pair for pair in pairs if pair[0] is not None), key=lambda pair: pair[0])


def _filled(canvas: Canvas, pairs: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """In order, with a gap for each day that is missing."""
    x = canvas.column(canvas.spec.x)
    gaps: Sequence[date] = missing_days(canvas.query, *(canvas.period or (None, None))) if x.is_time else []
    known = sorted((pair for pair in pairs if pair[0] is not None), key=lambda pair: pair[0])
    if not gaps or not known:
        return known
    as_instant = isinstance(known[0][0], datetime)
    zone = known[0][0].tzinfo if as_instant else None
    blank = [(datetime(each.year, each.month, each.day, tzinfo=zone) if as_instant else each, None) for each in gaps]
    return sorted([*known, *blank], key=lambda pair: pair[0])


def _unzip(pairs: list[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
