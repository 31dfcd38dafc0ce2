"""The dashboards of a whole run, held against DuckDB on the published tables and against what the generator planted."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from common.bi.catalogue import parse_catalogue, read_catalogue
from common.bi.results import Index, QueryEntry, directory, read_index
from common.quality.ledger import entries
from pipelines.tables import connect
from tests.dashboard_answers import ANSWERS, MACROS, answer
from tests.first_run import DATE, Finished

pytestmark = pytest.mark.slow

QUERIES = [query.name for dashboard in parse_catalogue(read_catalogue()) for query in dashboard.queries]


@dataclass(frozen=True)
class Shown:
    """What the job left.

    Attributes:
        index: dashboards.json.
        base: The directory that its paths start from.
        db: DuckDB on the tables that were asked.
        truth: The directory of the generator's truth.
    """

    index: Index
    base: Path
    db: duckdb.DuckDBPyConnection
    truth: Path

    def entry(self, name: str) -> QueryEntry:
        return next(query for each in self.index.dashboards for query in each.queries if query.name == name)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """A query's answer as its Parquet file has it."""
        found: list[dict[str, Any]] = pq.read_table(self.base / self.entry(name).parquet).to_pylist()
        return found

    def one(self, sql: str) -> Any:
        ((value,),) = self.db.execute(sql).fetchall()
        return value

    def days(self, name: str) -> dict[str, Any]:
        """What the query was asked of."""
        first = self.one("SELECT min(transaction_date) FROM fact_transactions")
        period = self.entry(name).period or {"from": first.isoformat(), "to": self.index.as_of}
        return {
            "from_date": date.fromisoformat(period["from"]),
            "to_date": date.fromisoformat(period["to"]),
            "time_zone": self.index.time_zone,
        }


@pytest.fixture(scope="module")
def shown(finished: Finished) -> Shown:
    index = read_index(finished.layout)
    assert index is not None
    db = connect(finished.layout, "ecommerce", "lake.")
    db.execute(MACROS)
    return Shown(index, directory(finished.layout), db, finished.layout.local("truth"))


class TestAnswers:
    def test_every_query_has_a_second_answer(self) -> None:
        assert sorted(ANSWERS) == sorted(QUERIES)

    @pytest.mark.parametrize("name", QUERIES)
    def test_each_is_duckdbs_to_the_cent_and_to_the_row(self, shown: Shown, name: str) -> None:
        expected = answer(shown.db, name, shown.days(name))
        assert expected, "a comparison of nothing shows nothing"
        assert [tuple(row.values()) for row in shown.rows(name)] == expected

    def test_the_hourly_revenue_is_that_of_the_checklist(self, shown: Shown) -> None:
        days = shown.days("hourly_revenue")
        assert (days["to_date"] - days["from_date"]).days == 7
        expected = shown.db.execute(
            "SELECT date_trunc('hour', transaction_ts) AS hour, sum(total_amount) AS revenue FROM fact_transactions "
            f"WHERE transaction_date >= DATE '{DATE}' - 7 GROUP BY 1 ORDER BY 1 DESC"
        ).fetchall()
        assert [(row["hour"], row["revenue"]) for row in shown.rows("hourly_revenue")] == expected

    def test_no_figure_is_a_binary_fraction(self, shown: Shown) -> None:
        kinds = {column.type for each in shown.index.dashboards for query in each.queries for column in query.columns}
        assert not kinds & {"double", "float"}


class TestTruth:
    """Sessions of bots are planted as well, and no dashboard counts them."""

    def planted(self, shown: Shown, where: str) -> list[str]:
        rows = shown.db.execute(
            f"SELECT session_id FROM '{shown.truth}/sessions.parquet' WHERE NOT is_bot AND {where} ORDER BY session_id"
        ).fetchall()
        return [session for (session,) in rows]

    def test_the_sessions_planted_as_abandoned_are_those_that_count_so(self, shown: Shown) -> None:
        counted = shown.db.execute("SELECT session_id FROM lake.sessions WHERE is_abandoned ORDER BY 1").fetchall()
        assert [session for (session,) in counted] == self.planted(shown, "outcome = 'abandoned'")

    def test_the_dashboard_counts_as_many_as_were_planted_in_its_period(self, shown: Shown) -> None:
        days = shown.days("abandonment_summary")
        within = f"CAST(started_at AS DATE) BETWEEN DATE '{days['from_date']}' AND DATE '{days['to_date']}'"
        (summary,) = shown.rows("abandonment_summary")
        planted = len(self.planted(shown, f"outcome = 'abandoned' AND {within}"))
        assert summary["abandoned_sessions"] == planted > 0
        carts = len(self.planted(shown, f"outcome IN ('abandoned', 'purchased') AND {within}"))
        assert summary["cart_sessions"] == carts
        assert sum(row["abandoned_sessions"] for row in shown.rows("cart_recovery")) == planted

    def test_the_funnel_ends_with_the_visits_planted_as_purchases(self, shown: Shown) -> None:
        days = shown.days("funnel_steps")
        within = f"CAST(started_at AS DATE) BETWEEN DATE '{days['from_date']}' AND DATE '{days['to_date']}'"
        reached = {row["step_name"]: row["sessions"] for row in shown.rows("funnel_steps")}
        assert reached["purchase"] == len(self.planted(shown, f"outcome = 'purchased' AND {within}")) > 0
        in_cart = len(self.planted(shown, f"outcome IN ('abandoned', 'purchased') AND {within}"))
        assert reached["add to cart"] == in_cart

    def test_each_funnel_narrows(self, shown: Shown) -> None:
        steps = [row["sessions"] for row in shown.rows("funnel_steps")]
        assert steps == sorted(steps, reverse=True)


class TestFiles:
    @pytest.mark.parametrize("name", QUERIES)
    def test_csv_and_parquet_say_the_same(self, shown: Shown, name: str) -> None:
        entry, rows = shown.entry(name), shown.rows(name)
        with open(shown.base / entry.csv, encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
        assert lines[0] == [column.name for column in entry.columns]
        assert [list(row) for row in rows[:1]] == [lines[0]]
        assert lines[1:] == [[_as_text(value) for value in row.values()] for row in rows]
        assert entry.rows == len(rows)

    def test_the_index_has_every_dashboard_and_query(self, shown: Shown) -> None:
        catalogue = parse_catalogue(read_catalogue())
        assert [each.name for each in shown.index.dashboards] == [each.name for each in catalogue]
        assert [query.name for each in shown.index.dashboards for query in each.queries] == QUERIES
        assert shown.index.as_of == DATE
        assert shown.index.period == {"from": "2025-11-01", "to": DATE}

    def test_nothing_else_lies_there(self, shown: Shown) -> None:
        named = {
            path for each in shown.index.dashboards for query in each.queries for path in (query.parquet, query.csv)
        }
        found = {str(path.relative_to(shown.base)) for path in shown.base.rglob("*") if path.is_file()}
        assert found == named | {"dashboards.json"}

    def test_a_key_tells_the_rows_apart(self, shown: Shown) -> None:
        for each in shown.index.dashboards:
            for query in each.queries:
                keys = Counter(tuple(row[column] for column in query.key) for row in shown.rows(query.name))
                assert max(keys.values()) == 1, query.name


class TestStage:
    def test_they_passed_their_gate(self, finished: Finished) -> None:
        run_id = finished.run["run_id"]
        (entry,) = [each for each in entries(finished.layout, run_id) if each.stage == "bi_dashboards"]
        assert [(gate["suite"], gate["passed"], gate["warnings"]) for gate in entry.gates] == [
            ("bi_dashboards", True, [])
        ]

    def test_sums_of_one_period_agree_between_dashboards(self, shown: Shown) -> None:
        (summary,) = shown.rows("revenue_summary")
        for name in ("revenue_by_category", "revenue_by_country", "revenue_by_payment"):
            assert sum(row["net_revenue"] for row in shown.rows(name)) == summary["net_revenue"], name
        month = [row for row in shown.rows("daily_revenue") if row["sales_date"] >= summary["from_date"]]
        assert sum(row["net_revenue"] for row in month) == summary["net_revenue"]


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if hasattr(value, "hour"):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
