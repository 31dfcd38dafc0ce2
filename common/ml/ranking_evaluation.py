"""How well the next purchases are ranked, against popularity and item-item similarity, on the same customers.

A customer of the test has bought, viewed or carted something before the cutoff and buys something new from it on. What
they bought before is left out of every ranking and of what counts as found: to foretell the same again is another,
easier task. Customers and products without a past are measured apart (`newcomers`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pyspark.sql import functions as F
from scipy import sparse

from common.errors import TooLittleDataError
from common.ml.baselines import ItemItem
from common.ml.later import Later
from common.ml.ranking import Floats, Ints, RankingTask, rank, ranking_metrics
from common.ml.recommender import Factors, Index
from common.ml.splits import in_share, share_for

_SALT, _POPULATION_SALT = "ranking evaluation", "item-item population"
_POPULATION = 50_000
EVALUATED = 10  # products a customer, whatever number is shown to customers


@dataclass(frozen=True)
class RankingData:
    """What rankings are measured on, and what the baselines know.

    Attributes:
        customers: Ids of the task's rows, sorted.
        task: Rows of those customers, columns of the index's items.
        own: Their interest before the cutoff, (n, i).
        population: Interest of many customers before the cutoff, (u, i).
        bought: Which of them bought what, (u, i).
    """

    customers: tuple[str, ...]
    task: RankingTask
    own: sparse.csr_matrix
    population: sparse.csr_matrix
    bought: sparse.csr_matrix

    @property
    def popularity(self) -> Floats:
        """Share of the population that bought each item, (i,)."""
        counts = np.asarray((self.bought > 0).sum(axis=0), dtype=np.float64).ravel()
        values: Floats = counts / max(self.bought.shape[0], 1)
        return values


def ranking_data(later: Later, index: Index) -> RankingData:
    """Collect the test of a cutoff; its size is bounded by customers, taken by a hash of their id.

    Args:
        later: What is bought from the cutoff on, and what was known before.
        index: Customers and products of training.

    Raises:
        TooLittleDataError: If nobody with a past bought anything new.
    """
    known, limit = later.known, later.limit
    warm = later.fresh().join(known.select("user_id").distinct(), on="user_id", how="left_semi")
    customers = warm.select("user_id").distinct().count()
    wanted = in_share("user_id", share_for(customers, limit), _SALT)
    pairs: pd.DataFrame = warm.where(wanted).toPandas()
    pairs["item"] = index.places(pairs["product_id"], index.items)
    pairs = pairs[pairs["item"] >= 0]
    if pairs.empty:
        raise TooLittleDataError(
            f"nobody with a past bought a product of theirs that was new to them from {later.period.first} on",
            where="fact_transactions",
            remedy="load more data, or set ml.recommendations.test_days higher",
        )
    names = tuple(sorted(pairs["user_id"].unique()))
    many = in_share("user_id", share_for(len(index.users), _POPULATION), _POPULATION_SALT)
    mine = known.where(wanted & F.col("user_id").isin(*names)) if len(names) < limit else known.where(wanted)
    own: pd.DataFrame = mine.toPandas()
    everyone: pd.DataFrame = known.where(many).toPandas()
    relevant = _matrix(pairs.assign(value=1.0), names, index, "value")
    bought = _matrix(own[own["bought"] > 0], names, index, "bought")
    crowd = tuple(sorted(everyone["user_id"].unique()))
    return RankingData(
        names,
        RankingTask(bought, relevant),
        _matrix(own, names, index, "strength"),
        _matrix(everyone, crowd, index, "strength"),
        _matrix(everyone[everyone["bought"] > 0], crowd, index, "bought"),
    )


def model_figures(data: RankingData, factors: Factors, count: int) -> dict[str, float]:
    """Figures of the factorisation."""
    items = factors.item_matrix()
    users = factors.user_matrix(pd.Index(factors.users).get_indexer(list(data.customers)).astype(np.int64))

    def score(rows: Ints) -> Floats:
        values: Floats = users[rows] @ items.T
        return values

    return _figures(data, rank(data.task, score, count))


def baseline_figures(data: RankingData, count: int) -> dict[str, dict[str, float]]:
    """Figures of popularity and of item-item similarity, on the same rows."""
    popular = data.popularity
    similar = ItemItem(data.population, data.own)

    def by_popularity(rows: Ints) -> Floats:
        values: Floats = np.broadcast_to(popular, (len(rows), len(popular)))
        return values

    return {
        "popularity": _figures(data, rank(data.task, by_popularity, count)),
        "item_item": _figures(data, rank(data.task, similar.scores, count)),
    }


def test_pairs(data: RankingData, index: Index) -> pd.DataFrame:
    """The test as rows, for whoever wants to measure another ranking on it: user_id, product_id, role.

    A role is excluded or relevant; candidates are the products of the index, with a null user_id.
    """
    parts = [pd.DataFrame({"user_id": None, "product_id": list(index.items), "role": "candidate"})]
    for role, matrix in (("excluded", data.task.excluded), ("relevant", data.task.relevant)):
        pairs = matrix.tocoo()
        parts.append(
            pd.DataFrame(
                {
                    "user_id": np.array(data.customers, dtype=object)[pairs.row],
                    "product_id": np.array(index.items, dtype=object)[pairs.col],
                    "role": role,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _figures(data: RankingData, ranked: Ints) -> dict[str, float]:
    return ranking_metrics(ranked, data.task, data.popularity, data.own.shape[1])


def _matrix(pairs: pd.DataFrame, names: tuple[str, ...], index: Index, value: str) -> sparse.csr_matrix:
    """Pairs of user_id and product_id as a matrix; those of other users or items are left out."""
    rows = pd.Index(names).get_indexer(pairs["user_id"])
    columns = index.places(pairs["product_id"], index.items)
    inside = (rows >= 0) & (columns >= 0)
    values = pairs[value].to_numpy(dtype=np.float64)[inside]
    matrix = sparse.csr_matrix((values, (rows[inside], columns[inside])), shape=(len(names), len(index.items)))
    matrix.sort_indices()
    return matrix
