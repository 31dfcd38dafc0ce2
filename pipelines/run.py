"""`./build.sh run`: from raw data, or from nothing, to published tables in one local session."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape

from common.arguments import Parser, add_common_arguments, default_root, print_error
from common.cleaning.landing import newest_delivery
from common.cli import configure
from common.errors import ExitCode, PlatformError, UsageError
from common.job import Stage, StageContext, as_platform_error
from common.layout import Layout
from common.logs import keep_log
from common.quality.gate import Gatekeeper, load_great_expectations
from common.quality.ledger import LedgerEntry, entries, new_run_id, record, run_ids
from common.session import start_session
from common.settings import Settings, SourceSettings
from common.storage.locks import hold
from pipelines.earlier import asked_for, last_run, require_same_shop, restore
from pipelines.generation import STAGE as GENERATE
from pipelines.generation import (
    Generation,
    GeneratorProcess,
    generated,
    plan_generation,
    refuse_generation,
    scale_argument,
)
from pipelines.lineage_file import raw_files, write_lineage
from pipelines.preview import preview
from pipelines.pruning import prune
from pipelines.report.site import write_report
from pipelines.runner import run_stages
from pipelines.stages import GRAPH
from pipelines.view import Progress, RunFacts, show_summary, wide_console, write_run

log = logging.getLogger("ecommerce")
FIRST_QUERY = "SELECT sales_date, country, orders, net_amount FROM agg_daily_sales ORDER BY net_amount DESC LIMIT 5"


@dataclass(frozen=True)
class Plan:
    """What a run is going to do."""

    run_id: str
    layout: Layout
    settings: Settings
    source: SourceSettings
    stages: tuple[Stage, ...]
    generation: Generation | None
    date: date | None
    rebuild: bool
    parallel: int
    done: tuple[LedgerEntry, ...]
    arguments: Mapping[str, Any]
    seconds_before: float

    @property
    def names(self) -> tuple[str, ...]:
        """All steps of the run, those of an earlier attempt included, in order."""
        earlier = {entry.stage for entry in self.done}
        planned = {stage.name for stage in self.stages}
        own = tuple(name for name in GRAPH.names if name in planned | earlier)
        return (GENERATE, *own) if self.generation or GENERATE in earlier else own

    @cached_property
    def raw_files(self) -> Mapping[str, Sequence[str]]:
        """What is read in place of raw."""
        return raw_files(self.source)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, run, and say what came of it.

    Returns:
        The exit code; that of the first stage that failed.
    """
    console = wide_console(stderr=True)
    try:
        arguments = _parser().parse_args(argv)
        plan = _plan(arguments)
        if arguments.dry_run:
            _show(plan)
            if plan.source.is_mapped:
                spark = start_session(plan.settings, plan.layout, "ecommerce-platform")
                preview(spark, plan.source, wide_console())
            return int(ExitCode.DONE)
        with hold(plan.layout, ("run",)):
            return _run_and_report(plan, console)
    except SystemExit as leaving:  # --help
        return int(leaving.code or 0)
    except KeyboardInterrupt:
        console.print("interrupted; run again with --resume to go on")
        return int(ExitCode.UNEXPECTED)
    except Exception as error:  # the last line of defence of a process
        failure = as_platform_error(error)
        log.error("the run failed: %s", failure, exc_info=None if isinstance(error, PlatformError) else error)
        print_error(failure)
        return int(failure.exit_code)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="build.sh run", description="Run the stages of the platform on this machine.")
    add_common_arguments(parser)
    parser.add_argument(
        "--scale", type=scale_argument, help="size of generated data, 1 is 500,000 transactions (default: 1)"
    )
    parser.add_argument("--seed", type=int, help="seed of generated data (default: 42)")
    parser.add_argument("--from", dest="start", metavar="STAGE", help="this stage and what comes after it")
    parser.add_argument("--to", dest="end", metavar="STAGE", help="this stage and what it needs")
    parser.add_argument("--only", nargs="+", default=(), metavar="STAGE", help="these stages alone")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done")
    parser.add_argument("--resume", action="store_true", help="go on with the newest run where it failed")
    parser.add_argument("--parallel", type=int, metavar="N", help="stages that may work at the same time")
    return parser


def _plan(arguments: argparse.Namespace) -> Plan:
    here = Layout.at(arguments.root)
    last = last_run(here)
    run_id = new_run_id()
    done: tuple[LedgerEntry, ...] = ()
    if arguments.resume:
        run_id, done = _resumed(here, last)
        arguments = restore(arguments, last) if last else arguments
    layout, settings, source = configure(arguments)
    if not layout.is_local:
        raise UsageError(
            "the local runner works on a directory", where="--root", remedy="submit the jobs to the cluster one by one"
        )
    require_same_shop(layout, source, last)
    finished = {entry.stage for entry in done}
    chosen = GRAPH.select(arguments.start, arguments.end, arguments.only)
    parallel = arguments.parallel if arguments.parallel is not None else settings.runner.parallel
    if parallel < 1:
        raise UsageError(f"--parallel {parallel} is below 1", where="--parallel", remedy="give 1 or more")
    return Plan(
        run_id=run_id,
        layout=layout,
        settings=settings,
        source=source,
        stages=tuple(stage for stage in chosen if stage.name not in finished),
        generation=_generation(arguments, layout, source),
        date=arguments.date,
        rebuild=arguments.rebuild,
        parallel=parallel,
        done=done,
        arguments=asked_for(arguments, settings.source),
        seconds_before=float(last["seconds"]) if arguments.resume and last else 0.0,
    )


def _generation(arguments: argparse.Namespace, layout: Layout, source: SourceSettings) -> Generation | None:
    """What is to be generated.

    Raises:
        UsageError: If scale or seed are given and nothing is, or something else was.
    """
    if source.is_mapped:
        refuse_generation(layout, arguments.scale, arguments.seed, f"the data of {source.name} is its own")
    elif arguments.only or arguments.start:
        refuse_generation(layout, arguments.scale, arguments.seed, "--from and --only generate nothing")
    else:
        return plan_generation(layout, arguments.scale, arguments.seed)
    return None


def _resumed(layout: Layout, last: Mapping[str, Any] | None) -> tuple[str, tuple[LedgerEntry, ...]]:
    """The newest run, and what of it needs no repeating.

    Raises:
        UsageError: If there is no run.
    """
    known = run_ids(layout) if layout.is_local else []
    if last is None and not known:
        raise UsageError("there is no run to resume", where=layout.root, remedy="run without --resume")
    run_id = str(last["run_id"]) if last else known[0]
    return run_id, tuple(entry for entry in entries(layout, run_id) if entry.exit_code == ExitCode.DONE)


def _run_and_report(plan: Plan, console: Console) -> int:
    started = time.monotonic() - plan.seconds_before
    try:
        code = _run(plan, console)
    except Exception as error:
        _make_report(plan, _Failure(str(as_platform_error(error)), time.monotonic() - started))
        raise
    page = _make_report(plan)
    if page is not None:
        console.print(f"report:  {escape(str(page))}", soft_wrap=True, highlight=False)
    return code


@dataclass(frozen=True)
class _Failure:
    """A failure outside the stages, of which no entry of the ledger tells: its line, and when it came."""

    line: str
    seconds: float


def _make_report(plan: Plan, failure: _Failure | None = None) -> Path | None:
    """The report's first page. Without one the run ends as it would have, and the log says why."""
    try:
        if failure is not None:
            day = plan.date.isoformat() if plan.date else None
            facts = RunFacts(plan.run_id, day, None, None, plan.source.name, plan.names, failure.line, plan.arguments)
            _keep(plan, facts, list(entries(plan.layout, plan.run_id)), failure.seconds, "failed")
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
                spark, layout, plan.settings, plan.source, day, plan.run_id, gatekeeper, rebuild=plan.rebuild
            )
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
    show_summary(wide_console(), run, said_below=failed.stage if failed and _is_one_place() else None)
    for line in known:
        console.print(line, soft_wrap=True, highlight=False)
    _conclude(plan, console, run["seconds"], failed)
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


def _is_one_place() -> bool:
    """Whether standard output and standard error go to the same terminal, file or pipe."""
    try:
        return os.path.samestat(os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno()))
    except (OSError, ValueError):  # a stream that is closed, or no file at all
        return False


def _add_ceilings(layout: Layout, ended: Sequence[LedgerEntry]) -> tuple[str, ...]:
    """Hold models that were not yet held against the truth of generated data, a line for each."""
    if not {"train_recommendations", "train_churn"} & {entry.stage for entry in ended} or generated(layout) is None:
        return ()
    from pipelines.ml_truth import add_ceilings  # noqa: PLC0415 - loads the generator, for generated data alone

    return add_ceilings(layout)


def _preflight(plan: Plan) -> None:
    """Find out what is wrong with the input before a session is started for it."""
    if plan.source.is_mapped:
        return
    for stage in plan.stages:
        if stage.preflight is not None:
            stage.preflight(plan.layout)


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


def _show(plan: Plan) -> None:
    out = Console(soft_wrap=True, highlight=False)
    if plan.generation:
        out.print(f"{GENERATE}: make data at scale {plan.generation.scale:g} with seed {plan.generation.seed}")
    for stage in plan.stages:
        out.print(f"{stage.name}: {stage.title}")
        out.print(f"    reads  {', '.join(stage.inputs)}")
        out.print(f"    writes {', '.join(stage.outputs)}")
        if stage.suites:
            out.print(f"    gates  {', '.join(stage.suites)}")


def _conclude(plan: Plan, console: Console, seconds: float, failed: LedgerEntry | None) -> None:
    layout = plan.layout
    if failed:
        # What is in brackets is a place, and not a style.
        line = f"[red]error:[/red] {failed.stage}: {escape(failed.error or '')}"
        console.print(line, soft_wrap=True, highlight=False)
        console.print(f"log: {escape(layout.ops('logs', plan.run_id + '.log'))}", soft_wrap=True, highlight=False)
        return
    console.print(f"[green]done[/green] in {seconds:.0f} s: {escape(layout.root)}", soft_wrap=True, highlight=False)
    console.print(f"quality: {escape(layout.ops('gx', 'data_docs', 'index.html'))}", soft_wrap=True, highlight=False)
    if layout.local("ops", "tables.json").exists():
        query = f'./build.sh sql "{FIRST_QUERY}"{_root_option(layout)}'
        console.print(f"query:   {escape(query)}", soft_wrap=True, highlight=False)


def _root_option(layout: Layout) -> str:
    """What a command needs to be asked of the same root."""
    return "" if layout.root == default_root() else f" --root {shlex.quote(layout.root)}"


if __name__ == "__main__":
    sys.exit(main())
