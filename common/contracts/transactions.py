"""Sales: one row is one line of one purchase, or a return of one."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from common.contracts.model import Contract, Field, Rule, key_pattern_rule, time_rules
from common.settings import SourceSettings

MIN_RATING, MAX_RATING = 1, 5


def _is_return(source: SourceSettings) -> Column:
    return F.coalesce(F.col("status").isin(*source.statuses.returned), F.lit(False))


def _wrong_total(source: SourceSettings) -> Column:
    if not source.limits.check_total:
        return F.lit(False)
    zero = F.lit(0).cast("decimal(12,2)")
    parts = (
        F.col("quantity") * F.col("unit_price")
        - F.coalesce("discount_amount", zero)
        + F.coalesce("tax_amount", zero)
        + F.coalesce("shipping_amount", zero)
    )
    return F.abs(F.col("total_amount") - parts) > F.lit(source.limits.total_tolerance)


def _too_many(source: SourceSettings) -> Column:
    if source.limits.max_quantity is None:
        return F.lit(False)
    return F.abs("quantity") > source.limits.max_quantity


def _too_little(source: SourceSettings) -> Column:
    if source.limits.min_total_amount is None:
        return F.lit(False)
    return F.abs("total_amount") < F.lit(source.limits.min_total_amount)


def _life_order(source: SourceSettings) -> tuple[Column, ...]:
    """Newer is the later state in a purchase's life: a rule over content alone, so that arrival does not matter."""
    states = F.array(*[F.lit(status) for status in source.statuses.lifecycle])
    return (F.array_position(states, F.col("status")),)


TRANSACTIONS = Contract(
    name="transactions",
    form="parquet",
    fields=(
        Field("transaction_id", "string", required=True),
        Field("user_id", "string", required=True),
        Field("product_id", "string", required=True),
        Field("session_id", "string"),
        Field("quantity", "int", required=True),
        Field("unit_price", "decimal(12,2)", required=True),
        Field("discount_amount", "decimal(12,2)"),
        Field("tax_amount", "decimal(12,2)"),
        Field("shipping_amount", "decimal(12,2)"),
        Field("total_amount", "decimal(12,2)", required=True),
        Field("currency", "string"),
        Field("payment_method", "string"),
        Field("status", "string"),
        Field("rating", "int"),
        Field("transaction_ts", "timestamp", required=True),
    ),
    key="transaction_id",
    history=False,
    version=_life_order,
    delivered="transaction_date",
    rules=(
        key_pattern_rule("transaction_id"),
        Rule("unknown_status", lambda source: ~F.col("status").isin(*source.statuses.lifecycle)),
        Rule("currency_without_rate", lambda source: F.col("currency") != source.currency),
        Rule("zero_quantity", lambda source: F.col("quantity") == 0),
        Rule("negative_quantity", lambda source: (F.col("quantity") < 0) & ~_is_return(source)),
        Rule("excessive_quantity", _too_many),
        Rule("negative_unit_price", lambda source: F.col("unit_price") < 0),
        Rule("wrong_total", _wrong_total),
        Rule("negligible_total", _too_little),
        Rule("impossible_rating", lambda source: ~F.col("rating").between(MIN_RATING, MAX_RATING)),
        *time_rules("transaction_ts"),
    ),
)
