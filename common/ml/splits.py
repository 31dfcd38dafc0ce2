"""Rows divided by a hash of their key: the same row is on the same side in every run, on any machine."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

_BUCKETS = 1_000_000


def in_share(key: str | Column, share: float, salt: str) -> Column:
    """Whether a key belongs to a share of all keys.

    Args:
        key: The column that decides; all rows of one key go together.
        share: From 0 (no key) to 1 (every key).
        salt: Another one gives a division that has nothing to do with this one.
    """
    place = F.pmod(F.xxhash64(F.lit(salt), key), F.lit(_BUCKETS))
    return place < round(share * _BUCKETS)


def share_for(rows: int, limit: int) -> float:
    """The share that leaves about `limit` of so many rows; 1 where they are fewer."""
    return min(1.0, limit / rows) if rows else 1.0
