"""What a model has to beat: biases for ratings; popularity and item-item similarity for rankings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from common.ml.ranking import Floats, Ints

_ITEM_SHRINKAGE, _USER_SHRINKAGE = 25.0, 10.0
_ITEM_BLOCK, _ROW_BLOCK = 512, 256


@dataclass(frozen=True)
class BiasModel:
    """Mean + bias of the user + bias of the item, each shrunk towards none (Koren 2010, section 2.1).

    Attributes:
        mean: Of all ratings.
        users: Bias by user index, (u,).
        items: Bias by item index, (i,).
        is_rated: Which items have ratings, (i,).
    """

    mean: float
    users: Floats
    items: Floats
    is_rated: npt.NDArray[np.bool_]

    def rates_item(self, items: Ints) -> npt.NDArray[np.bool_]:
        """Whether there were ratings of items; of an index of -1 there were none."""
        values: npt.NDArray[np.bool_] = np.append(self.is_rated, False)[items]
        return values

    def predict(self, users: Ints, items: Ints) -> Floats:
        """Ratings of pairs; an index of -1 stands for one that training has not seen, which has no bias."""
        padded_users, padded_items = np.append(self.users, 0.0), np.append(self.items, 0.0)
        values: Floats = np.clip(self.mean + padded_users[users] + padded_items[items], 1.0, 5.0)
        return values


def fit_biases(users: Ints, items: Ints, ratings: Floats, shape: tuple[int, int]) -> BiasModel:
    """Fit biases.

    Args:
        users: User index of each rating, (n,).
        items: Item index of each rating, (n,).
        ratings: (n,).
        shape: Numbers of users and items.
    """
    mean = float(ratings.mean())
    rest = ratings - mean
    of_items, of_users = np.bincount(items, minlength=shape[1]), np.bincount(users, minlength=shape[0])
    item_bias = np.bincount(items, weights=rest, minlength=shape[1]) / (of_items + _ITEM_SHRINKAGE)
    rest = rest - item_bias[items]
    user_bias = np.bincount(users, weights=rest, minlength=shape[0]) / (of_users + _USER_SHRINKAGE)
    return BiasModel(mean, user_bias, item_bias, of_items > 0)


class ItemItem:
    """Similarity of items by who interacted with them, weighted by what a user did (SAR; Sarwar et al. 2001)."""

    def __init__(self, population: sparse.csr_matrix, own: sparse.csr_matrix, *, jaccard: bool = False) -> None:
        """Prepare.

        Args:
            population: Interest of the users who say which items are similar, (u, i).
            own: Interest of the users who are scored, (n, i).
            jaccard: Similarity by Jaccard's index instead of the cosine.
        """
        self._own = own
        self._seen = (population > 0).astype(np.float64).tocsc()
        self._counts = np.asarray(self._seen.sum(axis=0)).ravel()
        self._jaccard = jaccard

    def scores(self, rows: Ints) -> Floats:
        """Scores of all items for some of the users, (b, i)."""
        return self._by_jaccard(rows) if self._jaccard else self._by_cosine(rows)

    def _by_cosine(self, rows: Ints) -> Floats:
        """Through the users in common, without a matrix of items by items: own / |i| * seen' * seen / |j|."""
        shrink = sparse.diags_array(1 / np.sqrt(np.maximum(self._counts, 1)))
        weighted, seen = self._own[rows] @ shrink, self._seen @ shrink
        found = np.empty((len(rows), self._seen.shape[1]))
        for start in range(0, len(rows), _ROW_BLOCK):
            part = slice(start, start + _ROW_BLOCK)
            alike = (self._seen @ weighted[part].T).toarray()
            found[part] = (seen.T @ alike).T
        return found

    def _by_jaccard(self, rows: Ints) -> Floats:
        """Similarities are made a block of items at a time."""
        own = self._own[rows].tocsc()
        items = self._seen.shape[1]
        found = np.zeros((len(rows), items))
        for start in range(0, items, _ITEM_BLOCK):
            stop = min(start + _ITEM_BLOCK, items)
            found += own[:, start:stop] @ self._similarities(start, stop)
        return found

    def _similarities(self, start: int, stop: int) -> Floats:
        together = (self._seen[:, start:stop].T @ self._seen).toarray()
        mine, theirs = self._counts[start:stop, None], self._counts[None, :]
        whole = mine + theirs - together
        similar: Floats = np.divide(together, whole, out=np.zeros_like(together), where=whole > 0)
        return similar
