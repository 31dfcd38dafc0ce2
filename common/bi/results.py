"""The answers as files, and the index by which they are found."""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from common.bi.catalogue import Dashboard, Query
from common.bi.periods import Period
from common.layout import Layout
from common.quality.accounting import expect_equal
from common.storage.files import read_json, write_atomically, write_json

_INDEX = "dashboards.json"


@dataclass(frozen=True)
class Answer:
    """What a query gave.

    Attributes:
        query: The question.
        period: The days it was asked of; None where the state at the end of the data was.
        rows: The rows, in the order of the query.
        types: Spark's name of each column's type.
        empty_because: Why there are none; None where there are some.
    """

    query: Query
    period: Period | None
    rows: pa.Table
    types: tuple[str, ...]
    empty_because: str | None = None


@dataclass(frozen=True)
class ColumnEntry:
    """A column in the index."""

    name: str
    type: str
    unit: str
    signed: bool


@dataclass(frozen=True)
class QueryEntry:
    """A query in the index; `parquet` and `csv` are relative to analytics/bi."""

    name: str
    title: str
    question: str
    grain: str
    key: tuple[str, ...]
    period: Mapping[str, str] | None
    columns: tuple[ColumnEntry, ...]
    rows: int
    empty_because: str | None
    parquet: str
    csv: str


@dataclass(frozen=True)
class DashboardEntry:
    """A dashboard in the index."""

    name: str
    title: str
    summary: str
    queries: tuple[QueryEntry, ...]


@dataclass(frozen=True)
class Index:
    """analytics/bi/dashboards.json.

    Attributes:
        as_of: The newest business day in the data, ISO.
        run_id: The run that computed the answers.
        period: The days that most queries ask about.
        currency: Of all amounts.
        time_zone: Of the business day.
        origin: What the answers were made from; the same again would give the same.
        dashboards: What there is to see.
    """

    as_of: str
    run_id: str
    period: Mapping[str, str]
    currency: str
    time_zone: str
    origin: Mapping[str, Any]
    dashboards: tuple[DashboardEntry, ...]


def directory(layout: Layout) -> Path:
    """Where the answers are."""
    return layout.local("analytics", "bi")


def read_index(layout: Layout) -> Index | None:
    """The index; None where the job has not run.

    Raises:
        InputError: If it cannot be read.
    """
    path = directory(layout) / _INDEX
    if not path.exists():
        return None
    loaded = read_json(path)
    dashboards = tuple(
        DashboardEntry(**{**entry, "queries": tuple(_query_entry(query) for query in entry["queries"])})
        for entry in loaded["dashboards"]
    )
    return Index(**{**loaded, "dashboards": dashboards})


def has_all_files(layout: Layout, index: Index) -> bool:
    """Whether each file that the index names is there."""
    files = [name for each in index.dashboards for query in each.queries for name in (query.parquet, query.csv)]
    return all((directory(layout) / name).is_file() for name in files)


def entry_of(dashboard: Dashboard, answers: Mapping[str, Answer]) -> DashboardEntry:
    """A dashboard as the index shows it.

    Args:
        dashboard: From the catalogue.
        answers: By query.
    """
    queries = tuple(_entry(dashboard.name, answers[query.name]) for query in dashboard.queries)
    return DashboardEntry(dashboard.name, dashboard.title, dashboard.summary, queries)


def write_answers(layout: Layout, index: Index, answers: Mapping[str, Answer]) -> None:
    """Write the files, then the index, and then remove what no index names any more.

    Raises:
        AccountError: If a file does not hold the rows that were gated.
        UnwritableRootError: If the directory cannot be written.
    """
    base = directory(layout)
    entries = [query for dashboard in index.dashboards for query in dashboard.queries]
    for entry in entries:
        rows = answers[entry.name].rows
        write_atomically(base / entry.parquet, _parquet(rows))
        write_atomically(base / entry.csv, _csv(rows))
        held = pq.read_metadata(base / entry.parquet).num_rows
        expect_equal(f"rows of {entry.name}", rows.num_rows, held, where=str(base / entry.parquet))
    write_json(base / _INDEX, asdict(index))
    wanted = {(base / entry.parquet).parent for entry in entries}
    for outdated in {path.parent for path in base.glob("*/*/data.*")} - wanted:
        shutil.rmtree(outdated)
        if not any(outdated.parent.iterdir()):
            outdated.parent.rmdir()


def _entry(dashboard: str, answer: Answer) -> QueryEntry:
    query = answer.query
    columns = tuple(
        ColumnEntry(column.name, kind, column.unit, column.is_signed)
        for column, kind in zip(query.columns, answer.types, strict=True)
    )
    return QueryEntry(
        name=query.name,
        title=query.title,
        question=query.question,
        grain=query.grain,
        key=query.key,
        period=answer.period.as_json() if answer.period else None,
        columns=columns,
        rows=answer.rows.num_rows,
        empty_because=answer.empty_because,
        parquet=f"{dashboard}/{query.name}/data.parquet",
        csv=f"{dashboard}/{query.name}/data.csv",
    )


def _query_entry(loaded: Mapping[str, Any]) -> QueryEntry:
    columns = tuple(ColumnEntry(**column) for column in loaded["columns"])
    return QueryEntry(**{**loaded, "key": tuple(loaded["key"]), "columns": columns})


def _parquet(rows: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(rows, buffer)
    return buffer.getvalue()


def _csv(rows: pa.Table) -> bytes:
    """Instants as ISO 8601 in UTC; everything else as Arrow writes it: plain decimals, ISO dates, empty for null."""
    columns = [_instants(column) if pa.types.is_timestamp(column.type) else column for column in rows.columns]
    buffer = io.BytesIO()
    buffer.write((",".join(rows.column_names) + "\n").encode())
    options = pacsv.WriteOptions(include_header=False, quoting_style="needed")
    pacsv.write_csv(pa.table(columns, names=rows.column_names), buffer, options)
    return buffer.getvalue()


def _instants(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.strftime(column.cast(pa.timestamp("s", tz="UTC")), format="%Y-%m-%dT%H:%M:%SZ")
