"""Figures for Plotly. Colours are tokens such as @series-1, which the page replaces by those of its theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from pipelines.report import formats
from pipelines.report.charts.specs import ChartSpec
from pipelines.report.charts.summaries import missing_days
from pipelines.report.results import Column, Query

Figure = dict[str, Any]
SERIES = tuple(f"@series-{number}" for number in range(1, 9))
_LINE_HEIGHT, _ROW_HEIGHT = 300, 30
_END_LABELS = 6
_LABEL_GAP = 15.0
_CHARACTER = 6.6
_WIDEST_LABEL = 150
_CELLS_WITH_TEXT = 80
_LONGEST_TICK = 28
_TICKS = 24


@dataclass(frozen=True)
class Drawing:
    """A figure and the height that it needs in pixels; `axis` says what is measured, and in what."""

    figure: Figure
    height: int
    axis: str


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
    drawer = _Drawer(query, spec, currency, period)
    return {
        "line": drawer.line,
        "columns": drawer.columns,
        "stacked": drawer.columns,
        "bars": drawer.bars,
        "heatmap": drawer.heatmap,
        "funnel": drawer.funnel,
        "scatter": drawer.scatter,
    }[spec.kind]()


def tick_format(unit: str | None) -> str:
    """How an axis writes its values."""
    return ",.2~%" if unit in {"share", "growth"} else "~s" if unit in {"money", "count"} else ",~f"


def hover_format(axis: str, unit: str | None, currency: str | None) -> str:
    """How a value is written where the pointer is."""
    if unit in {"share", "growth"}:
        return f"%{{{axis}:.1%}}"
    if unit == "money":
        return f"%{{{axis}:,.2f}} {currency or ''}".rstrip()
    return (
        f"%{{{axis}:,.0f}}" if unit in {"count", "days"} else f"%{{{axis}:,.3~f}}" + (" s" if unit == "seconds" else "")
    )


def number(value: Any) -> float | int | None:  # noqa: ANN401 - int, float, Decimal or None
    """A value as JSON has it."""
    return None if value is None else value if isinstance(value, int) else float(value)


class _Drawer:
    def __init__(self, query: Query, spec: ChartSpec, currency: str | None, period: tuple[date, date] | None) -> None:
        self._query, self._spec, self._currency, self._period = query, spec, currency, period

    def _column(self, name: str | None) -> Column:
        found = self._query.column(name or "")
        if found is None:
            raise KeyError(f"{self._query.name} has no column {name}")
        return found

    def _axis(self, column: Column, *, alone: bool = True) -> str:
        """What is measured and in what; where a legend names several measures, only in what."""
        unit = {"money": self._currency, "seconds": "seconds", "days": "days"}.get(column.unit or "")
        if not alone:
            return unit or {"share": "share", "count": "number"}.get(column.unit or "", "")
        return column.label + (f", {unit}" if unit and unit not in column.label.split() else "")

    def _lines(self) -> list[tuple[str, list[Any], list[Any]]]:
        """Name, x and y of each line, in the order of their last values, with gaps where days are missing."""
        spec, rows = self._spec, self._query.rows
        x, y = spec.x or "", spec.y[0]
        gaps = missing_days(self._query, *(self._period or (None, None))) if self._column(x).is_time else []
        lines: list[tuple[str, list[tuple[Any, Any]]]]
        if spec.series is not None:
            groups: dict[str, list[tuple[Any, Any]]] = {}
            series = spec.series
            for row in sorted(rows, key=lambda row: str(row[series])):
                groups.setdefault(formats.category(row[series], series), []).append((row[x], row[y]))
            lines = list(groups.items())
        else:
            lines = [(self._column(each).label, [(row[x], row[each]) for row in rows]) for each in spec.y]
        # Days and numbers are put in order; the rows' own order is that of anything else.
        in_order = self._column(x).is_time or self._column(x).is_number
        return [(name, *_unzip(_with_gaps(pairs, gaps) if in_order else pairs)) for name, pairs in lines]

    def line(self) -> Drawing:
        """Lines over time or an ordered category; one alone has its area filled."""
        column = self._column(self._spec.y[0])
        lines = self._lines()
        traces: list[Figure] = []
        for index, (name, xs, ys) in enumerate(lines):
            colour = SERIES[index % len(SERIES)]
            trace: Figure = {
                "type": "scatter",
                "mode": "lines" if len(xs) > 1 else "markers",
                "name": name,
                "x": [_x(value) for value in xs],
                "y": [number(value) for value in ys],
                "line": {"color": colour, "width": 2},
                "marker": {"color": colour, "size": 7},
                "hovertemplate": hover_format("y", column.unit, self._currency),
            }
            if len(lines) == 1:
                trace |= {"fill": "tozeroy", "fillcolor": "@area-1"}
            traces.append(trace)
        layout = self._time_layout(column)
        layout["hovermode"] = "x unified"
        _name_lines(layout, lines, _LINE_HEIGHT)
        title = self._axis(column, alone=bool(self._spec.series) or len(lines) == 1)
        return Drawing({"data": traces, "layout": layout}, _LINE_HEIGHT, title)

    def columns(self) -> Drawing:
        """Columns over time or an ordered category, beside each other or stacked."""
        column = self._column(self._spec.y[0])
        lines = self._lines()
        traces = [
            {
                "type": "bar",
                "name": name,
                "x": [_x(value) for value in xs],
                "y": [number(value) for value in ys],
                "marker": {"color": SERIES[index % len(SERIES)]},
                "hovertemplate": hover_format("y", column.unit, self._currency),
            }
            for index, (name, xs, ys) in enumerate(lines)
        ]
        if self._spec.trend is not None:
            traces = [trace | {"marker": {"color": "@faint-1"}} for trace in traces]
            traces.append(self._trend(self._column(self._spec.trend)))
        layout = self._time_layout(column) | {
            "barmode": "stack" if self._spec.kind == "stacked" else "group",
            "bargap": 0.25,
            "hovermode": "x unified",
            "showlegend": len(traces) > 1,
        }
        title = self._axis(column, alone=len(lines) == 1 or bool(self._spec.series))
        return Drawing({"data": traces, "layout": layout}, _LINE_HEIGHT, title)

    def _trend(self, column: Column) -> Figure:
        x = self._spec.x or ""
        known = sorted((row[x], row[column.name]) for row in self._query.rows if row[column.name] is not None)
        return {
            "type": "scatter",
            "mode": "lines",
            "name": column.label,
            "x": [_x(value) for value, _ in known],
            "y": [number(value) for _, value in known],
            "line": {"color": SERIES[0], "width": 2.5},
            "hovertemplate": hover_format("y", column.unit, self._currency),
        }

    def _time_layout(self, column: Column) -> Figure:
        x = self._column(self._spec.x)
        axis: Figure = {"type": "date" if x.is_time else "category"}
        if x.is_time:
            axis |= self._days_axis(x)
        if x.is_number:
            values = {row[x.name] for row in self._query.rows}
            each = len(values) <= _TICKS and all(isinstance(value, int) for value in values)
            axis = {"type": "linear", "dtick": 1} if each else {"type": "linear", "tickformat": tick_format(x.unit)}
        return {"xaxis": axis, "yaxis": {"rangemode": "tozero", "tickformat": tick_format(column.unit)}}

    def _days_axis(self, column: Column) -> Figure:
        """The range of an axis of days: the whole period, so that a missing end shows, and room for outer columns."""
        known = sorted(row[column.name] for row in self._query.rows if row[column.name] is not None)
        hours = bool(known) and isinstance(known[0], datetime)
        made: Figure = {"hoverformat": "%e %b %Y, %H:%M" if hours else "%e %b %Y"}
        if not known:
            return made
        moments = [datetime(each.year, each.month, each.day, getattr(each, "hour", 0)) for each in known]
        first, last = moments[0], moments[-1]
        if self._period is not None:
            first = min(first, datetime.combine(self._period[0], time.min))
            last = max(last, datetime.combine(self._period[1], time.min))
        steps = [later - earlier for earlier, later in pairwise(moments) if later > earlier]
        room = min(steps, default=timedelta(days=1)) / 2 if self._spec.kind != "line" else timedelta(0)
        if last - room > first + room or room:
            made["range"] = [(first - room).isoformat(), (last + room).isoformat()]
        return made

    def bars(self) -> Drawing:
        """Horizontal bars in the order of the rows, each with its value at its end."""
        columns = [self._column(name) for name in self._spec.y]
        rows = self._ranked(columns[0])
        second = self._spec.label
        # Two rows may have one label, and an axis of labels would draw them over each other.
        labels = [_label(row[self._spec.x or ""], row[second] if second else None) for row in rows]
        traces = [self._bar_trace(column, rows, labels, index) for index, column in enumerate(columns)]
        if self._spec.series is not None:
            kinds = list(dict.fromkeys(str(row[self._spec.series]) for row in rows))
            traces[0]["marker"] = {"color": [SERIES[kinds.index(str(row[self._spec.series]))] for row in rows]}
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
        tall = _ROW_HEIGHT if len(columns) == 1 else 22 * len(columns)
        height = 40 + tall * max(len(rows), 2) + (30 if len(columns) > 1 else 0)
        title = self._axis(columns[0], alone=len(columns) == 1)
        return Drawing({"data": traces, "layout": layout}, height, title)

    def _ranked(self, column: Column) -> list[dict[str, Any]]:
        """The rows that are drawn: as many as the limit says, with a series as many of each."""
        drawn: list[dict[str, Any]] = []
        counts: dict[str, int] = {}
        for row in self._query.rows:
            group = str(row[self._spec.series]) if self._spec.series else ""
            if row[column.name] is not None and counts.get(group, 0) < self._spec.limit:
                counts[group] = counts.get(group, 0) + 1
                drawn.append(row)
        return drawn

    def _bar_trace(self, column: Column, rows: list[dict[str, Any]], labels: list[str], index: int) -> Figure:
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
            "hovertemplate": f"%{{customdata}}<br>{hover_format('x', column.unit, self._currency)}"
            f"<extra>{column.label if len(self._spec.y) > 1 else ''}</extra>",
        }

    def heatmap(self) -> Drawing:
        """A matrix with its values written into the cells where there is room."""
        spec = self._spec
        column = self._column(spec.value)
        x, y = spec.x or "", spec.y[0]
        across, down = (_places([row[name] for row in self._query.rows]) for name in (x, y))
        known = {(row[x], row[y]): number(row[column.name]) for row in self._query.rows}
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
            f"{hover_format('z', column.unit, self._currency)}<extra></extra>",
            "colorbar": {"thickness": 10, "outlinewidth": 0, "tickformat": tick_format(column.unit), "len": 0.9},
        }
        if len(across) * len(down) <= _CELLS_WITH_TEXT:
            in_cells = {"share": "%{z:.0%}", "count": "%{z:,}", "seconds": "%{z:,.0f}"}.get(
                column.unit or "", "%{z:.3~s}"
            )
            trace |= {"texttemplate": in_cells, "showscale": False}
        layout = {
            "xaxis": {"type": "category", "showgrid": False},
            "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False, "dtick": 1},
        }
        title = f"{self._axis(column)}, by {formats.words(y)} (down) and {formats.words(x)} (across)"
        return Drawing({"data": [trace], "layout": layout}, 60 + _ROW_HEIGHT * max(len(down), 3), title)

    def funnel(self) -> Drawing:
        """Steps as bars from top to bottom, each with its part of the first."""
        column = self._column(self._spec.y[0])
        rows = self._query.rows
        first = float(rows[0][column.name] or 0)
        values = [number(row[column.name]) or 0 for row in rows]
        trace: Figure = {
            "type": "bar",
            "orientation": "h",
            "y": [formats.words(str(row[self._spec.x or ""])) for row in rows],
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
        return Drawing({"data": [trace], "layout": layout}, 40 + 44 * len(rows), self._axis(column))

    def scatter(self) -> Drawing:
        """Points by two numbers, each with its name where the pointer is."""
        spec = self._spec
        x, y = self._column(spec.x), self._column(spec.y[0])
        rows = [row for row in self._query.rows if row[x.name] is not None and row[y.name] is not None]
        trace: Figure = {
            "type": "scatter",
            "mode": "markers",
            "x": [number(row[x.name]) for row in rows],
            "y": [number(row[y.name]) for row in rows],
            "marker": {"color": SERIES[0], "size": 8, "opacity": 0.7},
            "customdata": [str(row[spec.label]) if spec.label else "" for row in rows],
            "hovertemplate": f"%{{customdata}}<br>{x.label} {hover_format('x', x.unit, self._currency)}<br>"
            f"{y.label} {hover_format('y', y.unit, self._currency)}<extra></extra>",
        }
        layout = {
            "xaxis": {"tickformat": tick_format(x.unit), "title": {"text": self._axis(x)}},
            "yaxis": {"tickformat": tick_format(y.unit), "rangemode": "tozero"},
        }
        return Drawing({"data": [trace], "layout": layout}, _LINE_HEIGHT + 40, self._axis(y))


def _room_for_losses(traces: Sequence[Figure]) -> Figure:
    """Room left of bars below zero, where their values stand."""
    values = [value for trace in traces for value in trace["x"] if value is not None]
    low, high = min([*values, 0]), max([*values, 0])
    return {"range": [low - 0.2 * (high - low), high + 0.02 * (high - low)]} if low < 0 else {}


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


def _order(value: Any) -> Any:  # noqa: ANN401 - values of one column compare with each other
    return value if value is not None else ""


def _x(value: Any) -> Any:  # noqa: ANN401 - any value of a row
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return number(value) if formats.is_number(value) else str(value)


def _places(values: Sequence[Any]) -> list[Any]:
    """The places along an axis of categories: numbers and days in order, words as the rows have them."""
    known = list(dict.fromkeys(values))
    return known if any(value is None or isinstance(value, str) for value in known) else sorted(known)


def _label(first: Any, second: Any) -> str:  # noqa: ANN401 - any value of a row
    text = formats.category(first, "")
    return f"{text} · {second}" if second is not None else text


def _shorten(label: str) -> str:
    return label if len(label) <= _LONGEST_TICK else label[: _LONGEST_TICK - 1] + "…"


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
    top = (
        max((float(number(value) or 0) for _, _, ys in lines for value in ys if value is not None), default=1.0) or 1.0
    )
    usable = height - 60
    layout["yaxis"]["range"] = [0, top * 1.08]
    position = -_LABEL_GAP
    annotations = []
    for value, index, name in sorted(ends):
        pixel = max(value / (top * 1.08) * usable, position + _LABEL_GAP)
        position = pixel
        annotations.append(
            {
                "name": "line-end",
                "xref": "paper",
                "x": 1,
                "xanchor": "left",
                "xshift": 6,
                "y": value,
                "yshift": pixel - value / (top * 1.08) * usable,
                "text": name,
                "showarrow": False,
                "font": {"color": SERIES[index % len(SERIES)], "size": 12},
            }
        )
    layout["annotations"] = annotations
    longest = max(len(name) for _, _, name in ends) if ends else 0
    layout["meta"] = {"right": min(int(longest * _CHARACTER) + 14, _WIDEST_LABEL)}
