"""Why a customer's risk is what it is, in words."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf

from common.ml.trees import Tree, contributions
from common.transforms.customer_days import NONE_YET
from common.transforms.features import FEATURES

_PHRASES = {
    "recency_days": "last purchase %.0f days ago",
    "purchase_days": "bought on %.0f days so far",
    "orders": "%.0f orders so far",
    "purchase_rate": "buys at a rate of %.3f days a day",
    "silence": "silent for %.1f of the usual pauses",
    "purchase_days_14": "bought on %.0f of the last 14 days",
    "purchase_days_30": "bought on %.0f of the last 30 days",
    "purchase_trend": "%+.0f days with a purchase against the 30 days before",
    "mean_gap_days": "%.1f days between purchases on average",
    "gap_spread_days": "pauses differ by %.1f days",
    "longest_gap_days": "longest pause %.0f days",
    "last_gap_days": "last pause %.0f days",
    "silence_in_gaps": "silent for %.1f times the mean pause",
    "observed_days": "customer for %.0f observed days",
    "days_since_first": "first purchase %.0f days ago",
    "spend": "spent %.2f so far",
    "order_value": "%.2f an order",
    "lines_an_order": "%.1f products an order",
    "discount_share": "discount on %.2f of the lines",
    "products": "%.0f different products",
    "categories": "%.0f different categories",
    "returns": "%.0f returned lines",
    "days_since_return": "last return %.0f days ago",
    "visits": "%.0f visits so far",
    "visit_days": "visited on %.0f days so far",
    "visit_days_14": "visited on %.0f of the last 14 days",
    "visit_days_30": "visited on %.0f of the last 30 days",
    "visit_rate": "visits at a rate of %.3f days a day",
    "days_since_visit": "last visit %.0f days ago",
    "cart_adds_30": "%.0f products put into carts in 30 days",
    "loyalty_rank": "loyalty tier %.0f, counted from 0",
}
_WITHOUT = {
    "mean_gap_days": "bought once only",
    "gap_spread_days": "bought once only",
    "longest_gap_days": "bought once only",
    "last_gap_days": "bought once only",
    "silence_in_gaps": "bought once only",
    "days_since_return": "nothing returned",
    "days_since_visit": "no visit known",
    "loyalty_rank": "no loyalty tier",
}


def with_reasons(rows: DataFrame, trees: tuple[Tree, ...], count: int) -> DataFrame:
    """Add `reasons`, an array of the features that move the risk most, each with its value and its direction.

    Args:
        rows: Have FEATURES.
        trees: The model's.
        count: How many reasons; a feature that moves nothing is none.
    """

    # Following every row through every tree is what NumPy does fast and SQL does not; a batch at a time.
    def added(batch: pa.Array) -> pa.Array:
        values = batch.flatten().to_numpy(zero_copy_only=False).reshape(len(batch), len(FEATURES))
        _, moved_by = contributions(trees, values)
        return pa.FixedSizeListArray.from_arrays(pa.array(moved_by.ravel()), len(FEATURES)).cast(pa.list_(pa.float64()))

    contribution = arrow_udf(added, "array<double>")  # type: ignore[call-overload]
    texts = F.array(*[_phrase(name) for name in FEATURES])
    moved = F.zip_with(
        F.col("_added"),
        texts,
        lambda weight, text: F.struct((-F.abs(weight)).alias("order"), text.alias("text"), weight.alias("weight")),
    )
    ranked = F.array_sort(F.filter(moved, lambda each: each["order"] < 0))
    said = F.transform(ranked, lambda each: F.concat(each["text"], _direction(each["weight"])))
    return (
        rows.withColumn("_added", contribution(F.array(*FEATURES)))
        .withColumn("reasons", F.slice(F.array_distinct(said), 1, count))
        .drop("_added")
    )


def _phrase(name: str) -> Column:
    text = F.format_string(_PHRASES[name], F.col(name))
    if name in _WITHOUT:
        return F.when(F.col(name) == NONE_YET, F.lit(_WITHOUT[name])).otherwise(text)
    return text


def _direction(weight: Column) -> Column:
    return F.when(weight > 0, F.lit(" (raises the risk)")).otherwise(F.lit(" (lowers the risk)"))
