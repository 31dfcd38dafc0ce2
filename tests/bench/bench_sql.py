"""How long an answer of `./build.sh sql` takes, process and all: `python tests/bench/bench_sql.py --root R`.

The root is one that a run has finished on; a run may be going on. Each question is a process of its own, asked several
times; the best of them counts, as other programs on the machine can only make it slower. An answer for people is to
take less than two seconds; what is written out for programs has no limit and is given with its rate.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LIMIT = 2.0


@dataclass(frozen=True)
class Question:
    """A query, and how its answer is to be written."""

    name: str
    query: str
    form: str = "table"


QUESTIONS = (
    Question("what tables there are", "SHOW TABLES"),
    Question("what schemas there are", "SHOW ALL TABLES"),
    Question("rows of a fact", "SELECT count(*) FROM fact_clickstream"),
    Question("a look at a fact", "SELECT * FROM fact_transactions"),
    Question("a look at many rows", "SELECT * FROM fact_transactions LIMIT 10000"),
    Question(
        "revenue by category",
        "SELECT category, sum(orders) AS orders, sum(net_amount) AS net FROM mv_daily_revenue_by_category "
        "GROUP BY category ORDER BY net DESC",
    ),
    Question(
        "hourly revenue",
        "SELECT date_trunc('hour', transaction_ts) AS hour, sum(total_amount) AS revenue FROM fact_transactions "
        "GROUP BY 1 ORDER BY 1",
    ),
    Question(
        "a join of all four",
        "SELECT p.category, u.country, count(*) AS lines, count(DISTINCT e.session_id) AS sessions "
        "FROM fact_transactions f JOIN dim_users u USING (user_sk) JOIN dim_products p USING (product_sk) "
        "LEFT JOIN (SELECT DISTINCT session_id FROM fact_clickstream) e USING (session_id) GROUP BY ALL",
    ),
    Question("sessions of the lake", 'SELECT furthest_step, count(*) FROM "lake".sessions GROUP BY 1'),
    Question("a fact as CSV", "SELECT * FROM fact_transactions", "csv"),
    Question("a fact as JSON", "SELECT * FROM fact_transactions", "json"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    slow = 0
    for question in QUESTIONS:
        taken, lines = [], 0
        for _ in range(arguments.rounds):
            seconds, lines = ask(question, arguments.root)
            taken.append(seconds)
        best = min(taken)
        is_slow = question.form == "table" and best > LIMIT
        slow += is_slow
        rate = "" if question.form == "table" else f"  {lines:,} lines, {lines / best:,.0f}/s"
        verdict = "  over" if is_slow else ""
        print(f"{question.name:<24} {best:6.2f} s  median {statistics.median(taken):5.2f} s{rate}{verdict}")
    print(f"over {LIMIT} s: {slow}")
    return 1 if slow else 0


def ask(question: Question, root: str) -> tuple[float, int]:
    """Seconds, and lines of the answer."""
    started = time.monotonic()
    command = [str(PROJECT / "build.sh"), "sql", question.query, "--root", root, "--format", question.form]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return time.monotonic() - started, done.stdout.count(b"\n")


if __name__ == "__main__":
    sys.exit(main())
