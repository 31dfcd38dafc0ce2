"""The course of every cleaning job."""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.cleaning.landing import land
from common.cleaning.mapped_files import mapped_files
from common.cleaning.mapped_reading import lines_left_out
from common.cleaning.mapping import read_mapped
from common.cleaning.mapping_failures import evaluating
from common.cleaning.reading import DELIVERED_ON, SOURCE_FILE, read_raw
from common.cleaning.report import Tally, tally
from common.cleaning.resolution import FATE, IS_NEW, resolve
from common.cleaning.state import MadeOf, Pending, after, commit_metadata, decide, made_of
from common.cleaning.typing_rows import PAYLOAD_HASH, REASONS, type_rows
from common.contracts.model import Contract, Fate
from common.job import StageContext, StageResult
from common.quality.accounting import REBUILD, Account, expect_equal
from common.storage import delta
from common.storage.files import write_json
from common.storage.local_frames import local_frame
from common.storage.persisting import persisted

_CONTEXT, _REFRESHED = "_context", "_refreshed"
_USUAL_SHARE = 0.9
_MEND_SELECT = "let the SELECT make one row of each row of the file that rows_of names"


def clean(context: StageContext, contract: Contract) -> StageResult:
    """Clean what is new of a data set.

    An account that does not balance commits nothing, since the next run would take the files for cleaned. The
    quarantine is committed first: a gate that fails keeps it. Both commits replace what an interrupted run of the same
    files may have left, and the list of processed files is part of the second.
    """
    spark, layout, source = context.spark, context.layout, context.source
    stage = f"clean_{contract.name}"
    inventory = mapped_files(source, contract.name) if source.is_mapped else land(context, contract)
    made = made_of(spark, layout, contract.name)
    before = delta.version_of(spark, layout.clean(contract.name))
    if source.is_mapped and contract.name not in source.datasets:
        return _without_input(context, contract, before)
    # A query over all files cannot be asked of the new ones alone.
    anew = context.rebuild or (source.is_mapped and set(inventory) != set(made.files))
    pending = decide(inventory, made.files, context.basis, made.basis, rebuild=anew)
    if not pending.files:
        tables = {layout_name(contract): (before, before)}
        return StageResult("skipped", Account(0, 0), tables, (f"{contract.name}: {pending.why}",))
    with ExitStack() as kept:
        with evaluating(source, contract.name):  # to persist a frame is to plan it, where constants are computed
            rows = kept.enter_context(persisted(_resolved(context, contract, pending)))
            counts = tally(rows, contract)
            left_out = _left_out(context, contract)
        read = _rows_read(context, contract, pending, counts)
        remedy = _MEND_SELECT if source.is_mapped else REBUILD
        _account(read, counts, counts.of(Fate.WRITTEN), counts.of(Fate.QUARANTINED)).check(stage, remedy)
        quarantined = _quarantine(context, contract, pending, rows)
        _record_dropped(context, contract, rows)
        to_commit = rows.where((F.col(FATE) == Fate.WRITTEN.value) & (F.col(IS_NEW) | F.col(_REFRESHED)))
        context.gate(stage, to_commit, **_gate_parameters(context, contract, read + counts.refreshed))
        commit = _commit(context, contract, pending, to_commit, after(made, pending, context.basis, context.run_id))
    written = commit.written - counts.refreshed
    expect_equal(
        f"rows committed to {layout_name(contract)}",
        counts.of(Fate.WRITTEN),
        written,
        where=layout.clean(contract.name),
    )
    expect_equal(
        f"rows quarantined of {contract.name}",
        counts.of(Fate.QUARANTINED),
        quarantined,
        where=layout.quarantine(contract.name),
    )
    account = _account(read, counts, written, quarantined).check(stage)
    _write_report(context, contract, pending, account, counts)
    notes = (*left_out, *_notes(pending, counts))
    return StageResult("ok", account, {layout_name(contract): (before, commit.version)}, notes)


def _rows_read(context: StageContext, contract: Contract, pending: Pending, counts: Tally) -> int:
    """What the files themselves say they hold; for rows that a mapping derives, what the mapping gave."""
    mapped = context.source.datasets.get(contract.name)  # type: ignore[call-overload]
    if mapped is not None and mapped.rows_of is None:
        return sum(counts.fates.values())
    return sum(file.rows for file in pending.files)


def _account(read: int, counts: Tally, written: int, quarantined: int) -> Account:
    return Account(
        read, written, quarantined, duplicates=counts.of(Fate.DUPLICATE), superseded=counts.of(Fate.SUPERSEDED)
    )


def _without_input(context: StageContext, contract: Contract, before: int | None) -> StageResult:
    """An empty table for a data set that the source does not have, so that what comes after finds its columns."""
    note = f"the source {context.source.name} has no {contract.name}"
    path = context.layout.clean(contract.name)
    metadata = delta.recorded_metadata(context.spark, path)
    if metadata.get("basis") == context.basis and before is not None:
        return StageResult("skipped", Account(0, 0), {layout_name(contract): (before, before)}, (note,))
    commit = delta.overwrite(
        local_frame(context.spark, (), contract.clean_schema),
        path,
        commit_metadata(context.layout, context.run_id, MadeOf(basis=context.basis, dropped=())),
    )
    return StageResult("skipped", Account(0, 0), {layout_name(contract): (before, commit.version)}, (note,))


def _gate_parameters(context: StageContext, contract: Contract, rows: int) -> dict[str, Any]:
    """What the expectations of a suite are told: volume, and what the source says is possible."""
    source = context.source
    patterns: dict[str, Any] = {
        f"{name}_pattern": pattern or "" for name, pattern in source.key_patterns.model_dump().items()
    }
    return patterns | {
        "rows_read": rows,
        "rows_usual": math.floor(rows * _USUAL_SHARE),
        "statuses": list(source.statuses.lifecycle),
        "currencies": [source.currency],
        "earliest_ts": source.limits.earliest_date.isoformat(),
        "earliest_birth_date": source.limits.earliest_birth_date.isoformat(),
    }


def layout_name(contract: Contract) -> str:
    """The clean table as the graph names it."""
    return f"clean/{contract.name}"


def _resolved(context: StageContext, contract: Contract, pending: Pending) -> DataFrame:
    """New rows, and those of the clean table that they meet, each with its fate and its annotations."""
    if context.source.is_mapped:
        raw = read_mapped(context.spark, contract, context.source)
    else:
        raw = read_raw(context.spark, context.layout, contract, pending.files)
    new = type_rows(raw, contract, context.source).withColumns({IS_NEW: F.lit(True), _CONTEXT: F.lit(False)})
    rows = new
    if not pending.rebuild:
        met = _met(
            new.where(F.size(REASONS) == 0), delta.read(context.spark, context.layout.clean(contract.name)), contract
        )
        rows = new.unionByName(met, allowMissingColumns=True)
    resolved = resolve(rows, contract, context.source)
    if contract.annotate is None:
        return resolved.withColumn(_REFRESHED, F.lit(False)).drop(_CONTEXT)
    old_names = {name: f"_old_{name}" for name, _ in contract.annotations}
    if not pending.rebuild:
        resolved = resolved.withColumnsRenamed(old_names)
    annotated = contract.annotate(resolved, context.source, F.col(FATE) == Fate.WRITTEN.value)
    if pending.rebuild:
        return annotated.withColumn(_REFRESHED, F.lit(False)).drop(_CONTEXT)
    same = [F.col(name).eqNullSafe(F.col(old)) for name, old in old_names.items()]
    unchanged = same[0]
    for one in same[1:]:
        unchanged = unchanged & one
    refreshed = ~F.col(IS_NEW) & ~F.col(_CONTEXT) & (F.col(FATE) == Fate.WRITTEN.value) & ~unchanged
    return annotated.withColumn(_REFRESHED, refreshed).drop(_CONTEXT, *old_names.values())


def _met(new: DataFrame, clean_table: DataFrame, contract: Contract) -> DataFrame:
    """Rows of the clean table with the keys of new ones, and those that the annotations of new ones look at."""
    keys = new.select(contract.key).distinct()
    same_key = clean_table.join(keys, on=contract.key, how="left_semi").withColumn(_CONTEXT, F.lit(False))
    if contract.related is None:
        met = same_key
    else:
        # A row may be there for both reasons; one of its two copies is taken, that for its key.
        related = contract.related(new, clean_table).join(keys, on=contract.key, how="left_anti")
        met = same_key.unionByName(related)
    empty = F.array().cast("array<string>")
    return met.withColumns({IS_NEW: F.lit(False), REASONS: empty})


def _commit(
    context: StageContext, contract: Contract, pending: Pending, frame: DataFrame, made: MadeOf
) -> delta.Commit:
    path = context.layout.clean(contract.name)
    metadata = commit_metadata(context.layout, context.run_id, made)
    columns = frame.select(*[name for name, _ in contract.clean_columns])
    if pending.rebuild:
        return delta.overwrite(columns, path, metadata, skip_by=(contract.clock,))
    if contract.history:
        return delta.append(columns, path, metadata)
    return delta.upsert(columns, path, contract.key, metadata)


def _quarantine(context: StageContext, contract: Contract, pending: Pending, rows: DataFrame) -> int:
    """Keep what was turned away, in place of what an earlier attempt at the same files kept."""
    path = context.layout.quarantine(contract.name)
    frame = rows.where((F.col(FATE) == Fate.QUARANTINED.value) & F.col(IS_NEW)).select(
        F.col("_payload").alias("payload"),
        F.col(REASONS).alias("reasons"),
        F.col(contract.key).alias("record_key"),
        F.col(SOURCE_FILE).alias("source_file"),
        F.col(DELIVERED_ON).alias("delivered_on"),
        F.lit(f"clean_{contract.name}").alias("stage"),
        F.lit(context.run_id).alias("run_id"),
    )
    metadata = {"run_id": context.run_id}
    if pending.rebuild or not delta.exists(context.spark, path):
        return delta.overwrite(frame, path, metadata).inserted
    names = ", ".join("'" + file.path.replace("\\", "\\\\").replace("'", "\\'") + "'" for file in pending.files)
    return delta.overwrite(frame, path, metadata, replace_where=f"source_file IN ({names})").inserted


def _record_dropped(context: StageContext, contract: Contract, rows: DataFrame) -> None:
    """Which rows were duplicates or superseded, a log of this run: they are counted and not kept, but can be named."""
    dropped = rows.where(F.col(IS_NEW) & F.col(FATE).isin(Fate.DUPLICATE.value, Fate.SUPERSEDED.value))
    path = context.layout.ops("dropped", contract.name, f"run_id={context.run_id}")
    dropped.select(
        F.col(contract.key).alias("record_key"),
        F.col(FATE).alias("fate"),
        F.col(PAYLOAD_HASH).alias("payload_hash"),
        F.col(SOURCE_FILE).alias("source_file"),
    ).coalesce(1).write.mode("overwrite").parquet(path)


def _write_report(context: StageContext, contract: Contract, pending: Pending, account: Account, counts: Tally) -> None:
    path = context.layout.local("ops", "quality", context.run_id, f"clean_{contract.name}.json")
    head = {"dataset": contract.name, "run_id": context.run_id, "rebuilt": pending.rebuild, "rows": account.as_json()}
    write_json(path, {**head, **counts.as_json()})


def _left_out(context: StageContext, contract: Contract) -> list[str]:
    if not context.source.is_mapped:
        return []
    counts = lines_left_out(context.spark, context.source, contract.name)
    return [f"warning: broken lines of {name} are left out: {lines:,}" for name, lines in counts.items()]


def _notes(pending: Pending, counts: Tally) -> tuple[str, ...]:
    notes = [] if pending.why == "new files" else [f"built from all files: {pending.why}"]
    if counts.of(Fate.WRITTEN) == 0:
        notes.insert(0, "warning: no row was accepted")
    notes += [f"{rows:,} rows flagged {name}" for name, rows in counts.flags.items()]
    return tuple(notes)
