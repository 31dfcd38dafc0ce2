"""A result of one row, whose columns are figures now and before, as a table with a row for each figure."""

from __future__ import annotations

from typing import Any

from pipelines.report import formats
from pipelines.report.kpis import change
from pipelines.report.results import Column, Query
from pipelines.report.tables import Cell, Head, Table, of_values

_BEFORE, _GROWTH = "_before", "_growth"
_FEWEST = 4
_LARGE = 10_000


def is_glance(query: Query) -> bool:
    """Whether a result is one row with figures of the period before beside those of now."""
    figures = [column for column in query.columns if column.is_number]
    return len(query.rows) == 1 and len(figures) >= _FEWEST and any(each.name.endswith(_BEFORE) for each in figures)


def glance_table(query: Query, csv_path: str, currency: str | None) -> Table:
    """Figure, now, before and change: as wide as a phone, where a row of twenty columns is as wide as no screen.

    Args:
        query: With its one row.
        csv_path: Where its CSV file is, relative to the page; it has the row as the query gave it.
        currency: Of money.
    """
    row = query.rows[0]
    heads = (
        Head("figure", "figure"),
        Head("now", "now", is_number=True),
        Head("before", "before", is_number=True),
        Head("change", "change", is_number=True),
    )
    rows = [
        (
            column.label + (f", {currency}" if column.unit == "money" and currency else ""),
            _figure(row[column.name], column),
            _figure(row.get(column.name + _BEFORE), column),
            _moved(row[column.name], row.get(column.name + _BEFORE), column),
        )
        for column in query.columns
        if column.is_number and not column.name.endswith((_BEFORE, _GROWTH))
    ]
    return of_values(query.name, query.title, heads, rows, csv_path)


def _figure(value: Any, column: Column) -> Cell:  # noqa: ANN401 - any value of a row
    is_large = column.unit == "money" and value is not None and abs(value) >= _LARGE
    return Cell(formats.count(value) if is_large else formats.cell(value, column.unit), formats.plain(value))


def _moved(now: Any, before: Any, column: Column) -> Cell:  # noqa: ANN401 - any value of a row
    moved = change(now, before, column.unit, None, "")
    if moved is None:
        return Cell(formats.NO_VALUE, "")
    by = float(now) - float(before) if column.unit == "share" else float(now) / float(before) - 1
    return Cell(moved.size, f"{by:.4f}")
