"""What stops recommendations and churn: facts that they cannot learn from, and a registry that is none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.errors import ExitCode
from common.job import Stage, execute
from common.quality.gate import Gatekeeper
from common.settings import Settings, SourceSettings
from common.stages import churn, recommendations
from common.stages.facts import FACT_CLICKSTREAM, FACT_TRANSACTIONS
from common.storage import delta
from common.transforms import customer_days
from common.transforms.features import RANGES
from tests.integration.ml.roots import context

pytestmark = pytest.mark.slow


def empty(spark: SparkSession, root: Path, table: str) -> None:
    """Leave a root as load_dimensions and load_facts leave it for a shop that has no such data."""
    if table == "fact_transactions":
        path = str(root / FACT_TRANSACTIONS)
        delta.overwrite(delta.read(spark, path).limit(0), path, {}, partition_by=("transaction_month",))
        return
    key = {"dim_users": "user", "dim_products": "product"}[table]
    path = str(root / "warehouse" / "lake" / table)
    delta.overwrite(delta.read(spark, path).where(F.col(f"{key}_sk") == -1).localCheckpoint(), path, {})
    for fact, month in ((FACT_TRANSACTIONS, "transaction_month"), (FACT_CLICKSTREAM, "event_month")):
        rows = delta.read(spark, str(root / fact)).withColumns(
            {f"{key}_sk": F.lit(-1).cast("bigint"), f"is_unknown_{key}": F.col(f"{key}_id").isNotNull()}
        )
        delta.overwrite(rows.localCheckpoint(), str(root / fact), {}, partition_by=(month,))


@pytest.fixture(scope="module")
def lacking(loaded: Path, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The lakes of shops that lack a table, each made when it is first asked for."""
    made: dict[str, Path] = {}

    def lake(table: str) -> Path:
        if table not in made:
            made[table] = tmp_path_factory.mktemp(table)
            shutil.copytree(loaded / "warehouse" / "lake", made[table] / "warehouse" / "lake")
            empty(spark, made[table], table)
        return made[table] / "warehouse" / "lake"

    return lake


class TestBadInput:
    def test_features_that_look_ahead_stop_the_training(
        self, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        def blind(days: DataFrame, as_of: Any) -> DataFrame:
            return days.withColumn("as_of", F.explode(F.array(*[F.lit(each) for each in as_of])))

        monkeypatch.setattr(customer_days, "before", blind)
        entry = execute(churn.TRAIN_CHURN, context(spark, bare, settings, source, gates=Gatekeeper))
        assert entry.exit_code == ExitCode.GATE_FAILED
        assert "is_past" in str(entry.error)
        assert not (bare / "models").exists()

    def test_a_feature_out_of_its_range_stops_the_training_by_name(
        self, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setitem(RANGES, "recency_days", (0.0, 1.0))
        entry = execute(churn.TRAIN_CHURN, context(spark, bare, settings, source, gates=Gatekeeper))
        assert entry.exit_code == ExitCode.GATE_FAILED
        assert "out_of_range" in str(entry.error)
        assert not (bare / "models").exists()

    def test_too_few_rows_stop_the_training(
        self, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings
    ) -> None:
        wanted = settings.ml.churn.model_copy(update={"min_rows": 1_000_000})
        more = settings.model_copy(update={"ml": settings.ml.model_copy(update={"churn": wanted})})
        entry = execute(churn.TRAIN_CHURN, context(spark, bare, more, source, gates=Gatekeeper))
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

    @pytest.mark.parametrize("table", ["dim_users", "dim_products", "fact_transactions"])
    @pytest.mark.parametrize("stage", [recommendations.TRAIN_RECOMMENDATIONS, churn.TRAIN_CHURN], ids=lambda s: s.name)
    def test_a_run_goes_on_without_what_a_shop_lacks(  # noqa: PLR0917 - fixtures and cases
        self, lacking: Callable[[str], Path], tmp_path: Path, spark: SparkSession, settings: Settings,
        source: SourceSettings, table: str, stage: Stage,
    ) -> None:  # fmt: skip
        """Churn needs no products: what is sold as unknown is bought all the same."""
        bare = tmp_path / "root"
        shutil.copytree(lacking(table), bare / "warehouse" / "lake")
        few = settings.ml.churn.trials[0].model_copy(update={"max_iter": 2})
        one = settings.ml.churn.model_copy(update={"trials": (few,)})
        quick = settings.model_copy(update={"ml": settings.ml.model_copy(update={"churn": one})})
        entry = execute(stage, context(spark, bare, quick, source, may_learn_nothing=True, gates=Gatekeeper))
        learns = (table, stage.name) == ("dim_products", "train_churn")
        assert (entry.exit_code, entry.error, entry.status) == (0, None, "ok" if learns else "skipped")
        assert learns or entry.notes[0].startswith("warning: ")
        assert (bare / "models" / "churn").exists() == learns

    def test_a_run_goes_on_where_too_few_rows_are_there(
        self, bare: Path, spark: SparkSession, settings: Settings, source: SourceSettings
    ) -> None:
        wanted = settings.ml.churn.model_copy(update={"min_rows": 1_000_000})
        more = settings.model_copy(update={"ml": settings.ml.model_copy(update={"churn": wanted})})
        entry = execute(churn.TRAIN_CHURN, context(spark, bare, more, source, may_learn_nothing=True, gates=Gatekeeper))
        assert (entry.status, entry.exit_code) == ("skipped", 0)
        assert "rows are too few to learn churn from" in entry.notes[0]

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
