"""The life of a stage: locks, work, gate, ledger, exit code. The same alone, in a run, on YARN and from Airflow."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from common import __version__
from common.errors import ExitCode, InputError, PlatformError, TooLittleDataError
from common.layout import Layout
from common.quality.accounting import Account
from common.quality.gate import Gatekeeper, GateResult
from common.quality.ledger import LedgerEntry, Status, record
from common.settings import Settings, SourceSettings, configuration_fingerprint
from common.storage.files import unwritable
from common.storage.locks import hold, metastore_in_use

log = logging.getLogger("ecommerce")
# Before a run has its log file, what went wrong is said once, on standard error.
log.addHandler(logging.NullHandler())


@dataclass(frozen=True)
class StageResult:
    """What a stage did.

    Attributes:
        status: ok, or skipped when nothing had changed since its last success or there is too little to learn from.
        account: Its rows, balanced; None for a stage that keeps none.
        tables: Version of each table before and after.
        notes: Sentences for the summary.
    """

    status: Status = "ok"
    account: Account | None = None
    tables: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class StageContext:
    """What a stage is given: everything that its effect may depend on.

    Attributes:
        spark: The session; in a parallel run the stage's own.
        layout: The root.
        settings: The platform's configuration.
        source: The shop's.
        date: The last day to be processed; None means the newest in raw.
        run_id: The run.
        rebuild: Whether to start from nothing instead of from what was done before.
        gatekeeper: Validates frames.
        may_learn_nothing: Whether a stage that finds too little to learn from is skipped, as in a run of the graph.
        gates: What the gates of this stage found so far.
    """

    spark: SparkSession
    layout: Layout
    settings: Settings
    source: SourceSettings
    date: date | None
    run_id: str
    gatekeeper: Gatekeeper
    rebuild: bool = False
    may_learn_nothing: bool = False
    gates: list[GateResult] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def configuration(self) -> str:
        """A hash of what the configuration says."""
        return configuration_fingerprint(self.settings, self.source)

    @property
    def basis(self) -> str:
        """What a table was made by, beside its inputs: when it changes the table is made anew."""
        relevant = self.settings.model_copy(update={"spark": None, "runner": None, "ml": None, "profile": ""})
        source = self.source.model_copy(update={"ml": None})
        return f"{__version__}:{configuration_fingerprint(relevant, source)}"

    def gate(self, suite: str, frame: DataFrame, **parameters: Any) -> GateResult:  # noqa: ANN401 - as GX takes them
        """Hold a frame against a suite, and stop the stage when it fails.

        Raises:
            GateFailedError: If the gate is closed, or could not run.
        """
        result = self.gatekeeper.validate(suite, frame, parameters)
        with self.lock:
            self.gates.append(result)
        for warning in result.warnings:
            log.warning("gate %s: %s", suite, warning)
        return result.require()


@dataclass(frozen=True)
class Stage:
    """A step of the graph.

    Attributes:
        name: As on the command line, in the ledger and in Airflow.
        title: What it does, in a few words.
        inputs: What it reads, as paths below the root.
        outputs: What it writes, each by this stage alone.
        run: The work.
        suites: The gates that it passes.
        preflight: What can be seen to be wrong before a session is started.
    """

    name: str
    title: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    run: Callable[[StageContext], StageResult]
    suites: tuple[str, ...] = ()
    preflight: Callable[[Layout, SourceSettings], object] | None = None


@dataclass(frozen=True)
class Attempt:
    """A stage that sets out to do its part of a run.

    Attributes:
        stage: The stage.
        run_id: The run.
        date: The date of the run; None where the stage has not come to know it.
        configuration: A hash of what the configuration says.
        started_at: When it set out, UTC.
        started: The same by a clock that only goes forward.
    """

    stage: Stage
    run_id: str
    date: date | None
    configuration: str
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(default_factory=time.monotonic)

    def entry(self, failure: PlatformError | None) -> LedgerEntry:
        """Its entry in the ledger, without what the stage did."""
        return LedgerEntry(
            run_id=self.run_id,
            stage=self.stage.name,
            date=self.date.isoformat() if self.date else None,
            status="failed" if failure else "ok",
            started_at=self.started_at.isoformat(timespec="milliseconds"),
            seconds=round(time.monotonic() - self.started, 3),
            gate_seconds=0.0 if self.stage.suites else None,
            rows=None,
            tables={},
            gates=(),
            notes=(),
            exit_code=int(failure.exit_code if failure else ExitCode.DONE),
            error=str(failure) if failure else None,
            code_version=__version__,
            configuration=self.configuration,
        )


def keep_failure(layout: Layout, attempt: Attempt, error: Exception | SystemExit) -> LedgerEntry:
    """Keep in the ledger that a stage failed before its work began: of its input, or for want of a session."""
    return _kept(layout, attempt.entry(as_platform_error(error)))


def execute(stage: Stage, context: StageContext) -> LedgerEntry:
    """Run a stage under its locks and keep what it did in the ledger.

    A failure does not raise: the entry has its exit code and line, and the trace is in the log.
    """
    attempt = Attempt(stage, context.run_id, context.date, context.configuration)
    result: StageResult | None = None
    failure: PlatformError | None = None
    try:
        with hold(context.layout, stage.outputs):
            result = _run(stage, context)
    except (Exception, SystemExit) as error:  # the one place where a failure becomes an exit code
        failure = as_platform_error(error)
        log.error("%s failed: %s", stage.name, failure, exc_info=error)
    return _kept(
        context.layout,
        replace(
            attempt.entry(failure),
            status=result.status if result else "failed",
            gate_seconds=round(sum(gate.seconds for gate in context.gates), 3) if stage.suites else None,
            rows=result.account.as_json() if result and result.account else None,
            tables=_versions(result),
            gates=tuple(gate.as_json() for gate in context.gates),
            notes=_notes(context, result),
        ),
    )


def _kept(layout: Layout, entry: LedgerEntry) -> LedgerEntry:
    """An entry as it was kept; what is kept nowhere is not done."""
    try:
        record(layout, entry)
    except (PlatformError, OSError) as error:
        unkept = unwritable(layout.local("ops", "ledger"), error) if isinstance(error, OSError) else error
        log.error("the ledger could not be written: %s", unkept)
        if entry.exit_code == ExitCode.DONE:
            return replace(entry, status="failed", exit_code=int(unkept.exit_code), error=str(unkept))
    return entry


def _run(stage: Stage, context: StageContext) -> StageResult:
    try:
        return stage.run(context)
    except TooLittleDataError as error:
        if not context.may_learn_nothing:
            raise
        log.warning("%s: %s", stage.name, error)
        return StageResult("skipped", notes=(f"warning: {error}",))


def as_platform_error(error: Exception | SystemExit) -> PlatformError:
    """The failure that a caller is told of; what nobody foresaw is unexpected, such as a library that ends the process.

    Derby's metastore is open in one process at a time, and says that only in its own words.
    """
    if isinstance(error, PlatformError):
        return error
    text = " ".join(str(error).split())
    condition = error.getCondition() or "" if isinstance(error, PySparkException) else ""
    if condition.startswith(("FAILED_READ_FILE", "PATH_NOT_FOUND", "CANNOT_READ_FILE")) or "FAILED_READ_FILE" in text:
        path = re.search(r"(?:file|hdfs):/+[^\s,'\"]+", text)
        return InputError(
            "a file cannot be read",
            where=path[0].rstrip(".") if path else text[:200],
            remedy="deliver it again, or remove it; a table's own file comes back when its stage runs with --rebuild",
        )
    return metastore_in_use(text) or PlatformError(
        f"{type(error).__name__}: {text[:300]}", remedy="the trace is in the log under ops/logs"
    )


def _versions(result: StageResult | None) -> dict[str, dict[str, int | None]]:
    tables = result.tables if result else {}
    return {name: {"before": before, "after": after} for name, (before, after) in tables.items()}


def _notes(context: StageContext, result: StageResult | None) -> tuple[str, ...]:
    warnings = [f"warning: {gate.suite}: {finding}" for gate in context.gates for finding in gate.warnings]
    return (*warnings, *(result.notes if result else ()))
