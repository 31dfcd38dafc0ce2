"""The registry: what is in use, what is not, and what happens when it is damaged or gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import DataFrame, SparkSession

from common.errors import ConfigurationError, InputError
from common.layout import Layout
from common.ml.registry import Registry, Trained
from common.settings import MlSettings, Settings
from common.storage.local_frames import local_frame

TRAINED = Trained(
    params={"depth": 3, "dates": ["2025-11-01"]},
    metrics={"auc": 0.9, "ceiling": None},
    tags={"threshold": "0.5"},
    trials=[{"depth": 3, "auc": 0.9}],
    documents={"lift.json": {"deciles": []}},
)


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return local_frame(spark, [(1.0,), (2.0,)], "x double")


@pytest.fixture(scope="module")
def model(rows: DataFrame) -> PipelineModel:
    doubled = SQLTransformer(statement="SELECT *, 2 * x AS prediction FROM __THIS__")
    return Pipeline(stages=[doubled]).fit(rows)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, model: PipelineModel, rows: DataFrame) -> Path:
    """A root with two versions of a model, the first of which is promoted: MLflow takes seconds to make one."""
    from common.settings import load_settings  # noqa: PLC0415 - the fixture of the same name is a test's own

    root = tmp_path_factory.mktemp("registry")
    registry = Registry(Layout.at(root), load_settings().ml)
    registry.promote(registry.register("doubler", model, rows, TRAINED))
    registry.register("doubler", model, rows, TRAINED)
    return root


@pytest.fixture
def registry(home: Path, settings: Settings) -> Registry:
    return Registry(Layout.at(home), settings.ml)


def test_an_empty_root_has_no_model_and_makes_no_registry(layout: Layout, settings: Settings) -> None:
    registry = Registry(layout, settings.ml)
    assert registry.promoted("churn") is None
    with pytest.raises(InputError, match=r"no model 'churn' is promoted .*run jobs/train_churn.py --train first"):
        registry.require_promoted("churn", "train_churn")
    assert not layout.local("models").exists()


def test_another_model_is_not_promoted(registry: Registry) -> None:
    assert registry.promoted("churn") is None


def test_the_newest_is_not_in_use_before_it_is_promoted(registry: Registry) -> None:
    version = registry.promoted("doubler")
    assert version is not None
    assert (version.number, version.metrics, version.tags["threshold"]) == ("1", {"auc": 0.9}, "0.5")


def test_the_promoted_model_works_again(registry: Registry, rows: DataFrame) -> None:
    loaded = registry.load(registry.require_promoted("doubler", "train_doubler"))
    assert [row["prediction"] for row in loaded.transform(rows).orderBy("x").collect()] == [2.0, 4.0]


def test_the_model_lies_under_the_root_with_signature_and_example(home: Path) -> None:
    found = list((home / "models" / "doubler").rglob("MLmodel"))
    assert len(found) == 2
    text = found[0].read_text()
    assert '"name": "x"' in text
    assert "saved_input_example_info" in text
    assert not (home / "models" / ".mlflow").exists()


def test_a_damaged_model_is_told_in_one_line(registry: Registry, home: Path) -> None:
    version = registry.require_promoted("doubler", "train_doubler")
    second = version.__class__("doubler", "2", version.run_id, {}, {})
    for directory in (home / "models" / "doubler").rglob("stages"):
        shutil.rmtree(directory)
    with pytest.raises(InputError, match=r"version 2 of the model 'doubler' cannot be loaded: [^\n]* -> restore"):
        registry.load(second)


def test_a_registry_that_is_no_database_is_told_in_one_line(layout: Layout, settings: Settings) -> None:
    layout.local("models").mkdir(parents=True)
    layout.local("models", "mlflow.db").write_text("this is no database\n" * 100)
    with pytest.raises(InputError, match="the model registry does not answer"):
        Registry(layout, settings.ml).promoted("churn")


def test_a_server_that_is_gone_is_told_in_one_line(
    layout: Layout, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    gone = MlSettings(**{**settings.ml.model_dump(), "tracking_uri": "http://127.0.0.1:9"})
    with pytest.raises(InputError, match=r"the model registry does not answer: .*127.0.0.1"):
        Registry(layout, gone).promoted("churn")


def test_a_remote_root_needs_a_server(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="a remote root needs an MLflow server"):
        Registry(Layout.at("hdfs://host/ecommerce"), settings.ml)
