"""`./build.sh quarantine`: the rows that were turned away, and why."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
from rich.console import Console
from rich.text import Text

from common.arguments import HelpShown, Parser, default_root, print_error
from common.errors import ExitCode, InputError, PlatformError, UsageError
from common.layout import DATASETS, Layout
from common.quality.masking import mask, readable, shorten
from pipelines.answers import printable
from pipelines.tables import delta_relation
from pipelines.view import wide_console

# A row is shown whole; what is longer than this is no row but, say, a file without line ends.
_PAYLOAD_SHOWN = 4_000
_ROWS_SHOWN = 10
_FETCHED = 10_000


@dataclass(frozen=True)
class Rejected:
    """The quarantine of a data set.

    Attributes:
        dataset: The data set.
        rows: Its rows, without regard to a reason that was asked for.
        total: How many there are.
        reasons: How many rows have each reason; a row may have several.
    """

    dataset: str
    rows: duckdb.DuckDBPyRelation
    total: int
    reasons: Counter[str]


def main(argv: Sequence[str] | None = None) -> int:
    """Show what is in quarantine.

    Returns:
        0; 2 for a wrong argument, a reason that no row has among them; 4 when there is no quarantine.
    """
    try:
        arguments = _parser().parse_args(argv)
        layout = Layout.at(arguments.root)
        if arguments.dataset and arguments.dataset not in DATASETS:
            raise UsageError(
                f"no data set is called {arguments.dataset!r}",
                where="--dataset",
                remedy=_nearest(arguments.dataset, DATASETS, "data sets"),
            )
        found = _rejected(layout, [arguments.dataset] if arguments.dataset else list(DATASETS))
        if arguments.reason:
            found = _having(found, arguments.reason, layout)
        if arguments.format == "json":
            _write_json(found, arguments)
        else:
            console = wide_console()
            for each in found:
                _show(console, each, arguments)
        sys.stdout.flush()
    except HelpShown:
        return int(ExitCode.DONE)
    except BrokenPipeError:  # a pager that was closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still flushes at its end
        return int(ExitCode.DONE)
    except PlatformError as error:
        print_error(error)
        return int(error.exit_code)
    return int(ExitCode.DONE)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="build.sh quarantine", description="Show the rows that were turned away.")
    parser.add_argument("--root", default=default_root(), help="directory of the zones (default: data)")
    parser.add_argument("--dataset", help=", ".join(DATASETS))
    parser.add_argument("--reason", help="only rows with this reason")
    parser.add_argument("--limit", type=int, help="rows shown a data set (default: 10; with --format json all)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="json: an object a line")
    parser.add_argument("--unmask", action="store_true", help="show values as they came; they may be personal")
    return parser


def _rejected(layout: Layout, datasets: Sequence[str]) -> list[Rejected]:
    """The quarantines that are there.

    Raises:
        InputError: If there is none.
    """
    present = [name for name in datasets if layout.local("quarantine", name, "_delta_log").is_dir()]
    if not present:
        raise InputError(
            "nothing has been cleaned yet",
            where=layout.path("quarantine"),
            remedy="run ./build.sh run, or name its --root",
        )
    connection = duckdb.connect()
    found = []
    for name in present:
        rows = delta_relation(connection, layout.local("quarantine", name))
        total = rows.aggregate("count(*)").fetchall()[0][0]
        reasons = rows.project("unnest(reasons) AS reason").aggregate("reason, count(*) AS n").order("n DESC, reason")
        found.append(Rejected(name, rows, total, Counter(dict(reasons.fetchall()))))
    return found


def _having(found: Sequence[Rejected], reason: str, layout: Layout) -> list[Rejected]:
    """The quarantines that have rows with a reason.

    Raises:
        UsageError: If none has.
    """
    having = [each for each in found if each.reasons[reason]]
    if having:
        return having
    known = sorted({name for each in found for name in each.reasons})
    raise UsageError(
        f"no row of {', '.join(each.dataset for each in found)} was turned away for {reason!r}",
        where=layout.path("quarantine"),
        remedy=_nearest(reason, known, "reasons"),
    )


def _nearest(name: str, known: Sequence[str], what: str) -> str:
    near = difflib.get_close_matches(name, known, n=3)
    return f"did you mean {' or '.join(near)}?" if near else f"{what}: {', '.join(known) or 'none'}"


def _rows(each: Rejected, reason: str | None, limit: int | None) -> Iterator[tuple[list[str], str, str, str, bytes]]:
    """Rows as (reasons, stage, run id, source file, payload)."""
    rows = each.rows
    if reason:
        rows = rows.filter(duckdb.FunctionExpression("list_contains", "reasons", duckdb.ConstantExpression(reason)))
    rows = rows.order("source_file, reasons, payload")
    if limit is not None:
        rows = rows.limit(max(limit, 0))
    rows = rows.project("reasons, stage, run_id, source_file, payload")
    while fetched := rows.fetchmany(_FETCHED):
        yield from fetched


def _write_json(found: Sequence[Rejected], arguments: argparse.Namespace) -> None:
    for each in found:
        for reasons, stage, run_id, source_file, payload in _rows(each, arguments.reason, arguments.limit):
            row = {
                "dataset": each.dataset,
                "reasons": reasons,
                "stage": stage,
                "run_id": run_id,
                "source_file": source_file,
                "payload": readable(payload) if arguments.unmask else mask(payload),
            }
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


def _show(console: Console, each: Rejected, arguments: argparse.Namespace) -> None:
    limit = _ROWS_SHOWN if arguments.limit is None else arguments.limit
    count = each.reasons[arguments.reason] if arguments.reason else each.total
    rows = f"{count:,} of {each.total:,} rows" if arguments.reason else f"{count:,} rows"
    reasons = {arguments.reason: count} if arguments.reason else each.reasons
    listed = ", ".join(f"{reason} {number:,}" for reason, number in reasons.items())
    console.print(Text.assemble((each.dataset, "bold"), f": {rows}: {listed or 'none'}"), soft_wrap=True)
    shown = 0
    for row_reasons, _, _, source_file, payload in _rows(each, arguments.reason, limit):
        shown += 1
        console.print(Text.assemble("\n", (", ".join(row_reasons), "bold"), f"  {source_file}"), soft_wrap=True)
        # One line, however long: what is copied from a terminal has no breaks of ours.
        text = shorten(readable(payload), _PAYLOAD_SHOWN) if arguments.unmask else mask(payload, _PAYLOAD_SHOWN)
        console.print(Text(f"  {printable(text) or '(empty)'}"), soft_wrap=True)
    if shown:
        how = "as they came" if arguments.unmask else "letters as x, digits as 9; --unmask shows them as they came"
        rest = f"first {shown:,} of {count:,}, --limit shows more; " if shown < count else ""
        console.print(f"\n({rest}{how})\n", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
