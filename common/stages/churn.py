"""train_churn: a model of who stops buying, its evaluation, and every customer's risk with its reasons."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial

from pyspark.sql import functions as F

from common.errors import TooLittleDataError
from common.job import Stage, StageContext, StageResult
from common.ml.churn_training import Labelled
from common.ml.dates import ChurnDates, churn_dates
from common.ml.lineage import checkpointed
from common.ml.registry import Registry, load_mlflow
from common.stages.churn_steps import (
    NAME,
    PREDICTIONS,
    Chosen,
    evaluate,
    features_of,
    gate_features,
    predict,
    refuse_leaks,
    require_fitting,
    train_and_promote,
)
from common.stages.facts import FACT_TRANSACTIONS
from common.stages.learning import INPUTS, completing, is_done, learning_origin, read_history
from common.stages.origins import Origin
from common.storage.persisting import persisted
from common.transforms.customer_days import History, is_purchase
from common.transforms.features import with_label

STEPS = ("train", "evaluate", "predict")


def run(context: StageContext, steps: Sequence[str] = STEPS) -> StageResult:
    """Train, evaluate and predict, or some of it; without training the promoted model is used.

    Args:
        context: The stage's.
        steps: Some of STEPS.

    Raises:
        InputError: No sales, one class of label, too short a history, no promoted model, or a damaged one.
        GateFailedError: A gate is closed, or a feature knows the future.
    """
    origin = learning_origin(context)
    whole = tuple(steps) == STEPS
    if whole and is_done(context, NAME, origin):
        return StageResult("skipped", notes=("the facts have not changed",))
    threading.Thread(target=load_mlflow, daemon=True).start()
    with completing(context, NAME, origin, whole=whole):
        return _work(context, steps, origin)


def _work(context: StageContext, steps: Sequence[str], origin: Origin) -> StageResult:
    registry = Registry(context.layout, context.settings.ml)
    history = read_history(context, origin)
    orders, dates = _calendar(context, history)
    notes: list[str] = []
    chosen = None if "train" in steps else Chosen(require_fitting(context, registry, TRAIN_CHURN.name))
    if {"train", "evaluate"} & set(steps):
        scratch = checkpointed(context.spark, context.layout.path("checkpoints", "ml"))
        with scratch, _labelled(context, history, dates, orders) as labelled:
            if chosen is None:
                refuse_leaks(context, history, labelled)
                chosen = train_and_promote(context, registry, labelled)
                notes.append(chosen.note)
            if chosen.evaluation is not None or "evaluate" in steps:
                notes.append(evaluate(context, registry, chosen, labelled, origin))
    account = None
    if "predict" in steps:
        promoted = require_fitting(context, registry, TRAIN_CHURN.name)
        account, note = predict(context, registry, promoted, history, dates.scoring, orders)
        notes.append(note)
    return StageResult("ok", account, notes=tuple(notes))


def _calendar(context: StageContext, history: History) -> tuple[dict[date, int], ChurnDates]:
    """Orders by day up to the run's date, and the as-of dates that they allow."""
    daily = history.lines.where(is_purchase()).groupBy("transaction_date").agg(F.count_distinct("order_id").alias("n"))
    orders = {row["transaction_date"]: row["n"] for row in daily.collect()}
    last_day = max((day for day in orders if context.date is None or day <= context.date), default=None)
    if last_day is None:
        raise TooLittleDataError("there are no sales", where=FACT_TRANSACTIONS, remedy="load transactions first")
    settings = context.settings.ml.churn
    dates = churn_dates(
        min(orders), last_day, context.source.ml.churn_horizon_days, settings.step_days, settings.min_history_days
    )
    return orders, dates


@contextmanager
def _labelled(
    context: StageContext, history: History, dates: ChurnDates, orders: dict[date, int]
) -> Iterator[Labelled]:
    """The labelled rows of all dates, once they have passed their gate."""
    found, exposure = features_of(context, history, dates.labelled, orders)
    rows = with_label(found, history.lines, context.source.ml.churn_horizon_days)
    with persisted(rows) as kept:
        counts = {row["as_of"]: row["count"] for row in kept.groupBy("as_of").count().collect()}
        wanted = context.settings.ml.churn.min_rows
        if context.may_learn_nothing and sum(counts.values()) < wanted:
            raise TooLittleDataError(
                f"{sum(counts.values())} rows are too few to learn churn from",
                where=FACT_TRANSACTIONS,
                remedy=f"{wanted} are needed; wait, or set ml.churn.min_rows lower",
            )
        gate_features(context, kept, wanted)
        yield Labelled(kept.drop("newest_input"), counts, dates, exposure, min(orders))


TRAIN_CHURN = Stage(
    name="train_churn",
    title="learn who stops buying, and score every customer",
    inputs=INPUTS,
    outputs=(PREDICTIONS, "models/churn", "analytics/ml/evaluation/churn"),
    run=run,
    suites=("train_churn.features", "train_churn.predictions"),
)


def with_steps(steps: Sequence[str]) -> Stage:
    """The stage with some of its steps."""
    return replace(TRAIN_CHURN, run=partial(run, steps=tuple(steps)))
