"""The evaluation of churn probabilities, and the guards against knowing the future.

analytics/ml/evaluation/churn.json:

- `figures`: the entry of ops/ml.json (`ceiling_auc` is added later, where the data has truth);
- `model`: version, MLflow run and tags of the model in use;
- `newest`: version, MLflow run and figures of the newest training, and whether it was promoted;
- `search`: `trials` of the newest training with parameters and validation AUC, `params` that were chosen;
- `dates`: first and last day of the data, training, validation, test and scoring dates; `horizon_days`; `exposure` of
  the test horizon;
- `test`: auc, accuracy, majority_accuracy, precision, recall, log_loss, brier, ece, positive_share, mean_probability,
  threshold, `confusion` (true_positive, false_positive, false_negative, true_negative), `calibration` (bins of low,
  high, rows, mean_probability, share) and `lift` (decile, rows, share, lift, captured);
- `baselines`: `recency` (the same figures of a logistic model of recency alone) and `majority`;
- `importance`: feature and importance, the largest first;
- `feature_auc`: what each feature tells on its own;
- `risk_levels`: rows and churned share of the test customers by level.

analytics/ml/evaluation/churn_test (Parquet) holds the test customers with label and probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.errors import GateFailedError, TooLittleDataError
from common.ml.classification import auc, logistic_of, summary
from common.ml.splits import in_share, share_for
from common.settings import ChurnSettings
from common.transforms.features import FEATURES

_SALT = "churn evaluation"
BASELINE = "recency_days"
_ALTERED_SHARE = 0.05
_ERRORS = 3.0
_SINGLE = ("auc", "accuracy", "precision", "recall", "log_loss", "brier", "ece", "mean_probability", "threshold")


def sampled(rows: DataFrame, count: int, limit: int) -> pd.DataFrame:
    """Labelled rows in memory, sorted by key; at most about `limit` of them, by a hash of the customer."""
    share = share_for(count, limit)
    chosen = rows if share >= 1 else rows.where(in_share("user_id", share, _SALT))
    found: pd.DataFrame = chosen.toPandas()
    return found.sort_values(["as_of", "user_id"], ignore_index=True)


def require_both_classes(labels: np.ndarray, where: str) -> None:
    """See that there is something to tell apart.

    Raises:
        TooLittleDataError: If there are no rows, or all have one label.
    """
    if len(set(labels.tolist())) < 2:  # noqa: PLR2004 - churned and not
        what = "no customers" if not len(labels) else "all customers have one and the same label"
        raise TooLittleDataError(
            f"churn cannot be learned: {what}", where=where, remedy="more data, or another ml.churn_horizon_days"
        )


def auc_error(labels: np.ndarray) -> float:
    """The standard error of an AUC that tells nothing, by which a small test is told from a telling feature."""
    positives = float(labels.sum())
    negatives = len(labels) - positives
    return float(np.sqrt((positives + negatives + 1) / (12 * max(positives * negatives, 1.0))))


def feature_aucs(rows: pd.DataFrame) -> dict[str, float]:
    """How well each feature alone tells who churns, whatever its direction: 0.5 for nothing, 1 for everything."""
    labels = rows["label"].to_numpy()
    found = {}
    for name in FEATURES:
        value = auc(labels, rows[name].to_numpy())
        if value is not None:
            found[name] = max(value, 1 - value)
    return found


def refuse_tellers(rows: pd.DataFrame, settings: ChurnSettings) -> None:
    """Refuse features that tell the label on their own: nothing known before tells so much.

    Args:
        rows: FEATURES and `label` of one date.
        settings: The most that a feature may tell; what few rows can tell by chance is allowed for.

    Raises:
        GateFailedError: If there are any.
    """
    aucs = feature_aucs(rows)
    bound = settings.max_feature_auc + _ERRORS * auc_error(rows["label"].to_numpy())
    guilty = sorted(name for name, value in aucs.items() if value > bound)
    if guilty:
        told = ", ".join(f"{name} (AUC {aucs[name]:.3f})" for name in guilty)
        raise GateFailedError(
            f"label leakage: features that tell the label on their own: {told}",
            where="common/transforms/features.py",
            remedy="find out where they learn what happens after the as-of date; nothing was trained",
        )


def refuse_foresight(whole: DataFrame, cut: DataFrame) -> None:
    """Refuse features that come out differently when everything from the as-of date on is taken out of the inputs.

    Args:
        whole: as_of, user_id and features of some customers, from all data.
        cut: The same, from data that ends before the as-of date.

    Raises:
        GateFailedError: If a value differs, or a customer is in one alone.
    """
    pair = whole.alias("whole").join(cut.alias("cut"), on=["as_of", "user_id"], how="full")
    differs = {name: ~F.col(f"whole.{name}").eqNullSafe(F.col(f"cut.{name}")) for name in FEATURES}
    row = pair.agg(*[F.count_if(condition).alias(name) for name, condition in differs.items()]).first()
    counts = row.asDict() if row else {}
    guilty = sorted(name for name, count in counts.items() if count)
    if guilty:
        told = ", ".join(f"{name} ({counts[name]} customers)" for name in guilty)
        raise GateFailedError(
            f"label leakage: features that depend on what happens from the as-of date on: {told}",
            where="common/transforms/features.py",
            remedy="cut their inputs off at the as-of date; nothing was trained",
        )


def altered(key: str = "user_id") -> Any:  # noqa: ANN401 - a Column
    """The customers on whom `refuse_foresight` is tried."""
    return in_share(key, _ALTERED_SHARE, "foresight")


def evaluate(test: pd.DataFrame, validation: pd.DataFrame, threshold: float, settings: ChurnSettings) -> dict[str, Any]:
    """Figures of the probabilities in `prediction`, and of the baselines, on the test rows."""
    labels, said = test["label"].to_numpy(), test["prediction"].to_numpy()
    recency = logistic_of(validation[BASELINE].to_numpy(), validation["label"].to_numpy(), test[BASELINE].to_numpy())
    found = summary(labels, said, threshold)
    share = float(labels.mean())
    return {
        "test": found,
        "baselines": {
            "recency": summary(labels, recency, 0.5),
            "majority": {"accuracy": found["majority_accuracy"], "says": "churns" if share * 2 >= 1 else "stays"},
        },
        "risk_levels": _levels(labels, said, settings),
    }


def level_bounds(settings: ChurnSettings) -> dict[str, tuple[float, float]]:
    """Risk levels by their probabilities, from (included) and to (excluded)."""
    return {
        "high": (settings.high_risk, np.inf),
        "medium": (settings.low_risk, settings.high_risk),
        "low": (-np.inf, settings.low_risk),
    }


def _levels(labels: np.ndarray, said: np.ndarray, settings: ChurnSettings) -> list[dict[str, Any]]:
    found = []
    for level, (low, high) in level_bounds(settings).items():
        inside = (said >= low) & (said < high)
        rows = int(inside.sum())
        found.append({"level": level, "rows": rows, "churned": float(labels[inside].mean()) if rows else None})
    return found


def figures(evaluation: Mapping[str, Any], as_of: str, horizon_days: int, rows: int) -> dict[str, Any]:
    """The entry of ops/ml.json."""
    test = evaluation["test"]
    return {
        **{name: test[name] for name in ("auc", "accuracy", "majority_accuracy", "ece")},
        "ceiling_auc": None,
        "recency_auc": evaluation["baselines"]["recency"]["auc"],
        "as_of": as_of,
        "horizon_days": horizon_days,
        "rows": rows,
    }


def metrics(evaluation: Mapping[str, Any]) -> dict[str, float | None]:
    """Every single number of an evaluation by a name of its own, as MLflow takes them."""
    test, recency = evaluation["test"], evaluation["baselines"]["recency"]
    levels = {each["level"]: each["churned"] for each in evaluation["risk_levels"]}
    return {
        **{name: test[name] for name in (*_SINGLE, "majority_accuracy", "positive_share")},
        **{f"recency_{name}": recency[name] for name in _SINGLE},
        **{f"churned_share_{level}_risk": share for level, share in levels.items()},
        **{f"feature_auc_{name}": value for name, value in evaluation["feature_auc"].items()},
    }


def documents(evaluation: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The evaluation as files of a run: all of it, and the parts that are looked at alone."""
    test = evaluation["test"]
    return {
        "evaluation.json": {name: part for name, part in evaluation.items() if name != "rows"},
        "calibration.json": {"bins": test["calibration"]},
        "lift.json": {"deciles": test["lift"]},
        "confusion.json": test["confusion"],
        "importance.json": {"features": evaluation["importance"]},
        "feature_auc.json": evaluation["feature_auc"],
        "baselines.json": evaluation["baselines"],
    }
