"""Axes of figures along time or an ordered category, and the names at the ends of their lines."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any

from pipelines.report import formats
from pipelines.report.charts.buckets import grain_of, tick_texts
from pipelines.report.charts.canvas import SERIES, Canvas, Figure, number, place, tick_format
from pipelines.report.results import Column

Line = tuple[str, list[Any], list[Any]]
_END_LABELS = 6
_LABEL_GAP = 15.0
_ABOVE_AXIS = 8.0
_TICKS = 31
_AROUND, _HEADROOM = 60, 1.08


def across(canvas: Canvas) -> Figure:
    """The horizontal axis."""
    x = canvas.column(canvas.spec.x)
    if x.is_time:
        return {"type": "date", **_time_axis(canvas, x)}
    if x.is_number:
        values = sorted({row[x.name] for row in canvas.query.rows if row[x.name] is not None})
        if len(values) <= _TICKS and all(isinstance(value, int) for value in values):
            texts = [formats.category(value, x.name) for value in values]
            return {"type": "linear", "tickmode": "array", "tickvals": values, "ticktext": texts}
        return {"type": "linear", "tickformat": tick_format(x.unit)}
    names = list(dict.fromkeys(place(row[x.name]) for row in canvas.query.rows))
    return {"type": "category", "tickmode": "array", "tickvals": names, "ticktext": names}


def _time_axis(canvas: Canvas, column: Column) -> Figure:
    """Its range and its ticks.

    Days take the whole period, so that a missing end shows. Weeks and months
    end with the last one, whose own end may lie behind that of the period.
    """
    known = sorted({row[column.name] for row in canvas.query.rows if row[column.name] is not None})
    made: Figure = {"hoverformat": "%e %b %Y, %H:%M" if known and isinstance(known[0], datetime) else "%e %b %Y"}
    if not known:
        return made
    moments = [datetime(each.year, each.month, each.day, getattr(each, "hour", 0)) for each in known]
    first, last = moments[0], moments[-1]
    grain = grain_of(column.name)
    if grain is not None:
        made |= {"tickmode": "array", "tickvals": [place(each) for each in known], "ticktext": tick_texts(known, grain)}
    elif canvas.period is not None:
        first = min(first, datetime.combine(canvas.period[0], time.min))
        last = max(last, datetime.combine(canvas.period[1], time.min))
    steps = [later - earlier for earlier, later in pairwise(moments) if later > earlier]
    usual = {"week": timedelta(days=7), "month": timedelta(days=28)}.get(grain or "", timedelta(days=1))
    room = min(steps, default=usual) / 2 if canvas.spec.kind != "line" else timedelta(0)
    if last - room > first + room or room:
        made["range"] = [(first - room).isoformat(), (last + room).isoformat()]
    return made


def panels(canvas: Canvas, layout: Figure, height: int, each: int) -> int:
    """Lay out a panel for the main figure and one for each column below it; the height of them all."""
    below = [canvas.column(name) for name in canvas.spec.below]
    if not below:
        return height
    whole = height + each * len(below)
    top = height / whole
    layout["yaxis"]["domain"] = [1 - top + 0.02, 1]
    layout.setdefault("annotations", [])
    for index, column in enumerate(below):
        low = (len(below) - 1 - index) * each / whole
        high = low + each / whole
        layout[f"yaxis{index + 2}"] = {
            "domain": [low, high - 34 / whole],
            "anchor": "x",
            "tickformat": tick_format(column.unit),
            "rangemode": "tozero",
            "nticks": 4,
        }
        layout["annotations"].append(
            {
                "name": "panel",
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": high - 34 / whole,
                "xanchor": "left",
                "yanchor": "bottom",
                "text": canvas.axis(column),
                "showarrow": False,
            }
        )
    layout["xaxis"]["anchor"] = "free"
    layout["xaxis"]["position"] = 0
    layout["hoversubplots"] = "axis"
    return whole


def name_lines(layout: Figure, lines: list[Line], height: int) -> None:
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


def _apart(pixels: list[float], highest: float) -> list[float]:
    """Ascending places moved as little as is needed for labels not to overlap, nor to leave the plot."""
    placed: list[float] = []
    for pixel in pixels:
        placed.append(max(pixel, placed[-1] + _LABEL_GAP) if placed else max(pixel, _ABOVE_AXIS))
    limit = highest
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = min(placed[index], limit)
        limit = placed[index] - _LABEL_GAP
    return placed
