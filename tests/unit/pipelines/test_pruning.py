"""What old runs leave behind, and what of it stays."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, write_deltalake

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


def put_documents(layout: Layout, run_id: str, hour: int, suite: tuple[str, ...]) -> None:
    """A validation and its page, as Great Expectations lays them out."""
    leaf = (*suite, run_id, f"20251130T{hour:02d}0000.000000Z")
    said = {"results": [{"success": True, "expectation_config": {"severity": "critical"}}]}
    write_json(layout.local("ops", "gx", "validations", *leaf, "batch.json"), said)
    page = layout.local("ops", "gx", "data_docs", "validations", *leaf, "batch.html")
    page.parent.mkdir(parents=True)
    page.write_text("a page", encoding="utf-8")


class TestDocuments:
    """Results and pages under ops/gx."""

    @pytest.fixture
    def root(self, layout: Layout) -> Layout:
        """Runs whose names are not in the order of their times, each with two suites."""
        for hour, run_id in enumerate(("zebra", "run-2", "run-10", "apple")):
            put_documents(layout, run_id, hour, ("clean_users",))
            put_documents(layout, run_id, hour + 1, ("load_facts", "integrity"))
        return layout

    @staticmethod
    def runs(layout: Layout, kind: str) -> set[str]:
        return {path.parents[1].name for path in layout.local("ops", "gx").rglob(f"batch.{kind}")}

    def test_those_of_the_newest_runs_stay_and_are_linked(self, root: Layout) -> None:
        assert prune(root, 2, "apple") == 2 * 2 * 2
        assert self.runs(root, "json") == self.runs(root, "html") == {"run-10", "apple"}
        index = root.local("ops", "gx", "data_docs", "index.html").read_text(encoding="utf-8")
        assert [name in index for name in ("zebra", "run-2", "run-10", "apple")] == [False, False, True, True]
        assert index.count('href="validations/') == 4

    def test_the_run_itself_stays_whatever_its_age(self, root: Layout) -> None:
        prune(root, 1, "zebra")
        assert self.runs(root, "html") == {"zebra", "apple"}

    def test_nothing_is_touched_while_there_are_few(self, root: Layout) -> None:
        assert prune(root, 4, "apple") == 0
        assert not root.local("ops", "gx", "data_docs", "index.html").exists()


class TestDropped:
    """Logs of dropped rows, of which `score` needs all that the clean table is made of."""

    @staticmethod
    def left(layout: Layout, made_of: Sequence[str] | None) -> list[str]:
        """What stays of six logs besides the newest, where a commit names some."""
        kept = {} if made_of is None else {"userMetadata": json.dumps({"dropped": made_of})}
        table = pa.table({"user_id": pa.array(["U1"])})
        write_deltalake(layout.clean("users"), table, commit_properties=CommitProperties(custom_metadata=kept))
        for number in range(6):
            log = layout.local("ops", "dropped", "users", f"run_id=run-{number}")
            log.mkdir(parents=True)
            (log / "a.parquet").touch()
            os.utime(log, (number, number))
        prune(layout, 1, "run-0")
        return [name.removeprefix("run_id=") for name in names(layout.local("ops", "dropped", "users"))]

    @pytest.mark.parametrize(
        ("made_of", "stay"),
        [
            (["run-2", "run-4"], ["run-0", "run-2", "run-4", "run-5"]),
            ([], ["run-0", "run-5"]),
            (None, [f"run-{number}" for number in range(6)]),
        ],
    )
    def test_those_stay_that_the_clean_table_names(
        self, layout: Layout, made_of: list[str] | None, stay: list[str]
    ) -> None:
        assert self.left(layout, made_of) == stay
