"""How good probabilities are, in NumPy, on rows that were sampled to a bounded number.

Every function takes labels (n,) of 0 and 1 and scores or probabilities (n,) in the same order. Results do not depend on
that order beyond the rounding of sums; callers sort rows by key, which takes that away as well.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BINS, DECILES = 10, 10
_NEWTON_STEPS, _NEWTON_TOLERANCE = 50, 1e-10


def auc(labels: Floats, scores: Floats) -> float | None:
    """The chance that a positive row scores above a negative one, ties counting half; None with one class alone.

    The Mann-Whitney statistic, which is the area under the ROC curve (Hanley and McNeil, 1982).
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return None
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    mean_rank = ends - (count - 1) / 2
    ranks = float(mean_rank[place][labels == 1].sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def accuracy(labels: Floats, probabilities: Floats, threshold: float) -> float:
    """Share of rows on whose side of the threshold their label is."""
    return float(((probabilities >= threshold) == (labels == 1)).mean())


def log_loss(labels: Floats, probabilities: Floats) -> float:
    """Mean negative log likelihood, probabilities kept off 0 and 1 by 1e-12."""
    safe = np.clip(probabilities, 1e-12, 1 - 1e-12)
    return float(-(labels * np.log(safe) + (1 - labels) * np.log(1 - safe)).mean())


def brier(labels: Floats, probabilities: Floats) -> float:
    """Mean squared difference of label and probability."""
    return float(((labels - probabilities) ** 2).mean())


@dataclass(frozen=True)
class CalibrationBin:
    """Rows whose probability lies in [low, high): how many, what was said and what came true."""

    low: float
    high: float
    rows: int
    mean_probability: float | None
    share: float | None


def calibration(labels: Floats, probabilities: Floats, bins: int = BINS) -> tuple[CalibrationBin, ...]:
    """The calibration curve over bins of equal width."""
    place = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    found = []
    for index in range(bins):
        inside = place == index
        rows = int(inside.sum())
        said = float(probabilities[inside].mean()) if rows else None
        true = float(labels[inside].mean()) if rows else None
        found.append(CalibrationBin(index / bins, (index + 1) / bins, rows, said, true))
    return tuple(found)


def calibration_error(bins: tuple[CalibrationBin, ...]) -> float:
    """Expected calibration error: the distance of said and true, averaged over rows (Naeini et al. 2015)."""
    total = sum(each.rows for each in bins)
    return sum(
        each.rows * abs(each.mean_probability - each.share)
        for each in bins
        if each.mean_probability is not None and each.share is not None
    ) / max(total, 1)


def best_threshold(labels: Floats, probabilities: Floats) -> float:
    """The threshold in hundredths from 0.2 to 0.8 that is nearest to a half among the accurate ones.

    Accurate is what comes within one standard error of the highest accuracy: over thresholds it is flat, and its peak
    is where chance put it (the rule of Breiman et al., Classification and Regression Trees, 1984, section 3.4.3). Of
    two that are as near, the more accurate one.

    Args:
        labels: 0 or 1, (n,).
        probabilities: (n,).
    """
    found = {step / 100: accuracy(labels, probabilities, step / 100) for step in range(20, 81)}
    best = max(found.values())
    least = best - math.sqrt(best * (1 - best) / len(labels))
    accurate = [each for each, value in found.items() if value >= least]
    return min(accurate, key=lambda each: (round(abs(each - 0.5), 2), -found[each], each))


def lift(labels: Floats, probabilities: Floats, parts: int = DECILES) -> list[dict[str, float | int]]:
    """Rows by falling probability in equal parts: how much likelier than on average each part's label is."""
    order = np.argsort(-probabilities, kind="stable")
    base = float(labels.mean())
    rows: list[dict[str, float | int]] = []
    found = 0.0
    for index, part in enumerate(np.array_split(labels[order], parts)):
        found += float(part.sum())
        rows.append(
            {
                "decile": index + 1,
                "rows": len(part),
                "share": float(part.mean()) if len(part) else 0.0,
                "lift": float(part.mean()) / base if len(part) and base else 0.0,
                "captured": found / max(float(labels.sum()), 1.0),
            }
        )
    return rows


def logistic_of(feature: Floats, labels: Floats, others: Floats) -> Floats:
    """Fit a logistic model of one feature by Newton's method and give the probabilities of other rows.

    Args:
        feature: Of the rows that it is fitted on, (n,).
        labels: Theirs, (n,).
        others: The feature of the rows to be scored, (m,).
    """
    centre, scale = float(feature.mean()), float(feature.std()) or 1.0
    design = np.column_stack([np.ones(len(feature)), (feature - centre) / scale])
    weights = np.zeros(2)
    for _ in range(_NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (labels - chance)
        bend = (design * (chance * (1 - chance))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        weights += step
        if float(np.abs(step).max()) < _NEWTON_TOLERANCE:
            break
    values: Floats = 1 / (1 + np.exp(-np.clip(weights[0] + weights[1] * (others - centre) / scale, -30, 30)))
    return values


def confusion(labels: Floats, probabilities: Floats, threshold: float) -> dict[str, int]:
    """How many rows were said to be positive and negative, and were."""
    said, true = probabilities >= threshold, labels == 1
    return {
        "true_positive": int((said & true).sum()),
        "false_positive": int((said & ~true).sum()),
        "false_negative": int((~said & true).sum()),
        "true_negative": int((~said & ~true).sum()),
    }


def summary(labels: Floats, probabilities: Floats, threshold: float) -> dict[str, Any]:
    """Every figure of a set of probabilities, for the evaluation file."""
    bins = calibration(labels, probabilities)
    counts = confusion(labels, probabilities, threshold)
    said = counts["true_positive"] + counts["false_positive"]
    true = counts["true_positive"] + counts["false_negative"]
    share = float(labels.mean())
    return {
        "auc": auc(labels, probabilities),
        "accuracy": accuracy(labels, probabilities, threshold),
        "majority_accuracy": max(share, 1 - share),
        "precision": counts["true_positive"] / said if said else None,
        "recall": counts["true_positive"] / true if true else None,
        "log_loss": log_loss(labels, probabilities),
        "brier": brier(labels, probabilities),
        "ece": calibration_error(bins),
        "positive_share": share,
        "mean_probability": float(probabilities.mean()),
        "threshold": threshold,
        "confusion": counts,
        "calibration": [asdict(each) for each in bins],
        "lift": lift(labels, probabilities),
    }
