"""How long the dashboards take, and whether DuckDB agrees: `python tests/bench/bench_dashboards.py --root R`.

The root is one that a run has finished on, and that no run is using: the metastore admits one process. Each answer that
the job left is compared with DuckDB's, to the cent and to the row. Then a new session asks the hourly revenue first,
cold, and after that every query several times; the best of them is what a warm query takes, as other programs on the
machine can only make it slower. `--explain NAME` shows a query's plan instead.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from datetime import date

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from common.bi.results import directory, read_index
from common.errors import ExitCode
from common.job import StageContext
from common.layout import Layout
from common.quality.gate import Gatekeeper
from common.session import start_session
from common.settings import load_settings, load_source
from common.stages.dashboards import query_session, questions
from pipelines.tables import connect
from tests.dashboard_answers import MACROS, answer

COLD_LIMIT, WARM_LIMIT = 5.0, 1.0
HOURLY = "hourly_revenue"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True)
    parser.add_argument("--source", default="generated")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--explain", metavar="NAME", help="show the plan of a query")
    arguments = parser.parse_args()
    layout = Layout.at(arguments.root)
    wrong = 0 if arguments.explain else compare(layout)
    return measure(layout, arguments) or (ExitCode.GATE_FAILED if wrong else ExitCode.DONE)


def compare(layout: Layout) -> int:
    """How many answers differ from DuckDB's."""
    index = read_index(layout)
    assert index, "run bi_dashboards first"
    db = connect(layout, load_settings().database, "lake.")
    db.execute(MACROS)
    ((oldest,),) = db.execute("SELECT min(transaction_date) FROM fact_transactions").fetchall()
    wrong, rows = [], 0
    for entry in (query for dashboard in index.dashboards for query in dashboard.queries):
        period = entry.period or {"from": oldest.isoformat(), "to": index.as_of}
        days = {
            "from_date": date.fromisoformat(period["from"]),
            "to_date": date.fromisoformat(period["to"]),
            "time_zone": index.time_zone,
        }
        found = [tuple(row.values()) for row in pq.read_table(directory(layout) / entry.parquet).to_pylist()]
        rows += len(found)
        if found != answer(db, entry.name, days):
            wrong.append(entry.name)
    print(f"{rows:,} rows compared with DuckDB's; queries that differ: {', '.join(wrong) or 'none'}")
    return len(wrong)


def measure(layout: Layout, arguments: argparse.Namespace) -> int:
    settings, source = load_settings(), load_source(arguments.source)
    started = time.monotonic()
    spark = start_session(settings, layout, "bench_dashboards")
    spark.sparkContext.setLogLevel("ERROR")
    print(f"{'session':<28} {time.monotonic() - started:6.2f} s")
    context = StageContext(spark, layout, settings, source, None, "bench", Gatekeeper(layout, "bench"))
    try:
        asked = questions(context)
        if arguments.explain:
            frame = query_session(context).sql(asked[arguments.explain])
            frame.toArrow()  # so that the plan is the final one
            frame.explain("formatted")
            return 0
        session = query_session(context)
        cold = seconds(session, asked[HOURLY])
        print(f"{HOURLY + ', cold':<28} {cold:6.2f} s{'  over the limit' if cold > COLD_LIMIT else ''}")
        return warm(session, asked, arguments.rounds) + (cold > COLD_LIMIT)
    finally:
        spark.stop()


def warm(session: SparkSession, asked: dict[str, str], rounds: int) -> int:
    """How many queries are over the limit when warm."""
    times = {name: [seconds(session, sql) for _ in range(rounds)] for name, sql in asked.items()}
    slow = 0
    for name, taken in times.items():
        best, slow_one = min(taken), min(taken) > WARM_LIMIT
        slow += slow_one
        print(f"{name:<28} {best:6.2f} s  median {statistics.median(taken):5.2f} s{'  over' if slow_one else ''}")
    print(f"{'all, warm':<28} {sum(min(taken) for taken in times.values()):6.2f} s; over {WARM_LIMIT} s: {slow}")
    return slow


def seconds(session: SparkSession, sql: str) -> float:
    started = time.monotonic()
    session.sql(sql).toArrow()
    return time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
