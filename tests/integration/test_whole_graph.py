"""The whole graph from generated data to published tables, once, and everything that it promises about them.

Counts on one side come from the files themselves or from another engine, never from what the platform says it did.
"""

from __future__ import annotations

import base64
import csv
import hmac
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from common.contracts import CONTRACTS
from common.layout import DATASETS, PUBLISHED_TABLES, Layout
from common.quality.ledger import entries
from common.storage.published import read_published
from common.transforms.tokens import key_file, load_key
from pipelines import score, sql
from pipelines.tables import connect
from tests.integration.conftest import BATCH, DATE, SCALE, SEED, Finished
from tests.runs import PROJECT, fingerprints, python, run_graph

pytestmark = pytest.mark.slow

STAGES = [
    "land_raw",
    *(f"clean_{name}" for name in DATASETS),
    "load_dimensions",
    "load_facts",
    "etl_warehouse",
    "publish_hive",
    "bi_dashboards",
]
ROW_KINDS = ("read", "written", "quarantined", "duplicates", "superseded")
NATURAL_KEYS = {"dim_users": "user_id", "dim_products": "product_id"}


@pytest.fixture(scope="module")
def stages(finished: Finished) -> dict[str, dict[str, Any]]:
    return {stage["name"]: stage for stage in finished.run["stages"]}


@pytest.fixture
def db(finished: Finished) -> duckdb.DuckDBPyConnection:
    """DuckDB on the published Parquet, and on the Delta tables of the schemas clean, lake and quarantine."""
    return connect(finished.layout, "ecommerce", "clean. lake. quarantine.")


def rows(db: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return db.execute(query).fetchall()


def one(db: duckdb.DuckDBPyConnection, query: str) -> Any:
    ((value,),) = rows(db, query)
    return value


def raw_rows(layout: Layout, dataset: str) -> int:
    """Rows of a raw data set, counted by Python in the files' lines or by the footers of Parquet files."""
    files = [path for path in layout.local("raw", dataset).rglob("*") if path.is_file() and path.name[0] not in "._"]
    if dataset == "transactions":
        return sum(pq.ParquetFile(path).metadata.num_rows for path in files)
    headers = len(files) if dataset in {"users", "products"} else 0
    return (
        sum(len(path.read_bytes().removesuffix(b"\n").split(b"\n")) for path in files if path.stat().st_size) - headers
    )


def content(path: Path) -> bytes:
    """What a file says: its bytes, and for Parquet, which is compressed, the text in its columns too."""
    held = path.read_bytes()
    if path.suffix != ".parquet":
        return held
    texts = [
        column.cast(pa.large_binary()).to_pylist()
        for column in pq.read_table(path, partitioning=None).columns
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type)
    ]
    return held + b"\n".join(text for column in texts for text in column if text is not None)


def delta_rows(path: str) -> int:
    """Rows of a Delta table as another implementation of Delta counts them."""
    return int(DeltaTable(path).to_pyarrow_dataset().count_rows())


class TestRun:
    def test_run_json_is_as_promised(self, finished: Finished) -> None:
        run = finished.run
        assert {name: run[name] for name in ("date", "scale", "seed", "status")} == {
            "date": DATE, "scale": SCALE, "seed": SEED, "status": "ok",
        }  # fmt: skip
        assert run["seconds"] > 0
        assert [stage["name"] for stage in run["stages"]] == STAGES
        keys = {"name", "status", "seconds", "gate_seconds", *ROW_KINDS, "exit_code", "error"}
        assert all(set(stage) == keys for stage in run["stages"])

    def test_every_stage_is_green(self, finished: Finished) -> None:
        assert {(stage["status"], stage["exit_code"], stage["error"]) for stage in finished.run["stages"]} == {
            ("ok", 0, None)
        }

    def test_the_ledger_says_the_same(self, finished: Finished) -> None:
        found = [entry.as_stage() for entry in entries(finished.layout, finished.run["run_id"])]
        assert found == finished.run["stages"]

    def test_lineage_has_each_table_of_the_lake_as_output_of_one_stage(self, finished: Finished) -> None:
        """At the versions of the ledger, in a file of OpenLineage events."""
        run_id, layout = finished.run["run_id"], finished.layout
        events = [json.loads(line) for line in layout.local("ops", "lineage", f"{run_id}.jsonl").open()]
        assert Counter(event["job"]["name"] for event in events) == dict.fromkeys(
            ("generated", *(f"generated.{name}" for name in STAGES)), 2
        )
        assert {event["eventType"] for event in events} == {"START", "COMPLETE"}
        written = [
            (each["name"], each["facets"].get("version", {}).get("datasetVersion"), event["job"]["name"])
            for event in events for each in event["outputs"] if each["name"].startswith(layout.lake(""))
        ]  # fmt: skip
        recorded = [
            (layout.path(name), str(table["after"]), f"generated.{entry.stage}")
            for entry in entries(layout, run_id) for name, table in entry.tables.items()
            if name.startswith("warehouse/lake/")
        ]  # fmt: skip
        assert sorted(written) == sorted(recorded)
        tables = {str(path) for path in layout.local("warehouse", "lake").iterdir() if (path / "_delta_log").is_dir()}
        assert sorted(name for name, _, _ in written) == sorted(tables)

    def test_every_gate_held_something(self, finished: Finished) -> None:
        gates = [gate for entry in entries(finished.layout, finished.run["run_id"]) for gate in entry.gates]
        assert all(gate["passed"] and gate["evaluated"] > 0 for gate in gates)
        declared = {path.stem for path in (PROJECT / "conf" / "expectations").glob("*.json")}
        assert {gate["suite"] for gate in gates} == {name for name in declared if not name.startswith("train_")}
        assert finished.layout.local("ops", "gx", "data_docs", "index.html").is_file()

    def test_stored_results_show_no_personal_values(self, finished: Finished) -> None:
        people = finished.layout.local("raw", "users", "users.csv").read_text(encoding="utf-8", errors="replace")
        emails = {row["email"] for row in csv.DictReader(people.splitlines()) if "@" in (row["email"] or "")}
        assert len(emails) > 100
        texts = [path.read_text(errors="replace") for path in finished.layout.local("ops").rglob("*.json")]
        texts += [path.read_text(errors="replace") for path in finished.layout.local("ops", "gx").rglob("*.html")]
        texts += [path.read_text(errors="replace") for path in finished.layout.local("ops", "logs").rglob("*.log")]
        assert not [email for email in emails if any(email in text for text in texts)]

    def test_the_token_key_is_nowhere_below_the_root(self, finished: Finished) -> None:
        key = load_key()
        written = key.secret.decode("ascii")
        is_as_set_up = bool(re.fullmatch("[0-9a-f]{64}", written))  # apart: an assertion shows what it is about
        assert is_as_set_up, "set-up makes a key of 32 bytes in hex"
        forms = (key.secret, written.upper().encode(), bytes.fromhex(written), base64.b64encode(bytes.fromhex(written)))
        files = [path for path in finished.layout.local().rglob("*") if path.is_file()]
        searched = {path.relative_to(finished.layout.root).as_posix(): content(path) for path in files}
        assert not [name for name, held in searched.items() if any(form in held for form in forms)]
        assert not [name for name in searched if Path(name).name == key_file().name]
        for zone in (
            "ops/logs/",
            "ops/ledger/",
            "ops/gx/",
            "ops/report/",
            "warehouse/lake/",
            "warehouse/metastore_db/",
        ):
            assert any(name.startswith(zone) for name in searched), zone
        # That it would be found: what the commit says of the key, which gives nothing away, and a token of its making.
        commits = [held for name, held in searched.items() if name.startswith("warehouse/lake/dim_users/_delta_log/")]
        assert any(key.identity.encode() in held for held in commits)
        users = DeltaTable(finished.layout.clean("users")).to_pyarrow_table(columns=["email"])["email"].to_pylist()
        email = next(each for each in users if each and each == each.strip().lower())
        token = hmac.digest(key.secret, email.encode(), "sha256").hex().encode()
        published = [held for name, held in searched.items() if name.startswith("warehouse/hive/dim_users/")]
        assert any(token in held for held in published)


class TestAccount:
    def test_every_account_balances(self, stages: dict[str, dict[str, Any]]) -> None:
        kept = [stage for stage in stages.values() if stage["read"] is not None]
        assert {stage["name"] for stage in kept} >= set(STAGES) - {"etl_warehouse", "bi_dashboards"}
        for stage in kept:
            assert stage["read"] == sum(stage[kind] for kind in ROW_KINDS[1:]), stage["name"]

    @pytest.mark.parametrize("dataset", DATASETS)
    def test_cleaning_counts_what_the_files_hold(
        self, finished: Finished, stages: dict[str, dict[str, Any]], dataset: str
    ) -> None:
        stage = stages[f"clean_{dataset}"]
        assert stage["read"] == raw_rows(finished.layout, dataset)
        assert stage["written"] == delta_rows(finished.layout.clean(dataset))
        assert stage["quarantined"] == delta_rows(finished.layout.quarantine(dataset))

    def test_all_of_raw_is_landed(self, finished: Finished, stages: dict[str, dict[str, Any]]) -> None:
        assert stages["land_raw"]["read"] == sum(raw_rows(finished.layout, name) for name in DATASETS)

    def test_every_clean_row_reaches_the_facts(self, finished: Finished, stages: dict[str, dict[str, Any]]) -> None:
        for dataset in ("transactions", "clickstream"):
            clean = delta_rows(finished.layout.clean(dataset))
            assert delta_rows(finished.layout.lake(f"fact_{dataset}")) == clean
        assert (
            stages["load_facts"]["read"]
            == stages["clean_transactions"]["written"] + (stages["clean_clickstream"]["written"])
        )

    def test_what_is_published_is_what_the_lake_holds(
        self, finished: Finished, stages: dict[str, dict[str, Any]]
    ) -> None:
        published = read_published(finished.layout)
        for name, table in published.items():
            footers = sum(
                pq.ParquetFile(path).metadata.num_rows
                for part in table.parts
                for path in Path(part.location).glob("*.parquet")
            )
            assert table.rows == footers == delta_rows(finished.layout.lake(name)), name
        assert stages["publish_hive"]["written"] == sum(table.rows for table in published.values())

    def test_the_bytes_of_rejected_lines_are_kept(self, finished: Finished) -> None:
        for dataset in ("users", "products", "clickstream"):
            for row in DeltaTable(finished.layout.quarantine(dataset)).to_pyarrow_table().to_pylist():
                lines = finished.layout.local(row["source_file"]).read_bytes().split(b"\n")
                assert row["payload"] in lines
                assert row["reasons"]

    def test_amounts_are_kept_to_the_cent(self, db: duckdb.DuckDBPyConnection) -> None:
        total = one(db, "SELECT sum(total_amount) FROM clean.transactions")
        assert total == one(db, "SELECT sum(total_amount) FROM fact_transactions")
        assert one(db, "SELECT sum(quantity) FROM clean.transactions") == one(
            db, "SELECT sum(quantity) FROM fact_transactions"
        )
        for column in ("net_amount", "gross_amount"):
            fact = one(db, f"SELECT sum({column}) FROM fact_transactions")
            for aggregate in ("agg_daily_sales", "mv_daily_revenue_by_category"):
                assert one(db, f"SELECT sum({column}) FROM {aggregate}") == fact, aggregate
            known = one(db, f"SELECT sum({column}) FROM fact_transactions WHERE NOT is_unknown_user")
            assert one(db, f"SELECT sum({column}) FROM agg_user_metrics") == known

    def test_every_line_counts_once_in_the_aggregates(self, db: duckdb.DuckDBPyConnection) -> None:
        lines = one(db, "SELECT count(*) FROM fact_transactions")
        assert one(db, "SELECT sum(lines) FROM agg_daily_sales") == lines
        assert one(db, "SELECT sum(lines) FROM mv_daily_revenue_by_category") == lines

    def test_gross_revenue_is_that_of_its_definition(self, db: duckdb.DuckDBPyConnection) -> None:
        gross = "sum(quantity * unit_price - coalesce(discount_amount, 0))"
        sold = one(
            db,
            f"SELECT {gross} FROM clean.transactions "
            "WHERE status IN ('paid', 'shipped', 'delivered', 'returned') AND quantity > 0",
        )
        assert one(db, "SELECT sum(gross_amount) FROM agg_daily_sales") == sold


class TestQualityReport:
    """ops/quality/<run>/clean_<dataset>.json of the real run, held against the tables."""

    @pytest.fixture(params=DATASETS)
    def dataset(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def report(self, finished: Finished, dataset: str) -> dict[str, Any]:
        path = finished.layout.local("ops", "quality", finished.run["run_id"], f"clean_{dataset}.json")
        loaded: dict[str, Any] = json.loads(path.read_text())
        return loaded

    def test_tells_rows_read_and_kept_and_each_fate(
        self, finished: Finished, stages: dict[str, dict[str, Any]], dataset: str, report: dict[str, Any]
    ) -> None:
        assert (report["dataset"], report["run_id"]) == (dataset, finished.run["run_id"])
        assert report["rows"] == {kind: stages[f"clean_{dataset}"][kind] for kind in ROW_KINDS}
        assert report["rows"]["read"] == raw_rows(finished.layout, dataset)
        names = {
            "written": "written",
            "quarantined": "quarantined",
            "duplicates": "duplicate",
            "superseded": "superseded",
        }
        fates = {fate: report["rows"][kind] for kind, fate in names.items() if report["rows"][kind]}
        assert report["fates"] == fates
        assert sum(report["fates"].values()) == report["rows"]["read"]

    def test_counts_reasons_as_the_quarantine_does(
        self, db: duckdb.DuckDBPyConnection, dataset: str, report: dict[str, Any]
    ) -> None:
        each = f"SELECT unnest(list_distinct(reasons)) AS reason FROM quarantine.{dataset}"
        assert report["reasons"] == dict(rows(db, f"SELECT reason, count(*) FROM ({each}) GROUP BY reason"))
        assert len(report["reasons"]) > 5
        counts = list(report["reasons"].values())
        assert counts == sorted(counts, reverse=True)

    def test_counts_flags_and_bots_as_the_clean_table_does(
        self, db: duckdb.DuckDBPyConnection, dataset: str, report: dict[str, Any]
    ) -> None:
        each = f"SELECT unnest(list_distinct(flags)) AS flag FROM clean.{dataset}"
        flags = dict(rows(db, f"SELECT flag, count(*) FROM ({each}) GROUP BY flag"))
        if dataset == "clickstream":
            for name, condition in (("is_bot", "is_bot"), ("near_duplicate_of", "near_duplicate_of IS NOT NULL")):
                flags[name] = one(db, f"SELECT count(*) FROM clean.clickstream WHERE {condition}")
                assert flags[name] > 0
        assert report["flags"] == flags

    def test_names_the_worst_files(
        self, finished: Finished, db: duckdb.DuckDBPyConnection, dataset: str, report: dict[str, Any]
    ) -> None:
        by_file = "SELECT source_file, count(*) FROM {} GROUP BY source_file"
        dropped = finished.layout.ops("dropped", dataset, f"run_id={finished.run['run_id']}", "*.parquet")
        expected = Counter(dict(rows(db, by_file.format(f"quarantine.{dataset}"))))
        expected.update(dict(rows(db, by_file.format(f"read_parquet('{dropped}')"))))
        counts = list(report["worst_files"].values())
        assert counts == [count for _, count in expected.most_common(5)]
        assert report["worst_files"] == {name: expected[name] for name in report["worst_files"]}
        assert all(finished.layout.local(name).is_file() for name in report["worst_files"])

    def test_shows_examples_without_their_content(self, dataset: str, report: dict[str, Any]) -> None:
        assert set(report["examples"]) == set(report["reasons"])
        assert all(1 <= len(shown) <= 3 for shown in report["examples"].values())
        examples = [text for shown in report["examples"].values() for text in shown]
        assert any(len(text) > 50 for text in examples)
        fields = {part for field in CONTRACTS[dataset].fields for part in field.raw_path.split(".")}
        for text in examples:
            names = set(re.findall(r'"(\w+)"\s*:', text))
            assert names <= fields, "the names of fields stay"
            values = re.sub(r"\b(null|true|false)\b", "", re.sub(r'"\w+"\s*:', "", text))
            assert {char for char in values if char.isalnum()} <= {"x", "9"}, text


class TestPublished:
    def test_tables_json_names_exactly_the_seven(self, finished: Finished) -> None:
        listed = json.loads(finished.tables_json)["tables"]
        assert sorted(table["name"] for table in listed) == sorted(PUBLISHED_TABLES)
        assert {(table["database"], table["format"]) for table in listed} == {("ecommerce", "parquet")}
        assert all(Path(table["location"]).is_absolute() for table in listed)

    def test_the_metastore_shows_exactly_the_seven(self, finished: Finished) -> None:
        done = python(
            "-m", "pipelines.sql", "SHOW TABLES IN ecommerce", "--engine", "spark", "--format", "csv",
            "--root", finished.layout.root,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        listed = list(csv.DictReader(done.stdout.splitlines()))
        assert sorted(row["tableName"] for row in listed) == sorted(PUBLISHED_TABLES)
        assert {row["isTemporary"] for row in listed} == {"false"}

    def test_spark_and_duckdb_give_the_same_answer(
        self, finished: Finished, capsys: pytest.CaptureFixture[str]
    ) -> None:
        query = (
            "SELECT transaction_month, count(*) AS n, sum(total_amount) AS total, count(DISTINCT product_id) AS many "
            "FROM fact_transactions GROUP BY transaction_month ORDER BY transaction_month"
        )
        arguments = ["--root", finished.layout.root, "--format", "csv"]
        assert sql.main([query, *arguments]) == 0
        other = python("-m", "pipelines.sql", query, "--engine", "spark", *arguments)
        answer = capsys.readouterr().out
        assert other.stdout == answer
        assert answer.startswith("transaction_month,n,total,many\n")

    @pytest.mark.parametrize("table", PUBLISHED_TABLES)
    def test_no_key_is_null(self, db: duckdb.DuckDBPyConnection, table: str) -> None:
        keys = {
            "dim_users": ("user_sk", "user_id", "valid_from", "valid_to"),
            "dim_products": ("product_sk", "product_id", "valid_from", "valid_to"),
            "fact_transactions": ("transaction_id", "user_sk", "product_sk", "transaction_date", "transaction_month"),
            "fact_clickstream": ("event_id", "user_sk", "product_sk", "event_date", "event_month"),
            "agg_daily_sales": ("sales_date",),
            "agg_user_metrics": ("user_id", "user_sk"),
            "mv_daily_revenue_by_category": ("sales_date",),
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

    def test_samples_are_written(self, finished: Finished) -> None:
        names = {path.stem for path in finished.layout.local("samples").iterdir()}
        assert names == set(DATASETS)

    def test_score_finds_every_planted_defect(self, finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
        assert score.main(["--root", finished.layout.root, "--format", "json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert len(found) > 50
        for each in found:
            name = each["defect_class"]
            least = 0.95 if name in {"bot", "near_duplicate"} else 1.0
            assert each["f1"] >= least, (each["dataset"], name)
            assert each["planted"] > 0, (each["dataset"], name)


class TestAgain:
    """What a second run does; it comes last, since it runs on the same root."""

    def test_the_same_date_again_changes_nothing(self, finished: Finished) -> None:
        layout = finished.layout
        tables = [path.parent for path in layout.local().rglob("_delta_log")]
        before = {str(path): DeltaTable(str(path)).version() for path in tables}
        run = run_graph(layout, *BATCH, "--date", DATE)
        statuses = {stage["name"]: stage["status"] for stage in run["stages"]}
        assert statuses == {name: "ok" if name == "land_raw" else "skipped" for name in STAGES}
        assert all(stage["written"] in {0, None} for stage in run["stages"] if stage["name"] != "land_raw")
        assert {str(path): DeltaTable(str(path)).version() for path in tables} == before
        assert layout.local("ops", "tables.json").read_bytes() == finished.tables_json

    def test_everything_anew_with_other_partitions_gives_the_same_fingerprints(
        self, finished: Finished, tmp_path: Path
    ) -> None:
        before = fingerprints(finished.layout)
        conf = tmp_path / "other.yaml"
        conf.write_text("spark: {master: 'local[1]', shuffle_partitions: 7}\n")
        run = run_graph(finished.layout, *BATCH, "--rebuild", "--conf", str(conf))
        assert {stage["status"] for stage in run["stages"]} == {"ok"}
        after = fingerprints(finished.layout)
        assert after == before
        assert sorted(after) == sorted(PUBLISHED_TABLES)
