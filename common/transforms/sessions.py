"""Events to sessions and to what was in their carts."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, GroupedData
from pyspark.sql import functions as F

from common.transforms.revenue import MONEY, zero

FUNNEL = ("product_view", "add_to_cart", "begin_checkout", "purchase")
VISIT = "visit"
_COUNTED = {
    "page_views": "page_view",
    "searches": "search",
    "product_views": "product_view",
    "carts": "add_to_cart",
    "removals": "remove_from_cart",
    "checkouts": "begin_checkout",
    "purchases": "purchase",
    "reviews": "review",
}
_FIRST_TIMES = {
    "first_view_at": "product_view",
    "first_cart_at": "add_to_cart",
    "first_checkout_at": "begin_checkout",
    "first_purchase_at": "purchase",
}
# A step is collected as one number, its time in microseconds and its place in the funnel: numbers are compared and kept
# much faster than structs, and of two steps at one instant the later place is the greater number.
_PLACE_BITS = 3
_PLACES = 1 << _PLACE_BITS
_REACHED_TIMES = ("reached_view_at", "reached_cart_at", "reached_checkout_at", "reached_purchase_at")
_SEARCH_ENGINES = r"(^|\.)(google|bing|duckduckgo|yahoo|baidu|yandex|ecosia|qwant|startpage)\."
_SOCIAL_SITES = r"(^|\.)(facebook|instagram|twitter|x|t|tiktok|pinterest|youtube|linkedin|reddit|snapchat)\.(com|co)$"


def is_counted_event() -> Column:
    """A person's own event: neither a bot's, nor one event sent twice."""
    return ~F.col("is_bot") & F.col("near_duplicate_of").isNull()


def is_order_line() -> Column:
    """A line that was bought, whatever became of it later; the line of a return is none."""
    return F.col("quantity") > 0


def cart_items(events: DataFrame, products: DataFrame, lines: DataFrame) -> DataFrame:
    """What was put into each session's cart and what was left there.

    An event without a quantity stands for one unit. A product without a price counts with none.

    Args:
        events: fact_clickstream.
        products: dim_products; the price is that of the version when the product was first put in.
        lines: fact_transactions.

    Returns:
        A row a session and product that was added: `session_id`, `product_id`, `product_sk`, `added_quantity`,
        `removed_quantity`, `left_quantity` (added less removed, at least 0), `unit_price`, `cart_value`,
        `first_added_at`, `is_purchased` (whether the session bought the product), `is_left_behind` (something was left
        and the product was not bought).
    """
    units = F.coalesce("quantity", F.lit(1)).cast("bigint")
    is_add = F.col("event_type") == "add_to_cart"
    moved = events.where(is_counted_event() & F.col("product_id").isNotNull()).where(
        F.col("event_type").isin("add_to_cart", "remove_from_cart")
    )
    in_order = F.struct("event_ts", "event_id")
    items = moved.groupBy("session_id", "product_id").agg(
        F.min_by("product_sk", F.when(is_add, in_order)).alias("product_sk"),
        F.sum(F.when(is_add, units)).alias("added_quantity"),
        F.coalesce(F.sum(F.when(~is_add, units)), F.lit(0)).alias("removed_quantity"),
        F.min(F.when(is_add, F.col("event_ts"))).alias("first_added_at"),
    )
    bought = lines.where(is_order_line() & F.col("session_id").isNotNull()).select(
        "session_id", "product_id", F.lit(True).alias("_bought")
    )
    prices = products.select("product_sk", F.col("list_price").alias("unit_price"))
    priced = (
        items.where(F.col("added_quantity").isNotNull())
        .join(prices, on="product_sk", how="left")
        .join(bought.distinct(), on=["session_id", "product_id"], how="left")
        .withColumn("left_quantity", F.greatest(F.col("added_quantity") - F.col("removed_quantity"), F.lit(0)))
    )
    is_purchased = F.coalesce("_bought", F.lit(False))
    return priced.select(
        "session_id",
        "product_id",
        "product_sk",
        "added_quantity",
        "removed_quantity",
        "left_quantity",
        "unit_price",
        (F.col("left_quantity") * F.coalesce("unit_price", zero())).cast(MONEY).alias("cart_value"),
        "first_added_at",
        is_purchased.alias("is_purchased"),
        ((F.col("left_quantity") > 0) & ~is_purchased).alias("is_left_behind"),
    )


def sessions(events: DataFrame, carts: DataFrame, lines: DataFrame, time_zone: str) -> DataFrame:
    """One row a session of a person.

    `furthest_step` is how far the session came in the order of the funnel: a step counts when it happened at or after
    the step before it was reached. `first_*_at` are the first times of the steps in any order, `reached_*_at` those in
    that order. A session has converted when it has a purchase event or bought a line; it is abandoned when something
    was added to the cart and it has not converted.

    Args:
        events: fact_clickstream.
        carts: What `cart_items` gives.
        lines: fact_transactions.
        time_zone: Of the business day.
    """
    visits = _by_session(events.where(is_counted_event())).agg(*_visit_columns()).drop("_session").transform(_reached)
    filled = carts.groupBy("session_id").agg(
        F.sum("left_quantity").alias("cart_items"), F.sum("cart_value").cast(MONEY).alias("cart_value")
    )
    bought = (
        lines.where(is_order_line() & F.col("session_id").isNotNull())
        .groupBy("session_id")
        .agg(F.count(F.lit(1)).alias("purchased_lines"), F.sum("gross_amount").cast(MONEY).alias("purchase_amount"))
    )
    joined = visits.join(filled, on="session_id", how="left").join(bought, on="session_id", how="left")
    is_converted = (F.col("purchases") > 0) | (F.coalesce("purchased_lines", F.lit(0)) > 0)
    depth = _depth()
    return joined.select(
        "session_id",
        "user_id",
        "anonymous_id",
        "started_at",
        "ended_at",
        F.from_utc_timestamp("started_at", time_zone).cast("date").alias("session_date"),
        F.expr("(unix_micros(ended_at) - unix_micros(started_at)) div 1000000").alias("duration_seconds"),
        "events",
        *_COUNTED,
        *_FIRST_TIMES,
        *[F.timestamp_micros(F.shiftright(name, _PLACE_BITS)).alias(name) for name in _REACHED_TIMES],
        depth.alias("funnel_depth"),
        F.element_at(F.array(*[F.lit(step) for step in (VISIT, *FUNNEL)]), depth + 1).alias("furthest_step"),
        _entry_source().alias("entry_source"),
        _entry_medium().alias("entry_medium"),
        "device_type",
        "country",
        F.coalesce("cart_items", F.lit(0)).alias("cart_items"),
        F.coalesce("cart_value", zero()).alias("cart_value"),
        F.coalesce("purchased_lines", F.lit(0)).alias("purchased_lines"),
        F.coalesce("purchase_amount", zero()).alias("purchase_amount"),
        is_converted.alias("is_converted"),
        ((F.col("carts") > 0) & ~is_converted).alias("is_abandoned"),
    )


def _by_session(events: DataFrame) -> GroupedData:
    """Events grouped by session, each one's beside each other.

    A session has few events, so that adding them up before they are brought together would hardly make rows fewer. They
    are sorted once, by a hash, which is compared much faster than ids that begin alike.
    """
    keys = ("_session", "session_id")
    hashed = events.withColumn("_session", F.xxhash64("session_id"))
    return hashed.repartition("session_id").sortWithinPartitions(*keys).groupBy(*keys)


def _visit_columns() -> list[Column]:
    """What the events of a session say together.

    Of an attribute the value of the first event counts, by time and event; where that one has none, the least of those
    known.
    """
    attributes = {"user_id": "user_id", "anonymous_id": "anonymous_id", "device_type": "device_type"}
    attributes["geo_country"] = "country"
    first = F.struct(
        "event_ts",
        "event_id",
        "utm_source",
        "utm_medium",
        "referrer",
        "page_url",
        *attributes,
    )
    entry = F.min(first)
    known = [F.coalesce(entry[column], F.min(column)).alias(name) for column, name in attributes.items()]
    counts = [F.count_if(F.col("event_type") == kind).alias(name) for name, kind in _COUNTED.items()]
    times = [
        F.min(F.when(F.col("event_type") == kind, F.col("event_ts"))).alias(name) for name, kind in _FIRST_TIMES.items()
    ]
    return [
        *known,
        F.min("event_ts").alias("started_at"),
        F.max("event_ts").alias("ended_at"),
        F.count(F.lit(1)).alias("events"),
        *counts,
        *times,
        entry.alias("_entry"),
        F.collect_list(_step()).alias("_steps"),
    ]


def _step() -> Column:
    """A funnel step as a number; null for any other event, which `collect_list` passes over."""
    at = F.unix_micros("event_ts") * _PLACES
    steps = [F.when(F.col("event_type") == name, at + place) for place, name in enumerate(FUNNEL, start=1)]
    return F.coalesce(*steps)


def _reached(visits: DataFrame) -> DataFrame:
    """Add when each step was reached: the first time at or after the step before, as a number like those of `_step`.

    What was collected is asked for its least values only, so that the order in which it came makes no difference.
    """
    before: Column = F.lit(0).cast("bigint")
    for place, name in enumerate(_REACHED_TIMES, start=1):
        visits = visits.withColumn(name, _least_after(before, place))
        before = F.col(name)
    return visits


def _least_after(before: Column, place: int) -> Column:
    return F.array_min(F.filter("_steps", lambda step: (step % _PLACES == place) & (step > before)))


def _depth() -> Column:
    """How many steps were reached."""
    reached = [F.when(F.col(name).isNotNull(), F.lit(1)).otherwise(F.lit(0)) for name in _REACHED_TIMES]
    return reached[0] + reached[1] + reached[2] + reached[3]


def _host(url: str) -> Column:
    """The host of an absolute address in lower case; empty for any other."""
    return F.lower(F.regexp_extract(url, r"^[A-Za-z][A-Za-z0-9+.-]*://([^/:?#]+)", 1))


def _entry_source() -> Column:
    """Where a session came from: what its first address says, else the kind of site that referred to it."""
    return F.coalesce("_entry.utm_source", _referrer_class())


def _entry_medium() -> Column:
    named = F.coalesce("_entry.utm_medium", F.when(F.col("_entry.utm_source").isNotNull(), F.lit("unknown")))
    kind = _referrer_class()
    by_class = F.when(kind == "search", F.lit("organic")).when(kind == "direct", F.lit("none")).otherwise(kind)
    return F.coalesce(named, by_class)


def _referrer_class() -> Column:
    referrer = F.coalesce(_host("_entry.referrer"), F.lit(""))
    is_own = referrer == F.coalesce(_host("_entry.page_url"), F.lit(""))
    return (
        F.when((referrer == "") | is_own, F.lit("direct"))
        .when(referrer.rlike(_SEARCH_ENGINES), F.lit("search"))
        .when(referrer.rlike(_SOCIAL_SITES), F.lit("social"))
        .otherwise(F.lit("referral"))
    )
