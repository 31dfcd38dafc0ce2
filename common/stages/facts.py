"""load_facts: fact_transactions and fact_clickstream, whole at first and later the partitions that changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.contracts import CLICKSTREAM, TRANSACTIONS, Contract
from common.contracts.clickstream import EVENT_TYPES
from common.job import Stage, StageContext, StageResult
from common.quality.accounting import Account, expect_equal
from common.stages.affected import Affected, Join, Lineage, affected_partitions
from common.stages.arranging import arranged
from common.stages.dimensions import DIM_PRODUCTS, DIM_USERS, sum_accounts
from common.stages.origins import Origin, is_up_to_date, note_same, origin_of
from common.stages.tables import read_clean, recorded_rows
from common.storage import delta
from common.storage.contents import Contents, as_metadata, contents_of, recorded_contents
from common.storage.local_frames import local_frame
from common.storage.persisting import persisted
from common.transforms.facts import (
    Versions,
    fact_clickstream,
    fact_transactions,
    partition_value,
    with_session_ids,
)
from common.transforms.scd2 import UNKNOWN_SK

FACT_TRANSACTIONS, FACT_CLICKSTREAM = "warehouse/lake/fact_transactions", "warehouse/lake/fact_clickstream"
_INTEGRITY = "load_facts.integrity"
_INTEGRITY_SCHEMA = """fact string, rows_read bigint, rows bigint, orphan_users bigint, orphan_products bigint,
    conserved string, sum_read decimal(38,2), sum_kept decimal(38,2)"""

_MAX_BROADCAST_MEMBERS = 5_000_000

Build = Callable[[StageContext, DataFrame, Versions, Versions], DataFrame]


@dataclass(frozen=True)
class _Fact:
    lineage: Lineage
    contract: Contract
    key: str
    partition: str
    conserved: str
    build: Build

    @property
    def table(self) -> str:
        return self.lineage.table

    @property
    def name(self) -> str:
        return self.table.rpartition("/")[2]

    @property
    def ts(self) -> str:
        return self.lineage.ts


def _transactions(context: StageContext, lines: DataFrame, users: Versions, products: Versions) -> DataFrame:
    return fact_transactions(lines, users, products, context.source, context.settings.publish.partition_by)


def _clickstream(context: StageContext, events: DataFrame, users: Versions, products: Versions) -> DataFrame:
    named = with_session_ids(events, context.source, context.settings.sessions.inactivity_minutes)
    return fact_clickstream(named, users, products, context.source, context.settings.publish.partition_by)


_FACTS = (
    _Fact(
        lineage=Lineage(
            FACT_TRANSACTIONS,
            "clean/transactions",
            "transaction_ts",
            (
                Join(DIM_USERS, "user_id", ("user_sk",)),
                Join(DIM_PRODUCTS, "product_id", ("product_sk", "unit_cost")),
            ),
        ),
        contract=TRANSACTIONS,
        key="transaction_id",
        partition="transaction_month",
        conserved="total_amount",
        build=_transactions,
    ),
    _Fact(
        lineage=Lineage(
            FACT_CLICKSTREAM,
            "clean/clickstream",
            "event_ts",
            (Join(DIM_USERS, "user_id", ("user_sk",)), Join(DIM_PRODUCTS, "product_id", ("product_sk",))),
        ),
        contract=CLICKSTREAM,
        key="event_id",
        partition="event_month",
        conserved="quantity",
        build=_clickstream,
    ),
)


def run(context: StageContext) -> StageResult:
    """Load what changed of both facts.

    Rows and the sums of amount and quantity are the clean table's; a row that joins no version points at the unknown
    member.
    """
    accounts, notes, tables = [], [], {}
    for fact in _FACTS:
        before = delta.version_of(context.spark, context.layout.path(fact.table))
        origin = origin_of(context, fact.lineage.inputs)
        affected = affected_partitions(context, fact.lineage, origin)
        after = before
        if affected.partitions == ():
            if not is_up_to_date(context, fact.table, origin):
                note_same(context, fact.table, origin)
            accounts.append(Account(0, 0))
        else:
            account, after = _load(context, fact, origin, affected)
            accounts.append(account)
        tables[fact.table] = (before, after)
        notes.append(f"{fact.name}: {affected.why}")
    is_skipped = all(before == after for before, after in tables.values())
    account = sum_accounts(*accounts).check("load_facts")
    return StageResult("skipped" if is_skipped else "ok", account, tables, tuple(notes))


def _load(context: StageContext, fact: _Fact, origin: Origin, affected: Affected) -> tuple[Account, int]:
    path = context.layout.path(fact.table)
    clean = _clean_rows(context, fact, origin, affected)
    users, products = (_versions(context, join, origin) for join in fact.lineage.joins)
    built = arranged(fact.build(context, clean, users, products), fact.partition, fact.ts, fact.key)
    with persisted(built) as rows:
        read = _read(context, fact, clean, affected, origin.inputs[fact.lineage.clean])
        contents, kept = _kept(rows, fact)
        _gate(context, fact, rows, (read, kept), (users, products))
        commit = delta.overwrite(
            rows,
            path,
            {**origin.as_metadata(context.run_id), **_all_contents(context, fact, contents, affected)},
            replace_where=_replaced(fact, affected),
            partition_by=(fact.partition,),
            skip_by=(fact.ts,),
        )
    expect_equal(f"rows committed to {fact.name}", kept["rows"], commit.written, where=path)
    # The partitions that were left alone count as well: none was missed, and none was made twice.
    expect_equal(
        f"rows of {fact.name}",
        recorded_rows(context, fact.lineage.clean, origin.inputs[fact.lineage.clean]),
        recorded_rows(context, fact.table),
        where=path,
    )
    return Account(read["rows"], commit.written), commit.version


def _clean_rows(context: StageContext, fact: _Fact, origin: Origin, affected: Affected) -> DataFrame:
    """The clean rows that are loaded, at the version that the commit will name."""
    version = origin.inputs[fact.lineage.clean]
    if version is None:
        return read_clean(context, fact.contract)
    rows = delta.read(context.spark, context.layout.path(fact.lineage.clean), version)
    if affected.partitions is None:
        return rows
    value = partition_value(fact.ts, context.source, context.settings.publish.partition_by)
    # The bounds are what Delta can skip files by; a business day lies within a day of its UTC date.
    first, last = affected.partitions[0], affected.partitions[-1]
    earliest = F.date_sub(F.to_date(F.lit(f"{first}-01"[:10])), 1)
    latest = F.date_add(F.last_day(F.to_date(F.lit(f"{last}-01"[:10]))), 2)
    near = (F.col(fact.ts) >= earliest.cast("timestamp")) & (F.col(fact.ts) < latest.cast("timestamp"))
    return rows.where(near & value.isin(*affected.partitions))


def _versions(context: StageContext, join: Join, origin: Origin) -> Versions:
    frame = delta.read(context.spark, context.layout.path(join.table), origin.inputs[join.table])
    return Versions(frame.where(F.col(join.attributes[0]) != UNKNOWN_SK), recorded_rows(context, join.table))


def _read(
    context: StageContext, fact: _Fact, clean: DataFrame, affected: Affected, version: int | None
) -> Mapping[str, Any]:
    """What the clean table holds: its rows by its log when it is loaded whole."""
    figures = dict(_figures(clean, fact.conserved))
    if affected.partitions is None:
        figures["rows"] = recorded_rows(context, fact.lineage.clean, version)
    return figures


def _sums(conserved: str) -> list[Column]:
    """The sums that are the same before and after, as aggregates."""
    money = F.coalesce(F.sum(F.col(conserved).cast("decimal(12,2)")), F.lit(0)).cast("decimal(38,2)")
    quantity = F.coalesce(F.sum("quantity"), F.lit(0)).cast("decimal(38,2)")
    return [money.alias(conserved), *([] if conserved == "quantity" else [quantity.alias("quantity")])]


def _figures(rows: DataFrame, conserved: str) -> Mapping[str, Any]:
    found = rows.agg(F.count(F.lit(1)).alias("rows"), *_sums(conserved)).first()
    return found.asDict() if found else {}


def _kept(rows: DataFrame, fact: _Fact) -> tuple[Contents, Mapping[str, Any]]:
    """What each partition of the built rows holds, and the figures of all of them."""
    contents, found = contents_of(rows, (fact.partition,), *_sums(fact.conserved))
    names = dict.fromkeys((fact.conserved, "quantity"))
    sums = {name: sum((part[name] for part in found), Decimal(0)) for name in names}
    return contents, {"rows": sum(count for count, _ in contents.values()), **sums}


def _all_contents(context: StageContext, fact: _Fact, made: Contents, affected: Affected) -> Mapping[str, Any]:
    """What the whole table holds after the commit; nothing where the partitions left alone have no record."""
    if affected.partitions is None:
        return as_metadata(made)
    path = context.layout.path(fact.table)
    version = delta.version_of(context.spark, path)
    before = recorded_contents(context.spark, path, version) if version is not None else None
    if before is None:
        return {}
    return as_metadata({values: held for values, held in before.items() if values[0] not in affected.partitions} | made)


def _gate(
    context: StageContext,
    fact: _Fact,
    rows: DataFrame,
    figures: tuple[Mapping[str, Any], Mapping[str, Any]],
    versions: tuple[Versions, Versions],
) -> None:
    """Hold the rows against their suite, and what they have in common with other tables against another."""
    source = context.source
    context.gate(
        f"load_facts.{fact.name}",
        rows,
        statuses=list(source.statuses.lifecycle),
        currencies=[source.currency],
        event_types=list(EVENT_TYPES),
        earliest_ts=source.limits.earliest_date.isoformat(),
    )
    read, kept = figures
    keys = (join.attributes[0] for join in fact.lineage.joins)
    orphans = _orphans(rows, list(zip(versions, keys, strict=True)))
    summary = [
        (fact.name, read["rows"], kept["rows"], *orphans, name, read[name], kept[name])
        for name in kept
        if name != "rows"
    ]
    context.gate(_INTEGRITY, local_frame(context.spark, summary, _INTEGRITY_SCHEMA))


def _orphans(rows: DataFrame, dimensions: Sequence[tuple[Versions, str]]) -> list[int]:
    """Rows whose surrogate key a dimension does not have, for each dimension and the name of its key.

    Asked of the key alone, and not of the interval.
    """
    counts = []
    for place, (versions, sk) in enumerate(dimensions):
        members = versions.frame.select(sk)
        if versions.count <= _MAX_BROADCAST_MEMBERS:
            members = F.broadcast(members)
        lost = rows.where(F.col(sk) != UNKNOWN_SK).select(sk).join(members, on=sk, how="left_anti")
        counts.append(lost.agg(F.count(F.lit(1)).alias("rows")).select(F.lit(place).alias("place"), "rows"))
    found = {row["place"]: row["rows"] for row in reduce(DataFrame.unionAll, counts).collect()}
    return [found[place] for place in range(len(dimensions))]


def _replaced(fact: _Fact, affected: Affected) -> str | None:
    if affected.partitions is None:
        return None
    return f"{fact.partition} IN ({', '.join(repr(value) for value in affected.partitions)})"


LOAD_FACTS = Stage(
    name="load_facts",
    title="sales and events with their dimension versions",
    inputs=("clean/transactions", "clean/clickstream", DIM_USERS, DIM_PRODUCTS),
    outputs=(FACT_TRANSACTIONS, FACT_CLICKSTREAM),
    run=run,
    suites=("load_facts.fact_transactions", "load_facts.fact_clickstream", _INTEGRITY),
)
