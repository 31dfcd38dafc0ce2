"""train_recommendations: what each customer is likely to buy next, which products are alike, and how well we know."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from pyspark.sql import functions as F

from common.errors import TooLittleDataError
from common.job import Stage, StageContext, StageResult
from common.ml import outputs
from common.ml.dates import Period
from common.ml.interactions import (
    customer_segments,
    daily_interactions,
    products_on_sale,
    ratings,
)
from common.ml.lineage import checkpointed
from common.ml.recommender_evaluation import Measured, measure
from common.ml.recommender_training import Chosen, Past, fit, index_before, search
from common.ml.registry import Evaluated, Registry, Trained, Version, load_mlflow
from common.stages.dimensions import DIM_PRODUCTS
from common.stages.facts import FACT_TRANSACTIONS
from common.stages.learning import INPUTS, completing, is_done, learning_origin, read_history
from common.stages.origins import Origin
from common.stages.recommendations_promotion import as_text, held_against, parameters_of
from common.stages.recommendations_tables import NAME, TABLES, Shop, fill_tables
from common.storage.persisting import persisted

STEPS = ("train", "evaluate", "recommend")
_EXAMPLE_ROWS = 5


def run(context: StageContext, steps: Sequence[str] = STEPS) -> StageResult:
    """Train, evaluate and recommend, or some of it; without training the promoted model is used.

    Args:
        context: The stage's.
        steps: Some of STEPS.

    Raises:
        InputError: No sales, no ratings in a shop that has them, too few customers, no promoted model, a damaged one.
        GateFailedError: A gate is closed.
    """
    origin = learning_origin(context)
    whole = tuple(steps) == STEPS
    if whole and is_done(context, NAME, origin):
        return StageResult("skipped", notes=("the facts have not changed",))
    threading.Thread(target=load_mlflow, daemon=True).start()
    registry = Registry(context.layout, context.settings.ml)
    if "train" not in steps:
        registry.require_promoted(NAME, TRAIN_RECOMMENDATIONS.name)
    notes: list[str] = []
    scratch = checkpointed(context.spark, context.layout.path("checkpoints", "ml"))
    with completing(context, NAME, origin, whole=whole), scratch, _shop(context, origin) as shop:
        if "train" in steps:
            notes += _train(context, registry, shop, origin)
        elif "evaluate" in steps:
            notes += _evaluate(context, registry, shop)
        if "recommend" in steps:
            version = registry.require_promoted(NAME, TRAIN_RECOMMENDATIONS.name)
            notes.append(fill_tables(context, registry.load(version), version, shop))
    return StageResult("ok", notes=tuple(notes))


@contextmanager
def _shop(context: StageContext, origin: Origin) -> Iterator[Shop]:
    """Ratings and interactions, once they have passed their gates."""
    history = read_history(context, origin)
    settings = context.settings.ml.recommendations
    day = context.date
    lines = history.lines if day is None else history.lines.where(F.col("transaction_date") <= F.lit(day))
    events = history.events if day is None else history.events.where(F.col("event_date") <= F.lit(day))
    last = lines.where("quantity > 0").agg(F.max("transaction_date")).first()
    if last is None or last[0] is None:
        raise TooLittleDataError("there are no sales", where=FACT_TRANSACTIONS, remedy="load transactions first")
    end = last[0] + timedelta(days=1)
    daily = daily_interactions(replace(history, lines=lines, events=events), settings).where(F.col("day") < F.lit(end))
    with persisted(daily) as kept, persisted(ratings(lines)) as rated:
        if kept.isEmpty():
            raise TooLittleDataError(
                "no known customer had to do with a known product",
                where=FACT_TRANSACTIONS,
                remedy="load users and products",
            )
        context.gate("train_recommendations.interactions", kept)
        has_ratings = "rating" not in (
            context.source.datasets["transactions"].absent if context.source.datasets else ()
        )
        if has_ratings:
            if rated.isEmpty():
                raise TooLittleDataError(
                    "there are no ratings", where=FACT_TRANSACTIONS, remedy="load some, or name `rating` as absent"
                )
            context.gate("train_recommendations.ratings", rated)
        test = Period(end - timedelta(days=settings.test_days), end)
        past = Past(rated if has_ratings else None, kept, test, context.settings.ml)
        on_sale = products_on_sale(history.products, context.source)
        if on_sale.isEmpty():
            raise TooLittleDataError(
                "no product is on sale", where=DIM_PRODUCTS, remedy="load products, or mark some as active"
            )
        with persisted(on_sale) as sold, persisted(customer_segments(history.users)) as segments:
            yield Shop(past, end, sold, segments)


def _train(context: StageContext, registry: Registry, shop: Shop, origin: Origin) -> list[str]:
    """Search, measure, train on everything, register, and promote unless it is worse than what is in use.

    So with a rebuild as well: it makes tables anew, and that a model is worse is as true after it as before.
    """
    before = registry.promoted(NAME)
    chosen = search(shop.past)
    measured = measure(shop.past, chosen, shop.on_sale, shop.segments)
    model = fit(shop.past, shop.end, chosen, index_before(shop.past, shop.end))
    searched = {
        "trials": chosen.trials,
        "explicit": chosen.explicit.model_dump() if chosen.explicit else None,
        "implicit": chosen.implicit.model_dump(),
    }
    pairs = shop.past.daily.select("user_id", "product_id").distinct().orderBy("user_id", "product_id")
    trained = Trained(
        params=_params(chosen, context, shop),
        metrics=measured.metrics,
        tags={"platform_run": context.run_id, "trained_until": shop.end.isoformat(), "parameters": as_text(chosen)},
        trials=chosen.trials,
        documents={"evaluation.json": measured.evaluation, "search.json": searched},
    )
    version = registry.register(NAME, model, pairs.limit(_EXAMPLE_ROWS), trained)
    worse, why_not = held_against(registry, shop, chosen, measured, before)
    if not worse:
        registry.promote(version)
    newest = {
        "version": version.number,
        "mlflow_run": version.run_id,
        "promoted": not worse,
        "figures": measured.figures,
    }
    more = {"newest": newest, "search": searched, "origin": origin.as_metadata("")}
    if worse:
        kept = outputs.read_evaluation(context.layout, NAME, context.spark)
        if kept is not None:
            outputs.write_evaluation(context.spark, context.layout, NAME, {**kept, **more})
        return [f"warning: version {version.number} is not promoted: {worse}", _said(measured)]
    _write(context, measured, version, more)
    said = f"version {version.number} is promoted"
    return [f"warning: {why_not}; {said}" if why_not else said, _said(measured)]


def _evaluate(context: StageContext, registry: Registry, shop: Shop) -> list[str]:
    """Measure the parameters of the model in use; it has itself seen the days of the test, and is not asked."""
    version = registry.require_promoted(NAME, TRAIN_RECOMMENDATIONS.name)
    measured = measure(shop.past, parameters_of(version), shop.on_sale, shop.segments)
    tags = {"platform_run": context.run_id, "test_from": shop.past.test.first.isoformat()}
    registry.log_evaluation(version, Evaluated(measured.metrics, tags, {"evaluation.json": measured.evaluation}))
    kept = outputs.read_evaluation(context.layout, NAME, context.spark) or {}
    _write(context, measured, version, {name: kept.get(name) for name in ("newest", "search", "origin")})
    return [_said(measured)]


def _write(context: StageContext, measured: Measured, version: Version, more: dict[str, Any]) -> None:
    layout = context.layout
    pairs = context.spark.createDataFrame(measured.pairs, "user_id string, product_id string, role string")
    outputs.write_parquet(pairs.coalesce(1), layout.path("analytics", "ml", "evaluation", "recommendations_test"))
    evaluation = {
        "run_id": context.run_id,
        "figures": measured.figures,
        "model": {"version": version.number, "mlflow_run": version.run_id, "tags": dict(version.tags)},
        **measured.evaluation,
        **more,
    }
    outputs.write_evaluation(context.spark, layout, NAME, evaluation)


def _said(measured: Measured) -> str:
    figures = measured.figures
    ranked = [figures[f"{name}ndcg_at_10"] for name in ("", "popularity_", "item_item_")]
    said = "NDCG@10 {:.4f} (popularity {:.4f}, item-item {:.4f})".format(*ranked)
    if figures["rmse"] is not None:
        said += f", RMSE {figures['rmse']:.4f} (biases {figures['bias_rmse']:.4f}), MAE {figures['mae']:.4f}"
    return said


def _params(chosen: Chosen, context: StageContext, shop: Shop) -> dict[str, object]:
    settings = context.settings.ml
    found: dict[str, object] = {"seed": settings.seed, "max_iter": settings.recommendations.max_iter}
    for kind, trial in (("explicit", chosen.explicit), ("implicit", chosen.implicit)):
        if trial is not None:
            found |= {f"{kind}_{name}": value for name, value in trial.model_dump().items()}
    return found | {"test_from": shop.past.test.first.isoformat(), "trained_until": shop.end.isoformat()}


TRAIN_RECOMMENDATIONS = Stage(
    name="train_recommendations",
    title="learn tastes, and recommend products to every customer",
    inputs=INPUTS,
    outputs=(TABLES, "models/recommendations", "analytics/ml/evaluation/recommendations"),
    run=run,
    suites=tuple(
        f"train_recommendations.{name}" for name in ("interactions", "ratings", "for_customers", "similar_products")
    ),
)


def with_steps(steps: Sequence[str]) -> Stage:
    """The stage with some of its steps."""
    return replace(TRAIN_RECOMMENDATIONS, run=partial(run, steps=tuple(steps)))
