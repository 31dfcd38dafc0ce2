"""land_raw: look at what lies in the raw zone and count it at the source."""

from __future__ import annotations

from collections.abc import Sequence

from common.cleaning.landing import land, look_ahead, percent_of_usual, take_stock
from common.cleaning.mapped_files import mapped_files
from common.contracts import CONTRACTS
from common.job import Stage, StageContext, StageResult
from common.layout import Layout
from common.quality.accounting import Account
from common.settings import SourceSettings
from common.storage.local_frames import local_frame

_GATE_SCHEMA = "dataset string, files bigint, rows_landed bigint, rows_on_day bigint, percent_of_usual bigint"


def preflight(layout: Layout, source: SourceSettings) -> None:
    """See that every data set is there, with the header or schema of its contract."""
    for contract in CONTRACTS.values():
        look_ahead(layout, source, contract)


def run(context: StageContext) -> StageResult:
    """Count every raw file that the run's date admits.

    Raises:
        GateFailedError: If a data set that the shop has is not there.
    """
    if context.source.is_mapped:
        return _count_mapped(context)
    landed, notes = [], []
    for contract in CONTRACTS.values():
        found = take_stock(context.layout, contract)
        files = land(context, contract)
        counted = sum(file.rows for file in files)
        notes.append(f"{contract.name}: {counted:,} rows in {len(files)} files")
        on_day, percent = None, None
        if context.date and contract.form != "csv":
            percent = percent_of_usual(files, context.date)
            on_day = sum(file.rows for file in files if file.delivered_on == context.date.isoformat())
            if not on_day:
                notes.insert(0, f"warning: no {contract.name} on {context.date}")
        landed.append((contract.name, len(found), counted, on_day, percent))
    _gate(context, landed)
    return _counted(sum(counted for _, _, counted, *_ in landed), notes)


def _count_mapped(context: StageContext) -> StageResult:
    """The same for the files that a mapping names."""
    landed, notes, total = [], [], 0
    for name in CONTRACTS:
        files = mapped_files(context.source, name)
        counted = sum(file.rows for file in files)
        total += counted
        mapped = context.source.datasets.get(name)  # type: ignore[call-overload]
        if mapped is None:
            notes.append(f"the source {context.source.name} has no {name}")
            continue
        origin = f"{counted:,} rows" if mapped.rows_of else "rows derived by the mapping"
        lacking = f", without {', '.join(mapped.absent)}" if mapped.absent else ""
        notes.append(f"{name}: {origin} from {len(files)} files{lacking}")
        landed.append((name, len(files), counted if mapped.rows_of else None, None, None))
    _gate(context, landed)
    return _counted(total, notes)


def _gate(context: StageContext, landed: Sequence[tuple[str, int, int | None, int | None, int | None]]) -> None:
    frame = local_frame(context.spark, landed, _GATE_SCHEMA)
    context.gate("land_raw", frame, datasets=list(CONTRACTS))


def _counted(rows: int, notes: Sequence[str]) -> StageResult:
    return StageResult("ok", Account(rows, rows), notes=tuple(notes))


LAND_RAW = Stage(
    name="land_raw",
    title="count what lies in raw",
    inputs=tuple(f"raw/{name}" for name in CONTRACTS),
    outputs=("ops/manifest",),
    run=run,
    suites=("land_raw",),
    preflight=preflight,
)
