"""The best products for every customer, and those most like each product: blocks of a matrix product beside the data.

Spark's own recommendForAllUsers cannot leave out what a customer already has, and compares every pair of blocks. Here
the factors of products, which are few, go to where the customers' are; a block of customers is scored at a time, so
that memory is bounded by the number of products, and nothing is multiplied out on the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame

from common.ml.ranking import NO_ITEM, Floats, top_items

_ROWS_AT_A_TIME = 512
_SCHEMA = "key string, place int, item string, score float"


def best_items(
    rows: DataFrame, items: Floats, names: tuple[str, ...], allowed: npt.NDArray[np.bool_], count: int
) -> DataFrame:
    """The items whose factors fit those of each row best.

    Args:
        rows: key (string), features (array of float), excluded (array of int, places of items).
        items: Factors of all items, (i, r).
        names: Their ids.
        allowed: Which of them may come up at all, (i,).
        count: How many for each row.

    Returns:
        key, place (from 1), item, score; fewer than `count` rows for a key where fewer are allowed.
    """
    return rows.select("key", "features", "excluded").mapInArrow(_scorer(items, names, allowed, count), _SCHEMA)


def _scorer(
    items: Floats, names: tuple[str, ...], allowed: npt.NDArray[np.bool_], count: int
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    # Only what may come up takes part; `position` tells where among them an item is, -1 for one that is not.
    labels = np.array(names, dtype=object)[allowed]
    position = np.where(allowed, np.cumsum(allowed) - 1, -1)
    transposed = items[allowed].T.copy()

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
        found = top_items(scores, count)
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
