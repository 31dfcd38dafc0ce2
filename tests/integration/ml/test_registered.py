"""What MLflow holds of the models in use, and a metastore of their tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from common.layout import Layout
from common.ml.registry import Registry
from common.settings import Settings
from common.transforms.features import FEATURES
from tests.integration.ml.roots import read, rows, run_of

pytestmark = pytest.mark.slow


class TestRegisteredModels:
    """What MLflow holds of the models in use."""

    @pytest.mark.parametrize(
        ("name", "inputs"),
        [("churn", [*FEATURES, "exposure"]), ("recommendations", ["user_id", "product_id"])],
        ids=["churn", "recommendations"],
    )
    def test_signature_and_example(self, root: Path, settings: Settings, name: str, inputs: list[str]) -> None:
        import mlflow  # noqa: PLC0415 - loading it takes seconds

        version = Registry(Layout.at(root), settings.ml).require_promoted(name, "job")
        model = mlflow.models.get_model_info(version.uri)
        assert model.signature.inputs.input_names() == inputs
        assert model.signature.outputs.input_names() == ["prediction"]
        [example] = (root / "models" / name).rglob("input_example.json")
        assert read(example)["columns"] == inputs
        assert 1 <= len(read(example)["data"]) <= 5

    def test_the_run_of_churn_holds_parameters_trials_figures_and_baselines(
        self, root: Path, settings: Settings
    ) -> None:
        version = Registry(Layout.at(root), settings.ml).require_promoted("churn", "job")
        run, evaluation = run_of(root, version.run_id), read(root / "analytics/ml/evaluation/churn.json")
        chosen = evaluation["search"]["params"]
        assert run.params == {**{key: str(value) for key, value in chosen.items()}, "horizon_days": "30"}
        assert {"max_depth", "max_iter", "step_size", "seed", "training_dates", "calibration_rows"} <= set(run.params)
        assert run.file("search.json") == evaluation["search"]
        trials = [run.file(f"search/trial_{place}.json") for place in range(len(settings.ml.churn.trials))]
        assert trials == evaluation["search"]["trials"]
        test, baselines = evaluation["test"], evaluation["baselines"]
        for name in ("auc", "accuracy", "precision", "recall", "log_loss", "brier", "ece"):
            assert run.metrics[name] == test[name]
            assert run.metrics[f"recency_{name}"] == baselines["recency"][name]
        assert run.metrics["majority_accuracy"] == baselines["majority"]["accuracy"]
        assert {name: run.metrics[f"feature_auc_{name}"] for name in FEATURES} == evaluation["feature_auc"]
        assert run.file("calibration.json") == {"bins": test["calibration"]}
        assert run.file("lift.json") == {"deciles": test["lift"]}
        assert run.file("confusion.json") == test["confusion"]
        assert run.file("importance.json") == {"features": evaluation["importance"]}
        assert run.file("feature_auc.json") == evaluation["feature_auc"]
        assert run.file("baselines.json") == baselines
        assert run.file("evaluation.json") == {
            name: evaluation[name] for name in ("test", "baselines", "risk_levels", "importance", "feature_auc")
        }

    def test_the_run_of_recommendations_holds_parameters_trials_figures_and_baselines(
        self, root: Path, settings: Settings
    ) -> None:
        version = Registry(Layout.at(root), settings.ml).require_promoted("recommendations", "job")
        run, evaluation = run_of(root, version.run_id), read(root / "analytics/ml/evaluation/recommendations.json")
        search, ranking, ratings = (evaluation[name] for name in ("search", "ranking", "ratings"))
        for kind in ("explicit", "implicit"):
            assert search[kind]
            for name, value in search[kind].items():
                assert run.params[f"{kind}_{name}"] == str(value)
        assert run.file("search.json") == search
        asked = settings.ml.recommendations
        assert len(search["trials"]) == len(asked.explicit_trials) + len(asked.implicit_trials)
        assert [run.file(f"search/trial_{place}.json") for place in range(len(search["trials"]))] == search["trials"]
        for name in ("rmse", "mae", "bias_rmse", "bias_mae"):
            assert run.metrics[name] == ratings[name]
        for group in ("warm", "new_customers", "new_products", "mean_only"):
            assert (run.metrics.get(f"{group}_rmse"), run.metrics.get(f"{group}_mae")) == (
                ratings[group]["rmse"], ratings[group]["mae"],
            )  # fmt: skip
        for rule, prefix in (("model", ""), ("popularity", "popularity_"), ("item_item", "item_item_")):
            for name in ("precision", "recall", "ndcg", "coverage", "novelty"):
                assert run.metrics[f"{prefix}{name}_at_10"] == ranking[rule][f"{name}_at_10"]
        for group in ("new_customers", "new_products"):
            assert run.metrics.get(f"{group}_ndcg_at_10") == ranking[group]["ndcg_at_10"]
        assert run.file("evaluation.json") == {name: evaluation[name] for name in ("split", "ratings", "ranking")}


def test_the_statements_make_tables_in_a_metastore(root: Path, tmp_path: Path, spark: SparkSession) -> None:
    paths = {
        "ml_for_customers": "recommendations/for_customers",
        "ml_similar_products": "recommendations/similar_products",
        "ml_popular": "recommendations/popular",
        "churn_predictions": "churn_predictions",
    }
    expected = {
        name: rows("SELECT count(*) FROM $p", p=root / "analytics/ml" / path)[0][0] for name, path in paths.items()
    }
    spark.sql(f"CREATE DATABASE of_models LOCATION '{tmp_path / 'of_models'}'")
    spark.catalog.setCurrentDatabase("of_models")
    try:
        for name in ("recommendations", "churn"):
            for statement in (root / f"analytics/ml/{name}.sql").read_text().split(";\n"):
                if statement.strip():
                    spark.sql(statement)
        made = {row["tableName"]: spark.table(row["tableName"]).count() for row in spark.sql("SHOW TABLES").collect()}
    finally:
        spark.catalog.setCurrentDatabase("default")
        spark.sql("DROP DATABASE of_models CASCADE")
    assert made == expected
