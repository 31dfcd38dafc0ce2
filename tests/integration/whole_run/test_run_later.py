"""Day after day on one core, the last one killed on the way, and everything at once on four: the same tables.

The finished root goes on here, so that this module comes after all others.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from common.layout import PUBLISHED_TABLES, Layout
from tests.first_run import SCALE, SEED, Finished
from tests.integration.whole_run.conftest import copied
from tests.runs import INTERPRETED, STAGES, WarmProcess, fingerprints, generate, quarantined

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
class Ways:
    """Two ways to the same tables.

    Attributes:
        day_by_day: After three further days, each with a run of its own.
        resumed: The run.json of the last of them, which was killed.
        at_once: After one run over all days.
        rebuilt: The run.json of that.
    """

    day_by_day: State
    resumed: dict[str, Any]
    at_once: State
    rebuilt: dict[str, Any]


def conf(directory: Path, cores: int, partitions: int) -> tuple[str, str]:
    """Another number of cores, and of partitions; expressions are evaluated as they are, unlike in the first run."""
    spark = {"master": f"local[{cores}]", "shuffle_partitions": partitions, "properties": INTERPRETED}
    file = directory / f"{cores}-{partitions}.yaml"
    file.write_text(json.dumps({"spark": spark}))  # which is YAML as well
    return "--conf", str(file)


@pytest.fixture(scope="module")
def ways(finished: Finished, warm: WarmProcess, tmp_path_factory: pytest.TempPathFactory) -> Ways:
    """The finished root after three further days, one by one; and a copy of it, made anew from all raw data."""
    layout, directory = finished.layout, tmp_path_factory.mktemp("conf")
    generate(layout, SCALE, SEED, "--increment", *DAYS)
    published = [fingerprints(layout)]
    for day in DAYS[:2]:
        run = warm.run_graph(layout, "--date", day, *TABLES, *conf(directory, 1, 1), open_gates=True)
        assert run["date"] == day
        published.append(fingerprints(layout))
    other = copied(layout, directory / "root")
    rebuilt = warm.run_graph(other, *TABLES, "--rebuild", "--parallel", "2", *conf(directory, 4, 2), open_gates=True)
    several = ("--parallel", "2", *conf(directory, 4, 3))
    warm.kill_in(layout, "publish_hive", *TABLES, *several)
    assert fingerprints(layout) == published[-1]
    with WarmProcess() as process:
        resumed = process.run_graph(layout, "--resume", *several)
    assert resumed["date"] == rebuilt["date"] == DAYS[-1]
    published.append(fingerprints(layout))
    assert len({each["fact_transactions"] for each in published}) == 1 + len(DAYS)
    return Ways(State.of(layout), resumed, State.of(other), rebuilt)


def test_day_by_day_and_all_days_at_once_give_the_same_tables(ways: Ways) -> None:
    assert {stage["status"] for stage in ways.rebuilt["stages"]} == {"ok"}
    assert ways.at_once.fingerprints == ways.day_by_day.fingerprints
    assert sorted(ways.at_once.fingerprints) == sorted(PUBLISHED_TABLES)


def test_day_by_day_and_all_days_at_once_turn_the_same_rows_away(ways: Ways) -> None:
    assert ways.at_once.quarantined == ways.day_by_day.quarantined
    assert all(ways.at_once.quarantined.values())


def test_a_resumed_run_repeats_nothing_that_was_done(ways: Ways) -> None:
    stages = ways.resumed["stages"]
    assert Counter(stage["name"] for stage in stages) == Counter(STAGES[: STAGES.index("publish_hive") + 1])
    assert {stage["status"] for stage in stages} <= {"ok", "skipped"}
