"""What drawings share: the canvas with the query, colours, number formats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pipelines.report import formats
from pipelines.report.charts.specs import ChartSpec
from pipelines.report.results import Column, Query

Figure = dict[str, Any]
SERIES = tuple(f"@series-{number}" for number in range(1, 9))
LINE_HEIGHT, ROW_HEIGHT = 300, 30


@dataclass(frozen=True)
class Drawing:
    """A figure and the height that it needs in pixels; `axis` says what is measured, and in what."""

    figure: Figure
    height: int
    axis: str


@dataclass(frozen=True)
class Canvas:
    """What is drawn: a query with its rows, how, in which currency, and over which days."""

    query: Query
    spec: ChartSpec
    currency: str | None
    period: tuple[date, date] | None

    def column(self, name: str | None) -> Column:
        """A column that the chart draws."""
        found = self.query.column(name or "")
        if found is None:
            raise KeyError(f"{self.query.name} has no column {name}")
        return found

    def axis(self, column: Column, *, alone: bool = True) -> str:
        """What is measured and in what; where a legend names several measures, only in what."""
        unit = {"money": self.currency, "seconds": "seconds", "days": "days"}.get(column.unit or "")
        if not alone:
            return unit or {"share": "share", "count": "number"}.get(column.unit or "", "")
        return column.label + (f", {unit}" if unit and unit not in column.label.split() else "")


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


def place(value: Any) -> Any:  # noqa: ANN401 - any value of a row
    """A value along an axis as JSON has it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return number(value) if formats.is_number(value) else str(value)
