"""Rejected rows: whole, with their reasons first, masked unless asked otherwise. No Spark."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from common.cleaning.reading import SOURCE_FILE
from common.cleaning.report import summarise
from common.cleaning.resolution import FATE, IS_NEW
from common.cleaning.typing_rows import REASONS
from common.contracts.model import Fate
from common.layout import Layout
from pipelines import quarantine

Capture = pytest.CaptureFixture[str]
LONG = b'{"transaction_id":"T1","note":"' + b"long " * 100 + b'","total_amount":12.34,"status":"sold"}'


def put(layout: Layout, dataset: str, rows: list[tuple[bytes, list[str]]]) -> None:
    table = {
        "payload": pa.array([payload for payload, _ in rows], pa.binary()),
        "reasons": pa.array([reasons for _, reasons in rows], pa.list_(pa.string())),
        "source_file": pa.array([f"raw/{dataset}/a"] * len(rows), pa.string()),
        "stage": pa.array([f"clean_{dataset}"] * len(rows), pa.string()),
        "run_id": pa.array(["run-1"] * len(rows), pa.string()),
    }
    write_deltalake(layout.quarantine(dataset), pa.table(table))


@pytest.fixture
def shop(layout: Layout) -> Layout:
    """Two quarantines with rows and an empty one."""
    put(
        layout, "users", [(b"U1,a@x.org,\xff", ["invalid_utf8"]), (b"[red]nothing\x1b[2J", ["malformed_line", "other"])]
    )
    put(layout, "transactions", [(LONG, ["wrong_total", "unknown_status"]), *[(b"", ["blank_line"])] * 1499])
    put(layout, "products", [])
    return layout


def show(layout: Layout, *arguments: str) -> int:
    return quarantine.main(["--root", layout.root, *arguments])


def objects(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_counts_come_first_and_values_are_masked(shop: Layout, capsys: Capture) -> None:
    assert show(shop) == 0
    out = capsys.readouterr().out
    assert "users: 2 rows: invalid_utf8 1, malformed_line 1, other 1\n" in out
    assert "products: 0 rows: none\n" in out
    assert "transactions: 1,500 rows: blank_line 1,499, unknown_status 1, wrong_total 1\n" in out
    assert "\ninvalid_utf8  raw/users/a\n  x9,x@x.xxx,\\xxx\n" in out
    assert "(first 10 of 1,500, --limit shows more; letters as x" in out
    assert "a@x.org" not in out


def test_a_row_is_shown_whole(shop: Layout, capsys: Capture) -> None:
    assert show(shop, "--dataset", "transactions", "--reason", "wrong_total", "--unmask") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "transactions: 1 of 1,500 rows: wrong_total 1"
    assert lines[2:4] == ["wrong_total, unknown_status  raw/transactions/a", f"  {LONG.decode()}"]


def test_a_masked_row_is_shown_whole_too(shop: Layout, capsys: Capture) -> None:
    assert show(shop, "--reason", "unknown_status") == 0
    out = capsys.readouterr().out
    assert '"total_amount":99.99,"status":"xxxx"}' in out
    assert "users" not in out, "no row there has the reason"


def test_values_come_as_they_are_when_asked(shop: Layout, capsys: Capture) -> None:
    assert show(shop, "--unmask", "--reason", "invalid_utf8") == 0
    out = capsys.readouterr().out
    assert "U1,a@x.org,\\xff" in out
    assert "nothing" not in out


def test_what_a_terminal_would_obey_is_shown_instead(shop: Layout, capsys: Capture) -> None:
    assert show(shop, "--unmask", "--reason", "other") == 0
    assert "  [red]nothing\\x1b[2J\n" in capsys.readouterr().out


def test_json_has_an_object_a_row(shop: Layout, capsys: Capture) -> None:
    assert show(shop, "--format", "json", "--dataset", "users") == 0
    first, second = objects(capsys.readouterr().out)
    assert first == {
        "dataset": "users",
        "reasons": ["invalid_utf8"],
        "stage": "clean_users",
        "run_id": "run-1",
        "source_file": "raw/users/a",
        "payload": "x9,x@x.xxx,\\xxx",
    }
    assert second["reasons"] == ["malformed_line", "other"]


def test_json_has_every_row_unless_limited(shop: Layout, capsys: Capture) -> None:
    assert show(shop, "--format", "json", "--unmask") == 0
    rows = objects(capsys.readouterr().out)
    assert len(rows) == 1502
    assert LONG.decode() in [row["payload"] for row in rows]
    assert show(shop, "--format", "json", "--limit", "3") == 0
    assert [row["dataset"] for row in objects(capsys.readouterr().out)] == ["users"] * 2 + ["transactions"] * 3


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--reason", "wrong_totl"], "did you mean wrong_total?"),
        (["--reason", "wrong_total", "--dataset", "users"], "no row of users was turned away for 'wrong_total'"),
        (["--reason", "zzz", "--dataset", "users"], "reasons: invalid_utf8, malformed_line, other"),
        (["--reason", "zzz", "--dataset", "products"], "reasons: none"),
        (["--reason", "') OR true --"], "was turned away for"),
        (["--dataset", "user"], "did you mean users?"),
        (["--dataset", "orders"], "users, products, transactions, clickstream"),
        (["--limit", "few"], "--limit"),
        (["--format", "csv"], "--format"),
    ],
)
def test_what_is_not_there_is_one_line(shop: Layout, capsys: Capture, arguments: list[str], what: str) -> None:
    assert show(shop, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("error: ")
    assert what in line


def test_examples_in_the_quality_report_are_whole_too() -> None:
    row = {
        FATE: Fate.QUARANTINED.value,
        IS_NEW: True,
        "_refreshed": False,
        REASONS: ["unknown_status"],
        "_marks": None,
        SOURCE_FILE: "raw/transactions/a",
        "_rows": 1,
        "_example": LONG,
    }
    (example,) = summarise([row]).examples["unknown_status"]
    assert example.endswith('"total_amount":99.99,"status":"xxxx"}')
    (cut,) = summarise([{**row, "_example": b"x" * 5_000}]).examples["unknown_status"]
    assert len(cut) == 1_001


def test_before_anything_is_cleaned(layout: Layout, capsys: Capture) -> None:
    assert show(layout) == 4
    assert "error: nothing has been cleaned yet" in capsys.readouterr().err
