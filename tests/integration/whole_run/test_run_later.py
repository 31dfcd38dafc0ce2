"""Day after day, the last one killed on the way, and all days at once, on one, two and four cores: the same tables.

The finished root goes on here, so that this module comes after all others.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from common.errors import ExitCode
from common.layout import PUBLISHED_TABLES, Layout
from common.quality.ledger import LedgerEntry, entries
from pipelines import score
from tests.first_run import SCALE, SEED, Finished, copied
from tests.runs import (
    FOR_A_FEW_ROWS,
    STAGES,
    WarmProcess,
    fingerprints,
    generate,
    python,
    quarantined,
    run_in_session,
    run_json,
)

pytestmark = pytest.mark.slow

DAYS = ("2025-12-01", "2025-12-02", "2025-12-03")
TABLES = ("--to", "publish_hive")
_TELL_SALES = ("fact_transactions", "agg_daily_sales")
_SECONDS_BETWEEN_READS = 4


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
    """Several ways to the same tables.

    Attributes:
        day_by_day: After three further days, each with a run of its own: two on one core, and the last on four until
            it was killed.
        killed: What had been done when the last of these runs was killed.
        resumed: What it had done after it went on, in another process.
        together: The run.json of one run that took the three days together, on two cores as the first, and passed its
            gates.
        read: What `./build.sh sql` answered again and again while that run went on.
        at_once: After that.
        from_raw: After all was made anew from raw data, on one core and on four.
        other: The root of these.
    """

    day_by_day: State
    killed: dict[str, LedgerEntry]
    resumed: dict[str, LedgerEntry]
    together: dict[str, Any]
    read: list[str]
    at_once: State
    from_raw: tuple[State, State]
    other: Layout


def conf(directory: Path, cores: int, partitions: int) -> tuple[str, str]:
    """Another number of cores, and of partitions, and Spark as for a few rows, unlike in the first run.

    What runs leave beside tables goes with the next one.
    """
    spark = {"master": f"local[{cores}]", "shuffle_partitions": partitions, "properties": FOR_A_FEW_ROWS}
    file = directory / f"{cores}-{partitions}.yaml"
    file.write_text(json.dumps({"spark": spark, "runner": {"keep_runs": 1}}))  # which is YAML as well
    return "--conf", str(file)


@pytest.fixture(scope="module")
def ways(finished: Finished, warm: WarmProcess, tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Ways:
    """The finished root after three further days, one by one; and a copy of it, which takes them together."""
    layout, directory = finished.layout, tmp_path_factory.mktemp("conf")
    generate(layout, SCALE, SEED, "--increment", *DAYS)
    other = copied(layout, directory / "root")
    published = [fingerprints(layout)]
    for day in DAYS[:2]:
        run = warm.run_graph(layout, "--date", day, *TABLES, *conf(directory, 1, 1), open_gates=True)
        assert run["date"] == day
        published.append(fingerprints(layout))
    one, two, four = (("--parallel", "2", *conf(directory, cores, cores + 1)) for cores in (1, 2, 4))
    with reading(other) as read:
        together = warm.run_graph(other, *TABLES, *two)
    at_once = State.of(other)
    from_raw = []
    for cores in (one, four):
        warm.run_graph(other, *TABLES, "--rebuild", *cores, open_gates=True)
        from_raw.append(State.of(other))
    warm.kill_in(layout, "publish_hive", *TABLES, *four)
    assert fingerprints(layout) == published[-1]
    killed = done(layout)
    run = run_in_session(layout, "--resume", *four)
    assert run["date"] == together["date"] == DAYS[-1]
    published.append(fingerprints(layout))
    assert len({each["fact_transactions"] for each in published}) == 1 + len(DAYS)
    return Ways(State.of(layout), killed, done(layout), together, read, at_once, (from_raw[0], from_raw[1]), other)


@contextmanager
def reading(layout: Layout) -> Iterator[list[str]]:
    """Ask before something else is done, while it is done, and once more after it, each time with the command.

    What is asked are the rows of each table, and the sales to the cent as two of the tables have them.
    """
    counts = [f"SELECT '{name}' AS name, count(*) AS figure FROM {name}" for name in PUBLISHED_TABLES]
    sums = [f"SELECT 'sales of {name}', sum(net_amount) FROM {name}" for name in _TELL_SALES]
    query = " UNION ALL ".join((*counts, *sums))
    answers: list[str] = []
    is_over = threading.Event()

    def ask() -> None:
        asked = python("-m", "pipelines.sql", query, "--root", layout.root, "--format", "csv")
        answers.append(asked.stdout if asked.returncode == 0 else asked.stderr)

    def ask_again_and_again() -> None:
        while not is_over.wait(_SECONDS_BETWEEN_READS):
            ask()

    ask()
    reader = threading.Thread(target=ask_again_and_again)
    reader.start()
    try:
        yield answers
    finally:
        is_over.set()
        reader.join()
    ask()


def done(layout: Layout) -> dict[str, LedgerEntry]:
    """The stages of the last run that came to a good end."""
    found = entries(layout, run_json(layout)["run_id"])
    return {entry.stage: entry for entry in found if entry.exit_code == ExitCode.DONE}


def test_the_number_of_cores_and_partitions_changes_no_table(ways: Ways) -> None:
    on_one_core, on_four = (state.fingerprints for state in ways.from_raw)
    assert on_one_core == ways.at_once.fingerprints == on_four


def test_day_by_day_and_all_days_at_once_give_the_same_tables(ways: Ways) -> None:
    assert {stage["status"] for stage in ways.together["stages"]} == {"ok"}
    assert ways.at_once.fingerprints == ways.day_by_day.fingerprints
    assert sorted(ways.at_once.fingerprints) == sorted(PUBLISHED_TABLES)


def test_readers_are_answered_while_a_run_goes_on_and_see_all_tables_change_at_once(ways: Ways) -> None:
    before, *during, after = ways.read
    for answer in (before, after):
        figures = dict(line.split(",") for line in answer.splitlines())
        assert sorted(figures) == sorted(("name", *PUBLISHED_TABLES, *(f"sales of {name}" for name in _TELL_SALES)))
        assert len({figures[f"sales of {name}"] for name in _TELL_SALES}) == 1
    assert before != after
    assert len(during) > 1
    assert during == sorted(during, key=(before, after).index)
    assert during[0] == before


def test_day_by_day_and_all_days_at_once_turn_the_same_rows_away(ways: Ways) -> None:
    assert all(state.quarantined == ways.day_by_day.quarantined for state in (ways.at_once, *ways.from_raw))
    assert all(ways.at_once.quarantined.values())


def test_a_resumed_run_repeats_nothing_that_was_done(ways: Ways) -> None:
    assert sorted(ways.killed) == sorted(STAGES[: STAGES.index("publish_hive")])
    assert sorted(ways.resumed) == sorted([*ways.killed, "publish_hive"])
    assert {stage: ways.resumed[stage] for stage in ways.killed} == ways.killed


def test_every_planted_defect_is_found_though_the_reports_of_earlier_runs_are_gone(
    ways: Ways, finished: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = list(finished.layout.local("ops", "quality").glob("*/clean_transactions.json"))
    assert [path.parent.name for path in reports] == [run_json(finished.layout)["run_id"]]
    for root in (finished.layout.root, ways.other.root):
        assert score.main(["--root", root]) == 0, capsys.readouterr().out
