"""The command lines of the models' jobs: which steps they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from common.job import Stage, StageContext, StageResult, execute
from common.layout import Layout
from common.quality.ledger import LedgerEntry
from common.stages import churn, recommendations
from jobs import train_churn, train_recommendations

JOBS = [(train_churn, churn), (train_recommendations, recommendations)]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The steps that a job runs, in place of the work; no session is started."""
    found: list[tuple[str, ...]] = []

    def record(context: StageContext, steps: Sequence[str]) -> StageResult:
        found.append(tuple(steps))
        return StageResult("skipped")

    monkeypatch.setattr("common.cli.start_session", lambda *_: None)
    for _, stage in JOBS:
        monkeypatch.setattr(stage, "run", record)
    return found


@pytest.mark.parametrize(("job", "stage"), JOBS, ids=["churn", "recommendations"])
@pytest.mark.parametrize(
    "places", [(0,), (1,), (2,), (0, 1), (2, 0), (0, 1, 2), (2, 1, 0)], ids=lambda places: "".join(map(str, places))
)
def test_options_name_the_steps_in_whatever_order(
    asked: list[tuple[str, ...]], layout: Layout, job: Any, stage: ModuleType, places: tuple[int, ...]
) -> None:
    options = [f"--{stage.STEPS[place]}" for place in places]
    assert job.main(["--root", layout.root, "--date", "2025-11-30", *options]) == 0
    assert asked == [tuple(stage.STEPS[place] for place in sorted(places))]


@pytest.mark.parametrize(
    ("job", "whole"),
    [(train_churn, churn.TRAIN_CHURN), (train_recommendations, recommendations.TRAIN_RECOMMENDATIONS)],
    ids=["churn", "recommendations"],
)
def test_without_an_option_the_whole_stage_is_run(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, job: Any, whole: Stage
) -> None:
    stages: list[Stage] = []

    def record(stage: Stage, context: StageContext) -> LedgerEntry:
        stages.append(stage)
        return execute(replace(stage, run=lambda _: StageResult("skipped")), context)

    monkeypatch.setattr("common.cli.start_session", lambda *_: None)
    monkeypatch.setattr("common.cli.execute", record)
    assert job.main(["--root", layout.root, "--date", "2025-11-30"]) == 0
    assert stages == [whole]


@pytest.mark.parametrize(
    ("job", "option"), [(train_churn, "--recommend"), (train_recommendations, "--predict")], ids=["churn", "products"]
)
def test_the_step_of_the_other_job_is_one_line_and_exit_2(
    asked: list[tuple[str, ...]], layout: Layout, capsys: pytest.CaptureFixture[str], job: Any, option: str
) -> None:
    assert job.main(["--root", layout.root, option]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert option in line
    assert asked == []
