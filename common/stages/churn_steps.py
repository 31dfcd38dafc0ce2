"""The steps of train_churn: train and promote, evaluate, and score every customer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.errors import InputError
from common.job import StageContext
from common.ml import outputs
from common.ml.churn_evaluation import altered, documents, figures, level_bounds, metrics, refuse_foresight
from common.ml.churn_model import trees_in
from common.ml.churn_training import Candidate, Labelled, measure, train
from common.ml.demand import exposures
from common.ml.reasons import with_reasons
from common.ml.registry import Evaluated, Registry, Trained, Version
from common.ml.trees import trees_of
from common.quality.accounting import Account, expect_equal
from common.stages.origins import Origin
from common.storage.persisting import persisted
from common.transforms.customer_days import History
from common.transforms.features import FEATURES, customer_features, out_of_range, with_exposure

NAME = "churn"
PREDICTIONS = "analytics/ml/churn_predictions"
_EXAMPLE_ROWS = 5


@dataclass(frozen=True)
class Chosen:
    """The model in use, and what is known of it.

    Attributes:
        version: Its version.
        evaluation: Its figures on the test date, where they were measured already.
        training: `newest` and `search` of the evaluation file, where a model was trained.
        note: What became of that.
    """

    version: Version
    evaluation: dict[str, Any] | None = None
    training: dict[str, Any] | None = None
    note: str = ""


def features_of(
    context: StageContext, history: History, dates: Sequence[date], orders: dict[date, int]
) -> tuple[DataFrame, dict[date, float]]:
    """Features and exposure as of some dates, and the exposure of each.

    Args:
        context: The stage's.
        history: Facts and dimensions.
        dates: As-of dates.
        orders: By day.
    """
    source, settings = context.source, context.settings.ml.churn
    exposure = exposures(orders, source.ml.promotions, dates, source.ml.churn_horizon_days)
    found = customer_features(history, dates, min(orders), settings.rate_prior_days, source)
    return with_exposure(found, exposure), exposure


def gate_features(context: StageContext, rows: DataFrame, min_rows: int) -> None:
    """Hold features against their suite, which sees the first feature of a row that is off and any input from later.

    Raises:
        GateFailedError: If the gate is closed.
    """
    is_past = F.coalesce(F.col("newest_input") < F.col("as_of"), F.lit(False))
    looked_at = rows.select(
        "as_of", "user_id", "exposure", is_past.alias("is_past"), out_of_range().alias("out_of_range")
    )
    context.gate("train_churn.features", looked_at, min_rows=min_rows)


def refuse_leaks(context: StageContext, history: History, labelled: Labelled) -> None:
    """Make the features of some customers again from data that ends before the test date."""
    day = labelled.dates.test
    is_before = F.col("valid_from") < F.to_utc_timestamp(F.lit(day).cast("timestamp"), context.source.time_zone)
    cut = History(
        history.lines.where((F.col("transaction_date") < day) & altered()),
        history.events.where((F.col("event_date") < day) & altered()),
        history.users.where(is_before & altered()),
        history.products,
    )
    prior = context.settings.ml.churn.rate_prior_days
    again = customer_features(cut, [day], labelled.first_day, prior, context.source)
    refuse_foresight(labelled.of(day).where(altered()), again)


def train_and_promote(context: StageContext, registry: Registry, labelled: Labelled) -> Chosen:
    """Train, register, and promote unless the model in use is better by more than the margin on the same test rows."""
    settings = context.settings.ml
    before, why_not = _comparable(context, registry)
    candidate = train(labelled, settings)
    version = registry.register(NAME, candidate.model, _example(labelled), _trained(context, candidate, labelled))
    auc = candidate.evaluation["test"]["auc"]
    newest = {
        "version": version.number,
        "mlflow_run": version.run_id,
        "promoted": True,
        "figures": _figures(context, candidate.evaluation, labelled),
    }
    searched = _search(candidate)
    if before is not None:
        old, model = before
        measured = measure(model, float(old.tags["threshold"]), labelled, settings)
        kept = measured["test"]["auc"]
        if auc < kept - settings.churn.margin:
            said = f"version {version.number} is not promoted: AUC {auc:.4f}, version {old.number} has {kept:.4f}"
            training = {"newest": {**newest, "promoted": False}, "search": searched}
            return Chosen(old, measured, training, f"warning: {said}")
    registry.promote(version)
    said = f"version {version.number} is promoted: AUC {auc:.4f}"
    note = f"warning: {why_not}; {said}" if why_not else said
    return Chosen(version, candidate.evaluation, {"newest": newest, "search": searched}, note)


def require_fitting(context: StageContext, registry: Registry, job: str) -> Version:
    """The model in use, if it foretells what is asked for now.

    Raises:
        InputError: If there is none, or it was trained for another horizon or from other features.
    """
    version = registry.require_promoted(NAME, job)
    misfit = _misfit(context, version)
    if misfit:
        raise InputError(
            f"version {version.number} of the model '{NAME}' {misfit}", where=version.uri, remedy=f"train anew: {job}"
        )
    return version


def _misfit(context: StageContext, version: Version) -> str:
    """In what a version differs from what is asked for now; empty where in nothing."""
    asked = _fits(context)
    for name, what in (("horizon_days", "foretells {} days"), ("features", "has other features ({})")):
        if version.tags.get(name) != asked[name]:
            return what.format(version.tags.get(name, "unknown"))
    return ""


def _fits(context: StageContext) -> dict[str, str]:
    """What a version has to agree in with what it is asked for; the features as a hash of their names in order."""
    digest = hashlib.sha256(",".join(FEATURES).encode()).hexdigest()[:16]
    return {"horizon_days": str(context.source.ml.churn_horizon_days), "features": digest}


def _comparable(context: StageContext, registry: Registry) -> tuple[tuple[Version, PipelineModel] | None, str]:
    """The model in use, against which a new one is held, or why there is none that could be.

    A rebuild makes tables anew, and no exception here: that a model is worse is as true after it as before.
    """
    version = registry.promoted(NAME)
    if version is None:
        return None, ""
    misfit = _misfit(context, version)
    if misfit:
        return None, f"version {version.number}, which was in use, {misfit}"
    try:
        return (version, registry.load(version)), ""
    except InputError as error:
        return None, f"version {version.number}, which was in use, is damaged: {error.what}"


def evaluate(context: StageContext, registry: Registry, chosen: Chosen, labelled: Labelled, origin: Origin) -> str:
    """Write the evaluation of the model in use; one that was not made while training is a run of its own in MLflow."""
    settings, layout, dates = context.settings.ml, context.layout, labelled.dates
    version = chosen.version
    found = chosen.evaluation
    if found is None:
        found = measure(registry.load(version), float(version.tags["threshold"]), labelled, settings)
        tags = {"platform_run": context.run_id, "test_date": dates.test.isoformat()}
        registry.log_evaluation(version, Evaluated(metrics(found), tags, documents(found)))
    kept = chosen.training or outputs.read_evaluation(layout, NAME, context.spark) or {}
    rows: pd.DataFrame = found["rows"]
    horizon = context.source.ml.churn_horizon_days
    evaluation = {
        "run_id": context.run_id,
        "origin": origin.as_metadata(""),
        "figures": _figures(context, found, labelled),
        "model": {"version": version.number, "mlflow_run": version.run_id, "tags": dict(version.tags)},
        "dates": {
            "training": [day.isoformat() for day in dates.training],
            "validation": dates.validation.isoformat(),
            "test": dates.test.isoformat(),
            "scoring": dates.scoring.isoformat(),
            "horizon_days": horizon,
            "exposure": labelled.exposure[dates.test],
        },
        **{key: value for key, value in found.items() if key != "rows"},
        **{name: kept.get(name) for name in ("newest", "search")},
    }
    test_rows = context.spark.createDataFrame(rows)
    outputs.write_parquet(test_rows.coalesce(1), layout.path("analytics", "ml", "evaluation", "churn_test"))
    outputs.write_evaluation(context.spark, layout, NAME, evaluation)
    test = found["test"]
    return (
        f"as of {dates.test}: AUC {test['auc']:.4f}, accuracy {test['accuracy']:.4f} (majority "
        f"{test['majority_accuracy']:.4f}), calibration error {test['ece']:.4f}"
    )


def predict(  # noqa: PLR0913, PLR0917 - each is a different thing, and this is the one caller
    context: StageContext,
    registry: Registry,
    version: Version,
    history: History,
    day: date,
    orders: dict[date, int],
) -> tuple[Account, str]:
    """Score every customer as of the day after the data."""
    model = registry.load(version)
    found, _ = features_of(context, history, [day], orders)
    with persisted(found) as rows:
        gate_features(context, rows, 1)
        customers = rows.count()
        tiers, count = context.source.ml.loyalty_tiers, context.settings.ml.churn.reasons
        reasons = with_reasons(model.transform(rows), trees_of(trees_in(model)), count, tiers)
        with persisted(_predictions(context, reasons, version)) as predictions:
            context.gate("train_churn.predictions", predictions, customers=customers)
            path = context.layout.path(PREDICTIONS)
            ordered = predictions.repartition(1).sortWithinPartitions("risk_level", "user_id")
            outputs.write_parquet(ordered, path, ["risk_level"])
            schema = predictions.schema
    written = context.spark.read.parquet(path).count()
    expect_equal("rows of churn_predictions", customers, written, where=path)
    outputs.write_statements(
        context.spark, context.layout, NAME, [outputs.hive_table("churn_predictions", path, schema, ["risk_level"])]
    )
    return Account(customers, written).check("train_churn"), f"{written:,} customers scored as of {day}"


def _figures(context: StageContext, found: dict[str, Any], labelled: Labelled) -> dict[str, Any]:
    horizon = context.source.ml.churn_horizon_days
    return figures(found, labelled.dates.test.isoformat(), horizon, len(found["rows"]))


def _example(labelled: Labelled) -> DataFrame:
    rows = labelled.of(labelled.dates.test).orderBy("user_id").limit(_EXAMPLE_ROWS)
    return rows.select(*FEATURES, "exposure")


def _search(candidate: Candidate) -> dict[str, Any]:
    return {"trials": candidate.trials, "params": candidate.params}


def _trained(context: StageContext, candidate: Candidate, labelled: Labelled) -> Trained:
    return Trained(
        params={**candidate.params, "horizon_days": context.source.ml.churn_horizon_days},
        metrics=metrics(candidate.evaluation),
        tags={
            "threshold": repr(candidate.threshold),
            "test_date": labelled.dates.test.isoformat(),
            "platform_run": context.run_id,
            **_fits(context),
        },
        trials=candidate.trials,
        documents={**documents(candidate.evaluation), "search.json": _search(candidate)},
    )


def _predictions(context: StageContext, rows: DataFrame, version: Version) -> DataFrame:
    probability = F.col("prediction")
    level = F.coalesce(
        *[
            F.when((probability >= F.lit(low)) & (probability < F.lit(high)), F.lit(name))
            for name, (low, high) in level_bounds(context.settings.ml.churn).items()
        ]
    )
    return rows.select(
        "user_id",
        probability.alias("churn_probability"),
        (probability >= float(version.tags["threshold"])).alias("is_churn_predicted"),
        level.alias("risk_level"),
        "reasons",
        "as_of",
        F.lit(context.source.ml.churn_horizon_days).alias("horizon_days"),
        F.lit(version.number).alias("model_version"),
    )
