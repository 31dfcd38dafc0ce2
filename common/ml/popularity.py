"""What most customers bought: by segment for customers without a past, by category for products without one."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

ALL_SEGMENTS = "all"
_NO_CATEGORY = ""


def popular_by_segment(
    daily: DataFrame, segments: DataFrame, on_sale: DataFrame, count: int, before: date | None = None
) -> DataFrame:
    """The products that most customers of a segment bought: segment, product_id, customers, rank.

    A segment `all` is always among them, for customers without one and for segments that have bought too little.

    Args:
        daily: From `daily_interactions`.
        segments: user_id and segment.
        on_sale: product_id of what can be recommended.
        count: For each segment.
        before: Only what was bought before that day counts.
    """
    bought = _bought(daily, before)
    in_segment = bought.join(segments, on="user_id", how="inner").where(F.col("segment") != ALL_SEGMENTS)
    everyone = bought.withColumn("segment", F.lit(ALL_SEGMENTS))
    counted = (
        in_segment.unionByName(everyone.select(*in_segment.columns))
        .join(F.broadcast(on_sale.select("product_id")), on="product_id", how="inner")
        .groupBy("segment", "product_id")
        .agg(F.count(F.lit(1)).alias("customers"))
    )
    return _first(counted, count, "segment", F.desc("customers"), F.col("product_id"))


def popular_by_category(daily: DataFrame, on_sale: DataFrame, count: int, before: date | None = None) -> DataFrame:
    """The products that most customers bought of a category, and where those are too few, of all categories after them.

    Args:
        daily: From `daily_interactions`.
        on_sale: product_id and category of what can be recommended.
        count: For each category.
        before: Only what was bought before that day counts.

    Returns:
        category ('' for none), product_id, rank (from 1); every category of `on_sale`, unless nothing was bought.
    """
    placed = on_sale.select("product_id", named_category())
    counted = (
        _bought(daily, before)
        .join(F.broadcast(placed), on="product_id", how="inner")
        .groupBy("product_id", "category")
        .agg(F.count(F.lit(1)).alias("customers"))
    )
    most = F.desc("customers")
    own = _first(counted.where(F.col("category") != _NO_CATEGORY), count, "category", most, F.col("product_id"))
    # Twice as many, as those of a category may all be among them.
    best = counted.orderBy(most, "product_id").limit(2 * count).select("product_id", "customers")
    others = (
        placed.select("category")
        .distinct()
        .crossJoin(F.broadcast(best))
        .join(F.broadcast(own.select("category", "product_id")), on=["category", "product_id"], how="left_anti")
    )
    both = own.select("category", "product_id", "customers", F.lit(True).alias("is_own")).unionByName(
        others.withColumn("is_own", F.lit(False))
    )
    ranked = _first(both, count, "category", F.desc("is_own"), most, F.col("product_id"))
    return ranked.select("category", "product_id", "rank")


def named_category() -> Column:
    """The category by which `popular_by_category` knows a product."""
    return F.coalesce("category", F.lit(_NO_CATEGORY)).alias("category")


def _bought(daily: DataFrame, before: date | None) -> DataFrame:
    known = daily if before is None else daily.where(F.col("day") < before)
    return known.where(F.col("bought") > 0).select("user_id", "product_id").distinct()


def _first(rows: DataFrame, count: int, group: str, *order: Column) -> DataFrame:
    places = F.row_number().over(Window.partitionBy(group).orderBy(*order))
    return rows.withColumn("rank", places).where(F.col("rank") <= count)
