"""The ledger: one JSON file for each run and stage, from which run.json, the summary and the report are views."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from common.layout import Layout
from common.storage.files import read_json, write_json

Status = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True)
class LedgerEntry:
    """What one stage did in one run.

    Attributes:
        run_id: The run.
        stage: The stage.
        date: The date of the run, ISO; None where the stage has not come to know it.
        status: ok, failed, or skipped, when there was nothing to do.
        started_at: UTC, ISO.
        seconds: Duration, the gates included.
        gate_seconds: What of it the gates took; None for a stage without one.
        rows: The account; None for a stage that failed before it or keeps none.
        tables: Version of each output before and after.
        gates: What each gate found.
        notes: Sentences for the reader of the summary, warnings first.
        exit_code: What the stage ends with; YARN's cluster mode does not carry it.
        error: The line that a failure prints.
        code_version: The version of the package.
        configuration: A hash of the settings.
    """

    run_id: str
    stage: str
    date: str | None
    status: Status
    started_at: str
    seconds: float
    gate_seconds: float | None
    rows: Mapping[str, int | None] | None
    tables: Mapping[str, Mapping[str, int | None]]
    gates: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    exit_code: int
    error: str | None
    code_version: str
    configuration: str

    def as_stage(self) -> dict[str, Any]:
        """The stage's entry in run.json."""
        rows = dict(self.rows or {})
        figures = {name: rows.get(name) for name in ("read", "written", "quarantined", "duplicates", "superseded")}
        return {
            "name": self.stage,
            "status": self.status,
            "seconds": self.seconds,
            "gate_seconds": self.gate_seconds,
            **figures,
            "exit_code": self.exit_code,
            "error": self.error,
        }


def new_run_id() -> str:
    """An identifier that sorts by time: 20251130T093000Z-1a2b3c."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"


def record(layout: Layout, entry: LedgerEntry) -> None:
    """Keep an entry. On another file system than a local one it is left to the caller's log."""
    if layout.is_local:
        write_json(layout.local("ops", "ledger", entry.run_id, f"{entry.stage}.json"), asdict(entry))


def run_ids(layout: Layout) -> list[str]:
    """The runs that the ledger knows, the newest first."""
    directory = layout.local("ops", "ledger")
    if not directory.is_dir():
        return []
    return sorted((path.name for path in directory.iterdir() if path.is_dir()), reverse=True)


def entries(layout: Layout, run_id: str) -> Iterator[LedgerEntry]:
    """The entries of a run, by the time at which their stages started."""
    found = [read_json(path) for path in layout.local("ops", "ledger", run_id).glob("*.json")]
    for entry in sorted(found, key=lambda each: (each["started_at"], each["stage"])):
        yield LedgerEntry(**{**entry, "gates": tuple(entry["gates"]), "notes": tuple(entry["notes"])})
