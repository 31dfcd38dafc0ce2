"""What happened by customer and day, cut off at as-of dates and added up: what features are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from common.settings import SourceSettings

NONE_YET = -1.0
RECENT, LATELY = 30, 14


@dataclass(frozen=True)
class History:
    """What features are made from.

    Attributes:
        lines: fact_transactions.
        events: fact_clickstream; may be empty.
        users: dim_users.
        products: dim_products.
    """

    lines: DataFrame
    events: DataFrame
    users: DataFrame
    products: DataFrame


def is_purchase() -> Column:
    """A line that a customer bought, whatever became of it later."""
    return (F.col("quantity") > 0) & ~F.col("is_unknown_user")


def before(days: DataFrame, as_of: Sequence[date]) -> DataFrame:
    """A row for each date that lies after its day. The one place where the future is cut off."""
    dates = F.array(*[F.lit(day) for day in as_of])
    return days.withColumn("as_of", F.explode(F.filter(dates, lambda each: each > F.col("day"))))


def purchases(lines: DataFrame) -> DataFrame:
    """A row a customer and day with a purchase; `gap` is the days since the one before."""
    days = (
        lines.where(is_purchase())
        .groupBy("user_id", F.col("transaction_date").alias("day"))
        .agg(
            F.count_distinct("order_id").alias("orders"),
            F.count(F.lit(1)).alias("lines"),
            F.sum("total_amount").alias("spend"),
            F.count_if(F.col("discount_amount") > 0).alias("discounted"),
        )
    )
    last = F.lag("day").over(Window.partitionBy("user_id").orderBy("day"))
    return days.withColumn("gap", F.date_diff("day", last))


def purchase_totals(days: DataFrame) -> DataFrame:
    """A row a date and customer: how often, how much and how regularly they bought before it."""
    ago = F.date_diff("as_of", "day")
    return days.groupBy("as_of", "user_id").agg(
        F.count(F.lit(1)).alias("purchase_days"),
        F.count_if(ago <= LATELY).alias("purchase_days_14"),
        F.count_if(ago <= RECENT).alias("purchase_days_30"),
        F.count_if((ago > RECENT) & (ago <= 2 * RECENT)).alias("_purchase_days_before"),
        F.sum("orders").alias("orders"),
        F.sum("lines").alias("_lines"),
        F.sum("spend").alias("spend"),
        F.sum("discounted").alias("_discounted"),
        F.min("day").alias("first_purchase"),
        F.max("day").alias("last_purchase"),
        F.count("gap").alias("_gaps"),
        F.sum("gap").alias("_gap_sum"),
        F.sum(F.col("gap") * F.col("gap")).alias("_gap_squares"),
        F.max("gap").alias("longest_gap_days"),
        F.max_by("gap", "day").alias("last_gap_days"),
    )


def visits(events: DataFrame) -> DataFrame:
    """A row a customer and day with a visit; machines and repeated sendings are left out."""
    is_person = ~F.col("is_bot") & F.col("near_duplicate_of").isNull() & F.col("user_id").isNotNull()
    return (
        events.where(is_person)
        .groupBy("user_id", F.col("event_date").alias("day"))
        .agg(
            F.count_distinct("session_id").alias("visits"),
            F.count_if(F.col("event_type") == "add_to_cart").alias("cart_adds"),
        )
    )


def visit_totals(days: DataFrame, as_of: Sequence[date]) -> DataFrame:
    """A row a date and customer: how often they visited before it."""
    ago = F.date_diff("as_of", "day")
    return (
        days.transform(before, as_of)
        .groupBy("as_of", "user_id")
        .agg(
            F.sum("visits").alias("visits"),
            F.count(F.lit(1)).alias("visit_days"),
            F.count_if(ago <= LATELY).alias("visit_days_14"),
            F.count_if(ago <= RECENT).alias("visit_days_30"),
            F.sum(F.when(ago <= RECENT, F.col("cart_adds"))).alias("cart_adds_30"),
            F.max("day").alias("last_visit"),
        )
    )


def returns(lines: DataFrame) -> DataFrame:
    """Lines that took something back on a date of their own."""
    return lines.where(F.col("quantity") < 0).select("user_id", F.col("transaction_date").alias("day"))


def return_totals(days: DataFrame, as_of: Sequence[date]) -> DataFrame:
    """A row a date and customer: what they had sent back before it."""
    dated = days.transform(before, as_of)
    return dated.groupBy("as_of", "user_id").agg(F.count(F.lit(1)).alias("returns"), F.max("day").alias("last_return"))


def variety(history: History, as_of: Sequence[date]) -> DataFrame:
    """Different products and categories: each counts from the day on which it was first bought."""
    categories = history.products.select("product_sk", "category")
    bought = history.lines.where(is_purchase()).join(F.broadcast(categories), on="product_sk", how="left")
    day = F.min("transaction_date").alias("day")
    # One exchange, by customer, serves all groups and windows below.
    products = bought.repartition("user_id").groupBy("user_id", "category", "product_id").agg(day)
    new_category = F.row_number().over(Window.partitionBy("user_id", "category").orderBy("day", "product_id")) == 1
    new_product = F.row_number().over(Window.partitionBy("user_id", "product_id").orderBy("day", "category")) == 1
    firsts = products.withColumns(
        {"_new_category": new_category & F.col("category").isNotNull(), "_new_product": new_product}
    )
    return (
        firsts.transform(before, as_of)
        .groupBy("as_of", "user_id")
        .agg(
            F.count_if("_new_product").alias("products"),
            F.count_if("_new_category").alias("categories"),
            F.max("day").alias("last_variety"),
        )
    )


def current_users(users: DataFrame, as_of: Sequence[date], source: SourceSettings) -> DataFrame:
    """The version of each customer that held when each date began, without those who had left."""
    dates = F.explode(F.array(*[F.lit(day) for day in as_of]))
    starts = F.to_utc_timestamp(F.col("as_of").cast("timestamp"), source.time_zone)
    held = (F.col("valid_from") < starts) & (F.col("valid_to") >= starts) & ~F.col("is_deleted")
    ranks = [
        F.when(F.lower("loyalty_tier") == tier.lower(), F.lit(rank))
        for rank, tier in enumerate(source.ml.loyalty_tiers)
    ]
    rank = F.coalesce(*ranks, F.lit(NONE_YET))
    return (
        users.withColumn("as_of", dates)
        .where(held)
        .select("as_of", "user_id", "signup_date", rank.alias("loyalty_rank"))
    )
