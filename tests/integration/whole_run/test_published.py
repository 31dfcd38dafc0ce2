"""The published tables, asked by DuckDB and by Spark."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import pytest

from common.layout import DATASETS, PUBLISHED_TABLES
from pipelines import score, sql
from pipelines.tables import connect
from tests import documented
from tests.first_run import Finished
from tests.integration.whole_run.counts import one, rows
from tests.runs import WarmProcess

pytestmark = pytest.mark.slow


NATURAL_KEYS = {"dim_users": "user_id", "dim_products": "product_id"}
BY_MONTH = (
    "SELECT transaction_month, count(*) AS n, sum(total_amount) AS total, count(DISTINCT product_id) AS many "
    "FROM fact_transactions GROUP BY transaction_month ORDER BY transaction_month"
)


@pytest.fixture(scope="module")
def answers_of_spark(finished: Finished, warm: WarmProcess) -> tuple[str, str]:
    """The tables of the metastore, and sales by month."""
    return warm.ask_spark(finished.layout, "SHOW TABLES IN ecommerce"), warm.ask_spark(finished.layout, BY_MONTH)


class TestPublished:
    def test_tables_json_names_exactly_the_seven(self, finished: Finished) -> None:
        listed = json.loads(finished.tables_json)["tables"]
        assert sorted(table["name"] for table in listed) == sorted(PUBLISHED_TABLES)
        assert {(table["database"], table["format"]) for table in listed} == {("ecommerce", "parquet")}
        assert all(Path(table["location"]).is_absolute() for table in listed)

    def test_the_metastore_shows_exactly_the_seven(self, answers_of_spark: tuple[str, str]) -> None:
        listed = list(csv.DictReader(answers_of_spark[0].splitlines()))
        assert sorted(row["tableName"] for row in listed) == sorted(PUBLISHED_TABLES)
        assert {row["isTemporary"] for row in listed} == {"false"}

    def test_spark_and_duckdb_give_the_same_answer(
        self, finished: Finished, answers_of_spark: tuple[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert sql.main([BY_MONTH, "--root", finished.layout.root, "--format", "csv"]) == 0
        answer = capsys.readouterr().out
        assert answers_of_spark[1] == answer
        assert answer.startswith("transaction_month,n,total,many\n")

    @pytest.mark.parametrize("table", PUBLISHED_TABLES)
    def test_no_key_is_null(self, db: duckdb.DuckDBPyConnection, table: str) -> None:
        keys = {
            "dim_users": ("user_sk", "user_id", "valid_from", "valid_to"),
            "dim_products": ("product_sk", "product_id", "valid_from", "valid_to"),
            "fact_transactions": ("transaction_id", "user_sk", "product_sk", "transaction_date", "transaction_month"),
            "fact_clickstream": ("event_id", "user_sk", "product_sk", "event_date", "event_month"),
            "agg_daily_sales": ("sales_date", "country"),
            "agg_user_metrics": ("user_id", "user_sk"),
            "mv_daily_revenue_by_category": ("sales_date", "category"),
        }[table]
        assert one(db, f"SELECT count(*) FROM {table}") > 0
        missing = " OR ".join(f"{key} IS NULL" for key in keys)
        assert one(db, f"SELECT count(*) FROM {table} WHERE {missing}") == 0

    @pytest.mark.parametrize(
        ("table", "key"),
        [
            ("dim_users", "user_sk"),
            ("dim_products", "product_sk"),
            ("fact_transactions", "transaction_id"),
            ("fact_clickstream", "event_id"),
            ("agg_user_metrics", "user_id"),
            ("agg_daily_sales", "sales_date, country"),
            ("mv_daily_revenue_by_category", "sales_date, category"),
        ],
    )
    def test_a_key_occurs_once(self, db: duckdb.DuckDBPyConnection, table: str, key: str) -> None:
        assert rows(db, f"SELECT {key} FROM {table} GROUP BY {key} HAVING count(*) > 1") == []

    @pytest.mark.parametrize("table", NATURAL_KEYS)
    def test_a_natural_key_has_one_current_row_unless_deleted(self, db: duckdb.DuckDBPyConnection, table: str) -> None:
        found = rows(
            db,
            f"SELECT count(*) FILTER (is_current), arg_max(is_deleted, valid_from), count(*) FILTER (is_deleted) "
            f"FROM {table} GROUP BY {NATURAL_KEYS[table]}",
        )
        assert {current for current, last_is_deleted, _ in found if not last_is_deleted} == {1}
        assert {current for current, last_is_deleted, _ in found if last_is_deleted} <= {0}
        assert any(deleted for _, _, deleted in found), "the data has a deletion"

    @pytest.mark.parametrize("table", NATURAL_KEYS)
    def test_intervals_have_neither_gap_nor_overlap(self, db: duckdb.DuckDBPyConnection, table: str) -> None:
        key = NATURAL_KEYS[table]
        wrong = rows(
            db,
            f"""
            SELECT * FROM (
                SELECT {key}, valid_from, valid_to, is_current, is_deleted,
                       lead(valid_from) OVER (PARTITION BY {key} ORDER BY valid_from) AS following,
                       lag(valid_to) OVER (PARTITION BY {key} ORDER BY valid_from) AS previous
                FROM {table})
            WHERE valid_from >= valid_to
               OR coalesce(following, TIMESTAMPTZ '9999-12-31 00:00:00+00') <> valid_to
               OR coalesce(previous, TIMESTAMPTZ '1900-01-01 00:00:00+00') <> valid_from
               OR is_current <> (following IS NULL AND NOT is_deleted)
            """,
        )
        assert wrong == []
        assert one(db, f"SELECT max(n) FROM (SELECT count(*) AS n FROM {table} GROUP BY {key})") > 1

    @pytest.mark.parametrize(
        ("fact", "dimension", "key"),
        [
            (fact, dimension, key)
            for fact in ("fact_transactions", "fact_clickstream")
            for dimension, key in (("dim_users", "user"), ("dim_products", "product"))
        ],
    )
    def test_each_fact_finds_its_dimension_row(
        self, db: duckdb.DuckDBPyConnection, fact: str, dimension: str, key: str
    ) -> None:
        clock = "transaction_ts" if fact == "fact_transactions" else "event_ts"
        assert (
            one(db, f"SELECT count(*) FROM {fact} LEFT JOIN {dimension} d USING ({key}_sk) WHERE d.{key}_id IS NULL")
            == 0
        )
        wrong = rows(
            db,
            f"""
            SELECT f.{key}_id, d.{key}_id FROM {fact} f JOIN {dimension} d USING ({key}_sk)
            WHERE {key}_sk <> -1 AND (f.{key}_id <> d.{key}_id OR f.{clock} < d.valid_from OR f.{clock} >= d.valid_to)
            """,
        )
        assert wrong == [], "the version of the time of the fact"
        unknown = rows(
            db,
            f"""
            SELECT f.{key}_id, f.is_unknown_{key} FROM {fact} f
            WHERE ({key}_sk = -1 AND {key}_id IS NOT NULL) <> is_unknown_{key}
               OR is_unknown_{key} <> ({key}_id IS NOT NULL AND {key}_id NOT IN (SELECT {key}_id FROM {dimension}))
            """,
        )
        assert unknown == []

    def test_the_warehouse_holds_tokens_in_place_of_persons(self, db: duckdb.DuckDBPyConnection) -> None:
        columns = {row[0] for row in rows(db, "DESCRIBE dim_users")}
        assert not columns & {"email", "first_name", "last_name", "phone", "street", "postal_code", "birth_date"}
        known = one(db, "SELECT count(DISTINCT email) FROM clean.users WHERE email IS NOT NULL")
        assert one(db, "SELECT count(DISTINCT email_token) FROM dim_users") <= known
        assert one(db, "SELECT count(*) FROM dim_users WHERE email_token LIKE '%@%'") == 0

    @pytest.mark.parametrize("query", documented.queries())
    def test_the_questions_of_the_pages_have_answers(self, finished: Finished, query: str) -> None:
        assert rows(connect(finished.layout, "ecommerce", query), query)

    def test_samples_are_written(self, finished: Finished) -> None:
        files = {path.stem: path for path in finished.layout.local("samples").iterdir()}
        assert set(files) == set(DATASETS)
        for name, path in files.items():
            lines = path.read_bytes().splitlines()
            assert len(lines) == 20 + (path.suffix == ".csv"), name
            if name == "transactions":  # which are Parquet in raw
                continue
            files_of = finished.layout.local("raw", name).rglob("*.*")
            assert set(lines) <= {line for file in files_of for line in file.read_bytes().splitlines()}, name

    def test_score_finds_every_planted_defect(self, finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
        assert score.main(["--root", finished.layout.root, "--format", "json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert len(found) > 50
        for each in found:
            name = each["defect_class"]
            least = 0.95 if name in {"bot", "near_duplicate"} else 1.0
            assert each["f1"] >= least, (each["dataset"], name)
            assert each["planted"] > 0, (each["dataset"], name)
