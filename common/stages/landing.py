"""land_raw: look at what lies in the raw zone and count it at the source."""

from __future__ import annotations

from common.cleaning.landing import land, take_stock
from common.cleaning.mapping import mapped_files
from common.contracts import CONTRACTS
from common.job import Stage, StageContext, StageResult
from common.layout import Layout
from common.quality.accounting import Account


def preflight(layout: Layout) -> None:
    """See that every data set is there, with the header or schema of its contract."""
    for contract in CONTRACTS.values():
        take_stock(layout, contract)


def run(context: StageContext) -> StageResult:
    """Count every raw file that the run's date admits."""
    if context.source.is_mapped:
        return _count_mapped(context)
    notes = []
    rows = 0
    for contract in CONTRACTS.values():
        files = land(context, contract)
        counted = sum(file.rows for file in files)
        rows += counted
        notes.append(f"{contract.name}: {counted:,} rows in {len(files)} files")
        if context.date and contract.form != "csv":
            today = [file for file in files if file.delivered_on == context.date.isoformat()]
            if not sum(file.rows for file in today):
                notes.insert(0, f"warning: no {contract.name} on {context.date}")
    return StageResult("ok", Account(rows, rows), notes=tuple(notes))


def _count_mapped(context: StageContext) -> StageResult:
    """The same for the files that a mapping names."""
    notes, rows = [], 0
    for name in CONTRACTS:
        files = mapped_files(context.source, name)
        counted = sum(file.rows for file in files)
        rows += counted
        if name not in context.source.datasets:
            notes.append(f"the source {context.source.name} has no {name}")
        else:
            origin = f"{counted:,} rows" if counted else "rows derived by the mapping"
            notes.append(f"{name}: {origin} from {len(files)} files")
    return StageResult("ok", Account(rows, rows), notes=tuple(notes))


LAND_RAW = Stage(
    name="land_raw",
    title="count what lies in raw",
    inputs=tuple(f"raw/{name}" for name in CONTRACTS),
    outputs=("ops/manifest",),
    run=run,
    preflight=preflight,
)
