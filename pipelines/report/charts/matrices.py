"""Figures of two categories: matrices, and what is lost from step to step in each group."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from pipelines.report import formats
from pipelines.report.charts.canvas import ROW_HEIGHT, Canvas, Drawing, Figure, hover_format, number, tick_format
from pipelines.report.charts.specs import ChartSpec, Row

_CELLS_WITH_TEXT = 80


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
    title = f"{canvas.axis(column)}, by {formats.words(y)} (down) and {formats.words(x)} (across)"
    return _drawing(trace, title)


def drops(canvas: Canvas) -> Drawing:
    """For each group what part of a step is lost on the way to the next one."""
    spec = canvas.spec
    steps = [canvas.column(name) for name in spec.y]
    column = canvas.column(spec.value)
    groups = [formats.category(row[spec.x or ""], spec.x or "") for row in canvas.query.rows]
    kept = [formats.compact(row[column.name], column.unit) for row in canvas.query.rows]
    trace: Figure = {
        "type": "heatmap",
        "x": [_broken(step.label) for step in steps[1:]],
        "y": [f"{group}<br>{share}" for group, share in zip(groups, kept, strict=True)],
        "z": [[number(each) for each in lost(row, spec)] for row in canvas.query.rows],
        "colorscale": "@heat",
        "xgap": 2,
        "ygap": 2,
        "hoverongaps": False,
        "texttemplate": "%{z:.1%}",
        "showscale": False,
        "hovertemplate": "%{y}<br>lost before %{x}: %{z:.1%}<extra></extra>",
    }
    return _drawing(
        trace, f"lost on the way to each step, as part of the step before; {column.label} below each name", 44
    )


def lost(row: Row, spec: ChartSpec) -> list[Decimal | None]:
    """What part of each step does not come to the next one."""
    return [
        1 - Decimal(row[after]) / Decimal(row[before]) if row[before] and row[after] is not None else None
        for before, after in pairwise(spec.y)
    ]


def _drawing(trace: Figure, title: str, row: int = ROW_HEIGHT) -> Drawing:
    layout = {
        "xaxis": {
            "type": "category",
            "showgrid": False,
            "tickmode": "array",
            "tickvals": trace["x"],
            "ticktext": trace["x"],
        },
        "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False, "dtick": 1},
    }
    return Drawing({"data": [trace], "layout": layout}, 60 + row * max(len(trace["y"]), 3), title)


def _broken(label: str) -> str:
    """In two lines: a phone has little room beside each other."""
    first, _, rest = label.partition(" ")
    return f"{first}<br>{rest}" if rest else first


def _places(values: Sequence[Any]) -> list[Any]:
    """The places along an axis of categories: numbers and days in order, words as the rows have them."""
    known = list(dict.fromkeys(values))
    return known if any(value is None or isinstance(value, str) for value in known) else sorted(known)
