"""The tables that the recommender fills: for customers, for products, and what is popular."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from common.ml.best_products import Items, best_items
from common.ml.popularity import ALL_SEGMENTS, named_category
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


def similar_products(factors: Factors, on_sale: DataFrame, popular: DataFrame, count: int) -> DataFrame:
    """For each product those that the same customers are interested in, of the same category first.

    A product that the model does not know gets what is popular in its category.

    Args:
        factors: Of the model in use.
        on_sale: product_id and category.
        popular: From `popular_by_category`, one more for each category than a product is shown.
        count: For each product.

    Returns:
        product_id, rank (from 1), similar_product_id, similarity (the cosine of their factors, from -1 to 1, null where
        the model does not know the product), reason.
    """
    matrix = factors.item_matrix()
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    # What nobody was interested in enough to be told apart has no direction, and so nothing that is like it.
    has_direction = norms > _LEAST_LENGTH
    unit = np.divide(matrix, norms, out=np.zeros_like(matrix), where=has_direction)
    category = {row["product_id"]: row["category"] for row in on_sale.select("product_id", "category").collect()}
    is_sold = np.array([name in category for name in factors.items], dtype=bool)
    groups = _groups(factors.items, category)
    items = Items(unit, factors.items, is_sold & has_direction[:, 0], groups)
    known = _known(on_sale.sparkSession, items, groups)
    unknown = on_sale.join(F.broadcast(known.select("product_id")), on="product_id", how="left_anti")
    return _alike(factors, known, items, count).unionByName(_popular_alike(unknown, popular, count))


def _groups(names: tuple[str, ...], category: dict[str, str | None]) -> np.ndarray:
    """The category of each item as a number, -1 for none, (i,)."""
    categories = sorted({each for each in category.values() if each is not None})
    numbers: dict[str | None, int] = {each: place for place, each in enumerate(categories)}
    return np.array([numbers.get(category.get(name), -1) for name in names], dtype=np.int64)


def _known(spark: SparkSession, items: Items, groups: np.ndarray) -> DataFrame:
    """The items that others can be found for: place, product_id, group; none where there is only one."""
    places = np.flatnonzero(items.allowed)
    if len(places) == 1:
        places = places[:0]
    names = [items.names[place] for place in places]
    rows = pd.DataFrame({"place": places, "product_id": names, "group": groups[places]})
    return spark.createDataFrame(rows, "place int, product_id string, group int")


def _alike(factors: Factors, known: DataFrame, items: Items, count: int) -> DataFrame:
    vectors = factors.model.itemFactors.select(F.col("id").alias("place"), "features")
    rows = known.join(vectors, on="place", how="inner").select(
        F.col("product_id").alias("key"), "features", F.array("place").alias("excluded"), "group"
    )
    # The row's own vector is not of length one, which divides all its scores by the same number.
    features = F.col("features").cast("array<double>")
    length = F.sqrt(F.aggregate(features, F.lit(0.0), lambda total, each: total + each * each))
    found = best_items(rows, items, count).join(rows.select("key", length.alias("length")), on="key", how="inner")
    return found.select(
        F.col("key").alias("product_id"),
        F.col("place").alias("rank"),
        F.col("item").alias("similar_product_id"),
        (F.col("score") / F.col("length")).cast("float").alias("similarity"),
        F.lit(MODEL).alias("reason"),
    )


def _popular_alike(unknown: DataFrame, popular: DataFrame, count: int) -> DataFrame:
    """What is popular in the category of each product, without itself."""
    lists = F.broadcast(popular.select("category", F.col("product_id").alias("similar_product_id"), "rank"))
    others = (
        unknown.select("product_id", named_category())
        .join(lists, on="category", how="inner")
        .where(F.col("product_id") != F.col("similar_product_id"))
        .withColumn("rank", F.row_number().over(Window.partitionBy("product_id").orderBy("rank")))
    )
    return others.where(F.col("rank") <= count).select(
        "product_id",
        "rank",
        "similar_product_id",
        F.lit(None).cast("float").alias("similarity"),
        F.lit(POPULAR).alias("reason"),
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
