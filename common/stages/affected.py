"""Which partitions of a fact have to be made anew since its last commit."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.job import StageContext
from common.stages.origins import Origin, recorded_origin
from common.storage import delta
from common.transforms.facts import changed_intervals, partition_value

log = logging.getLogger("ecommerce")


@dataclass(frozen=True)
class Join:
    """How a fact hangs on a dimension.

    Attributes:
        table: The dimension, as the graph names it.
        key: The natural key.
        attributes: What the fact takes over, the surrogate key first.
    """

    table: str
    key: str
    attributes: tuple[str, ...]


@dataclass(frozen=True)
class Lineage:
    """What a fact is made from.

    Attributes:
        table: The fact, as the graph names it.
        clean: The clean table.
        ts: The event time.
        joins: The dimensions.
    """

    table: str
    clean: str
    ts: str
    joins: tuple[Join, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The tables that are read."""
        return (self.clean, *[join.table for join in self.joins])


@dataclass(frozen=True)
class Affected:
    """What is to be made anew.

    Attributes:
        partitions: Values of the partition column, sorted; None means all.
        why: In a few words.
    """

    partitions: tuple[str, ...] | None
    why: str


def affected_partitions(context: StageContext, fact: Lineage, origin: Origin) -> Affected:
    """Find the partitions whose clean rows changed, or whose rows belong to other versions now.

    Args:
        context: The stage's.
        fact: What is made from what.
        origin: The versions that it would be made from now.
    """
    then = recorded_origin(context, fact.table)
    if context.rebuild:
        return Affected(None, "asked for")
    if then is None:
        return Affected(None, "first load")
    if then.basis != origin.basis:
        return Affected(None, "code or settings changed")
    if not _follows(then.inputs, origin.inputs):
        return Affected(None, "an input was made anew")
    try:
        found = _changed(context, fact, then, origin)
        for join in fact.joins:
            found |= _rejoined(context, fact, join, then, origin)
    except PySparkException as error:
        # Maintenance may have removed the versions to compare with: making everything anew is slower and as right.
        log.warning("%s: changes since its last load cannot be read, loading it whole: %s", fact.table, error)
        return Affected(None, "older versions of the inputs are gone")
    return Affected(tuple(sorted(found)), f"{len(found)} partitions changed")


def _follows(then: Mapping[str, int | None], now: Mapping[str, int | None]) -> bool:
    """Whether each input is the same table at the same or a later version."""
    if set(then) != set(now):
        return False
    return all(old == now[name] or _is_later(now[name], old) for name, old in then.items())


def _is_later(now: int | None, then: int | None) -> bool:
    return now is not None and then is not None and now > then


def _changed(context: StageContext, fact: Lineage, then: Origin, now: Origin) -> set[str]:
    """Partitions of the rows that came, went or changed in the clean table."""
    since = then.inputs[fact.clean]
    if since is None or since == now.inputs[fact.clean]:
        return set()
    feed = delta.changes(context.spark, context.layout.path(fact.clean), since)
    return _partitions(context, feed, fact.ts)


def _rejoined(context: StageContext, fact: Lineage, join: Join, then: Origin, now: Origin) -> set[str]:
    """Partitions of the rows for whose time and key the dimension has another version now."""
    old, new = then.inputs[join.table], now.inputs[join.table]
    version = now.inputs[fact.clean]
    if old == new or version is None:
        return set()
    path = context.layout.path(join.table)
    columns = (join.key, *join.attributes, "valid_from", "valid_to")
    before, after = (delta.read(context.spark, path, each).select(*columns) for each in (old, new))
    moved = changed_intervals(before, after, join.key, join.attributes).withColumnRenamed(join.key, "_key")
    rows = delta.read(context.spark, context.layout.path(fact.clean), version).select(join.key, fact.ts)
    at = F.col(fact.ts)
    meets = (F.col(join.key) == F.col("_key")) & (at >= F.col("valid_from")) & (at < F.col("valid_to"))
    return _partitions(context, rows.join(moved, on=meets, how="left_semi"), fact.ts)


def _partitions(context: StageContext, rows: DataFrame, ts: str) -> set[str]:
    value = partition_value(ts, context.source, context.settings.publish.partition_by)
    return {row["value"] for row in rows.select(value.alias("value")).distinct().collect()}
