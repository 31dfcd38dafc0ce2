"""What old runs leave behind, and what of it stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from common.layout import Layout
from common.quality.ledger import run_ids
from common.storage.files import write_json
from pipelines.pruning import prune


def leave(layout: Layout, number: int, *quality: str) -> None:
    """What a run leaves; a higher number is a later run."""
    run_id = f"run-{number}"
    paths = [
        layout.local("ops", "ledger", run_id, "land_raw.json"),
        layout.local("ops", "runs", f"{run_id}.json"),
        layout.local("ops", "lineage", f"{run_id}.jsonl"),
        layout.local("ops", "logs", f"{run_id}.log"),
        *(layout.local("ops", "quality", run_id, f"clean_{name}.json") for name in quality),
    ]
    for path in paths:
        write_json(path, {})
        for each in (path, path.parent):
            os.utime(each, (number, number))


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def root(layout: Layout) -> Layout:
    """Twelve runs, of which three cleaned something."""
    for number in range(12):
        leave(layout, number, *{2: ("users", "clickstream"), 3: ("users",), 10: ("users",)}.get(number, ()))
    write_json(layout.local("ops", "manifest", "users.json"), [])
    return layout


def test_the_newest_stay_by_time_and_not_by_name(root: Layout) -> None:
    assert prune(root, 3, "run-11") == 4 * (12 - 3 - 1)
    assert run_ids(root) == ["run-9", "run-2", "run-11", "run-10"], "run-2 has the newest quality of clicks"
    assert names(root.local("ops", "runs")) == ["run-10.json", "run-11.json", "run-2.json", "run-9.json"]
    assert names(root.local("ops", "lineage")) == ["run-10.jsonl", "run-11.jsonl", "run-2.jsonl", "run-9.jsonl"]
    assert names(root.local("ops", "logs")) == ["run-10.log", "run-11.log", "run-2.log", "run-9.log"]
    assert names(root.local("ops", "quality")) == ["run-10", "run-2", "run-3"], "no more of these than are kept"
    assert root.local("ops", "manifest", "users.json").exists()


def test_the_run_itself_stays_whatever_its_age(root: Layout) -> None:
    prune(root, 1, "run-0")
    assert {"run-0", "run-11"} <= set(run_ids(root))


def test_nothing_goes_while_there_are_few(root: Layout) -> None:
    assert prune(root, 200, "run-11") == 0


def test_a_root_without_runs_has_nothing_to_lose(layout: Layout) -> None:
    assert prune(layout, 1, "run-1") == 0
