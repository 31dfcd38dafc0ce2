"""Figures along time or an ordered category: lines and columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from pipelines.report import formats
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
from pipelines.report.charts.summaries import missing_days
from pipelines.report.results import Column

_END_LABELS = 6
_LABEL_GAP = 15.0
_CHARACTER = 6.6
_WIDEST_LABEL = 150
_TICKS = 24
_AROUND, _HEADROOM = 60, 1.08


def line(canvas: Canvas) -> Drawing:
    """Lines over time or an ordered category; one alone has its area filled."""
    column = canvas.column(canvas.spec.y[0])
    lines = _lines(canvas)
    traces: list[Figure] = []
    for index, (name, xs, ys) in enumerate(lines):
        colour = SERIES[index % len(SERIES)]
        trace: Figure = {
            "type": "scatter",
            "mode": "lines" if len(xs) > 1 else "markers",
            "name": name,
            "x": [place(value) for value in xs],
            "y": [number(value) for value in ys],
            "line": {"color": colour, "width": 2},
            "marker": {"color": colour, "size": 7},
            "hovertemplate": hover_format("y", column.unit, canvas.currency),
        }
        if len(lines) == 1:
            trace |= {"fill": "tozeroy", "fillcolor": "@area-1"}
        traces.append(trace)
    layout = _time_layout(canvas, column)
    layout["hovermode"] = "x unified"
    _name_lines(layout, lines, LINE_HEIGHT)
    title = canvas.axis(column, alone=bool(canvas.spec.series) or len(lines) == 1)
    return Drawing({"data": traces, "layout": layout}, LINE_HEIGHT, title)


def columns(canvas: Canvas) -> Drawing:
    """Columns over time or an ordered category, beside each other or stacked."""
    column = canvas.column(canvas.spec.y[0])
    lines = _lines(canvas)
    traces = [
        {
            "type": "bar",
            "name": name,
            "x": [place(value) for value in xs],
            "y": [number(value) for value in ys],
            "marker": {"color": SERIES[index % len(SERIES)]},
            "hovertemplate": hover_format("y", column.unit, canvas.currency),
        }
        for index, (name, xs, ys) in enumerate(lines)
    ]
    if canvas.spec.trend is not None:
        traces = [trace | {"marker": {"color": "@faint-1"}} for trace in traces]
        traces.append(_trend(canvas, canvas.column(canvas.spec.trend)))
    layout = _time_layout(canvas, column) | {
        "barmode": "stack" if canvas.spec.kind == "stacked" else "group",
        "bargap": 0.25,
        "hovermode": "x unified",
        "showlegend": len(traces) > 1,
    }
    title = canvas.axis(column, alone=len(lines) == 1 or bool(canvas.spec.series))
    return Drawing({"data": traces, "layout": layout}, LINE_HEIGHT, title)


def _lines(canvas: Canvas) -> list[tuple[str, list[Any], list[Any]]]:
    """Name, x and y of each line, with gaps where days are missing."""
    spec, rows = canvas.spec, canvas.query.rows
    x, y = spec.x or "", spec.y[0]
    gaps = missing_days(canvas.query, *(canvas.period or (None, None))) if canvas.column(x).is_time else []
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
    return [(name, *_unzip(_with_gaps(pairs, gaps) if in_order else pairs)) for name, pairs in lines]


def _trend(canvas: Canvas, column: Column) -> Figure:
    x = canvas.spec.x or ""
    known = sorted((row[x], row[column.name]) for row in canvas.query.rows if row[column.name] is not None)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": column.label,
        "x": [place(value) for value, _ in known],
        "y": [number(value) for _, value in known],
        "line": {"color": SERIES[0], "width": 2.5},
        "hovertemplate": hover_format("y", column.unit, canvas.currency),
    }


def _time_layout(canvas: Canvas, column: Column) -> Figure:
    x = canvas.column(canvas.spec.x)
    axis: Figure = {"type": "date" if x.is_time else "category"}
    if x.is_time:
        axis |= _days_axis(canvas, x)
    if x.is_number:
        values = {row[x.name] for row in canvas.query.rows}
        each = len(values) <= _TICKS and all(isinstance(value, int) for value in values)
        axis = {"type": "linear", "dtick": 1} if each else {"type": "linear", "tickformat": tick_format(x.unit)}
    return {"xaxis": axis, "yaxis": {"rangemode": "tozero", "tickformat": tick_format(column.unit)}}


def _days_axis(canvas: Canvas, column: Column) -> Figure:
    """The range of an axis of days: the whole period, so that a missing end shows, and room for outer columns."""
    known = sorted(row[column.name] for row in canvas.query.rows if row[column.name] is not None)
    hours = bool(known) and isinstance(known[0], datetime)
    made: Figure = {"hoverformat": "%e %b %Y, %H:%M" if hours else "%e %b %Y"}
    if not known:
        return made
    moments = [datetime(each.year, each.month, each.day, getattr(each, "hour", 0)) for each in known]
    first, last = moments[0], moments[-1]
    if canvas.period is not None:
        first = min(first, datetime.combine(canvas.period[0], time.min))
        last = max(last, datetime.combine(canvas.period[1], time.min))
    steps = [later - earlier for earlier, later in pairwise(moments) if later > earlier]
    room = min(steps, default=timedelta(days=1)) / 2 if canvas.spec.kind != "line" else timedelta(0)
    if last - room > first + room or room:
        made["range"] = [(first - room).isoformat(), (last + room).isoformat()]
    return made


def _with_gaps(pairs: list[tuple[Any, Any]], gaps: Sequence[date]) -> list[tuple[Any, Any]]:
    known = sorted((pair for pair in pairs if pair[0] is not None), key=lambda pair: _order(pair[0]))
    if not gaps or not known:
        return known
    as_instant = isinstance(known[0][0], datetime)
    zone = known[0][0].tzinfo if as_instant else None
    blank = [(datetime(each.year, each.month, each.day, tzinfo=zone) if as_instant else each, None) for each in gaps]
    return sorted([*known, *blank], key=lambda pair: pair[0])


def _unzip(pairs: list[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _name_lines(layout: Figure, lines: list[tuple[str, list[Any], list[Any]]], height: int) -> None:
    """Names at the ends of lines where these are few, otherwise a legend."""
    if len(lines) == 1:
        return
    if len(lines) > _END_LABELS:
        layout["showlegend"] = True
        return
    ends = []
    for index, (name, _, ys) in enumerate(lines):
        last = next((number(value) for value in reversed(ys) if value is not None), None)
        if last is not None:
            ends.append((float(last), index, name))
    values = [float(value) for _, _, ys in lines for value in ys if value is not None]
    low, high = min([*values, 0.0]), max([*values, 0.0]) * _HEADROOM
    scale = (height - _AROUND) / ((high - low) or 1.0)
    layout["yaxis"]["range"] = [low, high or 1.0]
    ends.sort()
    pixels = _apart([(value - low) * scale for value, _, _ in ends], height - _AROUND)
    layout["annotations"] = [
        {
            "name": "line-end",
            "xref": "paper",
            "x": 1,
            "xanchor": "left",
            "xshift": 6,
            "y": value,
            "yshift": pixel - (value - low) * scale,
            "text": name,
            "showarrow": False,
            "font": {"color": SERIES[index % len(SERIES)], "size": 12},
        }
        for (value, index, name), pixel in zip(ends, pixels, strict=True)
    ]
    longest = max((len(name) for _, _, name in ends), default=0)
    layout["meta"] = {"right": min(int(longest * _CHARACTER) + 14, _WIDEST_LABEL)}


def _apart(pixels: list[float], highest: float) -> list[float]:
    """Ascending places moved as little as is needed for labels not to overlap, none above the highest."""
    placed: list[float] = []
    for pixel in pixels:
        placed.append(max(pixel, placed[-1] + _LABEL_GAP) if placed else pixel)
    limit = highest
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = min(placed[index], limit)
        limit = placed[index] - _LABEL_GAP
    return placed


def _order(value: Any) -> Any:  # noqa: ANN401 - values of one column compare with each other
    return value if value is not None else ""
