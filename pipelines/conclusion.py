"""The end of a run, as its reader sees it: the summary, and what to look at next."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from common.arguments import default_root
from common.layout import Layout
from common.quality.ledger import LedgerEntry
from pipelines.view import show_summary, wide_console

FIRST_QUERY = "SELECT sales_date, country, orders, net_amount FROM agg_daily_sales ORDER BY net_amount DESC LIMIT 5"


def show_end(
    layout: Layout, console: Console, run: dict[str, Any], failed: LedgerEntry | None, notes: Sequence[str]
) -> None:
    """Print the summary on standard output, and on the console why the run failed or where its results are.

    Args:
        layout: The root.
        console: Of standard error.
        run: run.json.
        failed: The first stage that failed.
        notes: Lines that belong to the summary.
    """
    show_summary(wide_console(), run, said_below=failed.stage if failed and is_one_place() else None)
    for line in notes:
        console.print(line, soft_wrap=True, highlight=False)
    conclude(layout, console, run, failed)


def is_one_place() -> bool:
    """Whether standard output and standard error go to the same terminal, file or pipe."""
    try:
        return os.path.samestat(os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno()))
    except (OSError, ValueError):  # a stream that is closed, or no file at all
        return False


def conclude(layout: Layout, console: Console, run: dict[str, Any], failed: LedgerEntry | None) -> None:
    """Print why the run failed and where its log is, or where its results are."""
    if failed:
        # What is in brackets is a place, and not a style.
        line = f"[red]error:[/red] {failed.stage}: {escape(failed.error or '')}"
        console.print(line, soft_wrap=True, highlight=False)
        console.print(f"log: {escape(layout.ops('logs', run['run_id'] + '.log'))}", soft_wrap=True, highlight=False)
        return
    console.print(
        f"[green]done[/green] in {run['seconds']:.0f} s: {escape(layout.root)}", soft_wrap=True, highlight=False
    )
    console.print(f"quality: {escape(layout.ops('gx', 'data_docs', 'index.html'))}", soft_wrap=True, highlight=False)
    if layout.local("ops", "tables.json").exists():
        query = f'./build.sh sql "{FIRST_QUERY}"{_root_option(layout)}'
        console.print(f"query:   {escape(query)}", soft_wrap=True, highlight=False)


def _root_option(layout: Layout) -> str:
    """What a command needs to be asked of the same root."""
    return "" if layout.root == default_root() else f" --root {shlex.quote(layout.root)}"
