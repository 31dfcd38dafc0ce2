"""What must not be learned from: leaks by a feature alone, and data of one class."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from common.errors import GateFailedError, InputError
from common.ml.churn_evaluation import evaluate, feature_aucs, figures, refuse_tellers, require_both_classes
from common.settings import Settings
from common.transforms.features import FEATURES


@pytest.fixture
def rows() -> pd.DataFrame:
    random = np.random.default_rng(3)
    count = 2_000
    frame = pd.DataFrame({name: random.normal(size=count) for name in FEATURES})
    label = (random.uniform(size=count) < 0.4).astype(float)
    return frame.assign(label=label, recency_days=20 * label + random.uniform(0, 60, count), user_id=range(count))


def test_honest_features_pass(rows: pd.DataFrame, settings: Settings) -> None:
    refuse_tellers(rows, settings.ml.churn)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_feature_that_tells_the_label_is_refused_by_name(rows: pd.DataFrame, settings: Settings, sign: int) -> None:
    knowing = rows.assign(purchase_trend=sign * (rows["label"] + 0.01 * rows["orders"]))
    with pytest.raises(GateFailedError, match=r"label leakage: .*: purchase_trend \(AUC 1.000\)"):
        refuse_tellers(knowing, settings.ml.churn)


def test_few_rows_may_tell_more_by_chance(settings: Settings) -> None:
    few = pd.DataFrame({name: [1.0, 2, 3, 4] for name in FEATURES}).assign(label=[0.0, 0, 1, 1])
    assert feature_aucs(few)["orders"] == 1.0
    refuse_tellers(few, settings.ml.churn)


@pytest.mark.parametrize(("labels", "what"), [([], "no customers"), ([1.0, 1.0], "one and the same label")])
def test_one_class_cannot_be_learned(labels: list[float], what: str) -> None:
    with pytest.raises(InputError, match=what):
        require_both_classes(np.array(labels), "as of 2025-11-01")


def test_the_evaluation_has_baselines_and_levels(rows: pd.DataFrame, settings: Settings) -> None:
    test = rows.assign(prediction=np.clip(rows["recency_days"] / 80, 0, 1))
    found = evaluate(test, rows, 0.5, settings.ml.churn)
    assert found["baselines"]["recency"]["auc"] == pytest.approx(found["test"]["auc"])
    assert found["baselines"]["majority"] == {"accuracy": found["test"]["majority_accuracy"], "says": "stays"}
    assert sum(level["rows"] for level in found["risk_levels"]) == len(test)
    entry = figures(found, "2025-11-01", 30, len(test))
    assert set(entry) == {
        "auc", "accuracy", "majority_accuracy", "ece", "ceiling_auc", "recency_auc", "as_of", "horizon_days", "rows",
    }  # fmt: skip
    assert entry["ceiling_auc"] is None
