"""Day after day, all at once, killed on the way, on other numbers of cores: the same tables.

The finished root goes on here, so that this module comes after all others.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from common.layout import Layout
from tests.integration.whole_run.conftest import SCALE, SEED, Finished
from tests.runs import fingerprints, generate, kill_in, quarantined, run_graph, run_json

pytestmark = pytest.mark.slow

DAYS = ("2025-12-01", "2025-12-02", "2025-12-03")
TABLES = ("--to", "publish_hive")


@pytest.fixture(scope="module")
def day_by_day(finished: Finished) -> Layout:
    """The finished root after three further days, each with a run of its own."""
    for day in DAYS:
        before = fingerprints(finished.layout)
        generate(finished.layout, SCALE, SEED, "--increment", day)
        run = run_graph(finished.layout, *TABLES)
        assert run["date"] == day
        assert fingerprints(finished.layout)["fact_transactions"] != before["fact_transactions"]
    return finished.layout


@pytest.fixture(scope="module")
def killed(finished: Finished, day_by_day: Layout, tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """The same raw data at once, in a run that is killed three times and in the end goes on with four cores."""
    layout = Layout.at(tmp_path_factory.mktemp("killed") / "root")
    shutil.copytree(day_by_day.local("raw"), layout.local("raw"))
    kill_in(layout, "clean_clickstream", *TABLES)
    kill_in(layout, "load_facts", *TABLES)
    kill_in(layout, "publish_hive", *TABLES)
    assert run_json(layout)["status"] == "running"
    four = Path(layout.root).parent / "four.yaml"
    four.write_text("spark: {master: 'local[4]', shuffle_partitions: 3}\n")
    run = run_graph(layout, *TABLES, "--resume", "--parallel", "2", "--conf", str(four))
    assert {stage["status"] for stage in run["stages"]} <= {"ok", "skipped"}
    return layout


def test_increments_one_by_one_and_a_killed_run_of_all_give_the_same_tables(day_by_day: Layout, killed: Layout) -> None:
    assert fingerprints(killed) == fingerprints(day_by_day)


def test_increments_one_by_one_and_a_killed_run_of_all_turn_the_same_rows_away(
    day_by_day: Layout, killed: Layout
) -> None:
    assert quarantined(killed) == quarantined(day_by_day)


def test_a_resumed_run_repeats_nothing_that_was_done(killed: Layout) -> None:
    names = [stage["name"] for stage in run_json(killed)["stages"]]
    assert len(names) == len(set(names))
    assert "publish_hive" in names
