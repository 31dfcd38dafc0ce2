"""After the first run: stages again, steps alone, and models that are missing, worse or damaged.

The tests change the root that they share, so that their order counts.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from common.errors import ExitCode
from common.job import execute
from common.layout import Layout
from common.ml import outputs
from common.ml.registry import Registry
from common.quality.gate import Gatekeeper
from common.settings import BoostingTrial, Settings, SourceSettings
from common.stages import churn, churn_steps, recommendations
from jobs import train_churn, train_recommendations
from pipelines.ml_truth import add_ceilings
from tests.integration.ml.roots import DAY, QUICK, context, read, rows, run_of
from tests.runs import run_in_session

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("spark")
def test_a_run_ends_with_ceilings_that_change_nothing_else(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = read(root / "ops/ml.json")
    stages = ("train_recommendations", "train_churn")
    run = run_in_session(Layout.at(root), "--conf", str(QUICK), "--only", *stages)
    assert {each["status"] for each in run["stages"]} == {"skipped"}
    said = capsys.readouterr()
    assert sum("ceiling" in line for line in (said.out + said.err).splitlines()) == 2
    assert add_ceilings(Layout.at(root)) == (), "models are held against the truth once"
    after = read(root / "ops/ml.json")
    assert 0.5 < after["churn"].pop("ceiling_auc") <= 1
    assert 0 < after["recommendations"].pop("ceiling_ndcg_at_10") <= 1
    for name in ("churn", "recommendations"):
        assert {key: value for key, value in before[name].items() if not key.startswith("ceiling")} == after[name]


def test_a_second_run_has_nothing_to_do(
    root: Path, spark: SparkSession, settings: Settings, source: SourceSettings
) -> None:
    given = context(spark, root, settings, source)
    assert [execute(each, given).status for each in (recommendations.TRAIN_RECOMMENDATIONS, churn.TRAIN_CHURN)] == [
        "skipped", "skipped",
    ]  # fmt: skip


def test_again_with_other_partitions_gives_the_same(
    root: Path, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings
) -> None:
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "5")
    try:
        for stage in (recommendations.with_steps(["train"]), churn.with_steps(["train"])):
            assert execute(stage, context(spark, bare, settings, source)).error is None
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", str(before))
    first, second = read(root / "ops/ml.json"), read(bare / "ops/ml.json")
    for name, figures in second.items():
        for key, value in figures.items():
            if isinstance(value, float):
                assert value == pytest.approx(first[name][key], abs=1e-6), (name, key)
            elif not key.startswith("ceiling"):
                assert value == first[name][key]


def test_scoring_alone_loads_what_is_promoted(
    root: Path, tmp_path: Path, spark: SparkSession, settings: Settings, source: SourceSettings
) -> None:
    predictions = root / "analytics/ml/churn_predictions"
    shutil.copytree(predictions, tmp_path / "before")
    entry = execute(churn.with_steps(["predict"]), context(spark, root, settings, source))
    assert entry.error is None
    assert entry.rows is not None
    query = "SELECT user_id, churn_probability, reasons, model_version FROM $p ORDER BY 1"
    assert rows(query, p=predictions) == rows(query, p=tmp_path / "before")
    # Some of the steps may have left the others behind: a whole run has something to do again.
    assert outputs.read_completion(spark, Layout.at(root), "churn") is None
    assert outputs.read_completion(spark, Layout.at(root), "recommendations") is not None


def test_evaluating_alone_is_a_run_of_its_own_below_that_of_the_model(
    root: Path, spark: SparkSession, settings: Settings, source: SourceSettings
) -> None:
    version = Registry(Layout.at(root), settings.ml).require_promoted("churn", "job")
    trained, before = run_of(root, version.run_id), read(root / "analytics/ml/evaluation/churn.json")
    assert execute(churn.with_steps(["evaluate"]), context(spark, root, settings, source)).error is None
    after = read(root / "analytics/ml/evaluation/churn.json")
    assert {name: after[name] for name in ("search", "newest")} == {name: before[name] for name in ("search", "newest")}
    import mlflow  # noqa: PLC0415 - loading it takes seconds

    uri = f"sqlite:///{root / 'models/mlflow.db'}"
    client = mlflow.MlflowClient(uri, uri)
    experiments = [each.experiment_id for each in client.search_experiments()]
    below = f"tags.mlflow.parentRunId = '{version.run_id}'"
    [found] = client.search_runs(experiments, filter_string=below)
    run = run_of(root, found.info.run_id)
    assert run.tags["model_version"] == version.number
    assert run.metrics["auc"] == after["test"]["auc"] == pytest.approx(before["test"]["auc"], abs=1e-9)
    assert run.file("evaluation.json")["baselines"] == after["baselines"]
    assert run_of(root, version.run_id) == trained, "what training measured stays as it was"


def test_predictions_that_their_gate_refuses_leave_those_before(
    root: Path, spark: SparkSession, settings: Settings, source: SourceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictions = root / "analytics/ml/churn_predictions"
    query = "SELECT user_id, churn_probability, risk_level FROM $p ORDER BY 1"
    before = rows(query, p=predictions)
    # A level that ends too early leaves customers above it without one.
    monkeypatch.setattr(churn_steps, "level_bounds", lambda _: {"low": (0.0, 0.5)})
    entry = execute(churn.with_steps(["predict"]), context(spark, root, settings, source, gates=Gatekeeper))
    assert entry.exit_code == ExitCode.GATE_FAILED
    assert "risk_level" in str(entry.error)
    assert rows(query, p=predictions) == before


def test_a_model_of_another_horizon_is_not_used(
    root: Path, spark: SparkSession, settings: Settings, source: SourceSettings
) -> None:
    longer = source.model_copy(update={"ml": source.ml.model_copy(update={"churn_horizon_days": 45})})
    entry = execute(churn.with_steps(["predict"]), context(spark, root, settings, longer))
    assert entry.exit_code == ExitCode.INPUT
    assert "foretells 30 days" in str(entry.error)


@pytest.mark.parametrize("module", [churn, recommendations], ids=["churn", "recommendations"])
@pytest.mark.parametrize("step", [1, 2], ids=["evaluate", "score"])
def test_without_a_model_there_is_one_line_and_exit_4(  # noqa: PLR0917 - fixtures and cases
    module: Any, step: int, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings
) -> None:
    entry = execute(module.with_steps([module.STEPS[step]]), context(spark, bare, settings, source))
    assert entry.exit_code == ExitCode.INPUT
    assert f"no model '{module.NAME}' is promoted" in str(entry.error)
    assert not (bare / "models").exists()


@pytest.mark.parametrize(
    ("job", "option", "name"),
    [(train_churn, "--predict", "churn"), (train_recommendations, "--recommend", "recommendations")],
    ids=["churn", "recommendations"],
)
@pytest.mark.usefixtures("spark")
def test_a_job_without_a_promoted_model_ends_with_4_and_one_line(
    bare: Path, capfd: pytest.CaptureFixture[str], job: Any, option: str, name: str
) -> None:
    code = job.main(["--root", str(bare), "--date", DAY.isoformat(), option])
    lines = [line for line in capfd.readouterr().err.splitlines() if line.strip()]
    assert code == 4
    [line] = lines
    assert line.startswith(f"error: train_{name}: no model '{name}' is promoted")
    assert line.endswith(f"run jobs/train_{name}.py --train first")
    assert not (bare / "analytics/ml/churn_predictions").exists()
    assert not (bare / "analytics/ml/recommendations").exists()


def test_a_worse_model_is_kept_but_not_promoted(
    root: Path, spark: SparkSession, settings: Settings, source: SourceSettings
) -> None:
    # A margin below zero refuses an equal model as well: what is worse by how much is tested beside the comparison.
    weak = settings.ml.churn.model_copy(
        update={"trials": (BoostingTrial(max_depth=1, max_iter=1, step_size=0.1),), "margin": -0.2}
    )
    crippled = settings.model_copy(update={"ml": settings.ml.model_copy(update={"churn": weak})})
    entry = execute(churn.with_steps(["train"]), context(spark, root, crippled, source, rebuild=True))
    assert entry.error is None
    assert any("is not promoted: AUC" in note for note in entry.notes)
    registry = Registry(Layout.at(root), settings.ml)
    assert registry.require_promoted("churn", "train_churn").number == "1"
    evaluation = read(root / "analytics/ml/evaluation/churn.json")
    assert (evaluation["model"]["version"], evaluation["newest"]["promoted"]) == ("1", False)
    assert [trial["max_depth"] for trial in evaluation["search"]["trials"]] == [1]


def test_a_damaged_model_is_one_line_and_exit_4(
    root: Path, tmp_path: Path, spark: SparkSession, settings: Settings, source: SourceSettings
) -> None:
    stages = [path for path in (root / "models/recommendations").rglob("stages") if path.is_dir()]
    shutil.move(stages[0], tmp_path / "kept")
    try:
        entry = execute(recommendations.with_steps(["recommend"]), context(spark, root, settings, source))
    finally:
        shutil.move(tmp_path / "kept", stages[0])
    assert entry.exit_code == ExitCode.INPUT
    assert "version 1 of the model 'recommendations' cannot be loaded" in str(entry.error)
    assert "\n" not in str(entry.error)


def test_a_damaged_model_is_replaced_by_training(
    root: Path, tmp_path: Path, spark: SparkSession, settings: Settings, source: SourceSettings
) -> None:
    kept = Registry(Layout.at(root), settings.ml).require_promoted("churn", "train_churn")
    for place, path in enumerate(path for path in (root / "models/churn").rglob("stages") if path.is_dir()):
        shutil.move(path, tmp_path / str(place))
    weak = settings.ml.churn.model_copy(update={"trials": (BoostingTrial(max_depth=1, max_iter=1, step_size=0.1),)})
    quick = settings.model_copy(update={"ml": settings.ml.model_copy(update={"churn": weak})})
    entry = execute(churn.with_steps(["train"]), context(spark, root, quick, source))
    assert entry.error is None
    assert any(f"version {kept.number}, which was in use, is damaged" in note for note in entry.notes)
    newest = Registry(Layout.at(root), settings.ml).require_promoted("churn", "train_churn")
    assert int(newest.number) > int(kept.number)
