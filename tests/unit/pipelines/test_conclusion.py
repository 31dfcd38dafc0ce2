"""What a run says at its end: the place in the brackets of an error's line is shown, whatever it looks like."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from common.errors import AccountError
from common.layout import Layout
from common.quality.ledger import LedgerEntry
from pipelines.conclusion import conclude
from pipelines.view import Progress


def failure(error: str) -> LedgerEntry:
    return LedgerEntry(
        run_id="a-run",
        stage="load_facts",
        date=None,
        status="failed",
        started_at="2025-11-30T00:00:00.000+00:00",
        seconds=1.0,
        gate_seconds=None,
        rows=None,
        tables={},
        gates=(),
        notes=(),
        exit_code=3,
        error=error,
        code_version="1",
        configuration="c",
    )


def said(layout: Layout, failed: LedgerEntry | None) -> list[str]:
    console = Console(file=io.StringIO(), width=200)
    conclude(layout, console, {"run_id": "a-run", "seconds": 12.3}, failed)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("where", ["/data/clean/users", "conf/expectations/load_facts.integrity.json", "--root", "red"])
def test_a_failure_names_its_place(layout: Layout, where: str) -> None:
    error = str(AccountError("rows of the fact: 3 expected, 2 found", where=where, remedy="rebuild the stage"))
    assert f" [{where}] -> " in error
    first, last = said(layout, failure(error))
    assert first == f"error: load_facts: {error}"
    assert last == f"log: {layout.ops('logs', 'a-run.log')}"


def test_a_root_with_brackets_in_its_name_is_shown_as_it_is(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path / "shop [red]")
    assert said(layout, None) == [
        f"done in 12 s: {layout.root}",
        f"quality: {layout.ops('gx', 'data_docs', 'index.html')}",
    ]


def test_a_stage_that_failed_is_a_line_without_its_reason_which_is_said_at_the_end(layout: Layout) -> None:
    console = Console(file=io.StringIO(), width=200)
    progress = Progress(console, 2)
    progress.end(replace(failure("rows differ [/data/clean]"), notes=("warning: no rows in [/data/raw]", "a note")))
    assert isinstance(console.file, io.StringIO)
    stage, warning = console.file.getvalue().splitlines()
    assert stage.split()[:4] == ["[", "1/2]", "failed", "load_facts"]
    assert warning.strip() == "warning: no rows in [/data/raw]"
