"""How the rows of a fact are laid out in files: few of them, each sorted by time."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_TASKS_PER_CORE = 2
_MIN_TASKS = 6
_MONTHS_OF_YEAR = 12
_DAY_LENGTH = len("2025-11-30")


def arranged(rows: DataFrame, partition: str, ts: str, key: str) -> DataFrame:
    """The rows with each partition in one task, sorted by partition, time and key.

    Successive months (or days) go to successive tasks, so that they are spread evenly; a hash would put several of a
    handful into one task. Each partition becomes one file, and a reader of some days skips most row groups.

    Args:
        rows: A fact.
        partition: Its partition column, yyyy-MM or yyyy-MM-dd.
        ts: The event time.
        key: The key, which makes the order total.
    """
    tasks = max(_MIN_TASKS, rows.sparkSession.sparkContext.defaultParallelism * _TASKS_PER_CORE)
    day = F.to_date(F.rpad(F.col(partition), _DAY_LENGTH, "-01"))
    is_day = F.length(partition) == _DAY_LENGTH
    month = F.year(day) * _MONTHS_OF_YEAR + F.month(day)
    ordinal = F.when(is_day, F.unix_date(day)).otherwise(month)
    return rows.repartitionById(tasks, F.pmod(ordinal, F.lit(tasks)).cast("int")).sortWithinPartitions(
        partition, ts, key
    )
