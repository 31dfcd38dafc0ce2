"""Stars: biases and factors in one model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.errors import InputError
from common.ml.recommender import arrange, dense, fit_factors, make_index
from common.ml.stars import fit_stars
from common.settings import FactorTrial, MlSettings
from common.storage.local_frames import local_frame

TRIAL = FactorTrial(rank=2, reg=0.1, biases=True)
RATED = [
    (f"u{user}", f"p{item}", float(1 + (user * 3 + item * item) % 5))
    for user in range(6)
    for item in range(5)
    if (user + item) % 3
]


@pytest.fixture(scope="module")
def rated(spark: SparkSession) -> DataFrame:
    return local_frame(spark, RATED, "user_id string, product_id string, rating double")


def by_hand(rows: DataFrame) -> tuple[float, dict[int, float], dict[int, float]]:
    """Mean, biases of users and of items, in Python."""
    ratings = [(row["user"], row["item"], row["value"]) for row in rows.collect()]
    mean = sum(value for *_, value in ratings) / len(ratings)
    items: dict[int, float] = {}
    for item in {item for _, item, _ in ratings}:
        rest = [value - mean for _, other, value in ratings if other == item]
        items[item] = sum(rest) / (len(rest) + 5)
    users: dict[int, float] = {}
    for user in {user for user, *_ in ratings}:
        rest = [value - mean - items[item] for other, item, value in ratings if other == user]
        users[user] = sum(rest) / (len(rest) + 5)
    return mean, users, items


def test_a_prediction_is_mean_biases_and_factors(rated: DataFrame, quick: MlSettings, checkpoints: None) -> None:
    index = make_index(rated)
    rows = arrange(rated, index, "rating").persist()
    mean, users, items = by_hand(rows)
    expected = F.lit(mean)
    for key, biases in (("user", users), ("item", items)):
        pairs = [part for number, bias in biases.items() for part in (F.lit(number), F.lit(bias))]
        expected += F.create_map(*pairs)[F.col(key)]
    rest = fit_factors(rows.withColumn("value", F.col("value") - expected), TRIAL, quick, implicit=False)
    p, q = (dense(each, 6, TRIAL.rank) for each in (rest.userFactors, rest.itemFactors))
    for row in fit_stars(rows, TRIAL, quick).transform(rows).collect():
        user, item = row["user"], row["item"]
        wanted = mean + users[user] + items[item] + float(p[user] @ q[item])
        assert row["prediction"] == pytest.approx(wanted, abs=1e-5)


def test_it_does_not_depend_on_partitions(rated: DataFrame, quick: MlSettings, checkpoints: None) -> None:
    index = make_index(rated)
    found: list[Any] = []
    for partitions in (1, 4):
        model = fit_stars(arrange(rated.repartition(partitions), index, "rating"), TRIAL, quick)
        found.append(dense(model.userFactors, len(index.users), TRIAL.rank + 2))
    assert np.array_equal(found[0], found[1])


def test_who_is_not_known_has_no_prediction(
    spark: SparkSession, rated: DataFrame, quick: MlSettings, checkpoints: None
) -> None:
    model = fit_stars(arrange(rated, make_index(rated), "rating"), TRIAL, quick)
    (row,) = model.transform(local_frame(spark, [(99, 0)], "user int, item int")).collect()
    assert np.isnan(row["prediction"])


def test_without_biases_it_is_the_plain_factorisation(rated: DataFrame, quick: MlSettings, checkpoints: None) -> None:
    rows = arrange(rated, make_index(rated), "rating").persist()
    plain = TRIAL.model_copy(update={"biases": False})
    found, wanted = fit_stars(rows, plain, quick), fit_factors(rows, plain, quick, implicit=False)
    assert np.array_equal(dense(found.userFactors, 6, TRIAL.rank), dense(wanted.userFactors, 6, TRIAL.rank))


@pytest.mark.parametrize("biases", [True, False])
def test_no_ratings_at_all(rated: DataFrame, quick: MlSettings, *, biases: bool) -> None:
    trial = TRIAL.model_copy(update={"biases": biases})
    with pytest.raises(InputError, match="no ratings to learn from"):
        fit_stars(arrange(rated.limit(0), make_index(rated), "rating"), trial, quick)
