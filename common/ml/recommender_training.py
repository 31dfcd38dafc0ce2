"""Training of the recommender: the search, the model that is measured, and the one that is used.

The search looks at the days right before those of the test; the best of each kind is trained on everything before the
test and measured on it. The model that is used is then trained with the same parameters on all days.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.ml.recommendation import ALSModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.errors import TooLittleDataError
from common.ml.baselines import fit_biases
from common.ml.dates import Period
from common.ml.interactions import interactions, newest_ratings
from common.ml.later import later_than
from common.ml.ranking_evaluation import EVALUATED, RankingData, model_figures, ranking_data
from common.ml.ratings_evaluation import rating_figures
from common.ml.recommender import Factors, Index, arrange, as_pipeline, fit_factors, make_index
from common.ml.stars import fit_stars
from common.settings import FactorTrial, MlSettings
from common.storage.persisting import persisted


@dataclass(frozen=True)
class Past:
    """What is learned from, persisted.

    Attributes:
        ratings: From `interactions.ratings`; None in a shop that has none.
        daily: From `daily_interactions`.
        test: The days held out.
        settings: How to learn.
    """

    ratings: DataFrame | None
    daily: DataFrame
    test: Period
    settings: MlSettings

    def rated_before(self, day: date) -> DataFrame:
        """The newest stars for each pair from before a day."""
        return newest_ratings(self._rated().where(F.col("rated_on") < day))

    def rated_in(self, period: Period) -> pd.DataFrame:
        """Ratings of some days in memory, sorted by key; at most as many as settings allow, the first by key's hash."""
        inside = (F.col("rated_on") >= period.first) & (F.col("rated_on") < period.end)
        chosen = self._rated().where(inside).select("user_id", "product_id", "rating", "transaction_id")
        limited = chosen.orderBy(F.xxhash64("transaction_id"), "transaction_id").limit(self.settings.evaluation_rows)
        found: pd.DataFrame = limited.toPandas()
        return found.sort_values("transaction_id", ignore_index=True)

    def _rated(self) -> DataFrame:
        if self.ratings is None:
            raise ValueError("a shop without ratings has none to learn from")
        return self.ratings


@dataclass(frozen=True)
class Chosen:
    """The parameters that did best, and what else was tried."""

    explicit: FactorTrial | None
    implicit: FactorTrial
    trials: list[dict[str, Any]]


def index_before(past: Past, day: date) -> Index:
    """The customers and products that are known before a day.

    Raises:
        TooLittleDataError: If there are too few to learn from.
    """
    index = make_index(past.daily.where(F.col("day") < day))
    needed = max(past.settings.recommendations.min_users, _largest_rank(past.settings) + 1)
    if len(index.users) < needed:
        raise TooLittleDataError(
            f"{len(index.users)} customers have a past before {day}, {needed} are needed to learn tastes",
            where="warehouse/lake",
            remedy="load more data, or set ml.recommendations.min_users and the ranks lower",
        )
    return index


def search(past: Past) -> Chosen:
    """Try the parameters on the days before the test."""
    recommendations = past.settings.recommendations
    period = past.test.before(recommendations.test_days)
    index = index_before(past, period.first)
    trials: list[dict[str, Any]] = []
    if past.ratings is not None and past.rated_before(period.first).isEmpty():
        raise TooLittleDataError(
            f"there are no ratings before {period.first}, from which stars are learned",
            where="transactions.rating",
            remedy="load older ones, or name `rating` as absent",
        )
    explicit = _search_stars(past, index, period, trials) if past.ratings is not None else None
    name = f"ndcg_at_{EVALUATED}"
    with (
        later_than(past.daily, period, recommendations.evaluation_users) as later,
        arranged(later.known, index, "strength") as rows,
    ):
        data = ranking_data(later, index)

        def quality(trial: FactorTrial) -> float:
            model = fit_factors(rows, trial, _quick(past.settings), implicit=True)
            return _ranked(data, index, model, EVALUATED)[name]

        implicit = _best(recommendations.implicit_trials, quality, trials, f"validation_{name}", 1.0)
    return Chosen(explicit, implicit, trials)


def fit(past: Past, before: date, chosen: Chosen, index: Index) -> PipelineModel:
    """Train both factorisations on everything before a day."""
    explicit = None
    if chosen.explicit is not None:
        with arranged(past.rated_before(before), index, "rating") as rows:
            explicit = fit_stars(rows, chosen.explicit, past.settings)
    with arranged(interactions(past.daily, before), index, "strength") as rows:
        implicit = fit_factors(rows, chosen.implicit, past.settings, implicit=True)
    return as_pipeline(index, explicit, implicit)


def rating_quality(past: Past, model: PipelineModel, index: Index) -> dict[str, Any] | None:
    """Figures of stars on the test's days; None in a shop without ratings.

    Raises:
        TooLittleDataError: If nobody rated anything before the test, or within it.
    """
    if past.ratings is None:
        return None
    test = past.rated_in(past.test)
    if test.empty:
        raise TooLittleDataError(
            f"there are no ratings from {past.test.first} on", where="transactions.rating", remedy="load some"
        )
    train: pd.DataFrame = arrange(past.rated_before(past.test.first), index, "rating").toPandas()
    spark = past.daily.sparkSession
    pairs = spark.createDataFrame(test[["user_id", "product_id", "transaction_id"]])
    said: pd.DataFrame = model.transform(pairs).select("transaction_id", "prediction").toPandas()
    both = test.merge(said, on="transaction_id", how="inner", validate="one_to_one")
    users, items, values = (train[name].to_numpy() for name in ("user", "item", "value"))
    biases = fit_biases(users, items, values.astype(np.float64), (len(index.users), len(index.items)))
    return rating_figures(both, biases, index)


def arranged(pairs: DataFrame, index: Index, value: str) -> AbstractContextManager[DataFrame]:
    """Pairs as ALS is to see them, computed once."""
    return persisted(arrange(pairs, index, value))


def _search_stars(past: Past, index: Index, period: Period, trials: list[dict[str, Any]]) -> FactorTrial:
    """By the RMSE of warm pairs alone: for the others no parameter matters. Infinite where there are none."""
    later = past.rated_in(period)
    users, items = index.places(later["user_id"], index.users), index.places(later["product_id"], index.items)
    known = (users >= 0) & (items >= 0)
    pairs = pd.DataFrame({"user": users[known], "item": items[known], "rating": later["rating"].to_numpy()[known]})
    asked = past.daily.sparkSession.createDataFrame(pairs, "user int, item int, rating double")
    with arranged(past.rated_before(period.first), index, "rating") as rows:

        def quality(trial: FactorTrial) -> float:
            model = fit_stars(rows, trial, _quick(past.settings))
            found: pd.DataFrame = model.transform(asked).select("prediction", "rating").toPandas()
            off = (found["prediction"].clip(1.0, 5.0) - found["rating"]).dropna().sort_values()
            return -float(np.sqrt((off**2).mean())) if len(off) else -float("inf")

        return _best(past.settings.recommendations.explicit_trials, quality, trials, "validation_rmse", -1.0)


def _quick(settings: MlSettings) -> MlSettings:
    """Fewer iterations: enough to tell parameters apart."""
    recommendations = settings.recommendations
    fewer = recommendations.model_copy(update={"max_iter": recommendations.search_iter})
    return settings.model_copy(update={"recommendations": fewer})


def _ranked(data: RankingData, index: Index, model: ALSModel, count: int) -> dict[str, float]:
    return model_figures(data, Factors(model, index.users, index.items), count)


def _best(
    trials: tuple[FactorTrial, ...],
    quality: Callable[[FactorTrial], float],
    tried: list[dict[str, Any]],
    name: str,
    sign: float,
) -> FactorTrial:
    """The trial of the highest quality, the earlier one of equals; each is written down."""
    values = []
    for trial in trials:
        values.append(quality(trial))
        measured = sign * values[-1] if np.isfinite(values[-1]) else None
        tried.append({**trial.model_dump(), name: measured})
    return trials[values.index(max(values))]


def _largest_rank(settings: MlSettings) -> int:
    recommendations = settings.recommendations
    return max(trial.rank for trial in (*recommendations.explicit_trials, *recommendations.implicit_trials))
