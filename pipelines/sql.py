"""`./build.sh sql "SELECT …"`: ask the published tables, with DuckDB in a second or with Spark and the metastore."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import duckdb

from common.arguments import HelpShown, Parser, default_root, print_error
from common.errors import ExitCode, PlatformError, UsageError
from common.layout import Layout
from common.settings import load_settings
from pipelines.answers import SHOWN, write_csv, write_json, write_table
from pipelines.tables import connect, no_question

_WRITERS = {"table": write_table, "csv": write_csv, "json": write_json}
_ASKING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
# What DuckDB makes of a PIVOT beside its SELECT, without a text of its own.
_OF_A_PIVOT = {duckdb.StatementType.CREATE, duckdb.StatementType.TRANSACTION}
_ANALYZE = {b"analyze", b"analyse"}


def main(argv: Sequence[str] | None = None) -> int:
    """Answer a query.

    Returns:
        0; 1 when Spark fails; 2 when it is no query, or has a mistake; 4 when there is nothing to ask, or files have
        gone; 5 when the metastore is in use.
    """
    layout = None
    try:
        arguments = _parser().parse_args(argv)
        layout = Layout.at(arguments.root)
        with _answer(arguments, layout) as relation:
            _WRITERS[arguments.format](relation)
            sys.stdout.flush()
    except HelpShown:
        return int(ExitCode.DONE)
    except BrokenPipeError:  # a pager that was closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still flushes at its end
        return int(ExitCode.DONE)
    except duckdb.Error as error:
        print_error(_invalid(error, layout))
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


def _answer(arguments: argparse.Namespace, layout: Layout) -> AbstractContextManager[duckdb.DuckDBPyRelation]:
    if arguments.engine == "spark":
        from pipelines.spark_answer import ask_spark  # noqa: PLC0415 - DuckDB answers without Spark

        return ask_spark(arguments.query, layout, SHOWN + 1 if arguments.format == "table" else None)
    return nullcontext(_ask_duckdb(arguments.query, layout))


def _ask_duckdb(query: str, layout: Layout) -> duckdb.DuckDBPyRelation:
    relation = connect(layout, load_settings().database, query).sql(query) if _only_asks(query) else None
    if relation is None:
        raise no_question(layout)
    return relation


def _only_asks(text: str) -> bool:
    """Whether a text is one query, SHOW, DESCRIBE or EXPLAIN; EXPLAIN ANALYZE carries out what it explains."""
    statements = duckdb.extract_statements(text)
    kinds = {each.type for each in statements if each.query.strip() or each.type not in _OF_A_PIVOT}
    is_one = len([each for each in statements if each.query.strip()]) <= 1
    if not is_one or not kinds or not kinds <= _ASKING:
        return False
    return duckdb.StatementType.EXPLAIN not in kinds or _only_asks(_explained(text))


def _explained(text: str) -> str:
    """What an EXPLAIN explains: without that word, ANALYZE, and options in parentheses."""
    encoded = text.encode()
    starts = [start for start, _ in duckdb.tokenize(text)]  # in bytes, and none of a comment
    words = [re.sub(rb"(\w+|.).*", rb"\1", encoded[start:], flags=re.DOTALL).lower() for start in starts]
    first = 1
    if words[1] in _ANALYZE:
        first = 2
    elif words[1] == b"(" and words[2] in {*_ANALYZE, b"format"}:
        first = words.index(b")") + 1
    return encoded[starts[first] :].decode()


def _invalid(error: duckdb.Error, layout: Layout | None) -> UsageError:
    where = layout.root if layout else ""
    return UsageError(_complaint(error), where=where, remedy="mend the query; SHOW TABLES lists the tables")


def _complaint(error: duckdb.Error) -> str:
    """What is wrong and what might have been meant, without the excerpt of the query that follows."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    before = next((index for index, line in enumerate(lines) if line.startswith("LINE ")), len(lines))
    return " ".join(lines[:before]) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
