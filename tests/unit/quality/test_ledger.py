"""The ledger: what is recorded is what is read, and run.json is a view of it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from common.layout import Layout
from common.quality.ledger import LedgerEntry, entries, new_run_id, record, run_ids
from common.storage.files import read_json
from pipelines.view import ROW_KINDS, RunFacts, summary_table, write_run

ENTRY = LedgerEntry(
    run_id="20251130T093000Z-1a2b3c",
    stage="clean_users",
    date="2025-11-30",
    status="ok",
    started_at="2025-11-30T09:30:01.000+00:00",
    seconds=1.5,
    gate_seconds=0.25,
    rows={"read": 5, "written": 2, "quarantined": 1, "duplicates": 1, "superseded": 1},
    tables={"clean/users": {"before": None, "after": 0}},
    gates=({"suite": "clean_users", "passed": True},),
    notes=("warning: something", "a note"),
    exit_code=0,
    error=None,
    code_version="1",
    configuration="abc",
)
EARLIER = replace(ENTRY, stage="land_raw", started_at="2025-11-30T09:30:00.000+00:00", gate_seconds=None, gates=())
FAILED = replace(
    ENTRY, stage="load_facts", started_at="2025-11-30T09:31:00.000+00:00", status="failed", rows=None, exit_code=3,
    error="gate load_facts failed",
)  # fmt: skip
FACTS = RunFacts(
    ENTRY.run_id, "2025-11-30", 0.01, 42, "generated", ("land_raw", "clean_users", "load_facts", "publish_hive")
)


def test_an_entry_survives_its_file(layout: Layout) -> None:
    for entry in (ENTRY, EARLIER, FAILED):
        record(layout, entry)
    assert list(entries(layout, ENTRY.run_id)) == [EARLIER, ENTRY, FAILED], "by the time at which they started"


def test_runs_are_listed_newest_first(layout: Layout) -> None:
    assert run_ids(layout) == []
    for run_id in ("20251130T093000Z-b", "20251201T000000Z-a", "20251130T093000Z-a"):
        record(layout, replace(ENTRY, run_id=run_id))
    assert run_ids(layout) == ["20251201T000000Z-a", "20251130T093000Z-b", "20251130T093000Z-a"]


def test_a_stage_that_ran_again_in_a_run_replaces_its_entry(layout: Layout) -> None:
    record(layout, replace(ENTRY, status="failed", exit_code=1))
    record(layout, ENTRY)
    assert list(entries(layout, ENTRY.run_id)) == [ENTRY]


def test_an_entry_on_a_remote_root_is_left_to_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    record(Layout("hdfs://name/shop"), ENTRY)
    assert list(tmp_path.iterdir()) == [], "no directory that is called hdfs:"


def test_a_run_has_an_identifier_of_its_own_that_sorts_by_time() -> None:
    made = {new_run_id() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{6}", each) for each in made)


def test_run_json_is_as_its_readers_expect(layout: Layout) -> None:
    write_run(layout, FACTS, [EARLIER, ENTRY, FAILED], 12.3456, status="failed")
    run = read_json(layout.local("ops", "run.json"))
    assert {name: run[name] for name in ("run_id", "date", "scale", "seed", "status", "seconds")} == {
        "run_id": ENTRY.run_id, "date": "2025-11-30", "scale": 0.01, "seed": 42, "status": "failed", "seconds": 12.346,
    }  # fmt: skip
    keys = {"name", "status", "seconds", "gate_seconds", *ROW_KINDS, "exit_code", "error"}
    assert all(set(stage) == keys for stage in run["stages"])
    assert [(stage["name"], stage["status"], stage["exit_code"]) for stage in run["stages"]] == [
        ("land_raw", "ok", 0),
        ("clean_users", "ok", 0),
        ("load_facts", "failed", 3),
        ("publish_hive", "skipped", None),
    ]
    assert run["stages"][0]["gate_seconds"] is None, "a stage without a gate"
    assert [run["stages"][2][kind] for kind in ROW_KINDS] == [None] * 5, "a stage that failed before its account"


def test_a_run_that_goes_on_shows_what_has_ended(layout: Layout) -> None:
    run = write_run(layout, FACTS, [EARLIER], 1.0, status="running")
    assert [stage["name"] for stage in run["stages"]] == ["land_raw"]


def test_the_summary_shows_the_same(layout: Layout) -> None:
    run = write_run(layout, FACTS, [EARLIER, ENTRY, FAILED], 12.3, status="failed")
    table = summary_table(run)
    assert table.row_count == 4
    assert [str(cell) for cell in table.columns[0].cells] == [stage["name"] for stage in run["stages"]]
    assert [str(cell) for cell in table.columns[4].cells] == ["5", "5", "", ""]
