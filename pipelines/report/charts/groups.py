"""Figures of groups: bars, matrices, funnels, clouds of points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.report import formats
from pipelines.report.charts.canvas import (
    LINE_HEIGHT,
    ROW_HEIGHT,
    SERIES,
    Canvas,
    Drawing,
    Figure,
    hover_format,
    number,
    tick_format,
)
from pipelines.report.results import Column

_CELLS_WITH_TEXT = 80
_LONGEST_TICK = 28


def bars(canvas: Canvas) -> Drawing:
    """Horizontal bars in the order of the rows, each with its value at its end."""
    columns = [canvas.column(name) for name in canvas.spec.y]
    rows = _ranked(canvas, columns[0])
    second = canvas.spec.label
    # Two rows may have one label, and an axis of labels would draw them over each other.
    labels = [_label(row[canvas.spec.x or ""], row[second] if second else None) for row in rows]
    traces = [_bar_trace(canvas, column, rows, labels, index) for index, column in enumerate(columns)]
    if canvas.spec.series is not None:
        kinds = list(dict.fromkeys(str(row[canvas.spec.series]) for row in rows))
        traces[0]["marker"] = {"color": [SERIES[kinds.index(str(row[canvas.spec.series]))] for row in rows]}
    layout = {
        "xaxis": {"visible": False, "rangemode": "tozero", **_room_for_losses(traces)},
        "yaxis": {
            "autorange": "reversed",
            "tickmode": "array",
            "tickvals": list(range(len(rows))),
            "ticktext": [_shorten(label) for label in labels],
            "showgrid": False,
        },
        "bargap": 0.35,
        "showlegend": len(columns) > 1,
        "meta": {"ends": True},
    }
    tall = ROW_HEIGHT if len(columns) == 1 else 22 * len(columns)
    height = 40 + tall * max(len(rows), 2) + (30 if len(columns) > 1 else 0)
    title = canvas.axis(columns[0], alone=len(columns) == 1)
    return Drawing({"data": traces, "layout": layout}, height, title)


def _ranked(canvas: Canvas, column: Column) -> list[dict[str, Any]]:
    """The rows that are drawn: as many as the limit says, with a series as many of each."""
    drawn: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    for row in canvas.query.rows:
        group = str(row[canvas.spec.series]) if canvas.spec.series else ""
        if row[column.name] is not None and counts.get(group, 0) < canvas.spec.limit:
            counts[group] = counts.get(group, 0) + 1
            drawn.append(row)
    return drawn


def _bar_trace(canvas: Canvas, column: Column, rows: list[dict[str, Any]], labels: list[str], index: int) -> Figure:
    return {
        "type": "bar",
        "orientation": "h",
        "name": column.label,
        "y": list(range(len(rows))),
        "x": [number(row[column.name]) for row in rows],
        "marker": {"color": SERIES[index]},
        "text": [formats.compact(row[column.name], column.unit) for row in rows],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": labels,
        "hovertemplate": f"%{{customdata}}<br>{hover_format('x', column.unit, canvas.currency)}"
        f"<extra>{column.label if len(canvas.spec.y) > 1 else ''}</extra>",
    }


def heatmap(canvas: Canvas) -> Drawing:
    """A matrix with its values written into the cells where there is room."""
    spec = canvas.spec
    column = canvas.column(spec.value)
    x, y = spec.x or "", spec.y[0]
    across, down = (_places([row[name] for row in canvas.query.rows]) for name in (x, y))
    known = {(row[x], row[y]): number(row[column.name]) for row in canvas.query.rows}
    trace: Figure = {
        "type": "heatmap",
        "x": [formats.category(value, x) for value in across],
        "y": [formats.category(value, y) for value in down],
        "z": [[known.get((right, low)) for right in across] for low in down],
        "colorscale": "@heat",
        "xgap": 2,
        "ygap": 2,
        "hoverongaps": False,
        "hovertemplate": f"{formats.words(y)} %{{y}}, {formats.words(x)} %{{x}}<br>"
        f"{hover_format('z', column.unit, canvas.currency)}<extra></extra>",
        "colorbar": {"thickness": 10, "outlinewidth": 0, "tickformat": tick_format(column.unit), "len": 0.9},
    }
    if len(across) * len(down) <= _CELLS_WITH_TEXT:
        in_cells = {"share": "%{z:.0%}", "count": "%{z:,}", "seconds": "%{z:,.0f}"}.get(column.unit or "", "%{z:.3~s}")
        trace |= {"texttemplate": in_cells, "showscale": False}
    layout = {
        "xaxis": {"type": "category", "showgrid": False},
        "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False, "dtick": 1},
    }
    title = f"{canvas.axis(column)}, by {formats.words(y)} (down) and {formats.words(x)} (across)"
    return Drawing({"data": [trace], "layout": layout}, 60 + ROW_HEIGHT * max(len(down), 3), title)


def funnel(canvas: Canvas) -> Drawing:
    """Steps as bars from top to bottom, each with its part of the first."""
    column = canvas.column(canvas.spec.y[0])
    rows = canvas.query.rows
    first = float(rows[0][column.name] or 0)
    values = [number(row[column.name]) or 0 for row in rows]
    trace: Figure = {
        "type": "bar",
        "orientation": "h",
        "y": [formats.words(str(row[canvas.spec.x or ""])) for row in rows],
        "x": values,
        "marker": {"color": SERIES[0]},
        "text": [
            f"{formats.count(value)}" + (f" · {formats.share(value / first)}" if first else "") for value in values
        ],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    layout = {
        "xaxis": {"visible": False, "rangemode": "tozero"},
        "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False},
        "bargap": 0.3,
        "meta": {"ends": True},
    }
    return Drawing({"data": [trace], "layout": layout}, 40 + 44 * len(rows), canvas.axis(column))


def scatter(canvas: Canvas) -> Drawing:
    """Points by two numbers, each with its name where the pointer is."""
    spec = canvas.spec
    x, y = canvas.column(spec.x), canvas.column(spec.y[0])
    rows = [row for row in canvas.query.rows if row[x.name] is not None and row[y.name] is not None]
    trace: Figure = {
        "type": "scatter",
        "mode": "markers",
        "x": [number(row[x.name]) for row in rows],
        "y": [number(row[y.name]) for row in rows],
        "marker": {"color": SERIES[0], "size": 8, "opacity": 0.7},
        "customdata": [str(row[spec.label]) if spec.label else "" for row in rows],
        "hovertemplate": f"%{{customdata}}<br>{x.label} {hover_format('x', x.unit, canvas.currency)}<br>"
        f"{y.label} {hover_format('y', y.unit, canvas.currency)}<extra></extra>",
    }
    layout = {
        "xaxis": {"tickformat": tick_format(x.unit), "title": {"text": canvas.axis(x)}},
        "yaxis": {"tickformat": tick_format(y.unit), "rangemode": "tozero"},
    }
    return Drawing({"data": [trace], "layout": layout}, LINE_HEIGHT + 40, canvas.axis(y))


def _room_for_losses(traces: Sequence[Figure]) -> Figure:
    """Room left of bars below zero, where their values stand."""
    values = [value for trace in traces for value in trace["x"] if value is not None]
    low, high = min([*values, 0]), max([*values, 0])
    return {"range": [low - 0.2 * (high - low), high + 0.02 * (high - low)]} if low < 0 else {}


def _places(values: Sequence[Any]) -> list[Any]:
    """The places along an axis of categories: numbers and days in order, words as the rows have them."""
    known = list(dict.fromkeys(values))
    return known if any(value is None or isinstance(value, str) for value in known) else sorted(known)


def _label(first: Any, second: Any) -> str:  # noqa: ANN401 - any value of a row
    text = formats.category(first, "")
    return f"{text} · {second}" if second is not None else text


def _shorten(label: str) -> str:
    return label if len(label) <= _LONGEST_TICK else label[: _LONGEST_TICK - 1] + "…"
