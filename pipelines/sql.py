"""`./build.sh sql "SELECT …"`: ask the published tables, with DuckDB in a second or with Spark and the metastore."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import duckdb
from rich import box
from rich.table import Table

from common.arguments import Parser, default_root, print_error
from common.errors import ExitCode, LockedError, PlatformError, UsageError
from common.layout import Layout
from common.settings import load_settings
from pipelines.tables import connect
from pipelines.view import wide_console

_FETCHED = 10_000
# Derby admits one process at a time.
_METASTORE_IN_USE = "Another instance of Derby may have already booted"


def main(argv: Sequence[str] | None = None) -> int:
    """Answer a query.

    Returns:
        0; 2 when the query is not valid; 4 when there is nothing to ask; 5 when the metastore is in use.
    """
    try:
        arguments = _parser().parse_args(argv)
        layout = Layout.at(arguments.root)
        if arguments.engine == "spark":
            relation = _ask_spark(arguments.query, layout)
        else:
            relation = _ask_duckdb(arguments.query, layout)
        _show(relation, arguments.format)
    except SystemExit as leaving:  # --help
        return int(leaving.code or 0)
    except BrokenPipeError:  # a pager that was closed
        return int(ExitCode.DONE)
    except duckdb.Error as error:
        print_error(_invalid(error))
        return int(ExitCode.USAGE)
    except PlatformError as error:
        print_error(error)
        return int(error.exit_code)
    return int(ExitCode.DONE)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="build.sh sql", description="Ask the published tables.")
    parser.add_argument("query", help="a SELECT; tables are those of tables.json, and lake.*, clean.*, quarantine.*")
    parser.add_argument("--root", default=default_root(), help="directory of the zones (default: data)")
    parser.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb")
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table")
    return parser


def _ask_duckdb(query: str, layout: Layout) -> duckdb.DuckDBPyRelation:
    relation = connect(layout, load_settings().database, query).sql(query)
    if relation is None:
        raise UsageError("that is no query", where=query, remedy="give a SELECT")
    return relation


def _ask_spark(query: str, layout: Layout) -> duckdb.DuckDBPyRelation:
    """Spark's answer, handed to DuckDB for showing."""
    from pyspark.errors import PySparkException  # noqa: PLC0415 - DuckDB answers without it

    from common.session import start_session  # noqa: PLC0415 - DuckDB answers without it

    settings = load_settings()
    spark = start_session(settings, layout, "sql")
    try:
        spark.catalog.setCurrentDatabase(settings.database)
        answer = spark.sql(query).toArrow()
    except PySparkException as error:
        if _METASTORE_IN_USE in str(error):
            raise LockedError(
                "the metastore is in use by another process",
                where=layout.path("warehouse", "metastore_db"),
                remedy="wait for the run to end, or leave --engine spark out",
            ) from error
        raise UsageError(
            _first_line(error), where=query, remedy="mend the query, or run ./build.sh run first"
        ) from error
    finally:
        spark.stop()
    return duckdb.from_arrow(answer)


def _invalid(error: duckdb.Error) -> UsageError:
    return UsageError(_first_line(error), where="query", remedy="mend the query; SHOW TABLES lists the tables")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _show(relation: duckdb.DuckDBPyRelation, form: str) -> None:
    if form == "table":
        _show_table(relation)
        return
    if form == "json":
        _show_json(relation)
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(relation.columns)
    while rows := relation.fetchmany(_FETCHED):
        writer.writerows([["" if value is None else _plain(value) for value in row] for row in rows])


def _show_json(relation: duckdb.DuckDBPyRelation) -> None:
    """An array of objects; DuckDB writes them, so that decimals stay what they are."""
    objects = relation.query("answer", "SELECT to_json(answer)::VARCHAR FROM answer")
    separator = "["
    while objects is not None and (rows := objects.fetchmany(_FETCHED)):
        for row in rows:
            sys.stdout.write(f"{separator}\n{row[0]}")
            separator = ","
    sys.stdout.write("[]\n" if separator == "[" else "\n]\n")


def _show_table(relation: duckdb.DuckDBPyRelation) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, kind in zip(relation.columns, relation.types, strict=True):
        is_number = str(kind).startswith(("DECIMAL", "DOUBLE", "FLOAT", "HUGEINT")) or "INT" in str(kind)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    rows = relation.fetchall()
    for row in rows:
        table.add_row(*[_text(value) for value in row])
    console = wide_console()
    console.print(table)
    console.print(f"{len(rows):,} row{'' if len(rows) == 1 else 's'}")


def _plain(value: Any) -> str:  # noqa: ANN401 - any value that a query may give
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: Any) -> str:  # noqa: ANN401 - any value that a query may give
    if value is None:
        return ""
    if isinstance(value, bool):
        return _plain(value)
    if isinstance(value, (int, Decimal)):
        return f"{value:,}"
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
