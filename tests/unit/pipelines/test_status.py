"""status: how each run stands, by one truth. No session is started."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Literal

import pytest

from common.errors import ExitCode
from common.layout import Layout
from common.quality.ledger import LedgerEntry, record
from common.storage.locks import hold
from pipelines import status
from pipelines.earlier import last_run
from pipelines.status import RunRow, run_rows
from pipelines.view import RunFacts, write_run
from tests.unit.quality.test_ledger import ENTRY, FAILED

SELECTION = ("land_raw", "clean_users", "load_facts")


def leave_run(layout: Layout, run_id: str, how: Literal["running", "ok", "failed"], **changes: Any) -> None:
    """What a run leaves that came as far as its first stage, or failed in its last."""
    ended: list[LedgerEntry] = [replace(ENTRY, run_id=run_id, stage="land_raw")]
    if how == "failed":
        ended.append(replace(FAILED, run_id=run_id))
    for entry in ended:
        record(layout, entry)
    facts = RunFacts(run_id, "2025-11-30", None, None, "generated", SELECTION)
    write_run(layout, replace(facts, **changes), ended, 61.4, status=how)


def leave_job(layout: Layout, run_id: str, *stages: str) -> None:
    for name in stages:
        record(layout, replace(ENTRY, run_id=run_id, stage=name))


def rows(layout: Layout, limit: int = 10) -> list[RunRow]:
    return run_rows(layout, last_run(layout), limit)


def test_a_killed_run_is_never_ok(layout: Layout) -> None:
    leave_run(layout, "1", "running")
    leave_run(layout, "2", "running")
    with hold(layout, ("run",)):
        assert [(row.run_id, row.state) for row in rows(layout)] == [("2", "running"), ("1", "interrupted")]
    assert [row.state for row in rows(layout)] == ["interrupted", "interrupted"]
    assert [row.stages for row in rows(layout)] == ["1 of 3", "1 of 3"]


def test_a_run_says_how_it_ended(layout: Layout) -> None:
    leave_run(layout, "1", "failed")
    leave_run(layout, "2", "ok")
    second, first = rows(layout)
    assert (second.state, second.error, second.seconds) == ("ok", "", 61.4)
    assert (first.state, first.error, first.quarantined) == ("failed", "load_facts: gate load_facts failed", 1)


def test_a_failure_before_the_first_stage_has_a_row(layout: Layout) -> None:
    facts = RunFacts("1", None, None, None, "generated", SELECTION, error="no raw users")
    write_run(layout, facts, [], 1.0, status="failed")
    (row,) = rows(layout)
    assert (row.state, row.error, row.stages, row.date) == ("failed", "no raw users", "0 of 3", "")


def test_a_job_that_ran_alone_is_named(layout: Layout) -> None:
    leave_job(layout, "1", "clean_users")
    leave_job(layout, "2", "clean_users", "load_facts")
    record(layout, replace(FAILED, run_id="3"))
    assert [(row.stages, row.state) for row in rows(layout)] == [
        ("load_facts", "failed"), ("2", "ok"), ("clean_users", "ok"),
    ]  # fmt: skip


def test_a_run_of_which_only_run_json_tells_has_a_row(layout: Layout) -> None:
    leave_run(layout, "1", "running")
    layout.local("ops", "runs", "1.json").unlink()
    assert [row.state for row in rows(layout)] == ["interrupted"]


def test_the_limit_takes_the_newest(layout: Layout) -> None:
    for number in range(1, 5):
        leave_job(layout, str(number), "clean_users")
    assert [row.run_id for row in rows(layout, 2)] == ["4", "3"]


@pytest.mark.parametrize("limit", ["0", "-1", "two", "1.5"])
def test_a_limit_that_is_none_is_refused(layout: Layout, limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.main(["--root", layout.root, "--limit", limit]) == ExitCode.USAGE
    said = capsys.readouterr()
    assert f"{limit!r} is no number of runs; give 1 or more" in said.err
    assert (said.err.count("\n"), said.out) == (1, "")


def test_the_table_of_stages_is_said_to_be_of_the_newest_whole_run(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_run(layout, "1", "running")
    leave_job(layout, "2", "clean_users")
    assert status.main(["--root", layout.root]) == ExitCode.DONE
    shown = capsys.readouterr().out
    assert "newest whole run 1: interrupted after 61 s or more; ./build.sh run --resume goes on with it" in shown
    assert shown.index("clean_users") < shown.index("newest whole run"), "the job's line names its stage"


def test_a_run_that_goes_on_says_since_when(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    leave_run(layout, "1", "running")
    with hold(layout, ("run",)):
        assert status.main(["--root", layout.root]) == ExitCode.DONE
    assert re.search(r"newest whole run 1: running for 6[1-9] s", capsys.readouterr().out)


def test_a_root_without_runs(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.main(["--root", layout.root]) == ExitCode.INPUT
    assert "no run yet" in capsys.readouterr().err


def test_the_place_of_an_error_is_shown(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    record(layout, replace(FAILED, run_id="1", error="no token key [/x/key] -> run setup"))
    assert status.main(["--root", layout.root]) == 0
    assert "no token key [/x/key] -> run setup" in " ".join(capsys.readouterr().out.split())


def test_a_failure_is_told_once_whether_or_not_its_stages_are_shown(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_run(layout, "1", "failed")
    leave_run(layout, "2", "failed")
    assert status.main(["--root", layout.root]) == ExitCode.DONE
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "gate load_facts failed" in line] == [
        "1: load_facts: gate load_facts failed",
        "load_facts: gate load_facts failed",
    ]
    assert lines.index("1: load_facts: gate load_facts failed") < lines.index("load_facts: gate load_facts failed")


def test_a_failure_of_no_stage_is_told_too(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    facts = RunFacts("1", None, None, None, "generated", SELECTION, error="no raw users [/x] -> deliver them")
    write_run(layout, facts, [], 1.0, status="failed")
    assert status.main(["--root", layout.root]) == ExitCode.DONE
    assert "1: no raw users [/x] -> deliver them" in capsys.readouterr().out.splitlines()
