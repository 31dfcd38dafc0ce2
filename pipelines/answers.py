"""How an answer is written: a table for people, CSV or JSON for programs. No form holds all of a large answer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import duckdb
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.view import wide_console

SHOWN = 100
_FETCHED = 10_000
_UNLIMITED = 1_000_000
# What a whole row is called where DuckDB is asked for it; no column is.
_ROW = "_row_of_the_answer"
_INTEGERS = {"tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint"}
_NUMBERS = _INTEGERS | {"uhugeint", "decimal", "float", "double"}
# Their text holds nothing that CSV would have to quote.
_PLAIN = _NUMBERS | {"boolean", "date", "time", "timestamp", "timestamp with time zone", "uuid"}
# What a terminal would take for a command; lines and tabs stay.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127) if chr(code) not in "\n\t"}


def write_csv(relation: duckdb.DuckDBPyRelation) -> None:
    """A header and a line a row; nulls are empty, and an empty text is `""`. DuckDB makes the lines."""
    # A row of one null would be an empty line, which readers of CSV pass over.
    missing = '""' if len(relation.columns) == 1 else ""
    # By position, since a query may give two columns one name.
    fields = [
        _csv_field(f"#{position}", str(kind.id), missing) for position, kind in enumerate(relation.types, start=1)
    ]
    sys.stdout.write(",".join(_csv_name(name) for name in relation.columns) + "\n")
    lines = relation.project(f"concat_ws(',', {', '.join(fields)})")
    while rows := lines.fetchmany(_FETCHED):
        sys.stdout.write("\n".join([row[0] for row in rows]) + "\n")


def write_json(relation: duckdb.DuckDBPyRelation) -> None:
    """An array of objects, a line each; DuckDB writes them, so that decimals stay what they are."""
    objects = relation.set_alias(_ROW).project(f"to_json({_ROW})::VARCHAR")
    separator = "["
    while rows := objects.fetchmany(_FETCHED):
        sys.stdout.write(f"{separator}\n" + ",\n".join([row[0] for row in rows]))
        separator = ","
    sys.stdout.write("[]\n" if separator == "[" else "\n]\n")


def write_table(relation: duckdb.DuckDBPyRelation, console: Console | None = None) -> None:
    """The first rows as a table, or record by record where the terminal is too narrow for it.

    Integers are shown as they are, since they may be keys or years; decimals have their thousands apart.
    """
    console = console or wide_console()
    kinds = [str(kind.id) for kind in relation.types]
    shown = [f"#{n}" if kind == "decimal" else f"#{n}::VARCHAR" for n, kind in enumerate(kinds, start=1)]
    rows = relation.project(", ".join(shown)).fetchmany(SHOWN + 1)
    texts = [[_text(value) for value in row] for row in rows[:SHOWN]]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, kind in zip(relation.columns, kinds, strict=True):
        table.add_column(Text(name), justify="right" if kind in _NUMBERS else "left", no_wrap=True)
    for row in texts:
        table.add_row(*[Text(value) for value in row])
    width = console.measure(table, options=console.options.update_width(_UNLIMITED)).maximum
    if not console.is_terminal:
        console.width = max(width, console.width)
    if width <= console.width:
        console.print(table)
    else:
        _print_records(console, relation.columns, texts)
    if len(rows) > SHOWN:
        console.print(f"first {SHOWN} rows; --format csv for all")
    else:
        console.print(f"{len(rows)} row{'' if len(rows) == 1 else 's'}")


def _print_records(console: Console, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    width = max(len(name) for name in names)
    for number, row in enumerate(rows, start=1):
        console.print(f"[bold]row {number}[/bold]")
        for name, value in zip(names, row, strict=True):
            # A long value runs on over the terminal's lines: what is copied has no breaks of ours.
            console.print(Text(f"  {name:<{width}}  {value}".rstrip()), soft_wrap=True)
        console.print()


def _csv_field(column: str, kind: str, missing: str) -> str:
    text = f"{column}::VARCHAR"
    if kind in _PLAIN:
        return f"coalesce({text}, '{missing}')"
    special = " OR ".join(f"contains({text}, {each})" for each in ("','", "'\"'", "chr(10)", "chr(13)"))
    quoted = f"""'"' || replace({text}, '"', '""') || '"'"""
    return (
        f"""CASE WHEN {column} IS NULL THEN '{missing}' WHEN {text} = '' OR {special} THEN {quoted} ELSE {text} END"""
    )


def _csv_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if not name or set(name) & set(',"\n\r') else name


def _text(value: Any) -> str:  # noqa: ANN401 - text, a decimal or nothing
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,}" if int(value.as_tuple().exponent) < 0 else f"{value:f}"
    return printable(str(value))


def printable(text: str) -> str:
    """A text without what a terminal would take for a command."""
    return text.translate(_CONTROLS)
