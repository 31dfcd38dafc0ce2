"""The table at the end of a run and of `status`: what run.json says of each stage, on a terminal of any width."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines import conclusion
from pipelines.view import ROW_KINDS, show_summary, summary_table

ERROR = (
    "gate load_facts.integrity failed: expect_column_sum_to_be_between amount (observed 12.00, expected 13.00) "
    "[conf/expectations/load_facts.integrity.json] -> nothing was committed; rebuild the stage"
)


def stage(name: str, status: str = "ok", **changes: Any) -> dict[str, Any]:
    figures = dict.fromkeys(("seconds", "gate_seconds", *ROW_KINDS, "exit_code", "error"))
    return {"name": name, "status": status, **figures, **changes}


BIG: dict[str, Any] = dict(zip(ROW_KINDS, (1_361_402, 1_338_825, 18_592, 3_985, 2_000), strict=True))
OK = {"stages": [stage("clean_clickstream", seconds=145.0, gate_seconds=13.2, exit_code=0, **BIG)]}
BAD = {
    "stages": [
        *OK["stages"],
        stage("load_facts", "failed", seconds=3.0, gate_seconds=1.0, exit_code=3, error=ERROR),
        stage("train_recommendations", "skipped"),
    ]
}


def shown(run: dict[str, Any], width: int, *, on_terminal: bool = True, **options: Any) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=on_terminal, color_system=None)
    show_summary(console, run, **options)
    return file.getvalue().splitlines()


def test_a_stage_has_its_exit_code_and_a_dash_where_it_was_not_reached() -> None:
    table = summary_table(BAD)
    assert table.columns[-1].header == "exit"
    assert list(table.columns[-1].cells) == ["0", "3", "-"]


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_no_figure_is_cut_and_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = shown(BAD, width)
    figures = next(line for line in lines if "1,361,402" in line).split()
    assert figures[1:] == ["ok", "145.0", "13.2", "1,361,402", "1,338,825", "18,592", "3,985", "2,000", "0"]
    assert max(len(line) for line in lines) <= width
    assert "…" not in "".join(lines)


@pytest.mark.parametrize("width", [80, 120])
def test_why_a_stage_failed_is_below_the_table_and_whole(width: int) -> None:
    lines = shown(BAD, width)
    below = lines[max(number for number, line in enumerate(lines) if not line.strip()) + 1 :]
    assert " ".join(" ".join(below).split()) == f"load_facts: {ERROR}"


def test_without_a_terminal_it_is_one_line() -> None:
    assert shown(BAD, 160, on_terminal=False)[-1] == f"load_facts: {ERROR}"


def test_what_is_said_next_anyway_is_not_said_twice() -> None:
    assert not [line for line in shown(BAD, 120, said_below="load_facts") if "integrity" in line]
    both = {"stages": [*BAD["stages"], stage("train_churn", "failed", exit_code=1, error="no memory")]}
    assert shown(both, 120, said_below="load_facts")[-1].strip() == "train_churn: no memory"


def test_a_run_without_failures_is_a_table_and_nothing_else() -> None:
    header, _, row = [line for line in shown(OK, 160) if line.strip()]
    assert header.split() == ["stage", "status", "seconds", "gates", *ROW_KINDS, "exit"]
    assert row.split()[0] == "clean_clickstream"


def test_a_wide_table_has_the_header_in_one_line_where_it_fits() -> None:
    assert len([line for line in shown(OK, 112) if line.strip()]) == 3
    assert "quaran-" in "".join(shown(OK, 80))


def test_streams_are_one_place_when_they_go_to_the_same_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (
        (tmp_path / "a").open("w") as one,
        os.fdopen(os.dup(one.fileno()), "w") as same,
        (tmp_path / "b").open("w") as two,
    ):
        monkeypatch.setattr(sys, "stdout", one)
        monkeypatch.setattr(sys, "stderr", same)
        assert conclusion.is_one_place()
        monkeypatch.setattr(sys, "stderr", two)
        assert not conclusion.is_one_place()
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        assert not conclusion.is_one_place()


def test_the_table_leaves_run_json_as_it_is() -> None:
    before = json.dumps(BAD)
    shown(BAD, 80)
    assert json.dumps(BAD) == before
