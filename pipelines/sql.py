"""`./build.sh sql "SELECT …"`: ask the published tables, with DuckDB in a second or with Spark and the metastore."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import duckdb

from common.arguments import HelpShown, Parser, default_root, print_error
from common.errors import ExitCode, PlatformError, UsageError
from common.layout import Layout
from common.settings import load_settings
from common.storage.locks import metastore_in_use
from pipelines.answers import SHOWN, write_csv, write_json, write_table
from pipelines.tables import connect

_WRITERS = {"table": write_table, "csv": write_csv, "json": write_json}


def main(argv: Sequence[str] | None = None) -> int:
    """Answer a query.

    Returns:
        0; 2 when the query is not valid; 4 when there is nothing to ask; 5 when the metastore is in use.
    """
    layout = None
    try:
        arguments = _parser().parse_args(argv)
        layout = Layout.at(arguments.root)
        if arguments.engine == "spark":
            relation = _ask_spark(arguments.query, layout, SHOWN + 1 if arguments.format == "table" else None)
        else:
            relation = _ask_duckdb(arguments.query, layout)
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


def _ask_duckdb(query: str, layout: Layout) -> duckdb.DuckDBPyRelation:
    relation = connect(layout, load_settings().database, query).sql(query)
    if relation is None:
        raise UsageError("that is no query", where=layout.root, remedy="give a SELECT")
    return relation


def _ask_spark(query: str, layout: Layout, rows: int | None) -> duckdb.DuckDBPyRelation:
    """Spark's answer, handed to DuckDB for showing; no more than some rows of it where no more are shown."""
    from pyspark.errors import PySparkException  # noqa: PLC0415 - DuckDB answers without it
    from pyspark.logger import PySparkLogger  # noqa: PLC0415 - the same

    from common.session import start_session  # noqa: PLC0415 - DuckDB answers without it

    PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True  # it writes out traces of what is said in a line
    settings = load_settings()
    spark = start_session(settings, layout, "sql")
    try:
        spark.catalog.setCurrentDatabase(settings.database)
        frame = spark.sql(query)
        answer = (frame if rows is None else frame.limit(rows)).toArrow()
    except PySparkException as error:
        raise metastore_in_use(str(error)) or UsageError(
            _complaint(error), where=layout.root, remedy="mend the query, or run ./build.sh run first"
        ) from error
    finally:
        spark.stop()
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection.from_arrow(answer)


def _invalid(error: duckdb.Error, layout: Layout | None) -> UsageError:
    where = layout.root if layout else ""
    return UsageError(_complaint(error), where=where, remedy="mend the query; SHOW TABLES lists the tables")


def _complaint(error: Exception) -> str:
    """What is wrong and what might have been meant, without the excerpt of the query that follows."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not isinstance(error, duckdb.Error):
        return lines[0] if lines else type(error).__name__
    before = next((index for index, line in enumerate(lines) if line.startswith("LINE ")), len(lines))
    return " ".join(lines[:before]) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
