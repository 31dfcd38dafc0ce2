"""What is known of a customer on a day: one transform for training and for scoring.

Every input is cut off at the as-of date, in its own place, before anything is added up; so features of a day in the
past are what they would have been on that day. The state of a sale (paid, cancelled …) is left out, because the tables
hold the newest one: a purchase counts when it was made, whatever became of it, and a return is a line of its own date.
Sums are of whole numbers and decimals, so that values do not depend on partitioning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.settings import SourceSettings
from common.transforms.customer_days import (
    NONE_YET,
    History,
    before,
    current_users,
    is_purchase,
    purchase_totals,
    purchases,
    return_totals,
    returns,
    variety,
    visit_totals,
    visits,
)

_MANY = 1e9
# Each feature and what it can be, in the order of feature vectors, which is part of a model.
RANGES: dict[str, tuple[float, float]] = {
    "recency_days": (1, _MANY),
    "purchase_days": (1, _MANY),
    "orders": (1, _MANY),
    "purchase_rate": (0, 1),
    "silence": (0, _MANY),
    "purchase_days_14": (0, 14),
    "purchase_days_30": (0, 30),
    "purchase_trend": (-30, 30),
    "mean_gap_days": (-1, _MANY),
    "gap_spread_days": (-1, _MANY),
    "longest_gap_days": (-1, _MANY),
    "last_gap_days": (-1, _MANY),
    "silence_in_gaps": (-1, _MANY),
    "observed_days": (1, _MANY),
    "days_since_first": (1, _MANY),
    "spend": (0, _MANY),
    "order_value": (0, _MANY),
    "lines_an_order": (1, _MANY),
    "discount_share": (0, 1),
    "products": (1, _MANY),
    "categories": (0, _MANY),
    "returns": (0, _MANY),
    "days_since_return": (-1, _MANY),
    "visits": (0, _MANY),
    "visit_days": (0, _MANY),
    "visit_days_14": (0, 14),
    "visit_days_30": (0, 30),
    "visit_rate": (0, 1),
    "days_since_visit": (-1, _MANY),
    "cart_adds_30": (0, _MANY),
    "loyalty_rank": (-1, _MANY),
}
FEATURES = tuple(RANGES)


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
    bought = purchases(history.lines).transform(before, as_of).transform(purchase_totals)
    joined = (
        bought.join(current_users(history.users, as_of, source), on=["as_of", "user_id"], how="inner")
        .join(visit_totals(visits(history.events), as_of), on=["as_of", "user_id"], how="left")
        .join(return_totals(returns(history.lines), as_of), on=["as_of", "user_id"], how="left")
        .join(variety(history, as_of), on=["as_of", "user_id"], how="left")
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


def out_of_range() -> Column:
    """The first feature of a row that is missing or not what it can be, otherwise 'none'."""
    wrong = [
        F.when(F.col(name).isNull() | F.isnan(name) | ~F.col(name).between(low, high), F.lit(name))
        for name, (low, high) in RANGES.items()
    ]
    return F.coalesce(*wrong, F.lit("none"))


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
    # Rounding can take it below nothing; null stays null, where `greatest` would pass over it.
    spread = F.when(variance > 0, variance).when(variance <= 0, F.lit(0.0))
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
        "gap_spread_days": _or_none(F.sqrt(spread)),
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
