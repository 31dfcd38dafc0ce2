"""The churn model: boosted trees, calibrated, and corrected for the promotions that lie ahead.

Pipeline: features → gradient-boosted trees → margin → logistic calibration on another, later date (Platt 1999) → the
exposure of the horizon. Calibrated silence over a usual horizon is exp(-rate); over one that holds more demand it is
exp(-rate x exposure), which is the calibrated probability to the power of the exposure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import GBTClassificationModel, GBTClassifier
from pyspark.ml.feature import SQLTransformer, VectorAssembler, VectorSlicer
from pyspark.ml.regression import GeneralizedLinearRegression
from pyspark.sql import DataFrame

from common.settings import BoostingTrial
from common.transforms.features import FEATURES

PREDICTION = "prediction"
_MAX_BINS = 32


@dataclass(frozen=True)
class FittedTrees:
    """Trees before calibration: features to margin."""

    model: PipelineModel
    trial: BoostingTrial

    def margins(self, rows: DataFrame) -> DataFrame:
        """The rows with `margin`, a vector of one."""
        scored: DataFrame = self.model.transform(rows)
        return scored


def arrange(rows: DataFrame, partitions: int) -> DataFrame:
    """Rows divided and ordered by their keys alone: what is learned from them depends on it to the last digit.

    With two partitions the order in which their sums arrive does not matter, as an addition of two commutes.
    """
    return rows.repartition(partitions, "user_id").sortWithinPartitions("as_of", "user_id")


def fit_trees(rows: DataFrame, trial: BoostingTrial, seed: int) -> FittedTrees:
    """Fit the trees.

    Args:
        rows: FEATURES and `label`, arranged and persisted.
        trial: The parameters.
        seed: For the sample from which candidate thresholds are taken.
    """
    trees = GBTClassifier(
        featuresCol="features",
        labelCol="label",
        predictionCol="tree_prediction",
        maxDepth=trial.max_depth,
        maxIter=trial.max_iter,
        stepSize=trial.step_size,
        maxBins=_MAX_BINS,
        minInstancesPerNode=20,
        maxMemoryInMB=512,
        checkpointInterval=10,
        seed=seed,
    )
    trees.setProbabilityCol("tree_probability").setRawPredictionCol("tree_margins")
    stages: list[Any] = [
        VectorAssembler(inputCols=list(FEATURES), outputCol="features"),
        trees,
        VectorSlicer(inputCol="tree_margins", outputCol="margin", indices=[1]),
    ]
    return FittedTrees(Pipeline(stages=stages).fit(rows), trial)


def calibrate(fitted: FittedTrees, rows: DataFrame, exposure: float) -> PipelineModel:
    """Put calibration and exposure behind the trees.

    Args:
        fitted: The trees.
        rows: FEATURES and `label` of a date that the trees have not seen, arranged.
        exposure: Of that date's horizon.

    Returns:
        A pipeline from FEATURES and `exposure` to `prediction`, the probability of churn.
    """
    platt = GeneralizedLinearRegression(
        family="binomial",
        link="logit",
        featuresCol="margin",
        labelCol="label",
        predictionCol="calibrated",
        maxIter=50,
        regParam=1e-6,
    )
    usual = SQLTransformer(
        statement=f"SELECT *, pow(calibrated, exposure / {exposure!r}D) AS {PREDICTION} FROM __THIS__"
    )
    return PipelineModel(stages=[*fitted.model.stages, platt.fit(fitted.margins(rows)), usual])


def trees_in(model: PipelineModel) -> GBTClassificationModel:
    """The trees of a pipeline.

    Raises:
        ValueError: If it has none.
    """
    for stage in model.stages:
        if isinstance(stage, GBTClassificationModel):
            return stage
    raise ValueError("the pipeline has no boosted trees")


def importances(model: PipelineModel) -> list[dict[str, Any]]:
    """Features by the share of impurity that splits by them take away, the largest first."""
    values = trees_in(model).featureImportances.toArray()
    ranked = sorted(zip(FEATURES, values, strict=True), key=lambda each: (-each[1], each[0]))
    return [{"feature": name, "importance": float(value)} for name, value in ranked]
