"""The command line that every job shares, and the way from arguments to an exit code."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import date

from rich.console import Console

from common.arguments import HelpShown, Parser, add_common_arguments, print_error
from common.cleaning.landing import newest_delivery
from common.errors import ExitCode, PlatformError
from common.job import Attempt, Stage, StageContext, as_platform_error, execute, keep_failure
from common.layout import PERSONAL_ZONES, Layout
from common.logs import keep_log
from common.quality.gate import Gatekeeper
from common.quality.ledger import LedgerEntry, new_run_id
from common.session import start_session
from common.settings import Settings, SourceSettings, configuration_fingerprint, load_settings, load_source
from common.storage.files import ensure_writable, keep_private

log = logging.getLogger("ecommerce")


def configure(arguments: argparse.Namespace) -> tuple[Layout, Settings, SourceSettings]:
    """Layout and configuration from the common arguments.

    Raises:
        UsageError: If the root cannot be written or the configuration is wrong.
    """
    settings = load_settings(arguments.conf)
    if arguments.source:
        settings = settings.model_copy(update={"source": arguments.source})
    source = load_source(settings.source)
    layout = Layout.at(arguments.root)
    if layout.is_local and not getattr(arguments, "dry_run", False):
        ensure_writable(layout.local())
        for zone in PERSONAL_ZONES:
            keep_private(layout.local(zone))
    return layout, settings, source


def job_main(
    stage: Stage,
    argv: Sequence[str] | None = None,
    *,
    steps: Sequence[str] = (),
    with_steps: Callable[[Sequence[str]], Stage] | None = None,
) -> int:
    """Run one stage from the command line.

    Args:
        stage: The stage.
        argv: Arguments; default those of the process.
        steps: Parts of the stage that can be asked for, each by an option of its name; without one all are done.
        with_steps: Gives the stage with some of them.

    Returns:
        The exit code; see `common.errors.ExitCode`.
    """
    parser = Parser(prog=f"jobs/{stage.name}.py", description=stage.title)
    add_common_arguments(parser)
    parser.add_argument("--run-id", help="the run that this stage belongs to (default: a new one)")
    for step in steps:
        parser.add_argument(f"--{step}", action="store_true", help=f"{step}, and only what else is named")
    try:
        arguments = parser.parse_args(argv)
        asked = [step for step in steps if getattr(arguments, step)]
        if asked and with_steps is not None:
            stage = with_steps(asked)
        layout, settings, source = configure(arguments)
        run_id = arguments.run_id or new_run_id()
        attempt = Attempt(stage, run_id, arguments.date, configuration_fingerprint(settings, source))
        try:
            keep_log(layout, run_id)
            day = _look_ahead(stage, layout, source, arguments.date)
            spark = start_session(settings, layout, stage.name)
        except (Exception, SystemExit) as error:
            keep_failure(layout, attempt, error)
            raise
        context = StageContext(
            spark, layout, settings, source, day, run_id, Gatekeeper(layout, run_id), rebuild=arguments.rebuild
        )
        entry = execute(stage, context)
        context.gatekeeper.publish_documents()
    except HelpShown:
        return int(ExitCode.DONE)
    except (Exception, SystemExit) as error:  # the last line of defence of a process
        failure = as_platform_error(error)
        log.error("%s failed: %s", stage.name, failure, exc_info=None if isinstance(error, PlatformError) else error)
        print_error(failure)
        return int(failure.exit_code)
    print_entry(entry)
    return entry.exit_code


def _look_ahead(stage: Stage, layout: Layout, source: SourceSettings, day: date | None) -> date | None:
    """See what is wrong with the input before a session is started for it, and which day is the last to be processed.

    Raises:
        InputError: If data is missing or cannot be read.
    """
    if not layout.is_local:
        return day
    if stage.preflight is not None:
        stage.preflight(layout, source)
    return day or newest_delivery(layout)


def print_entry(entry: LedgerEntry) -> None:
    """What a stage did, for the reader of a terminal or of a log."""
    if entry.exit_code != ExitCode.DONE:
        sys.stderr.write(f"error: {entry.stage}: {entry.error}\n")
        return
    console = Console(soft_wrap=True, highlight=False, markup=False)
    rows = ", ".join(f"{name} {count:,}" for name, count in (entry.rows or {}).items())
    console.print(f"{entry.stage}: {entry.status} in {entry.seconds:.1f} s" + (f": {rows}" if rows else ""))
    for note in entry.notes:
        console.print(f"  {note}")
