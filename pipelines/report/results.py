"""The dashboards' results: analytics/bi/dashboards.json and the Parquet file of each query."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import InputError
from common.layout import Layout
from common.storage.files import read_json
from pipelines.report import formats

_DERIVED = re.compile(r"average|_per_|_to_date|price|lowest|highest|_before")
_COUNTED_ONCE = frozenset({"rows", "read", "units", "lines", "left_units"})
_EPOCH = datetime(1970, 1, 1)  # as instants are stored, in UTC
_SAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Period:
    """The days that a result covers, both included."""

    start: date
    end: date


@dataclass(frozen=True)
class Column:
    """A column of a result: its unit is money, count, share, seconds, days, date or None."""

    name: str
    type: str
    unit: str | None

    @property
    def is_number(self) -> bool:
        """Whether it can be drawn along an axis of numbers."""
        return formats.is_numeric(self.unit, self.type)

    @property
    def is_time(self) -> bool:
        """Whether it is a day or an instant."""
        return self.type in {"date", "timestamp"} or self.unit in {"date", "time"}

    @property
    def is_additive(self) -> bool:
        """Whether its values may be added up. Customers, visits or orders of two groups may be the same ones."""
        if self.unit == "money":
            return not _DERIVED.search(self.name)
        return self.unit == "count" and self.name in _COUNTED_ONCE

    @property
    def label(self) -> str:
        """As people read it."""
        return formats.words(self.name)


@dataclass(frozen=True)
class Query:
    """A query of a dashboard with its result.

    Attributes:
        name: The query.
        title: A few words.
        question: What it answers.
        grain: What a row is.
        period: The days that it covers; None for all.
        columns: Its columns.
        rows: Its rows, as dictionaries.
        empty_because: Why there are none, where that is known.
        csv: Its CSV file; None where there is none.
        sql: Its text, where the job says it.
    """

    name: str
    title: str
    question: str
    grain: str
    period: Period | None
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    empty_because: str | None
    csv: Path | None
    sql: str | None

    def column(self, name: str) -> Column | None:
        """A column by its name."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def time_column(self) -> Column | None:
        """The first day or instant, along which its rows are ordered."""
        return next((column for column in self.columns if column.is_time), None)


@dataclass(frozen=True)
class Dashboard:
    """Queries that belong together."""

    name: str
    title: str
    summary: str
    queries: tuple[Query, ...]

    @property
    def key(self) -> str:
        """Its name as part of a file name."""
        return _SAFE.sub("-", self.name)

    def query(self, name: str) -> Query | None:
        """A query by its name."""
        return next((query for query in self.queries if query.name == name), None)


@dataclass(frozen=True)
class Dashboards:
    """All dashboards of a root.

    Attributes:
        as_of: The last day in them.
        run_id: The run that made them.
        period: The days that they cover unless a query says otherwise.
        currency: Of all money.
        dashboards: Each of them.
    """

    as_of: date | None
    run_id: str | None
    period: Period | None
    currency: str | None
    dashboards: tuple[Dashboard, ...]


def read_dashboards(layout: Layout, sql: Mapping[str, str] | None = None) -> Dashboards | None:
    """The newest dashboards of a root, or None when there are none.

    Args:
        layout: The root.
        sql: The text of each query, where it is known.

    Raises:
        InputError: If dashboards.json, or a result that it names, cannot be read.
    """
    directory = layout.local("analytics", "bi")
    index = directory / "dashboards.json"
    if not index.exists():
        return None
    said = read_json(index)
    try:
        return Dashboards(
            as_of=_day(said.get("as_of")),
            run_id=said.get("run_id"),
            period=_period(said.get("period")),
            currency=said.get("currency"),
            dashboards=tuple(_dashboard(each, directory, sql or {}) for each in said["dashboards"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"dashboards.json is not as expected: {type(error).__name__} {error}",
            where=str(index),
            remedy="run ./build.sh run --from bi_dashboards",
        ) from error


def _dashboard(said: Mapping[str, Any], directory: Path, sql: Mapping[str, str]) -> Dashboard:
    queries = tuple(_query(each, directory, sql) for each in said["queries"])
    return Dashboard(str(said["name"]), str(said["title"]), str(said.get("summary") or ""), queries)


def _query(said: Mapping[str, Any], directory: Path, sql: Mapping[str, str]) -> Query:
    columns = tuple(Column(each["name"], str(each["type"]), each.get("unit")) for each in said["columns"])
    csv = directory / said["csv"] if said.get("csv") else None
    query = Query(
        name=str(said["name"]),
        title=str(said["title"]),
        question=str(said.get("question") or ""),
        grain=str(said.get("grain") or ""),
        period=_period(said.get("period")),
        columns=columns,
        rows=(),
        empty_because=said.get("empty_because"),
        csv=csv if csv is not None and csv.is_file() else None,
        sql=said.get("sql") or sql.get(str(said["name"])),
    )
    return replace(query, rows=_rows(directory / said["parquet"], columns)) if said.get("parquet") else query


def _rows(path: Path, columns: tuple[Column, ...]) -> tuple[dict[str, Any], ...]:
    if not path.is_file():
        raise InputError("a result is missing", where=str(path), remedy="run ./build.sh run --from bi_dashboards")
    try:
        # Not read_table, which loads pandas on its way to data sets of many files: a second for nothing.
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"a result cannot be read: {error}", where=str(path), remedy="run ./build.sh run --from bi_dashboards"
        ) from error
    missing = [column.name for column in columns if column.name not in table.column_names]
    if missing:
        raise InputError(
            f"a result lacks {', '.join(missing)}", where=str(path), remedy="run ./build.sh run --from bi_dashboards"
        )
    values = [_values(table[column.name], column) for column in columns]
    names = [column.name for column in columns]
    return tuple(dict(zip(names, row, strict=True)) for row in zip(*values, strict=True))


def _values(column: pa.ChunkedArray, declared: Column) -> list[Any]:
    if not pa.types.is_timestamp(column.type):
        return list(column.to_pylist())
    # Arrow loads pandas, which takes a second, to make instants of a column.
    ticks = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64()).to_pylist()
    moments = [None if tick is None else _EPOCH + timedelta(microseconds=tick) for tick in ticks]
    # A day may be stored as the instant at which it begins.
    return [moment and moment.date() for moment in moments] if declared.unit == "date" else moments


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


def _period(said: Mapping[str, str] | None) -> Period | None:
    if not said or not said.get("from") or not said.get("to"):
        return None
    return Period(date.fromisoformat(said["from"][:10]), date.fromisoformat(said["to"][:10]))
