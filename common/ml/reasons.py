"""Why a customer's risk is what it is, in words."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf

from common.ml.trees import Tree, contributions
from common.transforms.customer_days import NONE_YET
from common.transforms.features import FEATURES

_MONTH = 30
_ONCE = "bought once only"
# What a feature says, and what its value is multiplied with before it is said.
_PHRASES: dict[str, tuple[str, float]] = {
    "recency_days": ("last purchase %.0f days ago", 1),
    "purchase_days": ("bought on %.0f days so far", 1),
    "orders": ("%.0f orders so far", 1),
    "purchase_rate": ("usually buys on %.1f days of a month", _MONTH),
    "silence": ("silent %.1f times as long as usual", 1),
    "purchase_days_14": ("bought on %.0f of the last 14 days", 1),
    "purchase_days_30": ("bought on %.0f of the last 30 days", 1),
    "purchase_trend": ("%+.0f days with a purchase against the 30 days before", 1),
    "mean_gap_days": ("%.0f days between purchases on average", 1),
    "gap_spread_days": ("pauses between purchases differ by %.0f days", 1),
    "longest_gap_days": ("longest pause between purchases %.0f days", 1),
    "last_gap_days": ("last pause between purchases %.0f days", 1),
    "silence_in_gaps": ("silent %.1f times as long as the average pause", 1),
    "observed_days": ("known for %.0f days", 1),
    "days_since_first": ("first purchase %.0f days ago", 1),
    "spend": ("spent %.2f so far", 1),
    "order_value": ("%.2f an order", 1),
    "lines_an_order": ("%.1f products an order", 1),
    "discount_share": ("a discount on %.0f %% of the products bought", 100),
    "products": ("%.0f different products", 1),
    "categories": ("%.0f different categories", 1),
    "returns": ("%.0f products returned", 1),
    "days_since_return": ("last return %.0f days ago", 1),
    "visits": ("%.0f visits so far", 1),
    "visit_days": ("visited on %.0f days so far", 1),
    "visit_days_14": ("visited on %.0f of the last 14 days", 1),
    "visit_days_30": ("visited on %.0f of the last 30 days", 1),
    "visit_rate": ("usually visits on %.1f days of a month", _MONTH),
    "days_since_visit": ("last visit %.0f days ago", 1),
    "cart_adds_30": ("%.0f products put into carts in 30 days", 1),
}
_WITHOUT = {
    "mean_gap_days": _ONCE,
    "gap_spread_days": _ONCE,
    "longest_gap_days": _ONCE,
    "last_gap_days": _ONCE,
    "silence_in_gaps": _ONCE,
    "days_since_return": "nothing returned",
    "days_since_visit": "no visit known",
    "loyalty_rank": "no loyalty tier",
}
# Features that say nearly the same count as one reason.
_THEMES: tuple[tuple[str, ...], ...] = (
    ("recency_days", "silence", "silence_in_gaps"),
    ("purchase_days_14", "purchase_days_30", "purchase_trend"),
    (
        "purchase_days",
        "orders",
        "purchase_rate",
        "mean_gap_days",
        "gap_spread_days",
        "longest_gap_days",
        "last_gap_days",
    ),
    ("observed_days", "days_since_first"),
    ("spend", "order_value", "lines_an_order"),
    ("discount_share",),
    ("products", "categories"),
    ("returns", "days_since_return"),
    ("visits", "visit_days", "visit_rate"),
    ("visit_days_14", "visit_days_30", "days_since_visit"),
    ("cart_adds_30",),
    ("loyalty_rank",),
)


def with_reasons(rows: DataFrame, trees: tuple[Tree, ...], count: int, tiers: Sequence[str]) -> DataFrame:
    """Add `reasons`, an array of what moves the risk most, each with its value and its direction.

    What the features of a theme add is summed; the feature that adds most in the direction of the sum speaks for it.

    Args:
        rows: Have FEATURES.
        trees: The model's.
        count: How many reasons at most; a theme that moves nothing is none.
        tiers: The shop's loyalty tiers, from the lowest on.
    """

    # Following every row through every tree is what NumPy does fast and SQL does not; a batch at a time.
    def added(batch: pa.Array) -> pa.Array:
        values = batch.flatten().to_numpy(zero_copy_only=False).reshape(len(batch), len(FEATURES))
        _, moved_by = contributions(trees, values)
        return pa.FixedSizeListArray.from_arrays(pa.array(moved_by.ravel()), len(FEATURES)).cast(pa.list_(pa.float64()))

    contribution = arrow_udf(added, "array<double>")  # type: ignore[call-overload]
    moved = F.array(*[_theme(names, tiers) for names in _THEMES])
    ranked = F.array_sort(F.filter(moved, lambda each: each["order"] < 0))
    said = F.transform(ranked, lambda each: F.concat(each["text"], _direction(each["weight"])))
    return (
        rows.withColumn("_added", contribution(F.array(*FEATURES)))
        .withColumn("reasons", F.slice(said, 1, count))
        .drop("_added")
    )


def _theme(names: Sequence[str], tiers: Sequence[str]) -> Column:
    """A theme's order (the more it moves the lower), text and weight."""
    weights = {name: F.col("_added")[FEATURES.index(name)] for name in names}
    weight = functools.reduce(operator.add, weights.values())
    speakers = [
        F.struct((weights[name] * F.signum(weight)).alias("share"), _phrase(name, tiers).alias("text"))
        for name in names
    ]
    text = F.array_max(F.array(*speakers))["text"]
    return F.struct((-F.abs(weight)).alias("order"), text.alias("text"), weight.alias("weight"))


def _phrase(name: str, tiers: Sequence[str]) -> Column:
    if name == "loyalty_rank":
        names = F.array(*[F.lit(f"loyalty tier {tier}") for tier in tiers])
        text = F.get(names, F.col(name).cast("int"))
    else:
        phrase, factor = _PHRASES[name]
        text = F.format_string(phrase, F.col(name) * factor)
    if name in _WITHOUT:
        return F.when(F.col(name) == NONE_YET, F.lit(_WITHOUT[name])).otherwise(text)
    return text


def _direction(weight: Column) -> Column:
    return F.when(weight > 0, F.lit(" (raises the risk)")).otherwise(F.lit(" (lowers the risk)"))
