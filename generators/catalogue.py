"""The plan of the products: shelf, price band, taste, quality, popularity, prices over time."""

# ruff: noqa: PLR2004 - shares and dates of made-up behaviour say more where they are used than under a name
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from generators.assortment import DEPARTMENTS, SHELVES
from generators.names import BANDS, charm_price, list_prices, spread_names
from generators.randomness import F64, I64, Stream
from generators.spec import DAYS, Spec

FACTORS = 3
CLUSTERS = len(SHELVES) * len(BANDS)
_BAND_SHARES = (0.38, 0.40, 0.22)
_ZIPF_EXPONENT, _ZIPF_SHIFT = 1.1, 100.0


@dataclass(frozen=True)
class Catalogue:
    """Products by index; a cluster is a shelf in a price band.

    Attributes:
        cluster: Cluster of each product, (P,).
        name: Index into `names.NAMES`, (P,).
        vector: Latent taste vector, (P, FACTORS).
        quality: What ratings of the product are shifted by, in stars, (P,).
        popularity: Share of the demand, sums to 1, (P,).
        list_cents: First list price in cents, (P,).
        cost_cents: Unit cost in cents, (P,).
        price_day: Day from which the second price holds, DAYS where there is none, (P,).
        new_cents: That second price, (P,).
        cluster_vector: Taste vector of each cluster, (CLUSTERS, FACTORS).
        cluster_share: Share of each cluster in the demand, 0 for one without products, (CLUSTERS,).
        by_cluster: Products in order of their cluster, (P,).
        cumulative: Running popularity in that order with a leading 0, (P + 1,).
        bounds: Where each cluster starts and ends in that order, (CLUSTERS + 1,).
    """

    cluster: I64
    name: I64
    vector: F64
    quality: F64
    popularity: F64
    list_cents: I64
    cost_cents: I64
    price_day: I64
    new_cents: I64
    cluster_vector: F64
    cluster_share: F64
    by_cluster: I64
    cumulative: F64
    bounds: I64

    def choose(self, clusters: I64, uniform: F64) -> I64:
        """A product of each given cluster, by popularity.

        Args:
            clusters: Clusters that have products, (n,).
            uniform: Numbers in [0, 1), (n,).
        """
        low, high = self.cumulative[self.bounds[clusters]], self.cumulative[self.bounds[clusters + 1]]
        place = np.searchsorted(self.cumulative, low + uniform * (high - low), side="right") - 1
        return self.by_cluster[np.clip(place, self.bounds[clusters], self.bounds[clusters + 1] - 1)]

    def price_cents(self, products: I64, days: npt.NDArray[np.integer]) -> I64:
        """List price on a day, in cents."""
        return np.where(days >= self.price_day[products], self.new_cents[products], self.list_cents[products])

    @property
    def replenishable(self) -> npt.NDArray[np.bool_]:
        """Whether people buy the product again and again, (P,)."""
        return REPLENISHABLE[self.cluster]


SHELF_OF = np.repeat(np.arange(len(SHELVES)), len(BANDS))
BAND_OF = np.tile(np.arange(len(BANDS)), len(SHELVES))
REPLENISHABLE = np.array([shelf.replenishable for shelf in SHELVES])[SHELF_OF]


def cluster_vectors(seed: int) -> F64:
    """Taste vectors of the clusters: shelves of a department are alike, price bands of a shelf nearly so."""
    stream = Stream(seed, "tastes")

    def normal(column: str, rows: int) -> F64:
        return stream.normal(column, np.arange(rows * FACTORS)).reshape(rows, FACTORS)

    department = np.array([DEPARTMENTS.index(shelf.department) for shelf in SHELVES])
    shelves = 0.72 * normal("department", len(DEPARTMENTS))[department] + 0.58 * normal("shelf", len(SHELVES))
    vectors = shelves[SHELF_OF] + 0.22 * normal("band", CLUSTERS)
    values: F64 = vectors / np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return values


def make_catalogue(spec: Spec) -> Catalogue:
    """The products of the first load."""
    stream, ids = Stream(spec.seed, "products"), np.arange(spec.products)
    shelf = stream.pick("shelf", ids, [entry.weight for entry in SHELVES])
    cluster = shelf * len(BANDS) + stream.pick("band", ids, _BAND_SHARES)
    # Popularity falls with a rank that has nothing to do with the id.
    rank = np.argsort(np.argsort(stream.bits("rank", ids), kind="stable"), kind="stable")
    weight = (rank + _ZIPF_SHIFT * min(1.0, spec.products / 10_000) + 1.0) ** -_ZIPF_EXPONENT
    popularity = (weight / weight.sum()).astype(np.float64)
    name = spread_names(stream, cluster)
    list_cents = list_prices(stream, name, cluster)
    cost_cents = np.maximum(np.floor(list_cents * (0.38 + 0.34 * stream.uniform("cost", ids))).astype(np.int64), 1)
    changes = stream.uniform("has_new_price", ids) < 0.18
    price_day = np.where(changes, 10 + stream.below("price_day", ids, DAYS - 15), DAYS * 1000)
    factor = np.where(stream.uniform("rise", ids) < 0.55, 1.04, 0.84) + 0.06 * stream.uniform("factor", ids)
    new_cents = charm_price(list_cents * factor / 100, stream.uniform("new_ending", ids))
    vectors = cluster_vectors(spec.seed)
    noise = stream.normal("vector", np.arange(len(ids) * FACTORS)).reshape(-1, FACTORS)
    share: F64 = np.bincount(cluster, weights=popularity, minlength=CLUSTERS).astype(np.float64)
    order = np.argsort(cluster, kind="stable")
    return Catalogue(
        cluster=cluster,
        name=name,
        vector=vectors[cluster] + 0.12 * noise,
        quality=0.32 * stream.normal("quality", ids),
        popularity=popularity,
        list_cents=list_cents,
        cost_cents=np.minimum(cost_cents, np.minimum(list_cents, new_cents) * 9 // 10),
        price_day=price_day,
        new_cents=new_cents,
        cluster_vector=vectors,
        cluster_share=share,
        by_cluster=order,
        cumulative=np.concatenate([[0.0], np.cumsum(popularity[order])]),
        bounds=np.searchsorted(cluster[order], np.arange(CLUSTERS + 1)),
    )
