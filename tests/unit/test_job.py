"""The life of a stage: whatever happens inside, there is an entry with the right exit code. No session is started."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from common.errors import (
    AccountError,
    ConfigurationError,
    ExitCode,
    GateFailedError,
    InputError,
    PlatformError,
    TooLittleDataError,
)
from common.job import Attempt, Stage, StageContext, StageResult, as_platform_error, execute, keep_failure
from common.layout import Layout
from common.quality.accounting import Account
from common.quality.findings import Finding
from common.quality.gate import Gatekeeper, GateResult
from common.quality.ledger import entries
from common.settings import Settings, SourceSettings
from common.storage.locks import hold

WARNED = GateResult("s", 2, (), (Finding("expect_x a", "warning", "observed_value 1"),), 0.5)
CLOSED = GateResult("s", 2, (Finding("expect_y b", "critical", "unexpected_count 3"),), (), 0.25)


@pytest.fixture
def context(layout: Layout, settings: Settings, source: SourceSettings) -> StageContext:
    nothing = cast(SparkSession, None)
    return StageContext(nothing, layout, settings, source, None, "run-1", Gatekeeper(layout, "run-1"))


def stage(run: Callable[[StageContext], StageResult], **changes: Any) -> Stage:
    return Stage("a_stage", "do it", (), ("x/out",), run, **changes)


def fails_with(error: BaseException) -> Callable[[StageContext], StageResult]:
    def run(context: StageContext) -> StageResult:
        raise error

    return run


def test_success_is_recorded_with_its_figures(context: StageContext) -> None:
    def run(context: StageContext) -> StageResult:
        context.gates.append(WARNED)
        return StageResult("ok", Account(3, 2, 1), {"x/out": (None, 0)}, ("a note",))

    entry = execute(stage(run, suites=("s",)), context)
    assert (entry.status, entry.exit_code, entry.error) == ("ok", 0, None)
    assert entry.rows == {"read": 3, "written": 2, "quarantined": 1, "duplicates": 0, "superseded": 0}
    assert entry.tables == {"x/out": {"before": None, "after": 0}}
    assert entry.notes == ("warning: s: expect_x a (observed_value 1)", "a note"), "warnings come first"
    assert entry.gate_seconds == 0.5
    assert list(entries(context.layout, "run-1")) == [entry]


def test_a_stage_without_a_gate_has_no_time_for_one(context: StageContext) -> None:
    assert execute(stage(lambda context: StageResult()), context).gate_seconds is None


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigurationError("no key", where="k"), ExitCode.USAGE, "no key [k]"),
        (GateFailedError("gate failed"), ExitCode.GATE_FAILED, "gate failed"),
        (AccountError("off by one"), ExitCode.GATE_FAILED, "off by one"),
        (InputError("missing", remedy="copy it"), ExitCode.INPUT, "missing -> copy it"),
        (ValueError("a\nb"), ExitCode.UNEXPECTED, "ValueError: a b -> the trace is in the log under ops/logs"),
        (MemoryError(), ExitCode.UNEXPECTED, "MemoryError: -> the trace is in the log under ops/logs"),
        (SystemExit(0), ExitCode.UNEXPECTED, "SystemExit: 0 -> the trace is in the log under ops/logs"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_a_failure_becomes_an_exit_code_and_a_line(
    context: StageContext, error: BaseException, code: ExitCode, line: str
) -> None:
    entry = execute(stage(fails_with(error)), context)
    assert (entry.status, entry.exit_code, entry.error, entry.rows) == ("failed", code, line, None)
    assert list(entries(context.layout, "run-1")) == [entry]


def test_a_closed_gate_is_kept_in_the_entry(context: StageContext) -> None:
    def run(context: StageContext) -> StageResult:
        context.gates.append(CLOSED)
        CLOSED.require()
        raise AssertionError("a closed gate lets nothing through")

    entry = execute(stage(run, suites=("s",)), context)
    assert entry.exit_code == ExitCode.GATE_FAILED
    assert entry.gates[0]["failures"] == ["expect_y b (unexpected_count 3)"]
    assert entry.error is not None
    assert "gate s failed: expect_y b (unexpected_count 3) [conf/expectations/s.json]" in entry.error


def test_an_output_that_is_held_is_a_failure_of_its_own_kind(context: StageContext) -> None:
    ran: list[str] = []

    def run(context: StageContext) -> StageResult:
        ran.append("ran")
        return StageResult()

    with hold(context.layout, ("x/out",)):
        assert execute(stage(run), context).exit_code == ExitCode.LOCKED
    assert ran == []
    assert execute(stage(run), context).exit_code == ExitCode.DONE


def test_too_little_to_learn_from_is_an_input_alone_and_skipped_in_a_run(context: StageContext) -> None:
    learns = stage(fails_with(TooLittleDataError("two customers", where="lake", remedy="wait")))
    alone = execute(learns, context)
    assert (alone.status, alone.exit_code, alone.error) == ("failed", ExitCode.INPUT, "two customers [lake] -> wait")
    in_a_run = execute(learns, replace(context, may_learn_nothing=True))
    assert (in_a_run.status, in_a_run.exit_code, in_a_run.error) == ("skipped", ExitCode.DONE, None)
    assert in_a_run.notes == ("warning: two customers [lake] -> wait",)


def test_a_failure_before_the_work_is_recorded_as_one_within(
    context: StageContext, caplog: pytest.LogCaptureFixture
) -> None:
    gated = stage(fails_with(InputError("missing", remedy="copy it")), suites=("s",))
    within = execute(gated, context)
    before = keep_failure(
        context.layout,
        Attempt(gated, "run-2", None, context.configuration),
        InputError("missing", remedy="copy it"),
    )
    assert list(entries(context.layout, "run-2")) == [before]
    assert replace(before, run_id="run-1", started_at=within.started_at, seconds=within.seconds) == within
    context.layout.local("ops", "ledger", "run-3").write_text("a file, not a directory")
    unkept = keep_failure(context.layout, Attempt(gated, "run-3", None, "c"), InputError("missing"))
    assert (unkept.exit_code, unkept.error) == (ExitCode.INPUT, "missing")
    assert "the ledger could not be written: cannot write: " in caplog.text


@pytest.mark.parametrize("is_full", [False, True], ids=["no directory", "full disk"])
def test_what_the_ledger_could_not_keep_is_not_done(
    context: StageContext, monkeypatch: pytest.MonkeyPatch, is_full: bool
) -> None:
    if is_full:

        def full(*arguments: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("common.quality.ledger.write_json", full)
    else:
        context.layout.local("ops").mkdir(parents=True)
        context.layout.local("ops", "ledger").write_text("a file, not a directory")
    entry = execute(stage(lambda context: StageResult()), context)
    assert (entry.status, entry.exit_code) == ("failed", ExitCode.USAGE)
    assert str(entry.error).startswith("cannot write: ")
    assert str(context.layout.local("ops", "ledger")) in str(entry.error)
    assert execute(stage(fails_with(InputError("gone"))), context).exit_code == ExitCode.INPUT


class FailedRead(AnalysisException):
    """What Spark raises, without Spark."""

    def __init__(self, condition: str, text: str) -> None:
        super().__init__(text)
        self.condition = condition

    def getCondition(self) -> str:
        return self.condition


@pytest.mark.parametrize(
    ("condition", "text", "code", "where"),
    [
        ("FAILED_READ_FILE.NO_HINT", "while reading file:///r/a.parquet.", ExitCode.INPUT, "file:///r/a.parquet"),
        ("PATH_NOT_FOUND", "Path does not exist: hdfs://n/raw/x", ExitCode.INPUT, "hdfs://n/raw/x"),
        ("DIVIDE_BY_ZERO", "Division by zero", ExitCode.UNEXPECTED, ""),
    ],
)
def test_a_file_that_spark_cannot_read_is_an_input(condition: str, text: str, code: ExitCode, where: str) -> None:
    failure = as_platform_error(FailedRead(condition, text))
    assert (failure.exit_code, failure.where) == (code, where)


def test_a_metastore_that_another_process_has_is_locked() -> None:
    derby = "XSDB6: Another instance of Derby may have already booted the database /srv/shop/warehouse/metastore_db."
    failure = as_platform_error(RuntimeError(f"An error occurred: {'at some.class ' * 100} Caused by: {derby}"))
    assert failure.exit_code == ExitCode.LOCKED
    assert str(failure).startswith("the metastore is in use by another process [warehouse/metastore_db] ->")


def test_a_failure_of_the_platform_stays_what_it_is() -> None:
    error = PlatformError("x")
    assert as_platform_error(error) is error


def test_the_basis_changes_with_what_a_table_depends_on_and_with_nothing_else(context: StageContext) -> None:
    def basis(**changes: Any) -> str:
        return replace(context, run_id="other", **changes).basis

    one_core = context.settings.spark.model_copy(update={"master": "local[1]", "shuffle_partitions": 1})
    limits = context.source.limits.model_copy(update={"max_quantity": 5})
    assert basis() == context.basis
    assert basis(settings=context.settings.model_copy(update={"spark": one_core})) == context.basis
    assert basis(source=context.source.model_copy(update={"limits": limits})) != context.basis
