"""`./build.sh run`: from raw data, or from nothing, to published tables in one local session."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape

from common.arguments import HelpShown, print_error
from common.cleaning.landing import newest_delivery
from common.cleaning.mapped_files import check_paths
from common.errors import ExitCode, PlatformError
from common.job import Attempt, StageContext, as_platform_error, keep_failure
from common.layout import Layout
from common.logs import keep_log
from common.quality.gate import Gatekeeper, load_great_expectations
from common.quality.ledger import LedgerEntry, entries, record
from common.session import start_session
from common.settings import configuration_fingerprint
from common.storage.locks import hold
from pipelines.conclusion import show_end
from pipelines.generation import STAGE as GENERATE
from pipelines.generation import GeneratorProcess, generated
from pipelines.lineage_file import write_lineage
from pipelines.plan import Plan, make_plan, run_parser, show_plan
from pipelines.preview import preview
from pipelines.pruning import prune
from pipelines.report.site import write_report
from pipelines.runner import run_stages
from pipelines.stages import GRAPH
from pipelines.view import Progress, RunFacts, wide_console, write_run

log = logging.getLogger("ecommerce")


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, run, and say what came of it.

    Returns:
        The exit code; that of the first stage that failed.
    """
    console = wide_console(stderr=True)
    try:
        arguments = run_parser().parse_args(argv)
        plan = make_plan(arguments)
        if arguments.dry_run:
            _dry_run(plan)
            return int(ExitCode.DONE)
        with hold(plan.layout, ("run",)):
            return _run_and_report(plan, console)
    except HelpShown:
        return int(ExitCode.DONE)
    except KeyboardInterrupt:
        console.print("interrupted; run again with --resume to go on")
        return int(ExitCode.UNEXPECTED)
    except (Exception, SystemExit) as error:  # the last line of defence of a process
        failure = as_platform_error(error)
        log.error("the run failed: %s", failure, exc_info=None if isinstance(error, PlatformError) else error)
        print_error(failure)
        return int(failure.exit_code)


def _dry_run(plan: Plan) -> None:
    """Show what would be done, and what a mapping gives. No log is kept of it."""
    show_plan(plan)
    if not plan.source.is_mapped:
        return
    for dataset in plan.source.datasets:
        check_paths(plan.source, dataset)
    spark = start_session(plan.settings, plan.layout, "ecommerce-platform")
    try:
        preview(spark, plan.source, wide_console())
    except Exception as error:
        failure = as_platform_error(error)
        if failure.exit_code != ExitCode.UNEXPECTED:
            raise failure from error
        traceback.print_exception(error)
        raise PlatformError(failure.what, remedy="the trace is above") from error


def _run_and_report(plan: Plan, console: Console) -> int:
    started = time.monotonic() - plan.seconds_before
    try:
        code = _run(plan, console)
    except (Exception, SystemExit) as error:
        _make_report(plan, _Failure(str(as_platform_error(error)), time.monotonic() - started))
        raise
    page = _make_report(plan)
    if page is not None:
        console.print(f"report:  {escape(str(page))}", soft_wrap=True, highlight=False)
    return code


@dataclass(frozen=True)
class _Failure:
    """A failure outside the work of the stages: its line, and when it came.

    The ledger tells of it where it is one of a stage's input, and run.json where it belongs to no stage.
    """

    line: str
    seconds: float


def _make_report(plan: Plan, failure: _Failure | None = None) -> Path | None:
    """The report's first page. Without one the run ends as it would have, and the log says why."""
    try:
        if failure is not None:
            day = plan.date.isoformat() if plan.date else None
            ended = list(entries(plan.layout, plan.run_id))
            line = None if failure.line in {entry.error for entry in ended} else failure.line
            facts = RunFacts(plan.run_id, day, None, None, plan.source.name, plan.names, line, plan.arguments)
            _keep(plan, facts, ended, failure.seconds, "failed")
        return write_report(plan.layout)
    except Exception as error:  # how a run ended is not for its report to change
        log.error("the report could not be made: %s", as_platform_error(error), exc_info=error)
        return None


def _run(plan: Plan, console: Console) -> int:
    layout = plan.layout
    keep_log(layout, plan.run_id)
    started = time.monotonic() - plan.seconds_before
    ended = list(plan.done)
    with Progress(console, len(plan.names)) as progress:
        generator = None
        if plan.generation:
            making = f"make a shop's data at scale {plan.generation.scale:g}"
            progress.start(GENERATE, making)
            generator = GeneratorProcess(
                layout, plan.generation, plan.run_id, lambda step: progress.start(GENERATE, f"{making}: {step}")
            )
        else:
            _preflight(plan)
        try:
            _keep(plan, _facts(plan), ended, time.monotonic() - started, "running")
            threading.Thread(target=load_great_expectations, daemon=True).start()
            spark = start_session(plan.settings, layout, "ecommerce-platform")
            if generator is not None:
                entry = generator.wait()
                record(layout, entry)
                ended.append(entry)
                progress.end(entry)
        except BaseException:
            if generator is not None:
                generator.stop()
            raise
        facts = _facts(plan)
        known: tuple[str, ...] = ()
        if not any(entry.exit_code for entry in ended):
            day = date.fromisoformat(facts.date) if facts.date else None
            gatekeeper = Gatekeeper(layout, plan.run_id)
            context = StageContext(
                spark, layout, plan.settings, plan.source, day, plan.run_id, gatekeeper,
                rebuild=plan.rebuild, may_learn_nothing=True,
            )  # fmt: skip
            _keep(plan, facts, ended, time.monotonic() - started, "running")
            for entry in run_stages(
                GRAPH,
                plan.stages,
                context,
                parallel=plan.parallel,
                started=lambda each: progress.start(each.name, each.title),
            ):
                ended.append(entry)
                progress.end(entry)
                _keep(plan, facts, ended, time.monotonic() - started, "running")
            gatekeeper.publish_documents()
            known = _add_ceilings(layout, ended)
    failed = next((entry for entry in ended if entry.exit_code), None)
    run = _keep(plan, facts, ended, time.monotonic() - started, "failed" if failed else "ok")
    prune(layout, plan.settings.runner.keep_runs, plan.run_id)
    show_end(layout, console, run, failed, known)
    return failed.exit_code if failed else int(ExitCode.DONE)


def _keep(
    plan: Plan,
    facts: RunFacts,
    ended: Sequence[LedgerEntry],
    seconds: float,
    status: Literal["running", "ok", "failed"],
) -> dict[str, Any]:
    """Write run.json and the lineage. A run goes on without the latter, and the log says why."""
    run = write_run(plan.layout, facts, ended, seconds, status=status)
    try:
        write_lineage(plan.layout, run, ended, GRAPH, plan.raw_files)
    except Exception as error:  # how a run goes on is not for its lineage to change
        log.error("the lineage could not be written: %s", as_platform_error(error), exc_info=error)
    return run


def _add_ceilings(layout: Layout, ended: Sequence[LedgerEntry]) -> tuple[str, ...]:
    """Hold models that were not yet held against the truth of generated data, a line for each."""
    if not {"train_recommendations", "train_churn"} & {entry.stage for entry in ended} or generated(layout) is None:
        return ()
    from pipelines.ml_truth import add_ceilings  # noqa: PLC0415 - loads the generator, for generated data alone

    return add_ceilings(layout)


def _preflight(plan: Plan) -> None:
    """Find out what is wrong with the input before a session is started for it; the ledger has whose input it is."""
    for stage in plan.stages:
        if stage.preflight is None:
            continue
        attempt = Attempt(stage, plan.run_id, plan.date, configuration_fingerprint(plan.settings, plan.source))
        try:
            stage.preflight(plan.layout, plan.source)
        except Exception as error:
            keep_failure(plan.layout, attempt, error)
            raise


def _facts(plan: Plan) -> RunFacts:
    made = None if plan.source.is_mapped else generated(plan.layout)
    day = plan.date or (None if plan.source.is_mapped else newest_delivery(plan.layout))
    return RunFacts(
        run_id=plan.run_id,
        date=day.isoformat() if day else None,
        scale=made["scale"] if made else None,
        seed=made["seed"] if made else None,
        source=plan.source.name,
        selection=plan.names,
        arguments=plan.arguments,
    )


if __name__ == "__main__":
    sys.exit(main())
