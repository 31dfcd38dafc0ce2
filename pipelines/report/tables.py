"""Tables as the pages show them: text beside the value that sorting and CSV use."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report import formats

_ROWS_SHOWN = 2000


@dataclass(frozen=True)
class Head:
    """A column's head.

    Attributes:
        name: As in CSV.
        label: As people read it.
        unit: money, count, share, seconds, days, date or None.
        is_number: Whether it is aligned and sorted as a number.
        note: The currency, or another unit that the cells leave out.
    """

    name: str
    label: str
    unit: str | None = None
    is_number: bool = False
    note: str | None = None


@dataclass(frozen=True)
class Cell:
    """A value: as text, and as it is sorted. `mark` is a class for a state such as failed; `href` makes it a link."""

    text: str
    value: str
    mark: str | None = None
    href: str | None = None


@dataclass(frozen=True)
class Table:
    """A table of a page.

    Attributes:
        name: Identifies it on its page.
        caption: What it shows.
        heads: Its columns.
        rows: Its rows.
        csv: The path of its CSV file relative to the page.
    """

    name: str
    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    csv: str

    @property
    def shown(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows that a page shows; the CSV file has all."""
        return self.rows[:_ROWS_SHOWN]


def number(name: str, unit: str = "count", label: str | None = None, note: str | None = None) -> Head:
    """The head of a column of numbers."""
    return Head(name, label or formats.words(name), unit, is_number=True, note=note)


def text(name: str, label: str | None = None) -> Head:
    """The head of a column of text."""
    return Head(name, label or formats.words(name))


def of_values(name: str, caption: str, heads: Sequence[Head], rows: Iterable[Sequence[Any]], csv_path: str) -> Table:
    """A table of plain values or of ready cells.

    Args:
        name: Identifies it on its page.
        caption: What it shows.
        heads: Its columns.
        rows: A value, or a `Cell`, for each column.
        csv_path: Where its CSV file is, relative to the page.
    """
    made = [tuple(_cell(value, head) for value, head in zip(row, heads, strict=True)) for row in rows]
    return Table(name, caption, tuple(heads), tuple(made), csv_path)


def _cell(value: Any, head: Head) -> Cell:  # noqa: ANN401 - any value that a query may give
    if isinstance(value, Cell):
        return value
    return Cell(formats.cell(value, head.unit), formats.plain(value))


def csv_text(table: Table) -> str:
    """A table as CSV, values as machines read them."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([head.name for head in table.heads])
    writer.writerows([[cell.value for cell in row] for row in table.rows])
    return out.getvalue()
