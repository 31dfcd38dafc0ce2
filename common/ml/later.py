"""What is bought from a cutoff on, which everything that is shown to customers is held against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame

from common.ml.dates import Period
from common.ml.interactions import fresh_purchases, interactions
from common.storage.persisting import persisted


@dataclass(frozen=True)
class Later:
    """The days after a cutoff, and what was known before it.

    Attributes:
        daily: From `daily_interactions`.
        known: From `interactions`, before the cutoff.
        period: The days whose purchases are to be foretold.
        limit: Of customers, about, taken by a hash of their id.
    """

    daily: DataFrame
    known: DataFrame
    period: Period
    limit: int

    def fresh(self) -> DataFrame:
        """What was bought in these days and never before by the same customer: user_id, product_id."""
        return fresh_purchases(self.daily, self.known, self.period)


@contextmanager
def later_than(daily: DataFrame, period: Period, limit: int) -> Iterator[Later]:
    """What was known before some days is computed once.

    Args:
        daily: From `daily_interactions`.
        period: The days.
        limit: Of customers.
    """
    with persisted(interactions(daily, period.first)) as known:
        yield Later(daily, known, period, limit)
