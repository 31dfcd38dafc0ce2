"""The best products for every customer, and those most like each product: blocks of a matrix product beside the data.

Spark's own recommendForAllUsers cannot leave out what a customer already has, and compares every pair of blocks. Here
the factors of products, which are few, go to where the customers' are; a block of customers is scored at a time, so
that memory is bounded by the number of products, and nothing is multiplied out on the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame

from common.ml.ranking import NO_ITEM, Floats, top_items

_ROWS_AT_A_TIME = 512
_SCHEMA = "key string, place int, item string, score float"


@dataclass(frozen=True)
class Items:
    """What can be among the best.

    Attributes:
        factors: Of all items, (i, r).
        names: Their ids.
        allowed: Which of them may come up at all, (i,).
        groups: The group of each, -1 for none, (i,); those of a row's own group come before all others.
    """

    factors: Floats
    names: tuple[str, ...]
    allowed: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.int64] | None = None


def best_items(rows: DataFrame, items: Items, count: int) -> DataFrame:
    """The items whose factors fit those of each row best.

    Args:
        rows: key (string), features (array of float), excluded (array of int, places of items), and where items have
            groups `group` (int, -1 for none).
        items: All items.
        count: How many for each row.

    Returns:
        key, place (from 1), item, score; fewer than `count` rows for a key where fewer are allowed.
    """
    columns = ["key", "features", "excluded", *(["group"] if items.groups is not None else [])]
    return rows.select(*columns).mapInArrow(_scorer(items, count), _SCHEMA)


def _scorer(items: Items, count: int) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    allowed = items.allowed
    # Only what may come up takes part; `position` tells where among them an item is, -1 for one that is not.
    labels = np.array(items.names, dtype=object)[allowed]
    position = np.where(allowed, np.cumsum(allowed) - 1, -1)
    transposed = items.factors[allowed].T.copy()
    of_items = None if items.groups is None else items.groups[allowed]
    longest = float(np.linalg.norm(transposed, axis=0).max(initial=0))

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for start in range(0, batch.num_rows, _ROWS_AT_A_TIME):
                yield _best(batch.slice(start, _ROWS_AT_A_TIME))

    def _best(batch: pa.RecordBatch) -> pa.RecordBatch:
        factors = np.array(batch.column("features").to_pylist(), dtype=np.float64)
        scores = factors @ transposed
        excluded = batch.column("excluded")
        owners = np.repeat(np.arange(batch.num_rows), excluded.value_lengths().to_numpy(zero_copy_only=False))
        columns = position[excluded.flatten().to_numpy(zero_copy_only=False)]
        scores[owners[columns >= 0], columns[columns >= 0]] = -np.inf
        order = scores
        if of_items is not None:
            own = batch.column("group").to_numpy(zero_copy_only=False)
            # More than any two scores of a row lie apart, as no score is above the product of lengths; -2 is no group.
            ahead = 1 + 2 * longest * np.linalg.norm(factors, axis=1)
            order = scores + (np.where(own < 0, -2, own)[:, None] == of_items) * ahead[:, None]
        found = top_items(order, count)
        row, place = np.nonzero(found != NO_ITEM)
        item = found[row, place]
        return pa.record_batch(
            {
                "key": batch.column("key").take(pa.array(row)),
                "place": pa.array(place + 1, pa.int32()),
                "item": pa.array(labels[item], pa.string()),
                "score": pa.array(scores[row, item], pa.float32()),
            }
        )

    return score
