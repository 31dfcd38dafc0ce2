"""The best products for every customer, and those most like each product: blocks of a matrix product beside the data.

Spark's own recommendForAllUsers cannot leave out what a customer already has, and compares every pair of blocks. Here
the factors of products, which are few, go to where the customers' are; a block of customers is scored at a time, so
that memory is bounded by the number of products, and nothing is multiplied out on the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from common.ml.ranking import NO_ITEM, Floats, Ints, top_items

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


@dataclass(frozen=True)
class _Candidates:
    """Those that rows of one group choose from.

    Attributes:
        places: Their places among all items, ascending, (c,).
        factors: Theirs, (r, c).
        is_ahead: Which of them come before all others, (c,); None where none does.
    """

    places: Ints
    factors: Floats
    is_ahead: npt.NDArray[np.bool_] | None = None

    def without(self, scores: Floats, excluded: pa.ListArray) -> None:
        """Take out of the scores, (n, c), what each row excludes."""
        owners = np.repeat(np.arange(len(excluded)), excluded.value_lengths().to_numpy(zero_copy_only=False))
        wanted = excluded.flatten().to_numpy(zero_copy_only=False)
        columns = np.searchsorted(self.places, wanted)
        inside = columns < len(self.places)
        inside[inside] = self.places[columns[inside]] == wanted[inside]
        scores[owners[inside], columns[inside]] = -np.inf

    def in_order(self, scores: Floats, factors: Floats) -> Floats:
        """Scores by which the best are chosen, (n, c)."""
        if self.is_ahead is None:
            return scores
        longest = float(np.linalg.norm(self.factors, axis=0).max(initial=0))
        # More than any two scores of a row lie apart, as no score is above the product of lengths.
        ahead: Floats = (1 + 2 * longest * np.linalg.norm(factors, axis=1))[:, None]
        values: Floats = scores + ahead * self.is_ahead
        return values


def _scorer(items: Items, count: int) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    labels = np.array(items.names, dtype=object)
    places = np.flatnonzero(items.allowed)
    everything = _Candidates(places, items.factors[places].T.copy())
    groups = None if items.groups is None else items.groups[places]

    def candidates(group: int, taken: int) -> _Candidates:
        """The items of a group where those suffice for rows that exclude at most `taken` of them."""
        if groups is None or group < 0:
            return everything
        is_inside = groups == group
        if is_inside.sum() - taken < count:
            return replace(everything, is_ahead=is_inside)
        return _Candidates(places[is_inside], everything.factors[:, is_inside])

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for group, rows in _by_group(batch):
                most = pc.max(rows.column("excluded").value_lengths()).as_py() or 0
                chosen = candidates(group, most)
                for start in range(0, rows.num_rows, _ROWS_AT_A_TIME):
                    yield _best(rows.slice(start, _ROWS_AT_A_TIME), chosen)

    def _best(batch: pa.RecordBatch, chosen: _Candidates) -> pa.RecordBatch:
        factors = np.array(batch.column("features").to_pylist(), dtype=np.float64)
        scores = factors @ chosen.factors
        chosen.without(scores, batch.column("excluded"))
        found = top_items(chosen.in_order(scores, factors), count)
        row, place = np.nonzero(found != NO_ITEM)
        column = found[row, place]
        return pa.record_batch(
            {
                "key": batch.column("key").take(pa.array(row)),
                "place": pa.array(place + 1, pa.int32()),
                "item": pa.array(labels[chosen.places[column]], pa.string()),
                "score": pa.array(scores[row, column], pa.float32()),
            }
        )

    return score


def _by_group(batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The rows of each group; all of them as group -1 where rows have none."""
    if "group" not in batch.schema.names:
        yield -1, batch
        return
    groups = batch.column("group").to_numpy(zero_copy_only=False)
    for group in np.unique(groups):
        yield int(group), batch.take(pa.array(np.flatnonzero(groups == group)))
