"""Recommendations and churn on a small generated shop: what they write, and what stops them.

The shop is loaded by one run of the graph; the stages of models then run in the tests' session, which has other shuffle
partitions than a run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.errors import ExitCode
from common.job import StageContext, execute
from common.layout import Layout
from common.ml import outputs
from common.ml.registry import Registry
from common.quality.gate import Gatekeeper
from common.quality.ledger import LedgerEntry
from common.settings import BoostingTrial, Settings, SourceSettings
from common.stages import churn, churn_steps, recommendations
from common.stages.facts import FACT_CLICKSTREAM, FACT_TRANSACTIONS
from common.storage import delta
from common.transforms import customer_days
from common.transforms.features import FEATURES, RANGES
from jobs import train_churn, train_recommendations
from pipelines.ml_truth import add_ceilings
from pipelines.report.evaluations import read_evaluation
from pipelines.report.pages.models import model_pages
from tests.unit.report.answers import put_churn, put_recommendations
from tests.unit.report.shapes import shape
from tests.unit.report.test_model_pages import CHURN_CARDS, RECOMMENDATION_CARDS

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
SCALE, SEED, DAY = 0.01, 5, date(2025, 11, 30)
CHURN_FIGURES = {
    "auc", "accuracy", "majority_accuracy", "ece", "ceiling_auc", "recency_auc", "as_of", "horizon_days", "rows",
}  # fmt: skip
RECOMMENDATION_FIGURES = {
    "rmse", "mae", "bias_rmse", "ndcg_at_10", "popularity_ndcg_at_10", "item_item_ndcg_at_10", "ceiling_ndcg_at_10",
    "coverage_at_10", "users", "items", "split",
}  # fmt: skip


MAKE_TABLES = """
import json, sys
from pathlib import Path
from pyspark.sql import SparkSession
spark = (
    SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").enableHiveSupport().getOrCreate()
)
for file in sys.argv[1:]:
    for statement in Path(file).read_text().split(";\\n"):
        if statement.strip():
            spark.sql(statement)
names = [row["tableName"] for row in spark.sql("SHOW TABLES").collect()]
print(json.dumps({name: spark.table(name).count() for name in names}))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root whose facts are loaded, without models."""
    root = tmp_path_factory.mktemp("ml") / "root"
    arguments = ["--root", str(root), "--scale", str(SCALE), "--seed", str(SEED), "--to", "load_facts"]
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.run", *arguments],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return root


def context(spark: SparkSession, root: Path, settings: Settings, source: SourceSettings, **more: Any) -> StageContext:
    layout = Layout.at(root)
    return StageContext(
        spark, layout, settings, source, more.pop("day", DAY), "test-run", Gatekeeper(layout, "test-run"), **more
    )


@pytest.fixture(scope="module")
def trained(
    loaded: Path, tmp_path_factory: pytest.TempPathFactory, spark_session: SparkSession
) -> Iterator[tuple[Path, dict[str, LedgerEntry]]]:
    """A root in which both stages have run once."""
    from common.settings import load_settings, load_source  # noqa: PLC0415 - fixtures of these names are a test's own

    root = tmp_path_factory.mktemp("ml-trained") / "root"
    shutil.copytree(loaded, root)
    given = context(spark_session, root, load_settings(), load_source("generated"))
    entries = {
        stage.name: execute(stage, given) for stage in (recommendations.TRAIN_RECOMMENDATIONS, churn.TRAIN_CHURN)
    }
    assert {name: entry.error for name, entry in entries.items()} == dict.fromkeys(entries)
    yield root, entries


@pytest.fixture
def root(trained: tuple[Path, dict[str, LedgerEntry]]) -> Path:
    return trained[0]


@pytest.fixture
def bare(loaded: Path, tmp_path: Path) -> Path:
    """A root of the test's own, without models: the lake alone."""
    target = tmp_path / "root"
    shutil.copytree(loaded / "warehouse" / "lake", target / "warehouse" / "lake")
    return target


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def rows(query: str, **paths: Path) -> list[tuple[Any, ...]]:
    for name, path in paths.items():
        query = query.replace(f"${name}", f"read_parquet('{path}/**/*.parquet', hive_partitioning = true)")
    with duckdb.connect() as db:
        return db.execute(query).fetchall()


class TestChurn:
    def test_every_customer_who_bought_is_scored_once(self, root: Path) -> None:
        predictions, lines = root / "analytics/ml/churn_predictions", root / "warehouse/lake/fact_transactions"
        ((scored, distinct, low, high),) = rows(
            "SELECT count(*), count(DISTINCT user_id), min(churn_probability), max(churn_probability) FROM $p",
            p=predictions,
        )
        assert scored == distinct > 100
        assert 0 <= low < high <= 1
        bought = rows("SELECT DISTINCT user_id FROM $l WHERE quantity > 0 AND NOT is_unknown_user", l=lines)
        assert {each for (each,) in rows("SELECT user_id FROM $p", p=predictions)} <= {each for (each,) in bought}

    def test_risk_levels_are_partitions_and_follow_the_probability(self, root: Path) -> None:
        predictions = root / "analytics/ml/churn_predictions"
        assert {path.name for path in predictions.glob("risk_level=*")} <= {
            "risk_level=high", "risk_level=medium", "risk_level=low",
        }  # fmt: skip
        bounds = {"high": (0.7, 1.0), "medium": (0.3, 0.7), "low": (0.0, 0.3)}
        for level, low, high in rows(
            "SELECT risk_level, min(churn_probability), max(churn_probability) FROM $p GROUP BY 1", p=predictions
        ):
            assert bounds[level][0] <= low <= high <= bounds[level][1]

    def test_reasons_are_sentences(self, root: Path) -> None:
        found = rows("SELECT reasons FROM $p", p=root / "analytics/ml/churn_predictions")
        assert all(1 <= len(reasons) <= 3 for (reasons,) in found)
        assert all(
            reason.endswith(("(raises the risk)", "(lowers the risk)")) for (reasons,) in found for reason in reasons
        )

    def test_figures(self, root: Path) -> None:
        figures = read(root / "ops/ml.json")["churn"]
        assert set(figures) == CHURN_FIGURES
        assert (figures["as_of"], figures["horizon_days"]) == ("2025-11-01", 30)
        assert 0.5 < figures["auc"] <= 1

    def test_figures_are_those_of_the_rows(self, root: Path) -> None:
        evaluation = read(root / "analytics/ml/evaluation/churn.json")
        found = rows("SELECT label, prediction FROM $t", t=root / "analytics/ml/evaluation/churn_test")
        pairs = [
            (mine > other) + (mine == other) / 2
            for mine in (p for label, p in found if label == 1)
            for other in (p for label, p in found if label == 0)
        ]
        assert evaluation["figures"]["auc"] == pytest.approx(sum(pairs) / len(pairs), abs=1e-9)
        assert evaluation["figures"]["rows"] == len(found)

    def test_labels_are_those_of_the_facts(self, root: Path) -> None:
        evaluation = root / "analytics/ml/evaluation/churn_test"
        wrong = rows(
            """SELECT count(*) FROM $t t WHERE label <> (SELECT CASE WHEN count(*) = 0 THEN 1 ELSE 0 END FROM $l l
               WHERE l.user_id = t.user_id AND quantity > 0
               AND transaction_date >= DATE '2025-11-01' AND transaction_date < DATE '2025-12-01')""",
            t=evaluation,
            l=root / "warehouse/lake/fact_transactions",
        )
        assert wrong == [(0,)]


class TestRecommendations:
    def test_figures(self, root: Path) -> None:
        figures = read(root / "ops/ml.json")["recommendations"]
        assert set(figures) == RECOMMENDATION_FIGURES
        assert figures["rmse"] < figures["bias_rmse"] * 1.2
        assert figures["users"] > 10

    def test_every_active_customer_has_products_on_sale_that_they_lack(self, root: Path) -> None:
        mine, products = root / "analytics/ml/recommendations/for_customers", root / "warehouse/lake/dim_products"
        lines = root / "warehouse/lake/fact_transactions"
        ((customers, least, most),) = rows(
            "SELECT count(*), min(n), max(n) FROM (SELECT user_id, count(*) n FROM $m GROUP BY 1)", m=mine
        )
        assert customers > 100
        assert (least, most) == (10, 10)
        names = "('Grocery', 'Cleaning', 'Skin Care', 'Hair Care', 'Vitamins', 'First Aid', 'Oral Care', 'Dog Food', "
        names += "'Cat Food', 'Cat Litter', 'Paper & Notebooks', 'Writing', 'Plants & Seeds', 'Soil & Care')"
        wrong = rows(
            f"""SELECT count(*) FROM $m m JOIN $p p ON p.product_id = m.product_id AND p.is_current
                WHERE NOT coalesce(p.category IN {names} OR p.subcategory IN {names}, false)
                AND EXISTS (SELECT 1 FROM $l l WHERE l.user_id = m.user_id AND l.product_id = m.product_id
                            AND l.quantity > 0)""",
            m=mine,
            p=products,
            l=lines,
        )
        assert wrong == [(0,)]
        gone = rows("SELECT product_id FROM $p WHERE is_current AND (is_deleted OR NOT is_active)", p=products)
        shown = rows("SELECT DISTINCT product_id FROM $m", m=mine)
        assert not {each for (each,) in gone} & {each for (each,) in shown}

    def test_products_have_others_like_them(self, root: Path) -> None:
        alike, products = root / "analytics/ml/recommendations/similar_products", root / "warehouse/lake/dim_products"
        ((found, pairs, least, most, same),) = rows(
            """SELECT count(*), sum(alike), min(n), max(n), sum(same) FROM (
                 SELECT product_id, count(*) n, count(DISTINCT similar_product_id) alike,
                        count_if(product_id = similar_product_id) same
                 FROM $s GROUP BY 1)""",
            s=alike,
        )
        ((sold,),) = rows(
            """SELECT count(*) FROM $p
               WHERE is_current AND NOT is_deleted AND coalesce(is_active, true) AND product_id IS NOT NULL""",
            p=products,
        )
        assert (found, least, most, pairs, same) == (sold, 10, 10, sold * 10, 0)
        assert dict(rows("SELECT reason, count_if(similarity IS NULL) = count(*) FROM $s GROUP BY 1", s=alike)) in (
            {"model": False}, {"model": False, "popular": True},
        )  # fmt: skip

    def test_the_statements_make_tables(self, root: Path, spark: SparkSession) -> None:
        statements = (root / "analytics/ml/recommendations.sql").read_text().split(";\n")
        path = root / "analytics/ml/recommendations/for_customers"
        statement = next(each for each in statements if "ml_for_customers" in each)
        schema = ", ".join(line.strip() for line in statement.split("(\n", 1)[1].split("\n)", 1)[0].splitlines())
        declared = spark.read.schema(schema.replace(",,", ",")).parquet(str(path))
        assert declared.schema == spark.read.parquet(str(path)).schema
        assert f"LOCATION '{path}'" in statement


@pytest.mark.parametrize(
    ("name", "put", "cards"),
    [("churn", put_churn, CHURN_CARDS), ("recommendations", put_recommendations, RECOMMENDATION_CARDS)],
    ids=["churn", "recommendations"],
)
def test_an_evaluation_has_the_shape_of_the_fixture_and_fills_every_card(
    root: Path, layout: Layout, name: str, put: Callable[[Layout], None], cards: set[str]
) -> None:
    put(layout)
    written, fixture = (read(Path(at, f"analytics/ml/evaluation/{name}.json")) for at in (root, layout.root))
    assert shape(written) == shape(fixture)
    [page] = [page for page in model_pages({name: read_evaluation(Layout.at(root), name)}) if name in page.file]
    assert {card.key for card in page.context["cards"]} == cards


@dataclass(frozen=True)
class Run:
    """A run of MLflow and its files."""

    id: str
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]
    files: Path

    def file(self, name: str) -> dict[str, Any]:
        return read(self.files / name)


def run_of(root: Path, run_id: str) -> Run:
    import mlflow  # noqa: PLC0415 - loading it takes seconds

    uri = f"sqlite:///{root / 'models/mlflow.db'}"
    found = mlflow.MlflowClient(uri, uri).get_run(run_id)
    files = Path(found.info.artifact_uri.removeprefix("file://"))
    return Run(run_id, dict(found.data.metrics), dict(found.data.params), dict(found.data.tags), files)


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


def test_the_statements_make_tables_in_a_metastore(root: Path, tmp_path: Path) -> None:
    files = {name: root / f"analytics/ml/{name}.sql" for name in ("recommendations", "churn")}
    done = subprocess.run(
        [sys.executable, "-c", MAKE_TABLES, *map(str, files.values())],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    paths = {
        "ml_for_customers": "recommendations/for_customers",
        "ml_similar_products": "recommendations/similar_products",
        "ml_popular": "recommendations/popular",
        "churn_predictions": "churn_predictions",
    }
    expected = {
        name: rows("SELECT count(*) FROM $p", p=root / "analytics/ml" / path)[0][0] for name, path in paths.items()
    }
    assert json.loads(done.stdout.splitlines()[-1]) == expected


def test_a_run_ends_with_ceilings_that_change_nothing_else(root: Path) -> None:
    before = read(root / "ops/ml.json")
    arguments = ["--root", str(root), "--only", "train_recommendations", "train_churn"]
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.run", *arguments],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert {each["status"] for each in read(root / "ops/run.json")["stages"]} == {"skipped"}
    assert sum("ceiling" in line for line in (done.stdout + done.stderr).splitlines()) == 2
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
        for stage in (recommendations.TRAIN_RECOMMENDATIONS, churn.TRAIN_CHURN):
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
    entry = execute(churn.with_steps(["predict"]), context(spark, root, settings, source))
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


class TestBadInput:
    def test_features_that_look_ahead_stop_the_training(
        self, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        def blind(days: DataFrame, as_of: Any) -> DataFrame:
            return days.withColumn("as_of", F.explode(F.array(*[F.lit(each) for each in as_of])))

        monkeypatch.setattr(customer_days, "before", blind)
        entry = execute(churn.TRAIN_CHURN, context(spark, bare, settings, source))
        assert entry.exit_code == ExitCode.GATE_FAILED
        assert "is_past" in str(entry.error)
        assert not (bare / "models").exists()

    def test_a_feature_out_of_its_range_stops_the_training_by_name(
        self, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setitem(RANGES, "recency_days", (0.0, 1.0))
        entry = execute(churn.TRAIN_CHURN, context(spark, bare, settings, source))
        assert entry.exit_code == ExitCode.GATE_FAILED
        assert "out_of_range" in str(entry.error)
        assert not (bare / "models").exists()

    def test_too_few_rows_stop_the_training(
        self, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings
    ) -> None:
        wanted = settings.ml.churn.model_copy(update={"min_rows": 1_000_000})
        more = settings.model_copy(update={"ml": settings.ml.model_copy(update={"churn": wanted})})
        entry = execute(churn.TRAIN_CHURN, context(spark, bare, more, source))
        assert entry.exit_code == ExitCode.GATE_FAILED
        assert "expect_table_row_count_to_be_between" in str(entry.error)
        assert not (bare / "models").exists()

    def test_no_ratings(self, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings) -> None:
        path = str(bare / FACT_TRANSACTIONS)
        unrated = delta.read(spark, path).withColumn("rating", F.lit(None).cast("int"))
        delta.overwrite(unrated.localCheckpoint(), path, {}, partition_by=("transaction_month",))
        entry = execute(recommendations.TRAIN_RECOMMENDATIONS, context(spark, bare, settings, source))
        assert (entry.exit_code, "there are no ratings" in str(entry.error)) == (ExitCode.INPUT, True)

    def test_ratings_that_begin_with_the_test(
        self, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings
    ) -> None:
        path = str(bare / FACT_TRANSACTIONS)
        late = F.when(F.col("transaction_date") >= "2025-11-01", F.col("rating"))
        delta.overwrite(
            delta.read(spark, path).withColumn("rating", late).localCheckpoint(),
            path,
            {},
            partition_by=("transaction_month",),
        )
        entry = execute(recommendations.TRAIN_RECOMMENDATIONS, context(spark, bare, settings, source))
        assert entry.exit_code == ExitCode.INPUT
        assert "there are no ratings before 2025-10-02" in str(entry.error)

    def test_a_shop_without_ratings_and_clicks_gets_rankings(
        self, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings
    ) -> None:
        path = str(bare / FACT_CLICKSTREAM)
        delta.overwrite(delta.read(spark, path).limit(0), path, {}, partition_by=("event_month",))
        lines = {"transactions": {"files": ["f"], "select": "SELECT 1", "absent": ["rating"]}}
        grocer = SourceSettings(**{**source.model_dump(), "datasets": lines})
        for stage in (recommendations.TRAIN_RECOMMENDATIONS, churn.TRAIN_CHURN):
            assert execute(stage, context(spark, bare, settings, grocer)).error is None
        figures = read(bare / "ops/ml.json")
        assert figures["recommendations"]["rmse"] is None
        assert figures["recommendations"]["ndcg_at_10"] > 0
        assert figures["churn"]["auc"] > 0.5

    @pytest.mark.parametrize(
        ("day", "stage", "message"),
        [
            (date(2025, 8, 1), "churn", "days of sales are too few to learn churn over 30 days"),
            (date(2025, 6, 3), "churn", "there are no sales"),
            (date(2025, 6, 3), "recommendations", "there are no sales"),
            (date(2025, 6, 20), "recommendations", "customers have a past before"),
        ],
    )
    def test_too_little_of_it(  # noqa: PLR0917 - fixtures and cases
        self, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings,
        day: date, stage: str, message: str,
    ) -> None:  # fmt: skip
        module: Any = {"churn": churn, "recommendations": recommendations}[stage]
        entry = execute(module.with_steps(module.STEPS), context(spark, bare, settings, source, day=day))
        assert entry.exit_code == ExitCode.INPUT
        assert message in str(entry.error)

    def test_one_class_alone(self, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings) -> None:
        path = str(bare / FACT_TRANSACTIONS)
        early = delta.read(spark, path).where("transaction_date < DATE '2025-07-15' OR transaction_date = '2025-11-30'")
        nobody = early.withColumn(
            "quantity", F.when(F.col("transaction_date") < "2025-07-15", F.col("quantity")).otherwise(1)
        )
        one = nobody.withColumn(
            "user_id", F.when(F.col("transaction_date") < "2025-07-15", F.col("user_id")).otherwise(F.lit("nobody"))
        )
        delta.overwrite(one.localCheckpoint(), path, {}, partition_by=("transaction_month",))
        entry = execute(churn.TRAIN_CHURN, context(spark, bare, settings, source))
        assert entry.exit_code == ExitCode.INPUT
        assert "one and the same label" in str(entry.error)

    def test_a_registry_that_is_no_database(
        self, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings
    ) -> None:
        (bare / "models").mkdir()
        (bare / "models" / "mlflow.db").write_text("no database\n" * 500)
        entry = execute(churn.with_steps(["predict"]), context(spark, bare, settings, source))
        assert entry.exit_code == ExitCode.INPUT
        assert "the model registry does not answer" in str(entry.error)
