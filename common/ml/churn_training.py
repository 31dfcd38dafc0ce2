"""Training of the churn model: the search, the calibration, and what is said of the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.ml.churn_evaluation import evaluate, feature_aucs, refuse_tellers, require_both_classes, sampled
from common.ml.churn_model import FittedTrees, arrange, calibrate, fit_trees, importances
from common.ml.classification import auc, best_threshold
from common.ml.dates import ChurnDates
from common.ml.splits import in_share
from common.settings import MlSettings
from common.storage.persisting import persisted

_CALIBRATION_SALT = "churn calibration"


@dataclass(frozen=True)
class Labelled:
    """Labelled features of every date, persisted.

    Attributes:
        rows: as_of, user_id, FEATURES, exposure, label.
        counts: Rows by date.
        dates: The dates.
        exposure: By date.
        first_day: The first day of the data.
    """

    rows: DataFrame
    counts: Mapping[date, int]
    dates: ChurnDates
    exposure: Mapping[date, float]
    first_day: date

    def of(self, *dates: date) -> DataFrame:
        """The rows of some dates."""
        return self.rows.where(F.col("as_of").isin(*dates))

    def sample(self, day: date, limit: int) -> pd.DataFrame:
        """Rows of a date in memory."""
        return sampled(self.of(day), self.counts.get(day, 0), limit)

    def learning(self, share: float) -> DataFrame:
        """What the trees learn from: the dates of training, and the customers at validation who do not calibrate."""
        return self.of(*self.dates.training).unionByName(
            self.of(self.dates.validation).where(~in_share("user_id", share, _CALIBRATION_SALT))
        )

    def calibrating(self, share: float) -> DataFrame:
        """The customers at the validation date whom the trees have not seen at it."""
        return self.of(self.dates.validation).where(in_share("user_id", share, _CALIBRATION_SALT))


@dataclass(frozen=True)
class Candidate:
    """A model that was just trained, and how it did.

    Attributes:
        model: From features and exposure to `prediction`.
        threshold: From which probability on a customer is said to churn.
        trials: What the search tried.
        params: What was chosen, and what it was trained on.
        evaluation: On the test date.
    """

    model: PipelineModel
    threshold: float
    trials: list[dict[str, Any]]
    params: dict[str, Any]
    evaluation: dict[str, Any]


def train(labelled: Labelled, settings: MlSettings) -> Candidate:
    """Train on the dates of training and some customers at validation, calibrate on the others, measure at the test.

    Raises:
        InputError: If all labels are of one class.
        GateFailedError: If a feature tells the label on its own.
    """
    dates, share, limit = labelled.dates, settings.churn.calibration_share, settings.evaluation_rows
    with persisted(labelled.calibrating(share)) as held_out:
        validation = sampled(held_out, labelled.counts.get(dates.validation, 0), limit)
        for day, rows in ((dates.validation, validation), (dates.test, labelled.sample(dates.test, limit))):
            require_both_classes(rows["label"].to_numpy(), f"as of {day}")
        refuse_tellers(validation, settings.churn)
        fitted, trials = _search(labelled, held_out, validation, settings)
        model = calibrate(fitted, arrange(held_out, 1), labelled.exposure[dates.validation])
        said = sampled(
            model.transform(held_out).select("as_of", "user_id", "label", "prediction"),
            labelled.counts.get(dates.validation, 0),
            limit,
        )
    threshold = best_threshold(said["label"].to_numpy(), said["prediction"].to_numpy())
    params = {
        **fitted.trial.model_dump(),
        "seed": settings.seed,
        "training_dates": [day.isoformat() for day in dates.training],
        "validation_date": dates.validation.isoformat(),
        "training_rows": sum(labelled.counts.get(day, 0) for day in (*dates.training, dates.validation))
        - len(validation),
        "calibration_rows": len(validation),
    }
    return Candidate(model, threshold, trials, params, measure(model, threshold, labelled, settings))


def measure(model: PipelineModel, threshold: float, labelled: Labelled, settings: MlSettings) -> dict[str, Any]:
    """A model's figures on the test date, with baselines, importances and what each feature tells alone."""
    dates = labelled.dates
    test = scored(model, labelled, dates.test, settings.evaluation_rows)
    validation = labelled.sample(dates.validation, settings.evaluation_rows)
    require_both_classes(test["label"].to_numpy(), f"as of {dates.test}")
    return {
        **evaluate(test, validation, threshold, settings.churn),
        "importance": importances(model),
        "feature_auc": feature_aucs(test),
        "rows": test[["user_id", "label", "prediction"]],
    }


def scored(model: PipelineModel, labelled: Labelled, day: date, limit: int) -> pd.DataFrame:
    """Rows of a date in memory, with the model's probability."""
    chosen = model.transform(labelled.of(day)).select(*labelled.rows.columns, "prediction")
    return sampled(chosen, labelled.counts.get(day, 0), limit)


def _search(
    labelled: Labelled, held_out: DataFrame, validation: pd.DataFrame, settings: MlSettings
) -> tuple[FittedTrees, list[dict[str, Any]]]:
    """Fit each trial; the one that ranks the held-out customers best wins, the earlier one of equals."""
    learning = arrange(labelled.learning(settings.churn.calibration_share), settings.partitions)
    count = labelled.counts.get(labelled.dates.validation, 0)
    labels = validation["label"].to_numpy()
    best: tuple[float, FittedTrees] | None = None
    trials = []
    with persisted(learning) as rows:
        for trial in settings.churn.trials:
            fitted = fit_trees(rows, trial, settings.seed)
            margins = fitted.margins(held_out)
            calm = margins.select("as_of", "user_id", F.element_at(_array("margin"), 1).alias("margin"))
            found = sampled(calm, count, settings.evaluation_rows)
            merged = validation[["user_id"]].merge(found, on="user_id", how="inner", validate="one_to_one")
            value = auc(labels, merged["margin"].to_numpy()) or 0.0
            trials.append({**trial.model_dump(), "validation_auc": value})
            if best is None or value > best[0]:
                best = value, fitted
    if best is None:
        raise ValueError("the search has no trials")
    return best[1], trials


def _array(column: str) -> Any:  # noqa: ANN401 - a Column
    from pyspark.ml.functions import vector_to_array  # noqa: PLC0415 - needs a session when it is used

    return vector_to_array(F.col(column))
