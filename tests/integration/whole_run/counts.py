"""Counts from files, by other means than the platform's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from common.layout import Layout


def rows(db: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return db.execute(query).fetchall()


def one(db: duckdb.DuckDBPyConnection, query: str) -> Any:
    ((value,),) = rows(db, query)
    return value


def raw_rows(layout: Layout, dataset: str) -> int:
    """Rows of a raw data set, counted by Python in the files' lines or by the footers of Parquet files."""
    files = [path for path in layout.local("raw", dataset).rglob("*") if path.is_file() and path.name[0] not in "._"]
    if dataset == "transactions":
        return sum(pq.ParquetFile(path).metadata.num_rows for path in files)
    headers = len(files) if dataset in {"users", "products"} else 0
    return (
        sum(len(path.read_bytes().removesuffix(b"\n").split(b"\n")) for path in files if path.stat().st_size) - headers
    )


def content(path: Path) -> bytes:
    """What a file says: its bytes, and for Parquet, which is compressed, the text in its columns too."""
    held = path.read_bytes()
    if path.suffix != ".parquet":
        return held
    texts = [
        column.cast(pa.large_binary()).to_pylist()
        for column in pq.read_table(path, partitioning=None).columns
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type)
    ]
    return held + b"\n".join(text for column in texts for text in column if text is not None)


def delta_rows(path: str) -> int:
    """Rows of a Delta table as another implementation of Delta counts them."""
    return int(DeltaTable(path).to_pyarrow_dataset().count_rows())
