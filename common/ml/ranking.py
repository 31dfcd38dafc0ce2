"""Rankings and how good they are, in NumPy.

Customers are rows and items are columns, by their index. Scores of a block of customers are (b, i); what one may not be
recommended is -inf. Equal scores are ordered by the item's index, so that a ranking is one and the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Scorer = Callable[[Ints], Floats]

BLOCK = 1024
NO_ITEM = -1


def top_items(scores: Floats, count: int) -> Ints:
    """The items with the highest scores of each row, best first; `NO_ITEM` where there are fewer.

    Args:
        scores: (b, i).
        count: How many.

    Returns:
        (b, count).
    """
    rows, items = scores.shape
    found = np.full((rows, count), NO_ITEM, dtype=np.int64)
    if not items:
        return found
    wanted = min(count, items)
    bounds = np.partition(scores, items - wanted, axis=1)[:, items - wanted]
    for row in range(rows):
        line = scores[row]
        chosen = np.flatnonzero((line >= bounds[row]) & (line > -np.inf))
        order = chosen[np.lexsort((chosen, -line[chosen]))][:wanted]
        found[row, : len(order)] = order
    return found


@dataclass(frozen=True)
class RankingTask:
    """Customers whose next products are to be ranked, by row.

    Attributes:
        excluded: What each may not be recommended, (n, i), non-zero where so.
        relevant: What each came to buy, (n, i); at least one item a row.
    """

    excluded: sparse.csr_matrix
    relevant: sparse.csr_matrix

    @property
    def rows(self) -> int:
        """How many customers."""
        return int(self.relevant.shape[0])


def rank(task: RankingTask, score: Scorer, count: int) -> Ints:
    """The best items of every row of a task, (n, count), block by block, so that only a block's scores are in memory.

    Args:
        task: The task.
        score: Gives the scores of all items for some rows of the task, (b, i).
        count: How many.
    """
    parts = [np.empty((0, count), dtype=np.int64)]
    for start in range(0, task.rows, BLOCK):
        rows = np.arange(start, min(start + BLOCK, task.rows))
        scores = np.array(score(rows), dtype=np.float64)
        taken = task.excluded[rows].tocoo()
        scores[taken.row, taken.col] = -np.inf
        parts.append(top_items(scores, count))
    return np.concatenate(parts)


def hits(ranked: Ints, relevant: sparse.csr_matrix) -> npt.NDArray[np.bool_]:
    """Which recommended items were relevant, (n, count)."""
    found = np.zeros(ranked.shape, dtype=bool)
    for row in range(len(ranked)):
        wanted = relevant.indices[relevant.indptr[row] : relevant.indptr[row + 1]]
        found[row] = np.isin(ranked[row], wanted) & (ranked[row] != NO_ITEM)
    return found


def ndcg(hit: npt.NDArray[np.bool_], relevant: Sequence[int] | Ints) -> Floats:
    """Normalised discounted cumulative gain with binary relevance, by user (Järvelin and Kekäläinen, 2002).

    Args:
        hit: (n, k).
        relevant: How many items were relevant for each user, at least one, (n,).
    """
    count = hit.shape[1]
    discounts = 1 / np.log2(np.arange(2, count + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])
    best = ideal[np.minimum(np.asarray(relevant, dtype=np.int64), count)]
    gained: Floats = (hit * discounts).sum(axis=1)
    values: Floats = gained / best
    return values


def ranking_metrics(ranked: Ints, task: RankingTask, popularity: Floats, items: int) -> dict[str, float]:
    """Precision, recall, NDCG, hit rate, coverage and novelty of rankings.

    Args:
        ranked: (n, k).
        task: What they are held against.
        popularity: Share of the users of training who bought each item, (i,).
        items: How many items could have been recommended.

    Returns:
        Each figure with `_at_k`; novelty is the mean self-information of what was recommended, in bits
        (Castells et al., 2011): an item that nobody bought counts like one bought by half a user.
    """
    count = ranked.shape[1]
    hit = hits(ranked, task.relevant)
    relevant = np.diff(task.relevant.indptr)
    shown = ranked[ranked != NO_ITEM]
    floor = float(popularity[popularity > 0].min()) / 2 if (popularity > 0).any() else 1.0
    surprise = -np.log2(np.maximum(popularity, floor))
    return {
        f"precision_at_{count}": float(hit.mean()),
        f"recall_at_{count}": float((hit.sum(axis=1) / relevant).mean()),
        f"ndcg_at_{count}": float(ndcg(hit, relevant).mean()),
        f"hit_rate_at_{count}": float(hit.any(axis=1).mean()),
        f"coverage_at_{count}": len(np.unique(shown)) / max(items, 1),
        f"novelty_at_{count}": float(surprise[shown].mean()) if len(shown) else 0.0,
    }
