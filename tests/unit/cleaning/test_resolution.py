"""Which of some rows with one key is kept: duplicates, versions, ties, history, and rows that are already there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import SparkSession

from common.cleaning.resolution import FATE, resolve
from common.contracts import CLICKSTREAM, TRANSACTIONS, USERS, Contract
from common.settings import SourceSettings
from common.storage.local_frames import local_frame

_SCHEMA = (
    "n int, user_id string, transaction_id string, event_id string, status string, updated_at timestamp, op string, "
    "event_ts timestamp, _payload_hash bigint, _reasons array<string>, _is_new boolean, _payload binary, "
    "_source_file string"
)
ONE, TWO = datetime(2025, 11, 1), datetime(2025, 11, 2)


def row(key: str | None, digest: int, **changes: Any) -> dict[str, Any]:
    return {
        "user_id": key,
        "transaction_id": key,
        "event_id": key,
        "_payload_hash": digest,
        "_reasons": [],
        "_is_new": True,
        "_source_file": "raw/f",
        **changes,
    }


def fates(spark: SparkSession, source: SourceSettings, contract: Contract, rows: Sequence[dict[str, Any]]) -> list[str]:
    columns = [part.split()[0] for part in _SCHEMA.split(", ")]
    frame = local_frame(
        spark, [tuple({"n": number, **each}.get(name) for name in columns) for number, each in enumerate(rows)], _SCHEMA
    )
    resolved = resolve(frame, contract, source)
    assert_df_equality(resolved.drop(FATE), frame, ignore_row_order=True)  # nothing lost, nothing changed
    return [each[FATE] for each in sorted(resolved.collect(), key=lambda each: each["n"])]


@pytest.mark.parametrize(
    ("contract", "rows", "expected"),
    [
        (TRANSACTIONS, [row("a", 1), row("a", 1), row("b", 1)], {"written": 2, "duplicate": 1}),
        (
            TRANSACTIONS,
            [row("a", 1, status="pending"), row("a", 2, status="returned"), row("a", 3, status="paid")],
            ["superseded", "written", "superseded"],
        ),
        (TRANSACTIONS, [row("a", 9, status=None), row("a", 1, status="pending")], ["superseded", "written"]),
        (TRANSACTIONS, [row("a", 1, status="paid"), row("a", 2, status="paid")], ["superseded", "written"]),
        (
            TRANSACTIONS,
            [row("a", -5, status="paid"), row("a", -5, status="paid"), row("a", 7, status="pending")],
            {"written": 1, "duplicate": 1, "superseded": 1},
        ),
        (CLICKSTREAM, [row("a", 1, event_ts=TWO), row("a", 2, event_ts=ONE)], ["written", "superseded"]),
        (
            USERS,
            [
                row("a", 1, updated_at=ONE, op="upsert"),
                row("a", 2, updated_at=ONE, op="upsert"),
                row("a", 3, updated_at=ONE, op="delete"),
                row("a", 1, updated_at=ONE, op="upsert"),
            ],
            {"written": 3, "duplicate": 1},
        ),
        (
            TRANSACTIONS,
            [row("a", 1, status="paid", _is_new=False), row("a", 1, status="paid")],
            ["written", "duplicate"],
        ),
        (
            TRANSACTIONS,
            [row("a", 1, status="paid", _is_new=False), row("a", 2, status="shipped")],
            ["superseded", "written"],
        ),
        (
            TRANSACTIONS,
            [row("a", 2, status="shipped", _is_new=False), row("a", 1, status="paid")],
            ["written", "superseded"],
        ),
        (
            TRANSACTIONS,
            [row(None, 1, _reasons=["missing"]), row(None, 1, _reasons=["missing"]), row("a", 1)],
            ["quarantined", "quarantined", "written"],
        ),
        (
            TRANSACTIONS,
            [row("a", 9, status="returned", _reasons=["bad"]), row("a", 1, status="paid"), row("a", 9, _reasons=["x"])],
            ["quarantined", "written", "quarantined"],
        ),
        (TRANSACTIONS, [], []),
    ],
    ids=["copies", "life cycle", "no state is oldest", "tie by hash", "copies of the newest", "event time", "history",
         "copy of what is there", "newer than what is there", "older than what is there", "bad rows without a key",
         "bad rows overtake nothing", "none"],
)  # fmt: skip
def test_fates(
    spark: SparkSession,
    source: SourceSettings,
    contract: Contract,
    rows: list[dict[str, Any]],
    expected: list[str] | dict[str, int],
) -> None:
    found = fates(spark, source, contract, rows)
    if isinstance(expected, dict):  # which of two equal rows is the copy does not matter
        assert {fate: found.count(fate) for fate in set(found)} == expected
    else:
        assert found == expected


def test_a_key_that_looks_like_that_of_a_bad_row_is_a_key(spark: SparkSession, source: SourceSettings) -> None:
    contract = replace(TRANSACTIONS, history=False)
    rows = [row("-:1", 1), row("-:1", 1), row(None, 1, _reasons=["bad"], _payload=bytearray(b"x"))]
    assert sorted(fates(spark, source, contract, rows)) == ["duplicate", "quarantined", "written"]
