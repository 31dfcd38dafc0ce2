"""Questions to Spark and the metastore: only questions are carried out, and no answer is held whole."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from py4j.protocol import Py4JNetworkError
from pyspark.errors import AnalysisException, PySparkRuntimeError
from pyspark.sql import SparkSession

from common.layout import Layout
from common.settings import Settings
from common.storage.hive import register
from common.storage.published import PublishedPartition, PublishedTable, write_published
from pipelines import sql
from pipelines.spark_answer import ask_spark

DATABASE = "asked"
NOT_A_QUESTION = "that is neither one query nor SHOW, DESCRIBE or EXPLAIN"


class Said(NamedTuple):
    """What the command left."""

    code: int
    out: str
    err: str


Ask = Callable[..., Said]


@pytest.fixture(scope="module")
def shop(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """One published table, in the metastore too."""
    layout = Layout.at(tmp_path_factory.mktemp("asked") / "root")
    directory = layout.local("warehouse", "hive", "dim_users", "v000001")
    directory.mkdir(parents=True)
    pq.write_table(pa.table({"user_id": ["U1", "U2", "U3"]}), directory / "a.parquet")
    columns = (("user_id", "string"),)
    parts = (PublishedPartition({}, str(directory), 3, 1),)
    table = PublishedTable("dim_users", 1, 1, str(directory), (), columns, parts)
    write_published(layout, DATABASE, [table])
    register(spark, DATABASE, str(layout.local("warehouse", "hive")), [table])
    yield layout
    spark.catalog.setCurrentDatabase("default")
    spark.sql(f"DROP DATABASE {DATABASE} CASCADE")


@pytest.fixture
def session(spark: SparkSession, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SparkSession:
    """The tests' session, which goes on when a question has been answered."""
    other = settings.model_copy(update={"database": DATABASE})
    monkeypatch.setattr("pipelines.spark_answer.load_settings", lambda: other)
    monkeypatch.setattr("pipelines.spark_answer.start_session", lambda *_: spark)
    monkeypatch.setattr(spark, "stop", lambda: None)
    return spark


@pytest.fixture
def ask(shop: Layout, session: SparkSession, capsys: pytest.CaptureFixture[str]) -> Ask:
    def run(statement: str, form: str = "csv") -> Said:
        capsys.readouterr()
        code = sql.main([statement, "--engine", "spark", "--root", shop.root, "--format", form])
        return Said(code, *capsys.readouterr())

    return run


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE dim_users",
        "drop table nothing",
        "INSERT INTO dim_users VALUES ('U4')",
        "WITH x AS (SELECT 'U4' AS user_id) INSERT INTO dim_users SELECT * FROM x",
        "FROM dim_users INSERT INTO dim_users SELECT user_id INSERT INTO dim_users SELECT user_id",
        "INSERT OVERWRITE DIRECTORY '{out}' USING parquet SELECT 1",
        "WITH x AS (SELECT 1) INSERT OVERWRITE DIRECTORY '{out}' USING parquet SELECT * FROM x",
        "CREATE TABLE new USING parquet AS SELECT 1 AS a",
        "CREATE TEMPORARY VIEW new AS SELECT 1",
        "ALTER TABLE dim_users SET LOCATION '{out}'",
        "TRUNCATE TABLE dim_users",
        "DELETE FROM dim_users",
        "CALL a_procedure()",
        "EXECUTE IMMEDIATE 'CREATE TABLE new (a INT) USING parquet'",
        "EXPLAIN EXECUTE IMMEDIATE 'CREATE TABLE new (a INT) USING parquet'",
        "EXPLAIN EXPLAIN EXECUTE IMMEDIATE 'CREATE TABLE new (a INT) USING parquet'",
        "BEGIN CREATE TABLE new (a INT) USING parquet; END",
        "SET spark.sql.ansi.enabled = false",
        "USE default",
        "/* SELECT */ DROP TABLE dim_users; -- SELECT",
    ],
)
def test_what_is_no_question_is_refused_before_anything_is_done(
    ask: Ask, session: SparkSession, tmp_path: Path, statement: str
) -> None:
    said = ask(statement.format(out=tmp_path / "out"))
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: {NOT_A_QUESTION} [")
    assert said.err.endswith("] -> give a SELECT\n")
    assert [row.tableName for row in session.sql(f"SHOW TABLES IN {DATABASE}").collect()] == ["dim_users"]
    assert session.table(f"{DATABASE}.dim_users").count() == 3
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("SELECT count(*) AS n FROM dim_users", "n\n3\n"),
        ("-- how many\nWITH x AS (SELECT 1 AS a) SELECT * FROM x; -- that is all", "a\n1\n"),
        ("(SELECT 1 AS a) UNION ALL SELECT 2 ORDER BY a DESC;", "a\n2\n1\n"),
        ("VALUES (1, 'a;--')", "col1,col2\n1,a;--\n"),
        ("TABLE dim_users |> AGGREGATE count(*) AS n", "n\n3\n"),
        ("FROM dim_users SELECT max(user_id) AS last", "last\nU3\n"),
        ("SHOW TABLES", f"namespace,tableName,isTemporary\n{DATABASE},dim_users,false\n"),
        ("/* the columns */ DESCRIBE dim_users", "col_name,data_type,comment\nuser_id,string,\n"),
        ("SELECT user_id AS same, 1 AS same FROM dim_users WHERE user_id = 'U2'", "same,same\nU2,1\n"),
        ("SELECT explode(array()) AS nothing", "nothing\n"),
    ],
)
def test_a_question_is_answered(ask: Ask, statement: str, answer: str) -> None:
    assert ask(statement) == (0, answer, "")


@pytest.mark.parametrize("statement", ["EXPLAIN SELECT 1", "EXPLAIN DROP TABLE dim_users"])
def test_what_is_explained_is_not_done(ask: Ask, session: SparkSession, statement: str) -> None:
    said = ask(statement)
    assert (said.code, said.err) == (0, "")
    assert "== Physical Plan ==" in said.out
    assert session.catalog.tableExists(f"{DATABASE}.dim_users")


VALUES = """
SELECT CAST(1.5 AS DECIMAL(12, 2)) AS amount, CAST(-0.10 AS DECIMAL(38, 18)) AS fine, 2.5D AS ratio,
       timestamp'2025-11-30 10:00:00.5+02:00' AS at, date'2025-11-30' AS day, true AS yes, NULL AS nothing,
       'a,"b"' AS text, '' AS blank, array(1, NULL) AS list,
       map('k', named_struct('x', 1.50BD, 'y', timestamp'2025-11-30 10:00:00')) AS tree
"""


def test_csv_keeps_what_spark_says(ask: Ask) -> None:
    header, row = csv.reader(ask(VALUES).out.splitlines())
    assert dict(zip(header, row, strict=True)) == {
        "amount": "1.50", "fine": "-0.100000000000000000", "ratio": "2.5", "at": "2025-11-30 08:00:00.5+00",
        "day": "2025-11-30", "yes": "true", "nothing": "", "text": 'a,"b"', "blank": "", "list": "[1, NULL]",
        "tree": "{k={'x': 1.50, 'y': '2025-11-30 10:00:00+00'}}",
    }  # fmt: skip


def test_json_keeps_what_spark_says(ask: Ask) -> None:
    (row,) = json.loads(ask(VALUES, "json").out, parse_float=Decimal)
    assert row == {
        "amount": Decimal("1.5"), "fine": Decimal("-0.1"), "ratio": Decimal("2.5"), "at": "2025-11-30 08:00:00.5+00",
        "day": "2025-11-30", "yes": True, "nothing": None, "text": 'a,"b"', "blank": "", "list": [1, None],
        "tree": {"k": {"x": Decimal("1.5"), "y": "2025-11-30 10:00:00+00"}},
    }  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "json"])
def test_programs_get_every_row_in_order(ask: Ask, form: str) -> None:
    out = ask("SELECT id FROM range(0, 25000, 1, 5) ORDER BY id DESC", form).out
    found = [row["id"] for row in json.loads(out)] if form == "json" else [int(row) for row in out.split()[1:]]
    assert found == list(range(24_999, -1, -1))


def test_a_table_takes_no_more_than_it_shows(ask: Ask) -> None:
    lines = [line.strip() for line in ask("SELECT id FROM range(1000000000)", "table").out.splitlines()]
    assert lines[-1] == "first 100 rows; --format csv for all"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of each batch that was read."""
    rows: list[int] = []

    def count(payload: Any, schema: pa.Schema) -> pa.RecordBatch:
        batch = real(payload, schema)
        rows.append(batch.num_rows)
        return batch

    real = pa.ipc.read_record_batch
    monkeypatch.setattr(pa.ipc, "read_record_batch", count)
    return rows


# DuckDB reads some ten of the partitions ahead.
LARGE = "SELECT id FROM range(0, 400000, 1, 40)"


@pytest.mark.usefixtures("session")
def test_an_answer_is_read_as_it_is_written(shop: Layout, read: list[int]) -> None:
    with ask_spark(LARGE, shop, None) as relation:
        assert relation.fetchmany(1)[0][0] == 0
        assert len(read) < 30
        assert [row[0] for row in relation.fetchall()] == list(range(1, 400_000))
    assert read == [10_000] * 40


def serving(session: SparkSession) -> bool:
    """Whether Spark still has something to send."""
    jvm: Any = session.sparkContext._jvm
    return any("toLocalIterator" in thread.getName() for thread in jvm.Thread.getAllStackTraces().keySet())


def test_who_stops_reading_stops_spark_first(
    shop: Layout, session: SparkSession, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it says at its end, with a trace, what it could not send."""
    left: list[bool] = []

    def stop() -> None:
        give_up = time.monotonic() + 10
        while serving(session) and time.monotonic() < give_up:
            time.sleep(0.01)
        left.append(serving(session))

    monkeypatch.setattr(session, "stop", stop)
    with pytest.raises(BrokenPipeError), ask_spark(LARGE, shop, None) as relation:
        relation.fetchmany(1)
        assert serving(session)
        raise BrokenPipeError
    assert left == [False]
    assert len(read) < 30


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("SELEKT 1", "[PARSE_SYNTAX_ERROR]"),
        ("SELECT 1; SELECT 2", "[PARSE_SYNTAX_ERROR]"),
        ("SELECT nothing FROM dim_users", "[UNRESOLVED_COLUMN"),
        ("SELECT * FROM nothing", "[TABLE_OR_VIEW_NOT_FOUND]"),
        ("SELECT 1 / (id - 3000) AS x FROM range(0, 4000, 1, 4)", "[DIVIDE_BY_ZERO]"),
        ("SELECT (SELECT user_id FROM dim_users) AS x", "[SCALAR_SUBQUERY_TOO_MANY_ROWS]"),
        ("SELECT raise_error(user_id) AS x FROM dim_users", "[USER_RAISED_EXCEPTION] U"),
        ("SELECT make_interval(1) AS x", "[UNSUPPORTED_DATA_TYPE_FOR_ARROW_CONVERSION]"),
    ],
    ids=["syntax", "two", "column", "table", "value", "subquery", "raised", "type"],
)
def test_a_mistake_of_the_query_is_one_line(ask: Ask, query: str, what: str) -> None:
    said = ask(query)
    (line,) = said.err.splitlines()
    assert said.code == 2
    assert line.startswith(f"error: {what}")


def test_a_file_that_cannot_be_read_is_an_input(ask: Ask, session: SparkSession, shop: Layout) -> None:
    path = shop.local("warehouse", "hive", "dim_users", "v000001", "a.parquet")
    before = path.read_bytes()
    try:
        path.write_bytes(b"PAR1 and nothing else PAR1")
        session.catalog.refreshTable(f"{DATABASE}.dim_users")
        said = ask("SELECT * FROM dim_users")
    finally:
        path.write_bytes(before)
        session.catalog.refreshTable(f"{DATABASE}.dim_users")
    (line,) = said.err.splitlines()
    assert said.code == 4
    assert line.startswith("error: a file cannot be read [")
    assert "dim_users/v000001/a.parquet" in line


DERBY = "XSDB6: Another instance of Derby may have already booted the database /srv/shop/warehouse/metastore_db."


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (AnalysisException(DERBY), 5, "the metastore is in use by another process"),
        (PySparkRuntimeError("[JAVA_GATEWAY_EXITED] no Java"), 1, "PySparkRuntimeError: [JAVA_GATEWAY_EXITED] no Java"),
        (Py4JNetworkError("the JVM has gone"), 1, "Py4JNetworkError: the JVM has gone"),
    ],
    ids=["metastore", "no session", "no JVM"],
)
def test_what_is_not_the_querys_fault_is_not_called_so(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, line: str
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("pipelines.spark_answer.start_session", fail)
    said = ask("SELECT 1")
    assert said.code == code
    assert said.err.startswith(f"error: {line} [")
    assert said.err.count("\n") == 1
    assert "mend the query" not in said.err
