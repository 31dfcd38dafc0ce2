"""Stars: a factorisation of ratings, or of what biases leave of them.

Where ratings differ by customer (some are never pleased) and by product more than by taste, taking that out first
leaves the factorisation taste alone (Koren, Bell and Volinsky 2009, "Adding biases"):

    rating = mean + bias of the customer + bias of the product + factors of the customer * factors of the product

Where customers rate what they like anyway, a product's mean says who bought it, and the plain factorisation is the
better one; the search tries both. Two more factors hold the biases, a constant one against each, so that the result is
an ordinary ALSModel: it is saved, registered and asked like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from pyspark.ml.recommendation import ALSModel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from common.errors import TooLittleDataError
from common.ml.recommender import fit_factors
from common.settings import FactorTrial, MlSettings

# Ratings that count for nothing, added to those of each customer and product.
_SHRINKAGE = 5.0


@dataclass(frozen=True)
class _Biases:
    """Mean, and frames of `user` or `item` and `bias` that hold no lineage."""

    mean: float
    users: DataFrame
    items: DataFrame


def fit_stars(rows: DataFrame, trial: FactorTrial, settings: MlSettings) -> ALSModel:
    """Fit factors to stars, or biases and factors.

    Args:
        rows: user, item, value, from `recommender.arrange`, persisted; its one partition in one order makes sums of
            doubles the same everywhere.
        trial: Rank and regularisation of the factors.
        settings: Iterations, blocks and seed.

    Returns:
        A model of the rank, with biases of rank + 2, whose prediction is the rating, not yet kept within the range of
        stars; NaN for a customer or product without ratings.

    Raises:
        TooLittleDataError: If there are no rows.
    """
    if not trial.biases:
        if rows.isEmpty():
            raise _no_ratings()
        return fit_factors(rows, trial, settings, implicit=False)
    biases = _fit_biases(rows)
    expected = F.lit(biases.mean) + F.col("user_bias") + F.col("item_bias")
    rest = (
        rows.join(F.broadcast(_named(biases.users, "user_bias")), on="user", how="inner")
        .join(F.broadcast(_named(biases.items, "item_bias")), on="item", how="inner")
        .select("user", "item", (F.col("value") - expected).alias("value"))
    )
    factors = fit_factors(rest, trial, settings, implicit=False)
    of_users = _folded(factors.userFactors, biases.users, "user", F.lit(biases.mean) + F.col("bias"), F.lit(1.0))
    of_items = _folded(factors.itemFactors, biases.items, "item", F.lit(1.0), F.col("bias"))
    return _as_model(rows.sparkSession, trial.rank + 2, of_users, of_items)


def _fit_biases(rows: DataFrame) -> _Biases:
    total = rows.agg(F.sum("value"), F.count(F.lit(1))).first()
    if total is None or not total[1]:
        raise _no_ratings()
    mean = float(total[0]) / int(total[1])
    spark = rows.sparkSession
    items = _bias_of(rows.select("item", (F.col("value") - mean).alias("rest")), "item")
    item_biases = spark.createDataFrame(items, "item int, bias double")
    left = rows.join(F.broadcast(item_biases), on="item", how="inner")
    users = _bias_of(left.select("user", (F.col("value") - mean - F.col("bias")).alias("rest")), "user")
    return _Biases(mean, spark.createDataFrame(users, "user int, bias double"), item_biases)


def _no_ratings() -> TooLittleDataError:
    return TooLittleDataError("there are no ratings to learn from", where="transactions.rating", remedy="load some")


def _bias_of(rest: DataFrame, key: str) -> pd.DataFrame:
    """What is left on average, shrunk towards nothing where there is little of it."""
    shrunk = F.sum("rest") / (F.count(F.lit(1)) + F.lit(_SHRINKAGE))
    found: pd.DataFrame = rest.groupBy(key).agg(shrunk.alias("bias")).toPandas()
    return found.sort_values(key, ignore_index=True)


def _named(biases: DataFrame, name: str) -> DataFrame:
    return biases.withColumnRenamed("bias", name)


def _folded(factors: DataFrame, biases: DataFrame, key: str, first: Column, second: Column) -> DataFrame:
    more = F.array(first.cast("float"), second.cast("float"))
    return factors.join(F.broadcast(biases), on=F.col("id") == F.col(key), how="inner").select(
        "id", F.concat("features", more).alias("features")
    )


def _as_model(spark: SparkSession, rank: int, of_users: DataFrame, of_items: DataFrame) -> ALSModel:
    """A model of given factors; Spark has a constructor for it in the JVM alone."""
    jvm: Any = spark._jvm
    java = jvm.org.apache.spark.ml.recommendation.ALSModel(
        jvm.org.apache.spark.ml.util.Identifiable.randomUID("als"), rank, of_users._jdf, of_items._jdf
    )
    model = ALSModel(java)
    return model.setUserCol("user").setItemCol("item").setColdStartStrategy("nan")
