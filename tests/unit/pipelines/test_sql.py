"""Questions to the published tables: answers in three forms, and one line for what cannot be asked. No Spark."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from io import StringIO
from pathlib import Path
from shutil import rmtree

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from rich.console import Console

from common.layout import Layout
from common.storage.published import PublishedPartition, PublishedTable, write_published
from pipelines import sql, status
from pipelines.answers import write_table
from tests.runs import python

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def shop(layout: Layout) -> Layout:
    """A plain table, one in two partitions, an empty one, and a quarantine."""
    plain = layout.local("warehouse", "hive", "dim_users", "v000001")
    plain.mkdir(parents=True)
    users = pa.table({"user_id": ["U1", 'it\'s, "quoted"', None], "is_current": [True, False, None]})
    pq.write_table(users, plain / "a.parquet")
    parts = []
    for month, amount in (("2025-10", "1234.50"), ("2025-11", "0.10")):
        directory = layout.local("warehouse", "hive", "fact_transactions", "v000002", f"transaction_month={month}")
        directory.mkdir(parents=True)
        pq.write_table(
            pa.table({"total_amount": pa.array([Decimal(amount)], pa.decimal128(12, 2))}), directory / "b.parquet"
        )
        parts.append(PublishedPartition({"transaction_month": month}, str(directory), 1, 1))
    fact_columns = (("total_amount", "decimal(12,2)"), ("transaction_month", "string"))
    empty_columns = (("event_ts", "timestamp"), ("tags", "array<string>"), ("n", "bigint"), ("event_month", "string"))
    by_month = ("transaction_month",)
    tables = [
        PublishedTable("dim_users", 1, 1, str(plain), (), (("user_id", "string"), ("is_current", "boolean")),
                       (PublishedPartition({}, str(plain), 3, 1),)),
        PublishedTable("fact_transactions", 2, 1, "/unused", by_month, fact_columns, tuple(parts)),
        PublishedTable("fact_clickstream", 2, 1, "/unused", ("event_month",), empty_columns, ()),
    ]  # fmt: skip
    write_published(layout, "ecommerce", tables)
    write_deltalake(layout.quarantine("users"), pa.table({"payload": [b"U1,a@x.org,\xff", "no «thing»".encode()]}))
    return layout


def ask(layout: Layout, query: str, *arguments: str) -> int:
    return sql.main([query, "--root", layout.root, *arguments])


def test_csv_keeps_values_as_they_are(shop: Layout, capsys: Capture) -> None:
    assert ask(shop, "SELECT * FROM dim_users ORDER BY user_id", "--format", "csv") == 0
    assert capsys.readouterr().out == 'user_id,is_current\nU1,true\n"it\'s, ""quoted""",false\n,\n'


def test_json_keeps_decimals_and_nulls(shop: Layout, capsys: Capture) -> None:
    query = "SELECT transaction_month AS m, total_amount AS t, NULL AS n FROM ecommerce.fact_transactions ORDER BY m"
    assert ask(shop, query, "--format", "json") == 0
    out = capsys.readouterr().out
    assert json.loads(out, parse_float=Decimal) == [
        {"m": "2025-10", "t": Decimal("1234.50"), "n": None},
        {"m": "2025-11", "t": Decimal("0.10"), "n": None},
    ]


def test_a_table_is_for_people(shop: Layout, capsys: Capture) -> None:
    assert ask(shop, "SELECT * FROM fact_transactions ORDER BY total_amount DESC") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0] == ["total_amount", "transaction_month"]
    assert lines[2:] == [["1,234.50", "2025-10"], ["0.10", "2025-11"], ["2", "rows"]]


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_integers_can_be_pasted_and_amounts_can_be_read(shop: Layout, capsys: Capture) -> None:
    query = "SELECT 2025 AS year, -2621560988818130714 AS sk, sum(4000::BIGINT) AS n, 48025.04 AS net, 1e9::DOUBLE AS d"
    assert ask(shop, query) == 0
    assert lines_of(capsys.readouterr().out)[2].split() == [
        "2025", "-2621560988818130714", "4000", "48,025.04", "1000000000.0",
    ]  # fmt: skip


@pytest.mark.parametrize(("rows", "shown", "end"), [
    (99, 99, "99 rows"), (100, 100, "100 rows"), (101, 100, "first 100 rows; --format csv for all"),
    (1_000_000_000, 100, "first 100 rows; --format csv for all"),
])  # fmt: skip
def test_a_table_stops_where_nobody_reads_on(shop: Layout, capsys: Capture, rows: int, shown: int, end: str) -> None:
    assert ask(shop, f"SELECT i FROM range({rows}) AS r(i)") == 0
    lines = lines_of(capsys.readouterr().out)
    assert lines[2:-1] == [str(number) for number in range(shown)]
    assert lines[-1] == end


WIDE = "SELECT " + ", ".join(f"'{letter * 60}' AS a_rather_long_name_{letter}" for letter in "abcdef")


def test_where_there_is_no_terminal_a_table_is_as_wide_as_it_is(shop: Layout, capsys: Capture) -> None:
    assert ask(shop, WIDE) == 0
    header, _, row, end = lines_of(capsys.readouterr().out)
    assert header.split() == [f"a_rather_long_name_{letter}" for letter in "abcdef"]
    assert row.split() == [letter * 60 for letter in "abcdef"]
    assert end == "1 row"


def test_what_is_wider_than_the_terminal_is_shown_record_by_record() -> None:
    console = Console(file=StringIO(), width=50, force_terminal=True, color_system=None, highlight=False)
    relation = duckdb.sql("SELECT 1234.5::DECIMAL(8,2) AS amount, repeat('[b]x ', 20) AS text, NULL AS none")
    write_table(relation, console)
    assert isinstance(console.file, StringIO)
    assert lines_of(console.file.getvalue()) == [
        "row 1", "amount  1,234.50", f"text    {('[b]x ' * 20).strip()}", "none", "1 row",
    ]  # fmt: skip


def test_what_a_terminal_would_obey_is_shown_instead(shop: Layout, capsys: Capture) -> None:
    assert ask(shop, "SELECT '[red]a[/red]' || chr(27) || '[2J' AS \"[bold]\"") == 0
    lines = lines_of(capsys.readouterr().out)
    assert (lines[0], lines[2]) == ("[bold]", "[red]a[/red]\\x1b[2J")


def test_csv_is_read_back_as_it_was(shop: Layout, capsys: Capture) -> None:
    query = (
        "SELECT * FROM (VALUES (1, 'a,b', 0.10::DECIMAL(4,2), TIMESTAMPTZ '2025-11-30 10:00:00.5+02', [1, 2]), "
        "(2, '', NULL, NULL, NULL), (3, NULL, 1, NULL, []), (4, 'line' || chr(10) || 'two\"', 2, NULL, [])) "
        'AS t(same, same, d, "a ""ts""", l)'
    )
    assert ask(shop, query, "--format", "csv") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[2:4] == ['2,"",,,', "3,,1.00,,[]"], "a null is told from an empty text"
    assert list(csv.reader(StringIO(out))) == [
        ["same", "same_1", "d", 'a "ts"', "l"],
        ["1", "a,b", "0.10", "2025-11-30 08:00:00.5+00", "[1, 2]"],
        ["2", "", "", "", ""],
        ["3", "", "1.00", "", "[]"],
        ["4", 'line\ntwo"', "2.00", "", "[]"],
    ]


def test_csv_has_a_line_for_a_single_null(shop: Layout, capsys: Capture) -> None:
    assert ask(shop, "SELECT unnest([1, NULL, 2]) AS n", "--format", "csv") == 0
    assert capsys.readouterr().out == 'n\n1\n""\n2\n'


@pytest.mark.parametrize("name", ["answer", "a", "to_json"])
def test_json_has_an_object_a_row_whatever_its_columns_are_called(shop: Layout, capsys: Capture, name: str) -> None:
    assert ask(shop, f'SELECT 1 AS "{name}"', "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == [{name: 1}]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_programs_get_every_row_in_order(shop: Layout, capsys: Capture, form: str) -> None:
    assert ask(shop, "SELECT i FROM range(25000) AS r(i) ORDER BY i DESC", "--format", form) == 0
    out = capsys.readouterr().out
    found = [row["i"] for row in json.loads(out)] if form == "json" else [int(row) for row in out.split()[1:]]
    assert found == list(range(24_999, -1, -1))


@pytest.mark.parametrize(("form", "answer"), [("csv", "event_ts,tags,n,event_month\n"), ("json", "[]\n")])
def test_an_empty_table_has_its_columns(shop: Layout, capsys: Capture, form: str, answer: str) -> None:
    assert ask(shop, "SELECT * FROM fact_clickstream", "--format", form) == 0
    assert capsys.readouterr().out == answer


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("SELECT count(*) AS n FROM quarantine.users", "n\n2\n"),
        ('SELECT count(*) AS n FROM "quarantine"."users"', "n\n2\n"),
        ('SELECT count(*) AS n FROM "QUARANTINE" . users', "n\n2\n"),
        (
            "SELECT payload FROM quarantine.users ORDER BY payload DESC",
            'payload\nno «thing»\n"U1,a@x.org,\\xFF"\n',
        ),
        ("SHOW TABLES FROM quarantine", "name\nusers\n"),
        ("SHOW TABLES FROM lake", "name\nsessions\n"),
        ("SELECT table_name AS t FROM information_schema.tables WHERE table_schema = 'lake'", "t\nsessions\n"),
        ("SHOW TABLES", "name\ndim_users\nfact_clickstream\nfact_transactions\n"),
    ],
)
def test_other_zones_are_asked_by_their_schema(shop: Layout, capsys: Capture, query: str, answer: str) -> None:
    write_deltalake(shop.lake("sessions"), pa.table({"session_id": ["S1"]}))
    assert ask(shop, query, "--format", "csv") == 0
    assert capsys.readouterr().out == answer


@pytest.mark.parametrize(
    "query", ["SELECT nothing FROM dim_users", "SELECT * FROM no_table", "SELEKT 1", "SELECT 1/'a'"],
    ids=["column", "table", "syntax", "value"],
)  # fmt: skip
def test_a_wrong_question_is_one_line(shop: Layout, capsys: Capture, query: str) -> None:
    assert ask(shop, query, "--format", "csv") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert f"[{shop.root}] ->" in line


def test_a_wrong_question_names_what_may_have_been_meant(shop: Layout, capsys: Capture) -> None:
    assert ask(shop, "SELECT * FROM dim_user") == 2
    assert 'Did you mean "dim_users"?' in capsys.readouterr().err


def test_files_that_have_gone_are_no_empty_table(shop: Layout, capsys: Capture) -> None:
    rmtree(shop.local("warehouse", "hive", "dim_users"))
    assert ask(shop, "SELECT * FROM dim_users") == 4
    assert "error: the files of dim_users have gone [" in capsys.readouterr().err


@pytest.mark.parametrize(
    "statement",
    [
        "DROP VIEW dim_users",
        "CREATE TABLE new AS SELECT 1",
        "INSERT INTO dim_users VALUES ('U9', true)",
        "WITH x AS (SELECT 'U9' AS u, true AS c) INSERT INTO dim_users SELECT * FROM x",
        "COPY (SELECT 1) TO '{out}'",
        "COPY (PIVOT fact_transactions ON transaction_month USING sum(total_amount)) TO '{out}'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}'",
        "explain (format json, analyze) COPY (SELECT 1) TO '{out}'",
        "/* EXPLAIN SELECT 'é' -- */ EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}'",
        "SELECT 1; COPY (SELECT 1) TO '{out}'",
        "EXPORT DATABASE '{out}'",
        "ATTACH '{out}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 1",
        "SELECT 1; SELECT 2",
        "",
    ],
)
def test_what_is_no_question_is_refused_before_anything_is_done(
    shop: Layout, capsys: Capture, tmp_path: Path, statement: str
) -> None:
    assert ask(shop, statement.format(out=tmp_path / "out")) == 2
    said = capsys.readouterr()
    assert said.err == (
        f"error: that is neither one query nor SHOW, DESCRIBE or EXPLAIN [{shop.root}] -> give a SELECT\n"
    )
    assert not said.out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("VALUES (1)", "col0\n1\n"),
        ("FROM dim_users SELECT count(*) AS n;", "n\n3\n"),
        ("TABLE dim_users ORDER BY user_id LIMIT 1", "user_id,is_current\nU1,true\n"),
        ("-- one\nWITH x AS (SELECT ';' AS a) SELECT * FROM x; -- and no more", "a\n;\n"),
        ("PIVOT fact_transactions ON transaction_month USING sum(total_amount)", "2025-10,2025-11\n1234.50,0.10\n"),
        ("DESCRIBE SELECT 1 AS a", "column_name,column_type,null,key,default,extra\na,INTEGER,YES,,,\n"),
    ],
)
def test_every_form_of_a_question_is_answered(shop: Layout, capsys: Capture, question: str, answer: str) -> None:
    assert ask(shop, question, "--format", "csv") == 0
    assert capsys.readouterr().out == answer


@pytest.mark.parametrize(
    "question",
    [
        "EXPLAIN SELECT * FROM dim_users",
        "EXPLAIN (SELECT * FROM dim_users)",
        "/* how 'é' */ EXPLAIN -- it\n ANALYZE SELECT * FROM dim_users",
        "EXPLAIN (ANALYZE, FORMAT json) SELECT * FROM dim_users",
    ],
)
def test_a_question_is_explained(shop: Layout, capsys: Capture, question: str) -> None:
    assert ask(shop, question, "--format", "csv") == 0
    assert "parquet" in capsys.readouterr().out.lower()


class TestSparkIsNotStarted:
    """Where there is nothing to ask it: it would take a directory that has gone for no rows, and make a metastore."""

    @pytest.fixture(autouse=True)
    def without_spark(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*arguments: object) -> None:
            raise AssertionError("a session was started")

        monkeypatch.setattr("pipelines.spark_answer.start_session", refuse)

    def test_before_the_first_publish(self, layout: Layout, capsys: Capture) -> None:
        assert ask(layout, "SELECT 1", "--engine", "spark") == 4
        assert "error: nothing is published" in capsys.readouterr().err
        assert not layout.local().exists()

    def test_for_files_that_have_gone(self, shop: Layout, capsys: Capture) -> None:
        rmtree(shop.local("warehouse", "hive", "dim_users"))
        assert ask(shop, "SELECT * FROM dim_users", "--engine", "spark") == 4
        assert "error: the files of dim_users have gone [" in capsys.readouterr().err


def test_duckdb_answers_without_spark(shop: Layout) -> None:
    """What keeps an answer below a second or two: nothing of Spark is loaded for it."""
    program = (
        "import sys; from pipelines import sql; code = sql.main(sys.argv[1:]); "
        "sys.exit(code or ', '.join({'pyspark', 'great_expectations'} & set(sys.modules)) or 0)"
    )
    done = python("-c", program, "SELECT count(*) AS n FROM dim_users", "--root", shop.root, "--format", "csv")
    assert (done.returncode, done.stdout, done.stderr) == (0, "n\n3\n", "")


@pytest.mark.parametrize("query", ["SELECT 1", "SELECT * FROM clean.users"])
def test_before_the_first_publish_there_is_nothing_to_ask(layout: Layout, capsys: Capture, query: str) -> None:
    assert ask(layout, query) == 4
    assert "error: nothing is published" in capsys.readouterr().err


def test_unknown_arguments_are_refused(shop: Layout, capsys: Capture) -> None:
    assert ask(shop, "SELECT 1", "--engine", "impala") == 2
    assert "error: " in capsys.readouterr().err


def test_status_before_any_run(tmp_path: Path, capsys: Capture) -> None:
    assert status.main(["--root", str(tmp_path)]) == 4
    assert "error: no run yet" in capsys.readouterr().err
