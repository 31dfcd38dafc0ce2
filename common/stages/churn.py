"""train_churn: a model of who stops buying, its evaluation, and every customer's risk with its reasons."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.errors import InputError
from common.job import Stage, StageContext, StageResult
from common.ml import outputs
from common.ml.churn_evaluation import altered, figures, level_bounds, refuse_foresight
from common.ml.churn_model import trees_in
from common.ml.churn_training import Candidate, Labelled, measure, train
from common.ml.dates import ChurnDates, churn_dates
from common.ml.demand import exposures
from common.ml.reasons import with_reasons
from common.ml.registry import Registry, Trained, Version, load_mlflow
from common.ml.trees import trees_of
from common.quality.accounting import Account, expect_equal
from common.settings import configuration_fingerprint
from common.stages.dimensions import DIM_PRODUCTS, DIM_USERS
from common.stages.facts import FACT_CLICKSTREAM, FACT_TRANSACTIONS
from common.stages.tables import Origin, origin_of, read_lake
from common.storage import delta
from common.transforms.customer_days import History, is_purchase
from common.transforms.features import FEATURES, customer_features, out_of_range, with_exposure, with_label

NAME = "churn"
STEPS = ("train", "evaluate", "predict")
PREDICTIONS = "analytics/ml/churn_predictions"
_INPUTS = (FACT_TRANSACTIONS, FACT_CLICKSTREAM, DIM_USERS, DIM_PRODUCTS)
_EXAMPLE_ROWS = 5


@dataclass(frozen=True)
class _Chosen:
    """The model in use, and what is known of it.

    Attributes:
        version: Its version.
        evaluation: Its figures on the test date, where they were measured already.
        search: What the newest training tried, where there was one.
        note: What became of that.
    """

    version: Version
    evaluation: dict[str, Any] | None = None
    search: dict[str, Any] | None = None
    note: str = ""


def run(context: StageContext, steps: Sequence[str] = STEPS) -> StageResult:
    """Train, evaluate and predict, or some of it; without training the promoted model is used.

    Args:
        context: The stage's.
        steps: Some of STEPS.

    Raises:
        InputError: No sales, one class of label, too short a history, no promoted model, or a damaged one.
        GateFailedError: A gate is closed, or a feature knows the future.
    """
    origin = origin_of(context, _INPUTS, _basis(context))
    if tuple(steps) == STEPS and _is_done(context, origin):
        return StageResult("skipped", notes=("the facts have not changed",))
    threading.Thread(target=load_mlflow, daemon=True).start()
    registry = Registry(context.layout, context.settings.ml)
    history = _read(context, origin)
    orders, dates = _calendar(context, history)
    notes: list[str] = []
    chosen = None if "train" in steps else _Chosen(registry.require_promoted(NAME, TRAIN_CHURN.name))
    if {"train", "evaluate"} & set(steps):
        with _labelled(context, history, dates, orders) as labelled:
            if chosen is None:
                _refuse_foresight(context, history, labelled)
                chosen = _train(context, registry, labelled)
                notes.append(chosen.note)
            if "evaluate" in steps:
                notes.append(_evaluate(context, registry, chosen, labelled, origin))
    account = None
    if "predict" in steps:
        promoted = registry.require_promoted(NAME, TRAIN_CHURN.name)
        account, note = _predict(context, registry, promoted, history, dates.scoring, orders)
        notes.append(note)
    return StageResult("ok", account, notes=tuple(notes))


def _basis(context: StageContext) -> str:
    return f"{context.basis}:{configuration_fingerprint(context.settings.ml, context.source.ml)}"


def _is_done(context: StageContext, origin: Origin) -> bool:
    """Whether all of it was made from the same, and is still there."""
    layout = context.layout
    found = outputs.read_evaluation(layout, NAME)
    if context.rebuild or found is None or not layout.local(PREDICTIONS, "_SUCCESS").exists():
        return False
    return found.get("origin") == origin.as_metadata("") and layout.local("models", NAME).is_dir()


def _read(context: StageContext, origin: Origin) -> History:
    frames = []
    for table in _INPUTS:
        if origin.inputs[table] is None:
            read_lake(context, table.rpartition("/")[2])  # raises with the table's name
        frames.append(delta.read(context.spark, context.layout.path(table), origin.inputs[table]))
    return History(*frames)


def _calendar(context: StageContext, history: History) -> tuple[dict[date, int], ChurnDates]:
    """Orders by day up to the run's date, and the as-of dates that they allow."""
    daily = history.lines.where(is_purchase()).groupBy("transaction_date").agg(F.count_distinct("order_id").alias("n"))
    orders = {row["transaction_date"]: row["n"] for row in daily.collect()}
    last_day = max((day for day in orders if context.date is None or day <= context.date), default=None)
    if last_day is None:
        raise InputError("there are no sales", where=FACT_TRANSACTIONS, remedy="load transactions first")
    settings = context.settings.ml.churn
    dates = churn_dates(
        min(orders), last_day, context.source.ml.churn_horizon_days, settings.step_days, settings.min_history_days
    )
    return orders, dates


def _features(
    context: StageContext, history: History, dates: Sequence[date], orders: dict[date, int]
) -> tuple[DataFrame, dict[date, float]]:
    source, settings = context.source, context.settings.ml.churn
    exposure = exposures(orders, source.ml.promotions, dates, source.ml.churn_horizon_days)
    found = customer_features(history, dates, min(orders), settings.rate_prior_days, source)
    return with_exposure(found, exposure), exposure


@contextmanager
def _labelled(
    context: StageContext, history: History, dates: ChurnDates, orders: dict[date, int]
) -> Iterator[Labelled]:
    """The labelled rows of all dates, once they have passed their gate."""
    found, exposure = _features(context, history, dates.labelled, orders)
    rows = with_label(found, history.lines, context.source.ml.churn_horizon_days)
    with context.persisted(rows) as kept:
        counts = {row["as_of"]: row["count"] for row in kept.groupBy("as_of").count().collect()}
        _gate_features(context, kept, context.settings.ml.churn.min_rows)
        yield Labelled(kept.drop("newest_input"), counts, dates, exposure, min(orders))


def _gate_features(context: StageContext, rows: DataFrame, min_rows: int) -> None:
    is_past = F.coalesce(F.col("newest_input") < F.col("as_of"), F.lit(False))
    looked_at = rows.select(
        "as_of", "user_id", "exposure", is_past.alias("is_past"), out_of_range().alias("out_of_range")
    )
    context.gate("train_churn.features", looked_at, min_rows=min_rows)


def _refuse_foresight(context: StageContext, history: History, labelled: Labelled) -> None:
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


def _train(context: StageContext, registry: Registry, labelled: Labelled) -> _Chosen:
    """Train, register, and promote unless the model in use does better on the same test rows."""
    settings = context.settings.ml
    before = registry.promoted(NAME)
    candidate = train(labelled, settings)
    version = registry.register(NAME, candidate.model, _example(labelled), _trained(context, candidate, labelled))
    auc = candidate.evaluation["test"]["auc"]
    newest = {"version": version.number, "run_id": version.run_id, "auc": auc, "params": candidate.params}
    search = {"trials": candidate.trials, "newest": newest}
    if before is not None:
        measured = measure(registry.load(before), float(before.tags["threshold"]), labelled, settings)
        kept = measured["test"]["auc"]
        if auc < kept - settings.churn.margin:
            said = f"version {version.number} is not promoted: AUC {auc:.4f}, version {before.number} has {kept:.4f}"
            return _Chosen(before, measured, search, f"warning: {said}")
    registry.promote(version)
    return _Chosen(version, candidate.evaluation, search, f"version {version.number} is promoted: AUC {auc:.4f}")


def _evaluate(context: StageContext, registry: Registry, chosen: _Chosen, labelled: Labelled, origin: Origin) -> str:
    """Write the evaluation of the model in use."""
    settings, layout, dates = context.settings.ml, context.layout, labelled.dates
    version = chosen.version
    found = chosen.evaluation
    if found is None:
        found = measure(registry.load(version), float(version.tags["threshold"]), labelled, settings)
    rows: pd.DataFrame = found["rows"]
    horizon = context.source.ml.churn_horizon_days
    evaluation = {
        "run_id": context.run_id,
        "origin": origin.as_metadata(""),
        "figures": figures(found, dates.test.isoformat(), horizon, len(rows)),
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
        "search": chosen.search or (outputs.read_evaluation(layout, NAME) or {}).get("search"),
    }
    test_rows = context.spark.createDataFrame(rows)
    outputs.write_parquet(test_rows.coalesce(1), layout.path("analytics", "ml", "evaluation", "churn_test"))
    outputs.write_evaluation(context.spark, layout, NAME, evaluation)
    test = found["test"]
    return (
        f"as of {dates.test}: AUC {test['auc']:.4f}, accuracy {test['accuracy']:.4f} (majority "
        f"{test['majority_accuracy']:.4f}), calibration error {test['ece']:.4f}"
    )


def _predict(  # noqa: PLR0913, PLR0917 - each is a different thing, and this is the one caller
    context: StageContext,
    registry: Registry,
    version: Version,
    history: History,
    day: date,
    orders: dict[date, int],
) -> tuple[Account, str]:
    """Score every customer as of the day after the data."""
    model = registry.load(version)
    features, _ = _features(context, history, [day], orders)
    with context.persisted(features) as rows:
        _gate_features(context, rows, 1)
        customers = rows.count()
        reasons = with_reasons(model.transform(rows), trees_of(trees_in(model)), context.settings.ml.churn.reasons)
        with context.persisted(_predictions(context, reasons, version)) as predictions:
            context.gate("train_churn.predictions", predictions, customers=customers)
            path = context.layout.path(PREDICTIONS)
            ordered = predictions.repartition(1).sortWithinPartitions("risk_level", "user_id")
            outputs.write_parquet(ordered, path, ["risk_level"])
            schema = predictions.schema
    written = context.spark.read.parquet(path).count()
    expect_equal("rows of churn_predictions", customers, written, where=path)
    outputs.write_statements(
        context.layout, NAME, [outputs.hive_table("churn_predictions", path, schema, ["risk_level"])]
    )
    return Account(customers, written).check("train_churn"), f"{written:,} customers scored as of {day}"


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


def _example(labelled: Labelled) -> DataFrame:
    rows = labelled.of(labelled.dates.test).orderBy("user_id").limit(_EXAMPLE_ROWS)
    return rows.select(*FEATURES, "exposure")


def _trained(context: StageContext, candidate: Candidate, labelled: Labelled) -> Trained:
    test = candidate.evaluation["test"]
    names = ("auc", "accuracy", "majority_accuracy", "precision", "recall", "log_loss", "brier", "ece")
    baselines = candidate.evaluation["baselines"]["recency"]
    metrics = {name: test[name] for name in names} | {
        "recency_auc": baselines["auc"],
        "recency_accuracy": baselines["accuracy"],
    }
    return Trained(
        params={**candidate.params, "horizon_days": context.source.ml.churn_horizon_days},
        metrics=metrics,
        tags={
            "threshold": repr(candidate.threshold),
            "test_date": labelled.dates.test.isoformat(),
            "platform_run": context.run_id,
        },
        trials=candidate.trials,
        documents={
            "calibration.json": {"bins": test["calibration"]},
            "lift.json": {"deciles": test["lift"]},
            "importance.json": {"features": candidate.evaluation["importance"]},
            "confusion.json": test["confusion"],
            "search.json": {"trials": candidate.trials, "params": candidate.params},
        },
    )


TRAIN_CHURN = Stage(
    name="train_churn",
    title="learn who stops buying, and score every customer",
    inputs=_INPUTS,
    outputs=(PREDICTIONS, "models/churn", "analytics/ml/evaluation/churn"),
    run=run,
    suites=("train_churn.features", "train_churn.predictions"),
)


def with_steps(steps: Sequence[str]) -> Stage:
    """The stage with some of its steps."""
    return replace(TRAIN_CHURN, run=partial(run, steps=tuple(steps)))
