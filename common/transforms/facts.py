"""The two facts: clean rows joined to the dimension versions that held when they happened."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from common.settings import SourceSettings
from common.transforms import revenue
from common.transforms.scd2 import UNKNOWN_SK
from common.transforms.traffic import actor

# A hash relation of keys, intervals and one amount takes about 200 bytes a version.
_MAX_BROADCAST_VERSIONS = 1_500_000
_PARTITION_FORMATS = {"month": "yyyy-MM", "day": "yyyy-MM-dd"}
_DERIVED_PREFIX = "D"


@dataclass(frozen=True)
class Versions:
    """The versions of a dimension that facts are joined to.

    Attributes:
        frame: A dimension without its unknown member.
        count: How many versions it has, which decides how it is joined.
    """

    frame: DataFrame
    count: int

    def intervals(self, key: str, *attributes: str) -> DataFrame:
        """Key, interval, and some of the other columns; broadcast where that is reasonable."""
        chosen = self.frame.select(key, *attributes, "valid_from", "valid_to")
        return F.broadcast(chosen) if self.count <= _MAX_BROADCAST_VERSIONS else chosen


def business_date(ts: str, source: SourceSettings) -> Column:
    """The day on which the shop counts a UTC instant."""
    return F.from_utc_timestamp(F.col(ts), source.time_zone).cast("date")


def partition_value(ts: str, source: SourceSettings, grain: str) -> Column:
    """The partition of a fact: its business month (yyyy-MM) or day (yyyy-MM-dd)."""
    return F.date_format(business_date(ts, source), _PARTITION_FORMATS[grain])


def as_of(facts: DataFrame, versions: DataFrame, key: str, ts: str) -> DataFrame:
    """Add the columns of the version that held at the time of each fact.

    A left join that makes no rows: intervals of one key do not overlap, so that one version matches at most.

    Args:
        facts: Have the key, which may be null, and the time.
        versions: Key, `valid_from`, `valid_to` and what is to be added.
        key: The natural key.
        ts: The column of the event time.
    """
    dimension = versions.withColumnsRenamed({key: "_key", "valid_from": "_from", "valid_to": "_to"})
    held = (F.col(key) == F.col("_key")) & (F.col(ts) >= F.col("_from")) & (F.col(ts) < F.col("_to"))
    return facts.join(dimension, on=held, how="left").drop("_key", "_from", "_to")


def known_or_member(sk: str) -> Column:
    """The surrogate key found, or that of the unknown member."""
    return F.coalesce(F.col(sk), F.lit(UNKNOWN_SK).cast("bigint"))


def is_unknown(sk: str, key: str) -> Column:
    """A key that no dimension knows. Having none at all, as an anonymous visitor has, is not that."""
    return F.col(sk).isNull() & F.col(key).isNotNull()


def order_id() -> Column:
    """The purchase that a line belongs to: lines of one customer in one session or, without one, at one instant."""
    return F.xxhash64("user_id", F.coalesce("session_id", F.unix_micros("transaction_ts").cast("string")))


def fact_transactions(
    lines: DataFrame, users: Versions, products: Versions, source: SourceSettings, grain: str
) -> DataFrame:
    """Sales lines with their dimension versions and what they count for.

    Args:
        lines: clean/transactions.
        users: dim_users.
        products: dim_products.
        source: Statuses and time zone.
        grain: month or day, of the partition column.

    Returns:
        fact_transactions, a row a line.
    """
    joined = lines.transform(as_of, users.intervals("user_id", "user_sk"), "user_id", "transaction_ts").transform(
        as_of, products.intervals("product_id", "product_sk", "unit_cost"), "product_id", "transaction_ts"
    )
    statuses = source.statuses
    return joined.select(
        "transaction_id",
        order_id().alias("order_id"),
        known_or_member("user_sk").alias("user_sk"),
        known_or_member("product_sk").alias("product_sk"),
        "user_id",
        "product_id",
        "session_id",
        "quantity",
        "unit_price",
        "discount_amount",
        "tax_amount",
        "shipping_amount",
        "total_amount",
        revenue.gross_amount(statuses).alias("gross_amount"),
        revenue.return_amount(statuses).alias("return_amount"),
        revenue.net_amount(statuses).alias("net_amount"),
        (F.col("unit_cost") * F.col("quantity")).cast(revenue.MONEY).alias("cost_amount"),
        revenue.margin_amount(statuses, F.col("unit_cost")).alias("margin_amount"),
        "currency",
        "payment_method",
        "status",
        "rating",
        "transaction_ts",
        business_date("transaction_ts", source).alias("transaction_date"),
        revenue.is_sale(statuses).alias("is_sale"),
        revenue.is_return(statuses).alias("is_return"),
        is_unknown("user_sk", "user_id").alias("is_unknown_user"),
        is_unknown("product_sk", "product_id").alias("is_unknown_product"),
        partition_value("transaction_ts", source, grain).alias("transaction_month"),
    )


def with_session_ids(events: DataFrame, source: SourceSettings, inactivity_minutes: int) -> DataFrame:
    """Give the events that name no session one of their own.

    A derived session is a visitor's events of one business day without a longer pause than allowed; midnight ends it,
    so that a day's sessions never depend on another day's events. Its id is a hash of actor and first event.

    Args:
        events: Have `session_id`, `event_id`, `event_ts`, `user_id`, `anonymous_id`.
        source: The time zone of the business day.
        inactivity_minutes: A longer pause starts a new session.
    """
    nameless = events.where(F.col("session_id").isNull()).withColumns(
        {"_actor": actor(), "_day": business_date("event_ts", source)}
    )
    visit = Window.partitionBy("_actor", "_day").orderBy("event_ts", "event_id")
    so_far = visit.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    pause = F.unix_micros("event_ts") - F.lag(F.unix_micros("event_ts")).over(visit)
    starts = F.coalesce(pause > inactivity_minutes * 60_000_000, F.lit(True))
    first_event = F.last(F.when(F.col("_starts"), F.col("event_id")), ignorenulls=True).over(so_far)
    derived = F.concat(F.lit(_DERIVED_PREFIX), F.lower(F.hex(F.xxhash64("_actor", "_first_event"))))
    named = (
        nameless.withColumn("_starts", starts)
        .withColumn("_first_event", first_event)
        .withColumn("session_id", derived)
        .drop("_actor", "_day", "_starts", "_first_event")
    )
    return events.where(F.col("session_id").isNotNull()).unionByName(named)


def fact_clickstream(
    events: DataFrame, users: Versions, products: Versions, source: SourceSettings, grain: str
) -> DataFrame:
    """Events with their dimension versions.

    Args:
        events: clean/clickstream, each event with a session.
        users: dim_users.
        products: dim_products.
        source: The time zone.
        grain: month or day, of the partition column.

    Returns:
        fact_clickstream, a row an event.
    """
    joined = events.transform(as_of, users.intervals("user_id", "user_sk"), "user_id", "event_ts").transform(
        as_of, products.intervals("product_id", "product_sk"), "product_id", "event_ts"
    )
    return joined.select(
        "event_id",
        known_or_member("user_sk").alias("user_sk"),
        known_or_member("product_sk").alias("product_sk"),
        "user_id",
        "anonymous_id",
        "session_id",
        "event_ts",
        business_date("event_ts", source).alias("event_date"),
        "event_type",
        "page_url",
        "referrer",
        "product_id",
        "search_query",
        "quantity",
        "device_type",
        "device_os",
        "device_browser",
        "geo_country",
        "geo_city",
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "is_bot",
        "near_duplicate_of",
        F.col("user_id").isNull().alias("is_anonymous"),
        is_unknown("user_sk", "user_id").alias("is_unknown_user"),
        is_unknown("product_sk", "product_id").alias("is_unknown_product"),
        partition_value("event_ts", source, grain).alias("event_month"),
    )


def changed_intervals(before: DataFrame, after: DataFrame, key: str, attributes: tuple[str, ...]) -> DataFrame:
    """The times for which a fact of a key would be joined to another version, or to one with other attributes.

    A version that is in both, with the same beginning, moves its end only where another one came or went; that other
    one's interval covers the difference.

    Args:
        before: The dimension that the facts were joined to.
        after: The dimension now.
        key: The natural key.
        attributes: The columns that a fact takes over, the surrogate key first.

    Returns:
        Key, `valid_from`, `valid_to`.
    """
    same = [key, *attributes, "valid_from"]
    matches = [F.col(f"one.{name}").eqNullSafe(F.col(f"other.{name}")) for name in same]
    gone = before.alias("one").join(after.alias("other"), on=matches, how="left_anti")
    come = after.alias("one").join(before.alias("other"), on=matches, how="left_anti")
    return gone.select(key, "valid_from", "valid_to").unionByName(come.select(key, "valid_from", "valid_to"))
