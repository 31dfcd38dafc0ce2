"""A table's fingerprint: the same for the same rows, whatever their order, files or partitions.

Two numbers: how many rows there are, and the sum as decimal(38,0) of a 64-bit hash of each row. A sum, unlike an
exclusive or, tells two copies of a row from none. xxhash64 passes nulls over (`xxhash64(NULL, 1)` equals
`xxhash64(1, NULL)`), so that each column goes in with a mark that says whether it is null. Columns go in by name, so
that their order does not matter; those that start with an underscore are for audit and stay out.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

ROWS, SUM = "rows", "hash_sum"


def row_hash(columns: Sequence[str]) -> Column:
    """A 64-bit hash of a row over some columns, nulls told apart from one another."""
    parts = [part for name in sorted(columns) for part in (F.col(name).isNull(), F.col(name))]
    return F.xxhash64(*parts)


def business_columns(frame: DataFrame) -> list[str]:
    """The columns that carry content, which are all but those for audit."""
    return [name for name in frame.columns if not name.startswith("_")]


def fingerprint_columns(frame: DataFrame) -> tuple[Column, Column]:
    """The two aggregates of a fingerprint, to be taken alone or with a group."""
    hashed = row_hash(business_columns(frame)).cast("decimal(38,0)")
    return F.count(F.lit(1)).alias(ROWS), F.coalesce(F.sum(hashed), F.lit(0).cast("decimal(38,0)")).alias(SUM)


def fingerprint(frame: DataFrame) -> str:
    """The fingerprint of a frame as `rows:sum`; one pass over it."""
    row = frame.agg(*fingerprint_columns(frame)).first()
    if row is None:  # an aggregate without groups always has its row
        raise RuntimeError("an aggregate came back without a row")
    return render(row[ROWS], row[SUM])


def render(rows: int, hash_sum: object) -> str:
    """The two numbers of a fingerprint as text."""
    return f"{rows}:{hash_sum}"
