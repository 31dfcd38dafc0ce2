"""What a run is going to do, from the command line and what is there already."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from rich.console import Console

from common.arguments import Parser, add_common_arguments
from common.cli import configure
from common.errors import ExitCode, UsageError
from common.job import Stage
from common.layout import Layout
from common.quality.ledger import LedgerEntry, entries, new_run_id, run_ids
from common.settings import Settings, SourceSettings
from pipelines.earlier import asked_for, last_run, require_same_shop, restore
from pipelines.generation import STAGE as GENERATE
from pipelines.generation import Generation, plan_generation, refuse_generation, scale_argument
from pipelines.lineage_file import raw_files
from pipelines.stages import GRAPH


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


def run_parser() -> argparse.ArgumentParser:
    """The arguments of `./build.sh run`."""
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


def make_plan(arguments: argparse.Namespace) -> Plan:
    """Decide what is done.

    Raises:
        UsageError: If what is asked for makes no sense, or not with what is there.
        ConfigurationError: If the configuration is not valid.
    """
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


def show_plan(plan: Plan) -> None:
    """Print what would be done."""
    out = Console(soft_wrap=True, highlight=False)
    if plan.generation:
        out.print(f"{GENERATE}: make data at scale {plan.generation.scale:g} with seed {plan.generation.seed}")
    for stage in plan.stages:
        out.print(f"{stage.name}: {stage.title}")
        out.print(f"    reads  {', '.join(stage.inputs)}")
        out.print(f"    writes {', '.join(stage.outputs)}")
        if stage.suites:
            out.print(f"    gates  {', '.join(stage.suites)}")
