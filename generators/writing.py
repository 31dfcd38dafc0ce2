"""Files of the raw layout."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from generators.ledger import Planted
from generators.randomness import I64
from generators.text import contents

SAMPLE_ROWS = 20
PARTITION_LEVELS = {
    "users": "date",
    "products": "date",
    "transactions": "transaction_date",
    "clickstream": "event_date",
}
_FILES = {"transactions": "part-00000.parquet", "clickstream": "part-00000.json"}


@dataclass(frozen=True)
class Written:
    """A file that was written: raw rows in it, and its size."""

    rows: int
    bytes: int


Task = Callable[[Planted], Written]


def base_path(dataset: str) -> str:
    """Path of a first load, relative to the root."""
    return f"raw/{dataset}/{dataset}.csv"


def partition_path(dataset: str, date: dt.date) -> str:
    """Path of what was delivered on a day, relative to the root."""
    if dataset in _FILES:
        return f"raw/{dataset}/{PARTITION_LEVELS[dataset]}={date.isoformat()}/{_FILES[dataset]}"
    return f"raw/{dataset}/changes/date={date.isoformat()}/changes.csv"


def write_lines(root: Path, path: str, lines: pa.Array, header: str | None = None) -> Written:
    """Write lines, each with a line feed, after a header line where there is one."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        if header is not None:
            file.write(header.encode() + b"\n")
        file.write(contents(lines))
        size = file.tell()
    return Written(len(lines), size)


def write_table(root: Path, path: str, table: pa.Table) -> Written:
    """Write a Parquet file."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, target, compression="snappy", use_dictionary=["currency", "payment_method", "status"])
    return Written(table.num_rows, target.stat().st_size)


def publish(built: Path, root: Path, names: Sequence[str]) -> None:
    """Rename directories that are complete to where they are read from."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(built / name, root / name)


def in_delivery_order(positions: I64) -> I64:
    """Rows in the order of their positions; rows at one position keep their order."""
    return np.argsort(positions, kind="stable")
