"""Which events are a machine's, and which are one event sent twice."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from common.settings import SourceSettings
from common.storage.fingerprint import row_hash

_SAME_EVENT = ("event_type", "page_url", "product_id", "search_query", "session_id")


def actor() -> Column:
    """Who acted: the customer where known, otherwise the anonymous visitor."""
    return F.coalesce(F.concat(F.lit("u:"), F.col("user_id")), F.concat(F.lit("a:"), F.col("anonymous_id")))


def annotate_traffic(events: DataFrame, source: SourceSettings, live: Column) -> DataFrame:
    """Mark bots and near duplicates.

    A near duplicate follows within the window on an event of the same actor with the same type, page, product, query
    and session; `near_duplicate_of` names the first event of such a chain. A bot is an actor with so many events on a
    UTC day, at so short a median pause between successive ones, that it is no person; all its events of the day count.

    Args:
        events: One row an event, with every event of each actor and day that occurs in it.
        source: The thresholds.
        live: Which rows count; the others keep to themselves and are never marked.

    Returns:
        The same rows with `is_bot` (boolean, never null) and `near_duplicate_of` (event_id or null).
    """
    alone = F.concat(F.lit("-:"), F.xxhash64(*events.columns).cast("string"))
    # Both annotations find the events of an actor together.
    by_actor = (
        events.withColumn("_who", F.coalesce(F.when(live, actor()), alone))
        .withColumn("_actor", F.xxhash64("_who"))
        .repartition("_actor")
    )
    marked = by_actor.transform(_near_duplicates, source).transform(_bots, source).drop("_actor", "_who")
    return marked.withColumns(
        {
            "is_bot": F.coalesce(live, F.lit(False)) & F.col("is_bot"),
            "near_duplicate_of": F.when(live, F.col("near_duplicate_of")),
        }
    )


def _micros(ts: str) -> Column:
    return F.unix_micros(F.col(ts))


def _near_duplicates(events: DataFrame, source: SourceSettings) -> DataFrame:
    """Hashes stand for the actor and for what makes events the same: rows sort by numbers far faster than by text."""
    window = source.near_duplicates.window_milliseconds * 1000
    repeats = Window.partitionBy("_actor", "_event").orderBy("event_ts", "event_id")
    gap = _micros("event_ts") - F.lag(_micros("event_ts")).over(repeats)
    starts_chain = gap.isNull() | (gap > window)
    first = F.last(F.when(F.col("_starts_chain"), F.col("event_id")), ignorenulls=True).over(
        repeats.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    return (
        events.withColumn("_event", row_hash(_SAME_EVENT))
        .withColumn("_starts_chain", starts_chain)
        .withColumn("near_duplicate_of", F.when(~F.col("_starts_chain"), first))
        .drop("_starts_chain", "_event")
    )


def _bots(events: DataFrame, source: SourceSettings) -> DataFrame:
    day = ("_actor", "_who", "_day")
    successive = Window.partitionBy(*day).orderBy("event_ts", "event_id")
    whole_day = Window.partitionBy(*day)
    max_gap = F.lit(round(source.bots.max_median_gap_seconds * 1_000_000))
    gap = _micros("event_ts") - F.lag(_micros("event_ts")).over(successive)
    # The median of the pauses is at most the bound exactly when at least half of them are.
    is_bot = (F.col("_events") >= source.bots.min_events) & (2 * F.col("_short_gaps") >= F.col("_events") - 1)
    return (
        events.withColumn("_day", F.col("event_ts").cast("date"))
        .withColumn("_gap", gap)
        .withColumn("_events", F.count(F.lit(1)).over(whole_day))
        .withColumn("_short_gaps", F.count_if(F.col("_gap") <= max_gap).over(whole_day))
        .withColumn("is_bot", is_bot)
        .drop("_day", "_gap", "_events", "_short_gaps")
    )
