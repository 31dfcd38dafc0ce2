"""Questions to the published tables: answers in three forms, and one line for what cannot be asked. No Spark."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from common.layout import Layout
from common.storage.published import PublishedPartition, PublishedTable, write_published
from pipelines import quarantine, sql, status

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
    rejected = pa.table(
        {
            "payload": [b"U1,a@x.org,\xff", b"nothing"],
            "reasons": [["invalid_utf8"], ["malformed_line", "other"]],
            "source_file": ["raw/users/users.csv"] * 2,
        }
    )
    write_deltalake(layout.quarantine("users"), rejected)
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


@pytest.mark.parametrize(("form", "answer"), [("csv", "event_ts,tags,n,event_month\n"), ("json", "[]\n")])
def test_an_empty_table_has_its_columns(shop: Layout, capsys: Capture, form: str, answer: str) -> None:
    assert ask(shop, "SELECT * FROM fact_clickstream", "--format", form) == 0
    assert capsys.readouterr().out == answer


def test_other_zones_are_asked_by_their_schema(shop: Layout, capsys: Capture) -> None:
    assert ask(shop, "SELECT count(*) AS n FROM quarantine.users", "--format", "csv") == 0
    assert capsys.readouterr().out == "n\n2\n"


@pytest.mark.parametrize(
    "query", ["SELECT nothing FROM dim_users", "SELECT * FROM no_table", "SELEKT 1", "SELECT 1/'a'"],
    ids=["column", "table", "syntax", "value"],
)  # fmt: skip
def test_a_wrong_question_is_one_line(shop: Layout, capsys: Capture, query: str) -> None:
    assert ask(shop, query, "--format", "csv") == 2
    assert [line[:7] for line in capsys.readouterr().err.splitlines()] == ["error: "]


def test_before_the_first_publish_there_is_nothing_to_ask(layout: Layout, capsys: Capture) -> None:
    assert ask(layout, "SELECT 1") == 4
    assert "error: nothing is published" in capsys.readouterr().err


def test_unknown_arguments_are_refused(shop: Layout, capsys: Capture) -> None:
    assert ask(shop, "SELECT 1", "--engine", "impala") == 2
    assert "error: " in capsys.readouterr().err


class TestQuarantine:
    def test_shows_counts_and_masks_values(self, shop: Layout, capsys: Capture) -> None:
        assert quarantine.main(["--root", shop.root]) == 0
        out = capsys.readouterr().out
        assert "users: 2 rows: invalid_utf8 1, malformed_line 1, other 1" in out
        assert "x9,x@x.xxx" in out
        assert "a@x.org" not in out

    def test_shows_values_when_asked(self, shop: Layout, capsys: Capture) -> None:
        assert quarantine.main(["--root", shop.root, "--unmask", "--reason", "invalid_utf8"]) == 0
        out = capsys.readouterr().out
        assert "U1,a@x.org,\\xff" in out
        assert "nothing" not in out

    def test_a_reason_is_no_query(self, shop: Layout, capsys: Capture) -> None:
        assert quarantine.main(["--root", shop.root, "--reason", "') OR true --"]) == 0
        assert "x9,x@x.xxx" not in capsys.readouterr().out

    def test_before_anything_is_cleaned(self, layout: Layout, capsys: Capture) -> None:
        assert quarantine.main(["--root", layout.root]) == 4
        assert "error: nothing has been cleaned yet" in capsys.readouterr().err


def test_status_before_any_run(tmp_path: Path, capsys: Capture) -> None:
    assert status.main(["--root", str(tmp_path)]) == 4
    assert "error: no run yet" in capsys.readouterr().err
