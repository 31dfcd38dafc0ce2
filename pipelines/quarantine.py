"""`./build.sh quarantine`: the rows that were turned away, and why."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import duckdb
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from common.arguments import Parser, default_root, print_error
from common.errors import ExitCode, InputError, PlatformError
from common.layout import DATASETS, Layout
from common.quality.masking import mask, readable, shorten
from pipelines.tables import delta_relation
from pipelines.view import wide_console

_PAYLOAD_SHOWN = 110


def main(argv: Sequence[str] | None = None) -> int:
    """Show what is in quarantine.

    Returns:
        0; 2 for a wrong argument; 4 when there is no quarantine.
    """
    try:
        arguments = _parser().parse_args(argv)
        layout = Layout.at(arguments.root)
        wanted = [arguments.dataset] if arguments.dataset else list(DATASETS)
        present = [name for name in wanted if layout.local("quarantine", name, "_delta_log").is_dir()]
        if not present:
            raise InputError(
                "nothing has been cleaned yet",
                where=layout.path("quarantine"),
                remedy="run ./build.sh run, or name its --root",
            )
        console = wide_console()
        connection = duckdb.connect()
        for name in present:
            _show(console, connection, layout, name, arguments)
    except SystemExit as leaving:  # --help
        return int(leaving.code or 0)
    except PlatformError as error:
        print_error(error)
        return int(error.exit_code)
    return int(ExitCode.DONE)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="build.sh quarantine", description="Show the rows that were turned away.")
    parser.add_argument("--root", default=default_root(), help="directory of the zones (default: data)")
    parser.add_argument("--dataset", choices=DATASETS)
    parser.add_argument("--reason", help="only rows with this reason")
    parser.add_argument("--limit", type=int, default=10, help="rows shown a data set (default: 10)")
    parser.add_argument("--unmask", action="store_true", help="show values as they came; they may be personal")
    return parser


def _show(
    console: Console, connection: duckdb.DuckDBPyConnection, layout: Layout, name: str, arguments: argparse.Namespace
) -> None:
    rows = delta_relation(connection, layout.local("quarantine", name))
    reasons = rows.project("unnest(reasons) AS reason").aggregate("reason, count(*) AS n").order("n DESC, reason")
    total = rows.aggregate("count(*)").fetchone()
    listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons.fetchall())
    console.print(f"[bold]{name}[/bold]: {total[0] if total else 0:,} rows: {listed or 'none'}")
    if arguments.reason:
        rows = rows.filter(
            duckdb.FunctionExpression("list_contains", "reasons", duckdb.ConstantExpression(arguments.reason))
        )
    found = (
        rows.order("source_file, reasons, payload")
        .limit(max(arguments.limit, 0))
        .project("reasons, source_file, payload")
        .fetchall()
    )
    if not found:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("reasons", "source file", "row as it came" if arguments.unmask else "row as it came, masked"):
        table.add_column(column, overflow="fold")
    for row_reasons, source_file, payload in found:
        table.add_row(", ".join(row_reasons), source_file, escape(_text(payload, unmask=arguments.unmask)))
    console.print(table)


def _text(payload: bytes, *, unmask: bool) -> str:
    return shorten(readable(payload), _PAYLOAD_SHOWN) if unmask else mask(payload, _PAYLOAD_SHOWN)


if __name__ == "__main__":
    sys.exit(main())
