"""Figures of probabilities against counting by hand and scikit-learn, which MLflow brings along."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.metrics import roc_auc_score

from common.ml.classification import (
    accuracy,
    auc,
    best_threshold,
    brier,
    calibration,
    calibration_error,
    confusion,
    lift,
    log_loss,
    logistic_of,
    summary,
)

LABELS = np.array([0.0, 0, 1, 1, 1, 0])
SAID = np.array([0.1, 0.4, 0.35, 0.8, 0.8, 0.8])


def test_auc_counts_pairs_and_halves_ties() -> None:
    pairs = [
        (SAID[i] > SAID[j]) + (SAID[i] == SAID[j]) / 2
        for i in np.flatnonzero(LABELS)
        for j in np.flatnonzero(LABELS == 0)
    ]
    assert auc(LABELS, SAID) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=60))
def test_auc_is_that_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    labels, scores = np.array([float(a) for a, _ in rows]), np.array([b / 5 for _, b in rows])
    if len(set(labels)) < 2:
        assert auc(labels, scores) is None
    else:
        assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_accuracy_and_confusion_agree() -> None:
    counts = confusion(LABELS, SAID, 0.5)
    assert counts == {"true_positive": 2, "false_positive": 1, "false_negative": 1, "true_negative": 2}
    assert accuracy(LABELS, SAID, 0.5) == pytest.approx(4 / 6)


def test_a_probability_at_the_threshold_says_yes() -> None:
    assert confusion(np.array([1.0]), np.array([0.5]), 0.5)["true_positive"] == 1


def test_losses() -> None:
    assert log_loss(LABELS, SAID) == pytest.approx(sklearn_log_loss(LABELS, SAID))
    assert brier(np.array([1.0, 0.0]), np.array([0.8, 0.4])) == pytest.approx((0.04 + 0.16) / 2)
    assert np.isfinite(log_loss(np.array([1.0]), np.array([0.0])))


def test_calibration_by_hand() -> None:
    labels, said = np.array([0.0, 1, 1, 1]), np.array([0.05, 0.05, 0.95, 1.0])
    bins = calibration(labels, said)
    assert [each.rows for each in bins] == [2, *[0] * 8, 2]
    assert bins[0].mean_probability == pytest.approx(0.05)
    assert bins[0].share == 0.5
    assert calibration_error(bins) == pytest.approx((2 * 0.45 + 2 * 0.025) / 4)
    assert bins[5].share is None


def test_probabilities_that_come_true_have_no_error() -> None:
    said = np.repeat([0.15, 0.55], [20, 20])
    labels = np.concatenate([np.repeat([1.0, 0.0], [3, 17]), np.repeat([1.0, 0.0], [11, 9])])
    assert calibration_error(calibration(labels, said)) == pytest.approx(0.0, abs=1e-12)


def test_the_threshold_is_the_most_accurate_and_nearest_to_a_half() -> None:
    assert best_threshold(np.array([0.0, 0, 1, 1]), np.array([0.1, 0.62, 0.64, 0.9])) == pytest.approx(0.63)
    assert best_threshold(np.array([0.0, 1]), np.array([0.1, 0.9])) == pytest.approx(0.5)


def test_a_threshold_that_chance_put_ahead_is_not_taken() -> None:
    # A hundred rows whose probabilities are right, but for two: 0.31 is more accurate than a half by two rows, which is
    # less than the standard error of three.
    said = np.repeat([0.1, 0.3, 0.9], [40, 10, 50])
    labels = np.repeat([0.0, 1.0, 0.0, 1.0, 0.0, 1.0], [37, 3, 4, 6, 5, 45])
    assert accuracy(labels, said, 0.3) == pytest.approx(0.88 + 0.02 - 0.02)
    assert accuracy(labels, said, 0.5) == pytest.approx(0.86)
    assert best_threshold(labels, said) == pytest.approx(0.5)


def test_lift_captures_everything_in_the_end() -> None:
    labels = np.repeat([1.0, 0.0], [10, 90])
    rows = lift(labels, np.linspace(1, 0, 100))
    assert rows[0] == {"decile": 1, "rows": 10, "share": 1.0, "lift": 10.0, "captured": 1.0}
    assert sum(row["rows"] for row in rows) == 100
    assert rows[-1]["captured"] == pytest.approx(1.0)


def test_the_logistic_model_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(7)
    feature = random.normal(20, 8, 400)
    labels = (random.uniform(size=400) < 1 / (1 + np.exp(-(feature - 20) / 5))).astype(float)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(feature[:, None], labels).predict_proba(feature[:, None])[:, 1]
    assert np.abs(logistic_of(feature, labels, feature) - theirs).max() < 1e-5


def test_the_logistic_model_of_a_constant_feature_says_the_share() -> None:
    assert logistic_of(np.ones(4), np.array([1.0, 0, 0, 0]), np.ones(2)) == pytest.approx([0.25, 0.25], abs=1e-6)


def test_a_summary_knows_the_majority() -> None:
    found = summary(np.array([1.0, 0, 0, 0]), np.array([0.9, 0.1, 0.2, 0.3]), 0.5)
    assert (found["accuracy"], found["majority_accuracy"], found["auc"]) == (1.0, 0.75, 1.0)
    assert (found["precision"], found["recall"]) == (1.0, 1.0)


def test_a_summary_without_a_positive_answer_has_no_precision() -> None:
    assert summary(np.array([1.0, 0.0]), np.array([0.1, 0.2]), 0.5)["precision"] is None
