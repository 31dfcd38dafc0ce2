"""Day after day on one core, the last one killed on the way, and everything at once on four: the same tables.

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
from tests.runs import STAGES, RunsInARow, fingerprints, generate, quarantined

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
        killed: The run.json of the last day's run, which was killed twice.
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
        generate(layout, SCALE, SEED, "--increment", day)
    published = [fingerprints(layout)]
    with RunsInARow(layout) as runs:
        for day in DAYS[:2]:
            run = runs.run_graph("--date", day, *TABLES, *conf(directory, 1, 1), open_gates=True)
            assert run["date"] == day
            published.append(fingerprints(layout))
    for stage, arguments in (("load_facts", TABLES), ("publish_hive", ("--resume",))):
        with RunsInARow(layout) as runs:
            runs.kill_in(stage, *arguments)
    assert fingerprints(layout) == published[-1]
    with RunsInARow(layout) as runs:
        killed = runs.run_graph("--resume", "--parallel", "2", *conf(directory, 4, 3))
        assert killed["date"] == DAYS[-1]
        day_by_day = State.of(layout)
        published.append(day_by_day.fingerprints)
        anew = runs.run_graph(*TABLES, "--rebuild", "--parallel", "2", *conf(directory, 4, 2), open_gates=True)
    assert len({each["fact_transactions"] for each in published}) == 1 + len(DAYS)
    return Rebuilt(day_by_day, State.of(layout), killed, anew)


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
