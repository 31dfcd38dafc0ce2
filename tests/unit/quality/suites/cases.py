"""Frames that a shipped suite accepts, and edits of them that it refuses.

Labels of expectations are their type without `expect_` and `column_values_to_`, and their columns, with `~` before one
that only warns: `not_be_null user_id`, `~table_row_count_to_be_between`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ROWS = 100
Row = dict[str, Any]


@dataclass(frozen=True)
class Break:
    """A change of the good frame.

    Attributes:
        fails: Labels of all the expectations that are not met any more.
        last: Other values of the last row.
        many: Columns whose value is another one in the first so many rows.
        rows: How many rows are left.
        is_repeated: Whether the last row is there twice.
        is_plain: Whether the values that are just tolerated are left out, so that they do not fail as well.
        parameters: What the suite is told instead.
    """

    fails: frozenset[str]
    last: Mapping[str, Any] = field(default_factory=dict)
    many: Mapping[str, tuple[Any, int]] = field(default_factory=dict)
    rows: int = ROWS
    is_repeated: bool = False
    is_plain: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A suite, a frame of a hundred rows at its limits, and what breaks each of its expectations.

    Attributes:
        suite: The file's name.
        schema: Columns and types as DDL.
        row: The values of a row by its number.
        breaks: Together they break all expectations.
        parameters: What the suite is told.
        tolerated: Columns whose value is another one in the first so many rows, which is just accepted.
    """

    suite: str
    schema: str
    row: Callable[[int], Row]
    breaks: Sequence[Break]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tolerated: Mapping[str, tuple[Any, int]] = field(default_factory=dict)

    def good(self, *, is_plain: bool = False) -> list[Row]:
        """The rows that the suite accepts."""
        return _edited([self.row(number) for number in range(ROWS)], {} if is_plain else self.tolerated)

    def broken(self, change: Break) -> list[Row]:
        """The rows that it does not."""
        rows = _edited(self.good(is_plain=change.is_plain), change.many)[: change.rows]
        if change.last:
            rows[-1] |= change.last
        return [*rows, rows[-1]] if change.is_repeated else rows


def fails(*labels: str, last: Mapping[str, Any] | None = None, **more: Any) -> Break:
    """A change that breaks exactly these."""
    return Break(frozenset(labels), last or {}, **more)


def no_nulls(*columns: str) -> Break:
    """Nulls in the last row."""
    return fails(*(f"not_be_null {name}" for name in columns), last=dict.fromkeys(columns), is_plain=True)


def too_few() -> Break:
    """Fewer rows than usual."""
    return fails("~table_row_count_to_be_between", parameters={"rows_usual": ROWS + 1})


def between(**values: Any) -> Break:
    """Values of the last row that lie just beyond a limit."""
    return fails(*(f"be_between {name}" for name in values), last=values)


def in_set(**values: Any) -> Break:
    """Values of the last row that are none of those allowed."""
    return fails(*(f"be_in_set {name}" for name in values), last=values)


def matching(**values: Any) -> Break:
    """Values of the last row that do not match."""
    return fails(*(f"match_regex {name}" for name in values), last=values)


def either(number: int, low: Any, high: Any) -> Any:
    """The lowest value and the highest one by turns."""
    return low if number % 2 else high


def _edited(rows: list[Row], many: Mapping[str, tuple[Any, int]]) -> list[Row]:
    return [
        {**row, **{name: value for name, (value, count) in many.items() if number < count}}
        for number, row in enumerate(rows)
    ]
