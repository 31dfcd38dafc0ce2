"""What visitors do: one event a row."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.contracts.model import Contract, Field, Rule, key_pattern_rule, time_rules
from common.settings import SourceSettings
from common.transforms.traffic import actor, annotate_traffic

EVENT_TYPES = (
    "page_view",
    "search",
    "product_view",
    "add_to_cart",
    "remove_from_cart",
    "begin_checkout",
    "purchase",
    "review",
)


def _missing_actor(source: SourceSettings) -> Column:
    return F.col("user_id").isNull() & F.col("anonymous_id").isNull()


def _same_actor(new: DataFrame, clean: DataFrame) -> DataFrame:
    """Rows of the clean table on the days around the new ones by the same actors: what their annotations look at."""
    actors = new.select(actor().alias("_actor")).distinct()
    day = F.col("event_ts").cast("date")
    days = new.agg(F.min(day).alias("_first"), F.max(day).alias("_last"))
    around = day.between(F.date_sub("_first", 1), F.date_add("_last", 1))
    return (
        clean.withColumn("_actor", actor())
        .join(actors, on="_actor", how="left_semi")
        .join(F.broadcast(days), on=around, how="inner")
        .withColumn("_context", day < F.col("_first"))
        .drop("_actor", "_first", "_last")
    )


CLICKSTREAM = Contract(
    name="clickstream",
    form="json",
    fields=(
        Field("event_id", "string", required=True),
        Field("event_ts", "timestamp", required=True),
        Field("user_id", "string"),
        Field("anonymous_id", "string"),
        Field("session_id", "string"),
        Field("event_type", "string", required=True),
        Field("page_url", "string"),
        Field("referrer", "string"),
        Field("product_id", "string"),
        Field("search_query", "string"),
        Field("quantity", "int"),
        Field("device_type", "string", raw="device.type"),
        Field("device_os", "string", raw="device.os"),
        Field("device_browser", "string", raw="device.browser"),
        Field("geo_country", "string", raw="geo.country"),
        Field("geo_city", "string", raw="geo.city"),
        Field("utm_source", "string", raw="utm.source"),
        Field("utm_medium", "string", raw="utm.medium"),
        Field("utm_campaign", "string", raw="utm.campaign"),
    ),
    key="event_id",
    history=False,
    version=lambda source: (F.col("event_ts"),),
    delivered="event_date",
    rules=(
        key_pattern_rule("event_id"),
        Rule("unknown_event_type", lambda source: ~F.col("event_type").isin(*EVENT_TYPES)),
        Rule("missing_actor", _missing_actor),
        Rule("invalid_quantity", lambda source: F.col("quantity") < 0),
        *time_rules("event_ts"),
    ),
    annotate=annotate_traffic,
    annotations=(("is_bot", "boolean"), ("near_duplicate_of", "string")),
    related=_same_actor,
)
