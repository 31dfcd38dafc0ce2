"""Figures for Plotly. Colours are tokens such as @series-1, which the page replaces by those of its theme."""

from __future__ import annotations

from datetime import date

from pipelines.report.charts.canvas import Canvas, Drawing
from pipelines.report.charts.courses import columns, line
from pipelines.report.charts.groups import bars, funnel, scatter
from pipelines.report.charts.matrices import drops, heatmap
from pipelines.report.charts.specs import ChartSpec
from pipelines.report.results import Query

_DRAWERS = {
    "line": line,
    "columns": columns,
    "stacked": columns,
    "bars": bars,
    "heatmap": heatmap,
    "funnel": funnel,
    "drops": drops,
    "scatter": scatter,
}


def draw(query: Query, spec: ChartSpec, currency: str | None, period: tuple[date, date] | None) -> Drawing | None:
    """The figure of a query, or None when there is nothing to draw.

    Args:
        query: With its rows.
        spec: What to draw.
        currency: Of money.
        period: First and last day of the axis of time.
    """
    if spec.kind == "table" or not query.rows:
        return None
    return _DRAWERS[spec.kind](Canvas(query, spec, currency, period))
