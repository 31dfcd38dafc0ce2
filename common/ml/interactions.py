"""What customers said and did about products: stars, and the strength of views, carts and purchases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from common.ml.dates import Period
from common.ml.popularity import ALL_SEGMENTS
from common.settings import RecommendationSettings, SourceSettings
from common.transforms.customer_days import History, is_purchase
from common.transforms.scd2 import UNKNOWN_SK

EVERYTHING = "*"


def ratings(lines: DataFrame) -> DataFrame:
    """The stars that customers gave, a row a line with a rating: user_id, product_id, rating, rated_on, transaction_id.

    The day is that of the purchase, as the line has no other.
    """
    is_known = ~F.col("is_unknown_user") & ~F.col("is_unknown_product")
    return lines.where(F.col("rating").isNotNull() & is_known).select(
        "user_id",
        "product_id",
        F.col("rating").cast("float").alias("rating"),
        F.col("transaction_date").alias("rated_on"),
        "transaction_ts",
        "transaction_id",
    )


def newest_ratings(rated: DataFrame) -> DataFrame:
    """One rating for each customer and product: the newest."""
    newest = Window.partitionBy("user_id", "product_id").orderBy(F.desc("transaction_ts"), F.desc("transaction_id"))
    return rated.withColumn("_place", F.row_number().over(newest)).where("_place = 1").drop("_place")


def daily_interactions(history: History, settings: RecommendationSettings) -> DataFrame:
    """Strength of interest by customer, product and day: user_id, product_id, day, strength, bought (lines).

    Each kind of event has its weight, and so has a purchase. Machines and repeated sendings are left out, and so are
    customers and products that no dimension knows.
    """
    is_known = ~F.col("is_unknown_user") & ~F.col("is_unknown_product")
    is_person = ~F.col("is_bot") & F.col("near_duplicate_of").isNull() & F.col("user_id").isNotNull()
    seen = history.events.where(is_person & is_known & F.col("product_id").isNotNull()).select(
        "user_id",
        "product_id",
        F.col("event_date").alias("day"),
        _weight(settings.event_weights).alias("strength"),
        F.lit(0).alias("bought"),
    )
    bought = history.lines.where(is_purchase() & ~F.col("is_unknown_product")).select(
        "user_id",
        "product_id",
        F.col("transaction_date").alias("day"),
        F.lit(settings.purchase_weight).cast("decimal(10,3)").alias("strength"),
        F.lit(1).alias("bought"),
    )
    return (
        seen.where(F.col("strength") > 0)
        .unionByName(bought)
        .groupBy("user_id", "product_id", "day")
        .agg(F.sum("strength").alias("strength"), F.sum("bought").alias("bought"))
    )


def interactions(daily: DataFrame, before: date | None = None) -> DataFrame:
    """Interest by customer and product: user_id, product_id, strength (float), bought; only from before a day."""
    known = daily if before is None else daily.where(F.col("day") < before)
    return known.groupBy("user_id", "product_id").agg(
        F.sum("strength").cast("float").alias("strength"), F.sum("bought").cast("int").alias("bought")
    )


def purchases_since(daily: DataFrame, first: date) -> DataFrame:
    """What was bought from a day on, once for each customer and product."""
    return daily.where((F.col("day") >= first) & (F.col("bought") > 0)).select("user_id", "product_id").distinct()


def fresh_purchases(daily: DataFrame, known: DataFrame, period: Period) -> DataFrame:
    """What was bought in some days and never before by the same customer: user_id, product_id.

    Args:
        daily: From `daily_interactions`.
        known: From `interactions`, before those days.
        period: The days.
    """
    later = purchases_since(daily.where(F.col("day") < period.end), period.first)
    had = known.where(F.col("bought") > 0).select("user_id", "product_id")
    return later.join(had, on=["user_id", "product_id"], how="left_anti")


def products_on_sale(products: DataFrame, source: SourceSettings) -> DataFrame:
    """Current products that can be recommended: product_id, category, is_replenishable. The unknown member is none."""
    is_sold = (F.col("product_sk") != UNKNOWN_SK) & F.col("is_current") & ~F.col("is_deleted")
    is_sold &= F.coalesce("is_active", F.lit(True))
    return products.where(is_sold & F.col("product_id").isNotNull()).select(
        "product_id", "category", _is_replenishable(source).alias("is_replenishable")
    )


def customer_segments(users: DataFrame) -> DataFrame:
    """Current customers and the segment in which popularity is counted: their loyalty tier, where the shop has one."""
    is_there = F.col("is_current") & ~F.col("is_deleted") & F.col("user_id").isNotNull()
    return users.where(is_there).select("user_id", F.coalesce("loyalty_tier", F.lit(ALL_SEGMENTS)).alias("segment"))


def _weight(weights: Mapping[str, float]) -> Column:
    chosen = [F.when(F.col("event_type") == kind, F.lit(weight)) for kind, weight in sorted(weights.items())]
    return F.coalesce(*chosen, F.lit(0.0)).cast("decimal(10,3)")


def _is_replenishable(source: SourceSettings) -> Column:
    names = source.ml.replenishable
    if EVERYTHING in names:
        return F.lit(True)
    return F.coalesce(F.col("category").isin(*names) | F.col("subcategory").isin(*names), F.lit(False))
