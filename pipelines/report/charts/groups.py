"""Figures of groups: bars and funnels, with other figures of each beside its bar, and clouds of points."""

from __future__ import annotations

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
from pipelines.report.charts.specs import Row
from pipelines.report.results import Column

_BESIDE_HEAD, _PANEL_HEAD, _LEGEND = 34, 26, 30


def bars(canvas: Canvas) -> Drawing:
    """Horizontal bars in the order of the rows, each with its value at its end; a panel for each of a series.

    Where names, values and the figures beside them go is for the page to say,
    which knows their lengths in pixels (`meta`).
    """
    columns = [canvas.column(name) for name in canvas.spec.y]
    rows = canvas.spec.limited(canvas.query.rows)
    parts = _parts(canvas, rows)
    traces: list[Figure] = []
    layout: Figure = {"bargap": 0.35, "showlegend": len(columns) > 1, "annotations": []}
    each = ROW_HEIGHT if len(columns) == 1 else 22 * len(columns)
    head = _PANEL_HEAD if len(parts) > 1 else 0
    height = sum(head + each * max(len(part), 2) for _, part in parts)
    top = height
    for index, (name, part) in enumerate(parts):
        own = str(index + 1) if index else ""
        low = top - head - each * max(len(part), 2)
        traces += _traces(canvas, columns, part, index, own)
        layout[f"xaxis{own}"] = {"visible": False, "anchor": f"y{own}"}
        layout[f"yaxis{own}"] = _names(canvas, part) | {
            "anchor": f"x{own}",
            "domain": [low / height, (top - head) / height],
        }
        if head:
            layout["annotations"].append(_panel_head(name, (top - head) / height))
        top = low
    layout["meta"] = {
        "ends": True,
        "beside": [_beside(canvas, canvas.column(name), rows) for name in canvas.spec.beside],
    }
    above = (_LEGEND if len(columns) > 1 else 0) + (_BESIDE_HEAD if canvas.spec.beside else 0)
    return Drawing(
        {"data": traces, "layout": layout}, 24 + height + above, canvas.axis(columns[0], alone=len(columns) == 1)
    )


def _parts(canvas: Canvas, rows: list[Row]) -> list[tuple[str, list[Row]]]:
    series = canvas.spec.series
    if series is None:
        return [("", rows)]
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(formats.category(row[series], series), []).append(row)
    return list(groups.items())


def _panel_head(name: str, y: float) -> Figure:
    return {
        "name": "panel",
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": y,
        "xanchor": "left",
        "yanchor": "bottom",
        "text": name,
        "showarrow": False,
    }


def _names(canvas: Canvas, rows: list[Row]) -> Figure:
    """The axis of names. Two rows may have one name, and an axis of names would draw them over each other."""
    return {
        "range": [max(len(rows), 2) - 0.5, -0.5],
        "tickmode": "array",
        "tickvals": list(range(len(rows))),
        "ticktext": _labels(canvas, rows),
        "showgrid": False,
    }


def _labels(canvas: Canvas, rows: list[Row]) -> list[str]:
    x, second = canvas.spec.x or "", canvas.spec.label
    return [formats.category(row[x], "") + (f" · {row[second]}" if second and row[second] else "") for row in rows]


def _traces(canvas: Canvas, columns: list[Column], rows: list[Row], part: int, own: str) -> list[Figure]:
    return [
        {
            "type": "bar",
            "orientation": "h",
            "name": column.label,
            "xaxis": f"x{own}",
            "yaxis": f"y{own}",
            "y": list(range(len(rows))),
            # No value is no bar, but a place with a dash where its length would be.
            "x": [number(row[column.name]) or 0 for row in rows],
            "marker": {"color": SERIES[index + part]},
            "text": [formats.compact(row[column.name], column.unit) for row in rows],
            "textposition": "outside",
            "cliponaxis": False,
            "customdata": _labels(canvas, rows),
            "hovertemplate": f"%{{customdata}}<br>{hover_format('x', column.unit, canvas.currency)}"
            f"<extra>{column.label if len(columns) > 1 else ''}</extra>",
        }
        for index, column in enumerate(columns)
    ]


def _beside(canvas: Canvas, column: Column, rows: list[Row]) -> Figure:
    """A column of figures to the right of the bars; growth in the colours of better and worse."""
    values = [row[column.name] for row in rows]
    colours = {True: "@good", False: "@bad"}
    head = canvas.axis(column) if column.unit in {"seconds", "days"} else column.label
    return {
        "head": "growth" if column.unit == "growth" and column.name.endswith("growth") else head,
        "texts": [formats.compact(value, column.unit) for value in values],
        "colours": [colours[value > 0] if column.unit == "growth" and value else "@muted" for value in values],
    }


def funnel(canvas: Canvas) -> Drawing:
    """Steps as bars from top to bottom, each with its part of the first."""
    column = canvas.column(canvas.spec.y[0])
    rows = list(canvas.query.rows)
    first = float(rows[0][column.name] or 0)
    values = [number(row[column.name]) or 0 for row in rows]
    trace: Figure = {
        "type": "bar",
        "orientation": "h",
        "xaxis": "x",
        "yaxis": "y",
        "y": list(range(len(rows))),
        "x": values,
        "marker": {"color": SERIES[0]},
        "text": [
            f"{formats.count(value)}" + (f" · {formats.share(value / first)}" if first else "") for value in values
        ],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": _labels(canvas, rows),
        "hovertemplate": "%{customdata}: %{text}<extra></extra>",
    }
    layout = {
        "xaxis": {"visible": False},
        "yaxis": _names(canvas, rows),
        "bargap": 0.3,
        "meta": {"ends": True, "beside": [_beside(canvas, canvas.column(name), rows) for name in canvas.spec.beside]},
        "annotations": [],
    }
    above = _BESIDE_HEAD if canvas.spec.beside else 0
    return Drawing({"data": [trace], "layout": layout}, 40 + 44 * len(rows) + above, canvas.axis(column))


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
