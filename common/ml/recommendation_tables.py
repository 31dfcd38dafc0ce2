"""The tables that the recommender fills: for customers, for products, and what is popular."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from common.ml.best_products import Items, best_items
from common.ml.interactions import ALL_SEGMENTS
from common.ml.recommender import Factors, named_places

MODEL, POPULAR = "model", "popular"
_LEAST_LENGTH = 1e-6


@dataclass(frozen=True)
class Offer:
    """What can be recommended, and to whom.

    Attributes:
        on_sale: product_id and is_replenishable.
        popular: From `popular_by_segment`, more for each segment than anybody is shown.
        segments: user_id and segment of current customers; others get no recommendations.
    """

    on_sale: DataFrame
    popular: DataFrame
    segments: DataFrame


def for_customers(factors: Factors, known: DataFrame, offer: Offer, count: int) -> DataFrame:
    """The products recommended to each active customer, who is one with any interest in `known`.

    Args:
        factors: Of the model in use.
        known: user_id, product_id, bought; what was bought is left out unless it is replenishable.
        offer: What can be recommended, and to whom.
        count: For each customer.

    Returns:
        user_id, rank (from 1), product_id, score (null where the model does not know the customer), reason.
    """
    active = known.select("user_id").distinct().join(offer.segments, on="user_id", how="inner")
    taken = _taken(known, offer.on_sale)
    scored = _scored(factors, active, taken, offer.on_sale, count)
    unscored = active.join(scored.select("user_id").distinct(), on="user_id", how="left_anti")
    return scored.unionByName(_popular(unscored, taken, offer.popular, count))


def similar_products(factors: Factors, on_sale: DataFrame, count: int) -> DataFrame:
    """The products that the same customers are interested in, those of the same category first.

    Args:
        factors: Of the model in use.
        on_sale: product_id and category.
        count: For each product.

    Returns:
        product_id, rank, similar_product_id, similarity (the cosine of their factors, from -1 to 1).
    """
    matrix = factors.item_matrix()
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    # What nobody was interested in enough to be told apart has no direction, and so nothing that is like it.
    is_known = norms[:, 0] > _LEAST_LENGTH
    unit = np.divide(matrix, norms, out=np.zeros_like(matrix), where=norms > _LEAST_LENGTH)
    allowed, (groups, names) = _allowed(factors, on_sale) & is_known, _grouped(factors, on_sale, is_known)
    rows = names.join(_vectors(factors), on="place", how="inner").select(
        F.col("name").alias("key"), "features", F.array("place").alias("excluded"), "group"
    )
    found = best_items(rows, Items(unit, factors.items, allowed, groups), count)
    # The row's own vector is not of length one, which divides all its scores by the same number.
    features = F.col("features").cast("array<double>")
    length = F.sqrt(F.aggregate(features, F.lit(0.0), lambda total, each: total + each * each))
    lengths = rows.select("key", length.alias("length"))
    return found.join(lengths, on="key", how="inner").select(
        F.col("key").alias("product_id"),
        F.col("place").alias("rank"),
        F.col("item").alias("similar_product_id"),
        (F.col("score") / F.col("length")).cast("float").alias("similarity"),
    )


def _scored(factors: Factors, active: DataFrame, taken: DataFrame, on_sale: DataFrame, count: int) -> DataFrame:
    spark = active.sparkSession
    users = named_places(spark, factors.users, "id", "user_id")
    places = named_places(spark, factors.items, "place", "product_id")
    excluded = (
        taken.join(F.broadcast(places), on="product_id", how="inner")
        .groupBy("user_id")
        .agg(F.array_sort(F.collect_list("place")).alias("excluded"))
    )
    rows = (
        factors.model.userFactors.join(users, on="id", how="inner")
        .join(active, on="user_id", how="inner")
        .join(excluded, on="user_id", how="left")
        .select(
            F.col("user_id").alias("key"),
            "features",
            F.coalesce("excluded", F.array().cast("array<int>")).alias("excluded"),
        )
    )
    items = Items(factors.item_matrix(), factors.items, _allowed(factors, on_sale))
    best = best_items(rows, items, count)
    return best.select(
        F.col("key").alias("user_id"),
        F.col("place").alias("rank"),
        F.col("item").alias("product_id"),
        "score",
        F.lit(MODEL).alias("reason"),
    )


def _popular(customers: DataFrame, taken: DataFrame, popular: DataFrame, count: int) -> DataFrame:
    """What is popular in the segment of each customer, or in all of them, without what they have."""
    lists = F.broadcast(popular.select("segment", "product_id", "customers"))
    full = (
        popular.groupBy("segment").count().where(F.col("count") > count).select("segment", F.lit(True).alias("is_full"))
    )
    segment = F.when(F.col("is_full"), F.col("segment")).otherwise(F.lit(ALL_SEGMENTS)).alias("segment")
    customers = customers.join(F.broadcast(full), on="segment", how="left").select("user_id", segment)
    order = Window.partitionBy("user_id").orderBy(F.desc("customers"), "product_id")
    ranked = (
        customers.join(lists, on="segment", how="inner")
        .join(taken, on=["user_id", "product_id"], how="left_anti")
        .withColumn("rank", F.row_number().over(order))
        .where(F.col("rank") <= count)
    )
    return ranked.select(
        "user_id", "rank", "product_id", F.lit(None).cast("float").alias("score"), F.lit(POPULAR).alias("reason")
    )


def _taken(known: DataFrame, on_sale: DataFrame) -> DataFrame:
    """What each customer has and does not buy again: user_id, product_id."""
    again = on_sale.where("is_replenishable").select("product_id")
    bought = known.where(F.col("bought") > 0).select("user_id", "product_id")
    return bought.join(F.broadcast(again), on="product_id", how="left_anti")


def _allowed(factors: Factors, on_sale: DataFrame) -> np.ndarray:
    sold = {row["product_id"] for row in on_sale.select("product_id").collect()}
    return np.array([name in sold for name in factors.items], dtype=bool)


def _grouped(factors: Factors, on_sale: DataFrame, is_known: np.ndarray) -> tuple[np.ndarray, DataFrame]:
    """The category of each item as a number, -1 for none, and the known items on sale: place, name, group."""
    of = {row["product_id"]: row["category"] for row in on_sale.select("product_id", "category").collect()}
    numbers = {name: place for place, name in enumerate(sorted({each for each in of.values() if each is not None}))}
    groups = np.array([numbers.get(of.get(name), -1) for name in factors.items], dtype=np.int64)
    sold = [
        (place, name, int(groups[place])) for place, name in enumerate(factors.items) if name in of and is_known[place]
    ]
    named = pd.DataFrame(sold, columns=["place", "name", "group"])
    return groups, on_sale.sparkSession.createDataFrame(named, "place int, name string, group int")


def _vectors(factors: Factors) -> DataFrame:
    return factors.model.itemFactors.select(F.col("id").alias("place"), "features")
