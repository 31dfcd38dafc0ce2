"""What is known of a customer on a day: one transform for training and for scoring.

Every input is cut off at the as-of date, in its own place, before anything is added up; so features of a day in the
past are what they would have been on that day. The state of a sale (paid, cancelled …) is left out, because the tables
hold the newest one: a purchase counts when it was made, whatever became of it, and a return is a line of its own date.
Sums are of whole numbers and decimals, so that values do not depend on partitioning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from common.settings import SourceSettings

NONE_YET = -1.0
RECENT, LATELY = 30, 14
# As in feature vectors: this order is part of a model.
FEATURES = (
    "recency_days",
    "purchase_days",
    "orders",
    "purchase_rate",
    "silence",
    "purchase_days_14",
    "purchase_days_30",
    "purchase_trend",
    "mean_gap_days",
    "gap_spread_days",
    "longest_gap_days",
    "last_gap_days",
    "silence_in_gaps",
    "observed_days",
    "days_since_first",
    "spend",
    "order_value",
    "lines_an_order",
    "discount_share",
    "products",
    "categories",
    "returns",
    "days_since_return",
    "visits",
    "visit_days",
    "visit_days_14",
    "visit_days_30",
    "visit_rate",
    "days_since_visit",
    "cart_adds_30",
    "loyalty_rank",
)


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


def customer_features(
    history: History,
    as_of: Sequence[date],
    first_day: date,
    rate_prior_days: int,
    source: SourceSettings,
) -> DataFrame:
    """The features of every customer who has bought before each of some dates.

    Args:
        history: The facts and dimensions.
        as_of: The dates, distinct; business days of the shop.
        first_day: The first day of the data: before it nothing was observed.
        rate_prior_days: Added to the days observed in rates.
        source: Loyalty tiers and time zone.

    Returns:
        as_of, user_id, FEATURES as doubles (`NONE_YET` where there is nothing to measure), and `newest_input`, the
        newest day that any of them was made from.
    """
    bought = _purchases(history.lines).transform(_before, as_of).transform(_purchase_totals)
    joined = (
        bought.join(_current_users(history.users, as_of, source), on=["as_of", "user_id"], how="inner")
        .join(_visit_totals(_visits(history.events), as_of), on=["as_of", "user_id"], how="left")
        .join(_return_totals(_returns(history.lines), as_of), on=["as_of", "user_id"], how="left")
        .join(_variety(history, as_of), on=["as_of", "user_id"], how="left")
    )
    since = F.least(F.greatest(F.coalesce("signup_date", F.lit(first_day)), F.lit(first_day)), F.col("first_purchase"))
    measured = joined.withColumn("_observed", F.date_diff("as_of", since))
    columns = {**_rhythm(rate_prior_days), **_baskets(), **_traffic(rate_prior_days)}
    newest = F.greatest("last_purchase", "last_visit", "last_return", "last_variety")
    return measured.select(
        "as_of",
        "user_id",
        *[columns[name].cast("double").alias(name) for name in FEATURES],
        newest.alias("newest_input"),
    )


def with_exposure(features: DataFrame, exposure: Mapping[date, float]) -> DataFrame:
    """Add how much demand the horizon of each date holds against a usual one."""
    chosen = F.coalesce(*[F.when(F.col("as_of") == F.lit(day), F.lit(value)) for day, value in exposure.items()])
    return features.withColumn("exposure", chosen.cast("double"))


def with_label(features: DataFrame, lines: DataFrame, horizon_days: int) -> DataFrame:
    """Add `label`: 1.0 for a customer who buys nothing within the horizon from the as-of date on, otherwise 0.0."""
    days = lines.where(is_purchase()).select("user_id", F.col("transaction_date").alias("_day")).distinct()
    ahead = F.date_diff("_day", "as_of")
    returned = (
        features.select("as_of", "user_id")
        .join(days, on="user_id", how="inner")
        .where((ahead >= 0) & (ahead < horizon_days))
        .select("as_of", "user_id", F.lit(0.0).alias("label"))
        .distinct()
    )
    joined = features.join(returned, on=["as_of", "user_id"], how="left")
    return joined.withColumn("label", F.coalesce("label", F.lit(1.0)))


def _before(days: DataFrame, as_of: Sequence[date]) -> DataFrame:
    """A row for each date that lies after its day. The one place where the future is cut off."""
    dates = F.array(*[F.lit(day) for day in as_of])
    return days.withColumn("as_of", F.explode(F.filter(dates, lambda each: each > F.col("day"))))


def _purchases(lines: DataFrame) -> DataFrame:
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
    before = F.lag("day").over(Window.partitionBy("user_id").orderBy("day"))
    return days.withColumn("gap", F.date_diff("day", before))


def _purchase_totals(days: DataFrame) -> DataFrame:
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


def _visits(events: DataFrame) -> DataFrame:
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


def _visit_totals(visits: DataFrame, as_of: Sequence[date]) -> DataFrame:
    ago = F.date_diff("as_of", "day")
    return (
        visits.transform(_before, as_of)
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


def _returns(lines: DataFrame) -> DataFrame:
    """Lines that took something back on a date of their own."""
    return lines.where(F.col("quantity") < 0).select("user_id", F.col("transaction_date").alias("day"))


def _return_totals(returns: DataFrame, as_of: Sequence[date]) -> DataFrame:
    dated = returns.transform(_before, as_of)
    return dated.groupBy("as_of", "user_id").agg(F.count(F.lit(1)).alias("returns"), F.max("day").alias("last_return"))


def _variety(history: History, as_of: Sequence[date]) -> DataFrame:
    """Different products and categories: each counts from the day on which it was first bought."""
    categories = history.products.select("product_sk", "category")
    bought = history.lines.where(is_purchase()).join(F.broadcast(categories), on="product_sk", how="left")
    day = F.min("transaction_date").alias("day")
    products = bought.groupBy("user_id", "category", "product_id").agg(day)
    new_category = F.row_number().over(Window.partitionBy("user_id", "category").orderBy("day", "product_id")) == 1
    firsts = products.withColumn("_new_category", new_category & F.col("category").isNotNull())
    return (
        firsts.transform(_before, as_of)
        .groupBy("as_of", "user_id")
        .agg(
            F.count(F.lit(1)).alias("products"),
            F.count_if("_new_category").alias("categories"),
            F.max("day").alias("last_variety"),
        )
    )


def _current_users(users: DataFrame, as_of: Sequence[date], source: SourceSettings) -> DataFrame:
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


def _or_none(value: Column) -> Column:
    return F.coalesce(value.cast("double"), F.lit(NONE_YET))


def _or_zero(name: str) -> Column:
    return F.coalesce(F.col(name).cast("double"), F.lit(0.0))


def _ratio(top: Column, bottom: Column) -> Column:
    return _or_none(top.cast("double") / F.nullif(bottom.cast("double"), F.lit(0.0)))


def _rhythm(prior_days: int) -> dict[str, Column]:
    """How often, how regularly and how long ago a customer buys."""
    recency = F.date_diff("as_of", "last_purchase")
    rate = (F.col("purchase_days") + 1) / (F.col("_observed") + prior_days)
    mean_gap = F.col("_gap_sum") / F.nullif("_gaps", F.lit(0))
    variance = F.col("_gap_squares") / F.nullif("_gaps", F.lit(0)) - mean_gap * mean_gap
    return {
        "recency_days": recency,
        "purchase_days": F.col("purchase_days"),
        "orders": F.col("orders"),
        "purchase_rate": rate,
        "silence": recency * rate,
        "purchase_days_14": F.col("purchase_days_14"),
        "purchase_days_30": F.col("purchase_days_30"),
        "purchase_trend": F.col("purchase_days_30") - F.col("_purchase_days_before"),
        "mean_gap_days": _or_none(mean_gap),
        "gap_spread_days": _or_none(F.sqrt(F.greatest(variance, F.lit(0.0)))),
        "longest_gap_days": _or_none(F.col("longest_gap_days")),
        "last_gap_days": _or_none(F.col("last_gap_days")),
        "silence_in_gaps": _ratio(recency, mean_gap),
        "observed_days": F.col("_observed"),
        "days_since_first": F.date_diff("as_of", "first_purchase"),
    }


def _baskets() -> dict[str, Column]:
    """What a customer buys, and what comes back."""
    return {
        "spend": F.col("spend"),
        "order_value": _ratio(F.col("spend"), F.col("orders")),
        "lines_an_order": _ratio(F.col("_lines"), F.col("orders")),
        "discount_share": _ratio(F.col("_discounted"), F.col("_lines")),
        "products": _or_zero("products"),
        "categories": _or_zero("categories"),
        "returns": _or_zero("returns"),
        "days_since_return": _or_none(F.date_diff("as_of", "last_return")),
    }


def _traffic(prior_days: int) -> dict[str, Column]:
    """How a customer visits; a customer who never did has none, as in a shop without clickstream."""
    return {
        "visits": _or_zero("visits"),
        "visit_days": _or_zero("visit_days"),
        "visit_days_14": _or_zero("visit_days_14"),
        "visit_days_30": _or_zero("visit_days_30"),
        "visit_rate": (_or_zero("visit_days") + 1) / (F.col("_observed") + prior_days),
        "days_since_visit": _or_none(F.date_diff("as_of", "last_visit")),
        "cart_adds_30": _or_zero("cart_adds_30"),
        "loyalty_rank": F.col("loyalty_rank"),
    }
