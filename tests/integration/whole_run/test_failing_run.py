"""A run that fails on a root that has published: it says so once, starts nothing more, and leaves what is published.

It fails at a gate of its own suites, or at a file that is cut off. The row that closes the gate is real: a clock two
centuries ahead, in a file whose path names no day of delivery. Cleaning cannot know that such a day is still to come;
the suite of the dimension does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from common.layout import PUBLISHED_TABLES, Layout
from common.quality.ledger import entries
from common.storage.published import read_published
from pipelines import sql
from pipelines.tables import connect
from tests import samples
from tests.first_run import DATE, Finished, copied
from tests.runs import WarmProcess, fingerprints, run_json

pytestmark = pytest.mark.slow

FAILS, GATE = "load_dimensions", "load_dimensions.dim_users"
DONE = {
    "land_raw": "ok",
    "clean_users": "ok",
    "clean_products": "skipped",
    "clean_transactions": "skipped",
    "clean_clickstream": "skipped",
}
NOT_REACHED = ("load_facts", "etl_warehouse", "publish_hive")
STAGE_KEYS = {
    *("name", "status", "seconds", "gate_seconds", "read", "written", "quarantined", "duplicates", "superseded"),
    *("exit_code", "error"),
}


@dataclass(frozen=True)
class State:
    """What a reader of the published tables has, and what the lake is at."""

    tables_json: bytes
    fingerprints: dict[str, str]
    counts: dict[str, int]
    files: frozenset[str]
    lake_versions: dict[str, int]


@dataclass(frozen=True)
class Failed:
    """A root before and after its second run, which failed, and what that run said."""

    layout: Layout
    exit_code: int
    stdout: str
    stderr: str
    run: dict[str, Any]
    before: State
    after: State

    @property
    def stages(self) -> dict[str, dict[str, Any]]:
        return {stage["name"]: stage for stage in self.run["stages"]}


def counts(layout: Layout) -> dict[str, int]:
    """The rows of each published table, as DuckDB finds them."""
    query = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in PUBLISHED_TABLES)
    return dict(connect(layout, "ecommerce").execute(query).fetchall())


def state(layout: Layout) -> State:
    hive = layout.local("warehouse", "hive")
    return State(
        layout.local("ops", "tables.json").read_bytes(),
        fingerprints(layout),
        counts(layout),
        frozenset(str(path.relative_to(hive)) for path in hive.rglob("*.parquet")),
        {name: DeltaTable(layout.lake(name)).version() for name in PUBLISHED_TABLES},
    )


@pytest.fixture(scope="module")
def failed(finished: Finished, warm: WarmProcess, tmp_path_factory: pytest.TempPathFactory) -> Failed:
    """A finished root, and beside its data the row that the gate is there for."""
    layout = copied(finished.layout, tmp_path_factory.mktemp("failing") / "root")
    samples.put_users(
        layout,
        [samples.user(99_999_999, birth_date="2205-03-01", updated_at="2205-11-30T00:00:00Z", city="Zanzibar")],
        "late.csv",
    )
    before = state(layout)
    done = warm.run(layout, "--to", "publish_hive")
    return Failed(layout, done.returncode, done.stdout, done.stderr, run_json(layout), before, state(layout))


def test_a_file_that_is_cut_off_ends_the_run_and_changes_nothing(
    finished: Finished, warm: WarmProcess, tmp_path: Path
) -> None:
    layout = copied(finished.layout, tmp_path / "root")
    samples.put_users(layout, [samples.user(99_999_999)], "more.csv")  # a good file beside it is not taken either
    cut = samples.put_transactions(layout, [samples.transaction()], day="2025-12-01")
    cut.write_bytes(cut.read_bytes()[:-20])
    before = state(layout)
    done = warm.run(layout, "--to", "publish_hive")

    assert done.returncode == 4, done.stderr[-4000:]
    (line,) = [line for line in done.stderr.splitlines() if "error" in line]
    assert "a Parquet file is truncated or damaged" in line
    assert str(cut) in line
    assert [(stage["name"], stage["status"]) for stage in run_json(layout)["stages"]] == [
        ("land_raw", "failed"),
        *((name, "skipped") for name in (*list(DONE)[1:], FAILS, *NOT_REACHED)),
    ]
    assert state(layout) == before


def test_the_run_itself_ends_with_three(failed: Failed) -> None:
    assert failed.exit_code == 3, failed.stderr[-4000:]


def test_one_line_at_its_end_names_stage_gate_and_what_was_found(failed: Failed) -> None:
    error = failed.stages[FAILS]["error"]
    lines = [line for line in failed.stderr.splitlines() if "error" in line]
    assert lines == [f"error: {FAILS}: {error}"]
    assert error.startswith(f"gate {GATE} failed: expect_column_values_to_be_between birth_year (1 unexpected, ")
    assert f"expected 1900 to 2100) [conf/expectations/{GATE}.json] -> nothing was committed" in error
    assert "Traceback" not in failed.stderr
    assert "Zanzibar" not in failed.stderr, "no values of personal columns"


def test_the_summary_shows_exit_code_and_error_of_each_stage(failed: Failed) -> None:
    lines = failed.stdout.splitlines()
    exits = {
        line.split()[0]: line.split()[-1] for line in lines if line.split()[1:2] in (["ok"], ["failed"], ["skipped"])
    }
    assert exits == {**dict.fromkeys(DONE, "0"), FAILS: "3", **dict.fromkeys(NOT_REACHED, "-")}
    assert lines[-1] == f"{FAILS}: {failed.stages[FAILS]['error']}"


def test_run_json_tells_the_stage_that_failed_and_keeps_its_form(failed: Failed) -> None:
    assert failed.run["status"] == "failed"
    assert failed.run["date"] == DATE
    assert [stage["name"] for stage in failed.run["stages"]] == [*DONE, FAILS, *NOT_REACHED]
    assert all(set(stage) == STAGE_KEYS for stage in failed.run["stages"])
    assert {name: failed.stages[name]["status"] for name in DONE} == DONE
    assert {failed.stages[name]["exit_code"] for name in DONE} == {0}
    stage = failed.stages[FAILS]
    assert (stage["status"], stage["exit_code"]) == ("failed", 3)
    assert stage["seconds"] > stage["gate_seconds"] > 0


def test_no_later_stage_starts(failed: Failed) -> None:
    for name in NOT_REACHED:
        untouched = dict.fromkeys(STAGE_KEYS) | {"name": name, "status": "skipped"}
        assert failed.stages[name] == untouched
    assert [entry.stage for entry in entries(failed.layout, failed.run["run_id"])] == [*DONE, FAILS]
    assert failed.after.lake_versions == failed.before.lake_versions


def test_the_ledger_keeps_which_gate_it_was(failed: Failed) -> None:
    (entry,) = [each for each in entries(failed.layout, failed.run["run_id"]) if each.exit_code]
    assert (entry.stage, entry.exit_code, entry.error) == (FAILS, 3, failed.stages[FAILS]["error"])
    assert [gate["suite"] for gate in entry.gates if not gate["passed"]] == [GATE]


def test_what_was_published_stays_as_it_was(failed: Failed) -> None:
    assert failed.after == failed.before
    assert sorted(failed.after.fingerprints) == sorted(failed.after.counts) == sorted(PUBLISHED_TABLES)
    listed = {name: table.rows for name, table in read_published(failed.layout).items()}
    assert failed.after.counts == listed
    assert all(listed.values())


@pytest.mark.parametrize("table", PUBLISHED_TABLES)
def test_every_published_table_still_answers(failed: Failed, capsys: pytest.CaptureFixture[str], table: str) -> None:
    query = f"SELECT count(*) AS n FROM ecommerce.{table}"
    assert sql.main([query, "--root", failed.layout.root, "--format", "csv"]) == 0
    assert capsys.readouterr().out == f"n\n{failed.before.counts[table]}\n"
