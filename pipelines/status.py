"""`./build.sh status`: the last runs, and what the newest did."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich import box
from rich.table import Table

from common.arguments import Parser, default_root, print_error
from common.errors import ExitCode, InputError, PlatformError
from common.layout import Layout
from common.quality.ledger import LedgerEntry, entries, run_ids
from common.storage.files import read_json
from pipelines.view import summary_table, wide_console


def main(argv: Sequence[str] | None = None) -> int:
    """Show the last runs.

    Returns:
        0; 2 for a wrong argument; 4 when there was no run.
    """
    try:
        arguments = _parser().parse_args(argv)
        layout = Layout.at(arguments.root)
        known = run_ids(layout)
        if not known:
            raise InputError("no run yet", where=layout.root, remedy="run ./build.sh run, or name its --root")
        console = wide_console()
        console.print(_runs_table([(run_id, list(entries(layout, run_id))) for run_id in known[: arguments.limit]]))
        newest = layout.local("ops", "run.json")
        if newest.exists():
            run = read_json(newest)
            console.print(f"newest run {run['run_id']}: {run['status']} in {run['seconds']:.0f} s")
            console.print(summary_table(run))
    except SystemExit as leaving:  # --help
        return int(leaving.code or 0)
    except PlatformError as error:
        print_error(error)
        return int(error.exit_code)
    return int(ExitCode.DONE)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="build.sh status", description="Show the last runs.")
    parser.add_argument("--root", default=default_root(), help="directory of the zones (default: data)")
    parser.add_argument("--limit", type=int, default=10, help="how many runs (default: 10)")
    return parser


def _runs_table(runs: Sequence[tuple[str, Sequence[LedgerEntry]]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("run", "date", "status"):
        table.add_column(name, no_wrap=True)
    for name in ("stages", "seconds", "quarantined"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("error", overflow="fold")
    for run_id, stages in runs:
        failed = [entry for entry in stages if entry.exit_code]
        quarantined = sum((entry.rows or {}).get("quarantined") or 0 for entry in stages)
        table.add_row(
            run_id,
            next((entry.date for entry in stages if entry.date), ""),
            "[red]failed[/red]" if failed else "[green]ok[/green]",
            str(len(stages)),
            f"{sum(entry.seconds for entry in stages):.1f}",
            f"{quarantined:,}",
            f"{failed[0].stage}: {failed[0].error}" if failed else "",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
