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
_OF_THE_TABLE = ("table_", "column_mean_", "column_stdev_")


@dataclass(frozen=True)
class Break:
    """A change of the good frame; `one & other` is both at once.

    Attributes:
        fails: Labels of all the expectations that are not met any more, with the number of values that are unexpected,
            or None where the table or column as a whole is.
        edits: Other values of the last row, of the one before it, and so on.
        many: Columns whose values are others in the first rows.
        rows: How many rows are left.
        repeated: Values in which a copy of a row differs from it, if there is to be one.
        is_plain: Whether the values that are just tolerated are left out, so that they do not fail as well.
        parameters: What the suite is told instead.
    """

    fails: Mapping[str, int | None]
    edits: Sequence[Mapping[str, Any]] = ()
    many: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    rows: int = ROWS
    repeated: Mapping[str, Any] | None = None
    is_plain: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __and__(self, other: Break) -> Break:
        """Both at once."""
        counts = dict(self.fails)
        for label, count in other.fails.items():
            before = counts.get(label, 0)
            assert before == 0 or (before and count), f"each would hide whether the other breaks {label}"
            counts[label] = count if count is None else (before or 0) + count
        assert self.repeated is None or other.repeated is None
        return Break(
            counts,
            (*self.edits, *other.edits),
            {**self.many, **other.many},
            min(self.rows, other.rows),
            other.repeated if self.repeated is None else self.repeated,
            self.is_plain or other.is_plain,
            {**self.parameters, **other.parameters},
        )


@dataclass(frozen=True)
class Case:
    """A suite, a frame of a hundred rows at its limits, and what breaks each of its expectations.

    Attributes:
        suite: The file's name.
        schema: Columns and types as DDL.
        row: The values of a row by its number.
        breaks: Together they break all expectations.
        parameters: What the suite is told.
        tolerated: Columns whose values are others in the first rows, which is just accepted.
    """

    suite: str
    schema: str
    row: Callable[[int], Row]
    breaks: Sequence[Break]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tolerated: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def good(self, *, is_plain: bool = False) -> list[Row]:
        """The rows that the suite accepts."""
        return _edited([self.row(number) for number in range(ROWS)], {} if is_plain else self.tolerated)

    def broken(self, change: Break) -> list[Row]:
        """The rows that it does not."""
        rows = _edited(self.good(is_plain=change.is_plain), change.many)[: change.rows]
        for place, edit in enumerate(change.edits, start=1):
            rows[-place] |= edit
        return rows if change.repeated is None else [*rows, {**rows[len(rows) // 2], **change.repeated}]


def fails(*labels: str, last: Mapping[str, Any] | None = None, count: int | None = None, **more: Any) -> Break:
    """A change that breaks exactly these, by the last row or by as many as there are other values for."""
    if count is None:
        count = max((len(values) for values in more.get("many", {}).values()), default=1)
    counts = {label: None if label.removeprefix("~").startswith(_OF_THE_TABLE) else count for label in labels}
    return Break(counts, [last] if last else (), **more)


def no_nulls(*columns: str) -> Break:
    """Nulls in the last row."""
    return fails(*(f"not_be_null {name}" for name in columns), last=dict.fromkeys(columns), is_plain=True)


def too_few() -> Break:
    """Fewer rows than usual, by one if there is one twice."""
    return fails("~table_row_count_to_be_between", parameters={"rows_usual": ROWS + 2})


def between(**values: Any) -> Break:
    """Values that lie just beyond a limit: one for a row, or several."""
    return _each("be_between", values)


def in_set(**values: Any) -> Break:
    """Values that are none of those allowed: one for a row, or several."""
    return _each("be_in_set", values)


def matching(**values: Any) -> Break:
    """Values that do not match: one for a row, or several."""
    return _each("match_regex", values)


def _each(kind: str, values: Mapping[str, Any]) -> Break:
    listed = {name: value if isinstance(value, list | tuple) else [value] for name, value in values.items()}
    edits: list[Row] = [{} for _ in range(max(map(len, listed.values())))]
    for name, several in listed.items():
        for edit, value in zip(edits, several, strict=False):
            edit[name] = value
    return Break({f"{kind} {name}": len(several) for name, several in listed.items()}, edits)


def twice(*labels: str, **others: Any) -> Break:
    """A row again, with other values in columns that are no part of its key."""
    both = {label: count and 2 for label, count in fails(*labels).fails.items()}
    return Break(both, repeated=others)


def either(number: int, low: Any, high: Any) -> Any:
    """The lowest value and the highest one by turns."""
    return low if number % 2 else high


def key(number: int, *names: str) -> dict[str, str]:
    """Values of a compound key: two rows or more have the same ones in any of its columns but one."""
    first, *others = names
    found = {}
    for name in others:
        number, digit = divmod(number, 5)
        found[name] = f"{name} {digit}"
    return {first: f"{first} {number}", **found}


def _edited(rows: list[Row], many: Mapping[str, Sequence[Any]]) -> list[Row]:
    return [
        {**row, **{name: values[number] for name, values in many.items() if number < len(values)}}
        for number, row in enumerate(rows)
    ]
