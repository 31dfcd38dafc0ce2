"""land_raw: look at what lies in the raw zone and count it at the source."""

from __future__ import annotations

from common.cleaning.landing import land, take_stock
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


LAND_RAW = Stage(
    name="land_raw",
    title="count what lies in raw",
    inputs=tuple(f"raw/{name}" for name in CONTRACTS),
    outputs=("ops/manifest",),
    run=run,
    preflight=preflight,
)
