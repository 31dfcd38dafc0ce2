"""`./build.sh status`: the last runs, and what the newest did."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.table import Table

from common.arguments import HelpShown, Parser, default_root, print_error
from common.errors import ExitCode, InputError, PlatformError
from common.layout import Layout
from common.quality.ledger import LedgerEntry, entries, run_ids
from common.storage.files import read_json
from pipelines.earlier import RunState, last_run, state_of
from pipelines.view import show_error, show_summary, wide_console

_MARKS = {
    "ok": "[green]ok[/green]",
    "failed": "[red]failed[/red]",
    "running": "[cyan]running[/cyan]",
    "interrupted": "[yellow]interrupted[/yellow]",
}


@dataclass(frozen=True)
class RunRow:
    """A run as a line of the table.

    Attributes:
        run_id: The run.
        date: The last day that it processed, ISO; empty while it is not known.
        state: How it stands.
        stages: How many stages have ended; of a job that ran alone its name.
        seconds: Of the whole run, all its attempts together; of jobs that ran alone the sum.
        quarantined: Rows that were turned away.
        error: Its failure.
    """

    run_id: str
    date: str
    state: RunState
    stages: str
    seconds: float
    quarantined: int
    error: str


def main(argv: Sequence[str] | None = None) -> int:
    """Show the last runs.

    Returns:
        0; 2 for a wrong argument, such as a table that no run made; 4 when there was no run.
    """
    try:
        arguments = _parser().parse_args(argv)
        layout = Layout.at(arguments.root)
        if arguments.lineage:
            _show_ancestry(layout, arguments.lineage)
            return int(ExitCode.DONE)
        newest = last_run(layout)
        rows = run_rows(layout, newest, arguments.limit)
        if not rows:
            raise InputError("no run yet", where=layout.root, remedy="run ./build.sh run, or name its --root")
        console = wide_console()
        console.print(_runs_table(rows))
        for row in rows:
            if row.error and not _is_shown_below(row, newest):
                show_error(console, row.run_id, row.error)
        if newest is not None:
            console.print(_headline(newest, state_of(layout, newest)), soft_wrap=True)
            show_summary(console, newest)
    except HelpShown:
        return int(ExitCode.DONE)
    except PlatformError as error:
        print_error(error)
        return int(error.exit_code)
    return int(ExitCode.DONE)


def run_rows(layout: Layout, newest: dict[str, Any] | None, limit: int) -> list[RunRow]:
    """The last runs, the newest first: of runs by what they say of themselves, of single jobs by the ledger.

    Args:
        layout: The root.
        newest: What run.json says.
        limit: How many.

    Raises:
        InputError: If a file of a run cannot be read.
    """
    said = {path.stem: path for path in layout.local("ops", "runs").glob("*.json")} if layout.is_local else {}
    known = {*run_ids(layout), *said, *([str(newest["run_id"])] if newest else [])}
    rows = []
    for run_id in sorted(known, reverse=True)[:limit]:
        run = read_json(said[run_id]) if run_id in said else None
        if newest is not None and newest["run_id"] == run_id:
            run = newest
        rows.append(_row(layout, run_id, run, list(entries(layout, run_id))))
    return rows


def _row(layout: Layout, run_id: str, run: dict[str, Any] | None, ended: Sequence[LedgerEntry]) -> RunRow:
    failed = next((f"{entry.stage}: {entry.error}" for entry in ended if entry.exit_code), "")
    alone = ended[0].stage if run is None and len(ended) == 1 else str(len(ended))
    return RunRow(
        run_id=run_id,
        date=next((entry.date for entry in ended if entry.date), None) or (run or {}).get("date") or "",
        state=state_of(layout, run) if run else "failed" if failed else "ok",
        stages=alone if run is None else f"{len(ended)} of {len(run['selection'])}",
        seconds=float(run["seconds"]) if run else sum(entry.seconds for entry in ended),
        quarantined=sum((entry.rows or {}).get("quarantined") or 0 for entry in ended),
        error=failed or (run or {}).get("error") or "",
    )


def _is_shown_below(row: RunRow, newest: dict[str, Any] | None) -> bool:
    """Whether the table of stages tells of a run's failure."""
    return newest is not None and newest["run_id"] == row.run_id and any(each["error"] for each in newest["stages"])


def _headline(run: dict[str, Any], state: RunState) -> str:
    """The run that the table of stages is about; it need not be the newest line above, as jobs run alone too."""
    spent = f"{run['seconds']:.0f} s"
    words = {
        "ok": f"ok in {spent}",
        "failed": f"failed after {spent}",
        "running": f"running for {run['seconds'] + _since(run['updated_at']):.0f} s",
        "interrupted": f"interrupted after {spent} or more; ./build.sh run --resume goes on with it",
    }
    return f"newest whole run {run['run_id']}: {words[state]}"


def _since(moment: str) -> float:
    """Seconds; a clock that was set back gives none."""
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())


def _limit(text: str) -> int:
    """A number of runs.

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of runs; give 1 or more")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="build.sh status", description="Show the last runs.")
    parser.add_argument("--root", default=default_root(), help="directory of the zones (default: data)")
    parser.add_argument("--limit", type=_limit, default=10, help="how many runs (default: 10)")
    parser.add_argument("--lineage", metavar="TABLE", help="instead: what this table was made of, version by version")
    return parser


def _show_ancestry(layout: Layout, table: str) -> None:
    from pipelines.ancestry import ancestry  # noqa: PLC0415 - loads every stage, and Spark's Python with them
    from pipelines.stages import GRAPH  # noqa: PLC0415 - the same

    wide_console().print(ancestry(layout, GRAPH, table), soft_wrap=True)


def _runs_table(rows: Sequence[RunRow]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in ("run", "date", "status"):
        table.add_column(name, no_wrap=True)
    table.add_column("stages", justify="right", overflow="fold")
    for name in ("seconds", "quarantined"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.run_id,
            row.date,
            _MARKS[row.state],
            row.stages,
            f"{row.seconds:.1f}",
            f"{row.quarantined:,}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
