"""What sentences about charts share: values and places as people say them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report import formats
from pipelines.report.charts.buckets import grain_of, name
from pipelines.report.charts.specs import ChartSpec, Row
from pipelines.report.results import Column, Query


@dataclass(frozen=True)
class Wording:
    """The words for a query: its values with their units, its rows with their names."""

    query: Query
    currency: str | None

    def say(self, value: Any, column: Column | None) -> str:  # noqa: ANN401 - any value of a row
        """A value with its unit."""
        return formats.prose(value, column.unit if column else None, self.currency)

    def place(self, value: Any, x: str) -> str:  # noqa: ANN401 - any value of a row
        """A place along an axis."""
        column = self.query.column(x)
        if x == "months_since" and isinstance(value, int):
            return f"after {formats.plural(value, 'month')}"
        if column is not None and column.is_number and x not in {"weekday", "hour_of_day"}:
            return f"{column.label} {self.say(value, column)}"
        if grain_of(x) is not None and not isinstance(value, str):
            return name(value, x)
        if isinstance(value, str) or x in {"weekday", "hour_of_day"}:
            return formats.category(value, x)
        return self.say(value, column)

    def extremes(self, column: Column, rows: Sequence[Row], named: Callable[[Row], str]) -> str | None:
        """The highest and the lowest row; None where all are equal."""
        highest = max(rows, key=lambda row: row[column.name])
        lowest = min(rows, key=lambda row: row[column.name])
        if highest[column.name] == lowest[column.name]:
            return None
        return (
            f"highest {self.say(highest[column.name], column)} ({named(highest)}{tied(rows, highest, column.name)}), "
            f"lowest {self.say(lowest[column.name], column)} ({named(lowest)}{tied(rows, lowest, column.name)})"
        )


def tied(rows: Sequence[Row], row: Row, name: str) -> str:
    """How many more rows have the figure of a row."""
    others = sum(each[name] == row[name] for each in rows) - 1
    return f" and {others} more" if others else ""


def row_name(row: Row, spec: ChartSpec) -> str:
    """The name of a bar."""
    second = row[spec.label] if spec.label else None
    return formats.category(row[spec.x or ""], spec.x or "") + (f" · {second}" if second else "")


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return text[:1].upper() + text[1:] + "."
