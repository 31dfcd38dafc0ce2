"""What the stages that compute whole tables share: what they read, and the way into the lake."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.contracts.model import Contract
from common.errors import InputError
from common.job import StageContext
from common.quality.accounting import expect_equal
from common.stages.origins import Origin, note_same
from common.storage import delta
from common.storage.contents import Contents, as_metadata, contents_of, recorded_contents
from common.storage.fingerprint import ROWS, SUM, fingerprint_columns
from common.storage.local_frames import local_frame

_USUAL_SHARE = 0.9
_ROWS_PER_FILE = 2_000_000


@dataclass(frozen=True)
class Saved:
    """What became of a computed table.

    Attributes:
        table: The table, as the graph names it.
        before: Its version before; None where there was none.
        after: Its version now, the same when the rows had not changed.
        rows: How many rows were computed.
        written: How many the commit says that it wrote; 0 where there was none.
    """

    table: str
    before: int | None
    after: int
    rows: int
    written: int

    @property
    def is_new(self) -> bool:
        """Whether something was committed."""
        return self.before != self.after


def read_clean(context: StageContext, contract: Contract) -> DataFrame:
    """A clean table; without rows where the shop has no such data.

    Raises:
        InputError: If the table should be there and is not.
    """
    path = context.layout.clean(contract.name)
    if delta.exists(context.spark, path):
        return delta.read(context.spark, path)
    if context.source.is_mapped and contract.name not in context.source.datasets:
        return local_frame(context.spark, (), contract.clean_schema)
    raise InputError(f"there is no clean table of {contract.name}", where=path, remedy=f"run clean_{contract.name}")


def read_lake(context: StageContext, table: str) -> DataFrame:
    """A table of the lake, by its bare name.

    Raises:
        InputError: If it is not there.
    """
    path = context.layout.lake(table)
    if not delta.exists(context.spark, path):
        raise InputError(f"there is no {table}", where=path, remedy="run the stages before this one")
    return delta.read(context.spark, path)


def recorded_rows(context: StageContext, table: str, version: int | None = None) -> int:
    """How many rows a table's log says it holds, now or at a version; none where there is no table."""
    path = context.layout.path(table)
    if not delta.exists(context.spark, path):
        return 0
    return delta.recorded_rows(context.spark, path, version)


def save(  # noqa: PLR0913 - each is said by name, and none of them belongs with another
    context: StageContext,
    table: str,
    frame: DataFrame,
    origin: Origin,
    *,
    suite: str,
    order: Sequence[str],
    totals: Mapping[str, Any] | None = None,
    checks: Mapping[str, Column] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Saved:
    """Put a computed table into the lake when it differs from the one that is there; note its origin where it does not.

    Args:
        context: The stage's.
        table: As the graph names it.
        frame: The table, persisted; columns that start with an underscore are left behind.
        origin: What it was made from.
        suite: The gate that it passes before the commit; it may name the parameters `rows_usual` and those given.
        order: The columns by which its rows are sorted within a file.
        totals: What the sums of some columns must be.
        checks: Conditions over several columns that the gate looks at as columns of their own; Great Expectations asks
            one query more for each comparison of two columns.
        parameters: For the gate.

    Raises:
        GateFailedError: If a sum is off, the gate is closed, or the commit does not hold what was gated.
    """
    spark, path = context.spark, context.layout.path(table)
    columns = frame.drop(*[name for name in frame.columns if name.startswith("_")])
    expected = dict(totals or {})
    sums = [F.coalesce(F.sum(name), F.lit(0)).alias(f"sum of {name}") for name in expected]
    figures = columns.agg(*fingerprint_columns(columns), *sums).first()
    if figures is None:  # an aggregate without groups always has its row
        raise RuntimeError("an aggregate came back without a row")
    rows = figures[ROWS]
    for name, total in expected.items():
        expect_equal(f"sum of {name} in {table}", total, figures[f"sum of {name}"], where=path)
    before = delta.version_of(spark, path)
    contents: Contents = {(): (int(rows), int(figures[SUM]))}
    if before is not None and not context.rebuild and _is_same(context, columns, contents, path, before):
        note_same(context, table, origin)
        return Saved(table, before, before, rows, 0)
    usual = math.floor(recorded_rows(context, table) * _USUAL_SHARE)
    context.gate(suite, columns.withColumns(dict(checks or {})), rows_usual=usual, **(parameters or {}))
    files = max(1, math.ceil(rows / _ROWS_PER_FILE))
    metadata = {**origin.as_metadata(context.run_id), **as_metadata(contents)}
    arranged = columns.coalesce(1) if files == 1 else columns.repartitionByRange(files, *order)
    commit = delta.overwrite(arranged.sortWithinPartitions(*order), path, metadata)
    expect_equal(f"rows committed to {table}", rows, commit.written, where=path)
    return Saved(table, before, commit.version, rows, commit.written)


def _is_same(context: StageContext, columns: DataFrame, contents: Contents, path: str, version: int) -> bool:
    """Whether the table holds these rows already."""
    there = delta.read(context.spark, path, version)
    if sorted(columns.dtypes) != sorted(there.dtypes):
        return False
    recorded = recorded_contents(context.spark, path, version)
    return contents == (recorded if recorded is not None else contents_of(there, ())[0])
