"""Slowly changing dimensions, type 2: from all changes of a key to its versions.

A history is a function of the set of changes: their order, their repetition and the number of loads in which they
arrived make no difference, so that a late change and a rebuilt table give the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

UNKNOWN_SK = -1
UNKNOWN_KEY = "unknown"
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
END = datetime(9999, 12, 31, tzinfo=UTC)
CHANGES_OF_KEY = "_changes_of_key"

_LAST_INSTANT = datetime(9999, 12, 30, tzinfo=UTC)
_TIES = "_updated_at", "_is_delete", "_payload_hash"


def is_current() -> Column:
    """Open-ended and not deleted."""
    return (F.col("valid_to") == F.lit(END)) & ~F.col("is_deleted")


def surrogate_key(namespace: str, key: str) -> Column:
    """The bigint key of a version, from what it is about and when it began; never that of the unknown member.

    Args:
        namespace: Keeps two dimensions with the same natural keys apart.
        key: The column of the natural key; the frame also has `valid_from`.
    """
    hashed = F.xxhash64(F.lit(namespace), F.col(key), F.unix_micros("valid_from"))
    return F.when(hashed == UNKNOWN_SK, F.lit(UNKNOWN_SK - 1).cast("bigint")).otherwise(hashed)


def build_history(
    changes: DataFrame, key: str, tracked: Sequence[str], *, latest: Sequence[str] = (), namespace: str
) -> DataFrame:
    """The versions of each key.

    Of several changes at one instant the last counts: a delete comes after an upsert, then the higher `_payload_hash`.
    A change that leaves the tracked attributes as they were is superseded by the version before it. A delete makes a
    version of its own, with the attributes last known or, when nothing came before it, with nulls; so does the upsert
    that brings a key back. The first version of a key holds from 1900-01-01, the last one until 9999-12-31; an
    instant outside of these is moved to the nearer one.

    Args:
        changes: `key`, `tracked` and `latest` columns, `updated_at` (timestamp), `op` (upsert or delete) and
            `_payload_hash` (bigint); none of `key`, `updated_at`, `op` is null.
        key: The natural key.
        tracked: Attributes of which a difference makes a version.
        latest: Attributes that make none (type 1): each version has the value last reported while it held.
        namespace: Goes into the surrogate keys.

    Returns:
        A row a version: `sk` (bigint), key, tracked and latest attributes, `valid_from` and `valid_to` (timestamps,
        half-open), `is_current`, `is_deleted`, and `_changes_of_key` (bigint): on the first version of a key how many
        changes the key had, on the others 0. The sum of the last is the number of changes read.
    """
    states = _last_of_each_instant(changes, key, tracked, latest)
    versions = states.transform(_start_versions, key, latest)
    return versions.select(
        surrogate_key(namespace, key).alias("sk"),
        key,
        *[F.col(f"_tracked.{name}").alias(name) for name in tracked],
        *[F.col(f"_latest.{name}").alias(name) for name in latest],
        "valid_from",
        "valid_to",
        is_current().alias("is_current"),
        "is_deleted",
        CHANGES_OF_KEY,
    )


def with_unknown_member(dimension: DataFrame, key: str) -> DataFrame:
    """The dimension and the member that facts of an unknown key point at.

    Its surrogate key is -1, its natural key 'unknown'. It holds for all time and is current, so that every rule on
    versions holds for it as well; who counts members leaves it out by its surrogate key.

    Args:
        dimension: What a dimension publishes, its surrogate key in the first column.
        key: The natural key.
    """
    values: Mapping[str, Column] = {
        dimension.columns[0]: F.lit(UNKNOWN_SK),
        key: F.lit(UNKNOWN_KEY),
        "valid_from": F.lit(BEGINNING),
        "valid_to": F.lit(END),
        "is_current": F.lit(True),
        "is_deleted": F.lit(False),
    }
    columns = [
        values.get(field.name, F.lit(None)).cast(field.dataType).alias(field.name) for field in dimension.schema.fields
    ]
    return dimension.unionByName(dimension.sparkSession.range(1).select(*columns))


def _last_of_each_instant(changes: DataFrame, key: str, tracked: Sequence[str], latest: Sequence[str]) -> DataFrame:
    """The state of a key after each instant at which something was said of it."""
    instant = F.greatest(F.least("updated_at", F.lit(_LAST_INSTANT)), F.lit(BEGINNING))
    upserted = F.col("op") == "upsert"
    rows = changes.select(
        key,
        instant.alias("_instant"),
        F.col("updated_at").alias("_updated_at"),
        (~upserted).alias("_is_delete"),
        "_payload_hash",
        F.when(upserted, F.struct(*tracked)).alias("_tracked"),
        F.when(upserted, F.struct(*latest) if latest else F.struct(F.lit(1))).alias("_latest"),
    )
    in_order = Window.partitionBy(key).orderBy("_instant", *_TIES)
    is_last = F.coalesce(F.lead("_instant").over(in_order) > F.col("_instant"), F.lit(True))
    so_far = in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    counted = F.count(F.lit(1)).over(Window.partitionBy(key))
    return (
        rows.withColumn("_is_last", is_last)
        .withColumn(CHANGES_OF_KEY, counted)
        .where("_is_last")
        # A delete says nothing of the attributes: what was said last still stands.
        .withColumns({name: F.last(name, ignorenulls=True).over(so_far) for name in ("_tracked", "_latest")})
    )


def _start_versions(states: DataFrame, key: str, latest: Sequence[str]) -> DataFrame:
    """The states that differ from the one before, each with the interval for which it holds."""
    in_order = Window.partitionBy(key).orderBy("_instant", *_TIES)
    state = F.struct("_tracked", "_is_delete")
    is_first = F.lag("_is_delete").over(in_order).isNull()
    starts = is_first | ~state.eqNullSafe(F.lag(state).over(in_order))
    marked = states.withColumn("_is_first", is_first).withColumn("_starts", starts)
    if latest:
        marked = marked.transform(_with_latest, key)
    begins = F.when(F.col("_is_first"), F.lit(BEGINNING)).otherwise(F.col("_instant"))
    ends = F.coalesce(F.lead("_instant").over(in_order), F.lit(END))
    return (
        marked.where("_starts")
        .withColumn("valid_to", ends)
        .withColumn("valid_from", begins)
        .withColumn(CHANGES_OF_KEY, F.when(F.col("_is_first"), F.col(CHANGES_OF_KEY)).otherwise(F.lit(0)))
        .withColumnRenamed("_is_delete", "is_deleted")
    )


def _with_latest(states: DataFrame, key: str) -> DataFrame:
    """The value last reported while the version held, on each of its states."""
    in_order = Window.partitionBy(key).orderBy("_instant", *_TIES)
    of_version = Window.partitionBy(key, "_version").orderBy("_instant", *_TIES)
    whole = of_version.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    return states.withColumn("_version", F.count_if("_starts").over(in_order)).withColumn(
        "_latest", F.last("_latest").over(whole)
    )
