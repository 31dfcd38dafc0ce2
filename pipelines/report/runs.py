"""Runs as the ledger and run.json tell of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from common.errors import InputError
from common.layout import DATASETS, Layout
from common.quality.ledger import LedgerEntry, entries, run_ids
from common.storage.files import read_json

RunStatus = Literal["ok", "failed", "running"]
CLEANING = tuple(f"clean_{dataset}" for dataset in DATASETS)
PUBLISHING = "publish_hive"
RUNS_SHOWN = 60


@dataclass(frozen=True)
class Gate:
    """What a gate of a stage found."""

    stage: str
    suite: str
    passed: bool
    evaluated: int
    failures: tuple[str, ...]
    warnings: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class StageRun:
    """A stage in a run.

    Attributes:
        name: The stage.
        status: ok, skipped (nothing had changed), failed, or not reached.
        started: When; None if it was not reached.
        seconds: Its duration, the gates included.
        gate_seconds: What of it the gates took.
        rows: Its account; empty where it keeps none.
        gates: What its gates found.
        notes: Sentences for the summary.
        error: The line of its failure.
        exit_code: What it ended with.
    """

    name: str
    status: str
    started: datetime | None = None
    seconds: float | None = None
    gate_seconds: float | None = None
    rows: Mapping[str, int | None] | None = None
    gates: tuple[Gate, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None
    exit_code: int | None = None

    def count(self, kind: str) -> int:
        """Rows of a kind, 0 where the stage has no account."""
        return (self.rows or {}).get(kind) or 0


@dataclass(frozen=True)
class Run:
    """A run and its stages in order.

    Attributes:
        run_id: The run.
        status: ok, failed, or running, which is also what a run that was killed is left with.
        date: The last day that it processed, ISO.
        seconds: How long it took; None while it is running.
        stages: Its stages.
        source: The shop, None where only the ledger knows of the run.
        scale: Of generated data.
        seed: Of generated data.
        updated_at: When run.json was last written, ISO.
        error: The line of a failure outside the stages.
    """

    run_id: str
    status: RunStatus
    date: str | None
    seconds: float | None
    stages: tuple[StageRun, ...]
    source: str | None = None
    scale: float | None = None
    seed: int | None = None
    updated_at: str | None = None
    error: str | None = None

    @property
    def started(self) -> datetime | None:
        """When its first stage started."""
        return min((stage.started for stage in self.stages if stage.started), default=None)

    @property
    def failed(self) -> StageRun | None:
        """The stage that failed."""
        return next((stage for stage in self.stages if stage.status == "failed"), None)

    @property
    def stages_done(self) -> frozenset[str]:
        """The stages that had something to do; runs in which these differ are not alike. Making data does not count."""
        return frozenset(stage.name for stage in self.stages if stage.status == "ok") - {"generate"}

    @property
    def gates(self) -> tuple[Gate, ...]:
        """All gates, in order."""
        return tuple(gate for stage in self.stages for gate in stage.gates)

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        """Stage and text of each warning."""
        return tuple((gate.suite, text) for gate in self.gates for text in gate.warnings)

    def stage(self, name: str) -> StageRun | None:
        """A stage by its name."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def cleaned(self, kind: str) -> int:
        """Rows of a kind in all cleaning stages."""
        return sum(stage.count(kind) for stage in self.stages if stage.name in CLEANING)

    @property
    def quarantined_share(self) -> float | None:
        """Quarantined rows by read rows of the cleaning stages; None where none was read."""
        read = self.cleaned("read")
        return self.cleaned("quarantined") / read if read else None

    @property
    def published_rows(self) -> int | None:
        """Rows that the run published; None where it did not come to that."""
        stage = self.stage(PUBLISHING)
        return stage.count("written") if stage and stage.status == "ok" else None


def read_runs(layout: Layout) -> list[Run]:
    """The runs of a root, the newest first, `RUNS_SHOWN` at most.

    Raises:
        InputError: If a file of the ledger cannot be read.
    """
    newest = layout.local("ops", "run.json")
    try:
        runs = {run_id: _from_ledger(run_id, entries(layout, run_id)) for run_id in run_ids(layout)[:RUNS_SHOWN]}
        if newest.exists():
            said = read_json(newest)
            run_id = str(said["run_id"])
            runs[run_id] = _with_summary(said, runs.get(run_id))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"the ledger is not as expected: {type(error).__name__} {error}",
            where=layout.ops("ledger"),
            remedy="run once more with this version, or remove the directories of older runs",
        ) from error
    return [runs[run_id] for run_id in sorted(runs, reverse=True)]


def _from_ledger(run_id: str, found: Iterable[LedgerEntry]) -> Run:
    known = tuple(found)
    stages = tuple(_stage(entry) for entry in known)
    return Run(
        run_id=run_id,
        status="failed" if any(stage.status == "failed" for stage in stages) else "ok",
        date=next((entry.date for entry in known if entry.date), None),
        seconds=_span(stages),
        stages=stages,
    )


def _stage(entry: LedgerEntry) -> StageRun:
    return StageRun(
        name=entry.stage,
        status=entry.status,
        started=datetime.fromisoformat(entry.started_at),
        seconds=entry.seconds,
        gate_seconds=entry.gate_seconds,
        rows=entry.rows,
        gates=tuple(_gate(entry.stage, gate) for gate in entry.gates),
        notes=entry.notes,
        error=entry.error,
        exit_code=entry.exit_code,
    )


def _gate(stage: str, said: Mapping[str, Any]) -> Gate:
    return Gate(
        stage=stage,
        suite=str(said["suite"]),
        passed=bool(said["passed"]),
        evaluated=int(said["evaluated"]),
        failures=tuple(said["failures"]),
        warnings=tuple(said["warnings"]),
        seconds=float(said["seconds"]),
    )


def _span(stages: tuple[StageRun, ...]) -> float | None:
    """From the first start to the last end: stages may overlap, or wait for each other."""
    spans = [(stage.started, stage.seconds or 0.0) for stage in stages if stage.started]
    if not spans:
        return None
    first = min(started for started, _ in spans)
    return (max(started + timedelta(seconds=seconds) for started, seconds in spans) - first).total_seconds()


def _with_summary(said: Mapping[str, Any], known: Run | None) -> Run:
    """A run of the ledger with what run.json adds: its status, and stages that were not reached."""
    ledger = {stage.name: stage for stage in known.stages} if known else {}
    stages = []
    for stage in said["stages"]:
        # A stage without a duration never started: run.json calls it skipped, as it does one with nothing to do.
        reached = stage["seconds"] is not None
        stages.append(
            ledger.get(stage["name"])
            or StageRun(stage["name"], str(stage["status"]) if reached else "not reached", error=stage["error"])
        )
    missing = [name for name in said["selection"] if name not in {stage.name for stage in stages}]
    return Run(
        run_id=str(said["run_id"]),
        status=said["status"],
        date=said["date"],
        seconds=said["seconds"],
        stages=(*stages, *(StageRun(name, "not reached") for name in missing)),
        source=said["source"],
        scale=said["scale"],
        seed=said["seed"],
        updated_at=said["updated_at"],
        error=said.get("error"),
    )
