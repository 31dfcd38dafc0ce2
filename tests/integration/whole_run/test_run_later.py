"""Day after day on one core, the last one killed on the way, and everything at once on two: the same tables.

The finished root goes on here, so that this module comes after all others.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from common.layout import PUBLISHED_TABLES, Layout
from tests.first_run import SCALE, SEED, Finished
from tests.runs import STAGES, fingerprints, generate, kill_in, quarantined, run_graph, run_json

pytestmark = pytest.mark.slow

DAYS = ("2025-12-01", "2025-12-02", "2025-12-03")
TABLES = ("--to", "publish_hive")


@dataclass(frozen=True)
class State:
    """What is published, and what was turned away."""

    fingerprints: dict[str, str]
    quarantined: dict[str, list[tuple[Any, ...]]]

    @classmethod
    def of(cls, layout: Layout) -> State:
        return cls(fingerprints(layout), quarantined(layout))


@dataclass(frozen=True)
class Rebuilt:
    """A root before and after everything was made anew.

    Attributes:
        before: After three further days, each with a run of its own.
        after: After a run of all days at once.
        killed: The run.json of the last day's run, which was killed three times.
        anew: That of the run of all days.
    """

    before: State
    after: State
    killed: dict[str, Any]
    anew: dict[str, Any]


def conf(directory: Path, cores: int, partitions: int) -> tuple[str, str]:
    """Another number of cores, and of partitions."""
    file = directory / f"{cores}-{partitions}.yaml"
    file.write_text(f"spark: {{master: 'local[{cores}]', shuffle_partitions: {partitions}}}\n")
    return "--conf", str(file)


@pytest.fixture(scope="module")
def rebuilt(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Rebuilt:
    """The finished root after three further days, one by one; then all its raw data at once."""
    layout, directory = finished.layout, tmp_path_factory.mktemp("conf")
    for day in DAYS:
        before = fingerprints(layout)
        generate(layout, SCALE, SEED, "--increment", day)
        if day == DAYS[-1]:
            kill_in(layout, "clean_clickstream", *TABLES)
            kill_in(layout, "load_facts", "--resume")
            kill_in(layout, "publish_hive", "--resume")
            assert run_json(layout)["status"] == "running"
            assert fingerprints(layout) == before
            run = run_graph(layout, "--resume", "--parallel", "2", *conf(directory, 4, 3))
        else:
            run = run_graph(layout, *TABLES, *conf(directory, 1, 1))
        assert run["date"] == day
        assert fingerprints(layout)["fact_transactions"] != before["fact_transactions"]
    day_by_day = State.of(layout)
    anew = run_graph(layout, *TABLES, "--rebuild", *conf(directory, 2, 2))
    return Rebuilt(day_by_day, State.of(layout), run, anew)


def test_day_by_day_and_all_days_at_once_give_the_same_tables(rebuilt: Rebuilt) -> None:
    assert {stage["status"] for stage in rebuilt.anew["stages"]} == {"ok"}
    assert rebuilt.after.fingerprints == rebuilt.before.fingerprints
    assert sorted(rebuilt.after.fingerprints) == sorted(PUBLISHED_TABLES)


def test_day_by_day_and_all_days_at_once_turn_the_same_rows_away(rebuilt: Rebuilt) -> None:
    assert rebuilt.after.quarantined == rebuilt.before.quarantined
    assert all(rebuilt.after.quarantined.values())


def test_a_resumed_run_repeats_nothing_that_was_done(rebuilt: Rebuilt) -> None:
    stages = rebuilt.killed["stages"]
    assert Counter(stage["name"] for stage in stages) == Counter(STAGES[: STAGES.index("publish_hive") + 1])
    assert {stage["status"] for stage in stages} <= {"ok", "skipped"}
