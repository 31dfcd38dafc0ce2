"""The evaluation of churn probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.report import formats
from pipelines.report.charts.specs import TABLE, ChartSpec
from pipelines.report.evaluations import Evaluation
from pipelines.report.kpis import Tile
from pipelines.report.pages.evaluated import beside, digits, evaluated, saying, trials
from pipelines.report.pages.model import Card

_FEATURES_DRAWN = 15


def churn_tiles(evaluation: Evaluation) -> list[Tile]:
    """The figures at the head of the page."""
    figures, test = evaluation.figures, evaluation.part("test")
    accuracy, majority = figures.get("accuracy"), figures.get("majority_accuracy")
    return [
        Tile(
            "AUC",
            digits(figures.get("auc")),
            note=beside(figures, recency_alone="recency_auc", ceiling="ceiling_auc"),
        ),
        Tile("Accuracy", formats.share(accuracy), note=f"always the majority: {formats.share(majority)}"),
        Tile("Calibration error", digits(figures.get("ece")), note="mean distance of the predicted and the seen share"),
        Tile("Customers who left", formats.share(test.get("positive_share")), note="of those tested"),
    ]


def churn_cards(evaluation: Evaluation) -> list[Card]:
    """What the page shows."""
    return [
        _calibration(evaluation),
        _lift(evaluation),
        _confusion(evaluation),
        _levels(evaluation),
        _importance(evaluation),
        _alone(evaluation),
        _churn_baselines(evaluation),
        trials(evaluation),
    ]


def _calibration(evaluation: Evaluation) -> Card:
    bins = [each for each in evaluation.rows("test", "calibration") if each.get("rows")]
    seen = [(each["mean_probability"], "model", each["share"], each["rows"]) for each in bins]
    perfect = [(each["mean_probability"], "perfect", each["mean_probability"], None) for each in bins]
    columns = [
        ("predicted", "double", "share"),
        ("line", "string", None),
        ("share_that_left", "double", "share"),
        ("customers", "bigint", "count"),
    ]
    heading = (
        "Calibration",
        "Of those with a predicted chance, how many left? On the perfect line as many as predicted.",
    )
    made = evaluated(
        "churn_calibration",
        heading,
        columns,
        [*seen, *perfect],
        ChartSpec("line", "predicted", ("share_that_left",), series="line", guides=("perfect",)),
    )
    if not bins:
        return made
    furthest = max(bins, key=lambda each: abs(each["share"] - each["mean_probability"]))
    return saying(
        made,
        f"Furthest from the perfect line where {formats.share(furthest['mean_probability'])} were predicted to leave: "
        f"{formats.share(furthest['share'])} did.",
    )


def _lift(evaluation: Evaluation) -> Card:
    rows = [
        (each["decile"], each["rows"], each["share"], each["lift"], each["captured"])
        for each in evaluation.rows("test", "lift")
    ]
    columns = [
        ("tenth", "int", "number"),
        ("customers", "bigint", "count"),
        ("share_that_left", "double", "share"),
        ("lift", "double", "ratio"),
        ("captured", "double", "share"),
    ]
    heading = (
        "Lift",
        "How much likelier than on average did each tenth leave, those with the highest scores first? 1 is average.",
    )
    return evaluated(
        "churn_lift",
        heading,
        columns,
        rows,
        ChartSpec("columns", "tenth", ("lift",)),
    )


def _confusion(evaluation: Evaluation) -> Card:
    counts = evaluation.part("test", "confusion")
    cells = (
        ("left", "said to leave", "true_positive"),
        ("left", "said to stay", "false_negative"),
        ("stayed", "said to leave", "false_positive"),
        ("stayed", "said to stay", "true_negative"),
    )
    rows = [(was, said, counts[key]) for was, said, key in cells if key in counts]
    threshold = evaluation.part("test").get("threshold")
    at = f" A score of {threshold:.3f} or more says to leave." if threshold is not None else ""
    heading = ("Right and wrong", f"How many were said to leave or to stay, and did?{at}")
    made = evaluated(
        "churn_confusion",
        heading,
        [("outcome", "string", None), ("prediction", "string", None), ("customers", "bigint", "count")],
        rows,
        ChartSpec("heatmap", "prediction", ("outcome",), value="customers"),
    )
    if len(rows) < len(cells):
        return made
    right = counts["true_positive"] + counts["true_negative"]
    return saying(
        made,
        f"{formats.count(right)} of {formats.count(sum(counts[key] for *_, key in cells))} told right; "
        f"{formats.count(counts['false_negative'])} who left were missed, "
        f"{formats.count(counts['false_positive'])} who stayed were said to leave.",
    )


def _levels(evaluation: Evaluation) -> Card:
    rows = [(each["level"], each["churned"], each["rows"]) for each in evaluation.rows("risk_levels")]
    heading = ("Risk levels", "What part of each level left?")
    return evaluated(
        "churn_levels",
        heading,
        [("risk_level", "string", None), ("share_that_left", "double", "share"), ("customers", "bigint", "count")],
        rows,
        ChartSpec("bars", "risk_level", ("share_that_left",), beside=("customers",)),
    )


def _importance(evaluation: Evaluation) -> Card:
    rows = [(formats.words(each["feature"]), each["importance"]) for each in evaluation.rows("importance")]
    heading = (
        "What the model looks at",
        "By which features do its trees part customers, as part of the impurity that they take away?",
    )
    return evaluated(
        "churn_importance",
        heading,
        [("feature", "string", None), ("importance", "double", "share")],
        rows,
        ChartSpec("bars", "feature", ("importance",), limit=_FEATURES_DRAWN),
    )


def _alone(evaluation: Evaluation) -> Card:
    known = sorted(evaluation.part("feature_auc").items(), key=lambda item: (-(item[1] or 0), item[0]))
    heading = ("What each feature tells alone", "How well would one feature alone tell who left? 0.5 is guessing.")
    return evaluated(
        "churn_alone",
        heading,
        [("feature", "string", None), ("auc", "double", "ratio3")],
        [(formats.words(name), value) for name, value in known],
        ChartSpec("bars", "feature", ("auc",), limit=_FEATURES_DRAWN),
    )


def _churn_baselines(evaluation: Evaluation) -> Card:
    metrics = ("auc", "accuracy", "ece", "precision", "recall", "log_loss", "brier")
    test, recency = evaluation.part("test"), evaluation.part("baselines", "recency")
    rows: list[Sequence[Any]] = [("model", *(test.get(key) for key in metrics))]
    if recency:
        rows.append(("recency alone", *(recency.get(key) for key in metrics)))
    rows.append(("always the majority", None, evaluation.figures.get("majority_accuracy"), *[None] * 5))
    if evaluation.figures.get("ceiling_auc") is not None:
        rows.append(("ceiling (the planted hazard)", evaluation.figures["ceiling_auc"], *[None] * 6))
    columns = [("rule", "string", None), *((metric, "double", "ratio3") for metric in metrics)]
    heading = ("Beside simpler rules", "What does a simpler rule reach?")
    return evaluated("churn_baselines", heading, columns, rows, TABLE)
