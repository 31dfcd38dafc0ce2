"""What people put into their baskets, and how they like it."""

from __future__ import annotations

import numpy as np

from generators.catalogue import FACTORS, Catalogue
from generators.people import People, choose_clusters
from generators.randomness import F64, I64, Stream
from generators.sales import Purchases

_STAPLES, _STAPLE_SHARE, EXPLORE_SHARE, _WHIM_POWER = 5, 0.10, 0.25, 0.3
_RATING_MEAN, _RATING_TASTE = 3.75, 1.1


def whim_weights(catalogue: Catalogue) -> F64:
    """How gifts and whims are spread over the clusters, more evenly than the own demand; not normalised."""
    return np.where(catalogue.cluster_share > 0, catalogue.cluster_share, 1.0) ** _WHIM_POWER * (
        catalogue.cluster_share > 0
    )


def choose_products(stream: Stream, people: People, catalogue: Catalogue, users: I64, keys: I64) -> I64:
    """A product for each line: one of the user's staples, something that others like, or something to the own taste."""
    kind = stream.uniform("kind", keys)
    staple = kind < _STAPLE_SHARE
    explore = kind > 1 - EXPLORE_SHARE
    slot = (stream.uniform("slot", keys) ** 2 * _STAPLES).astype(np.int64)
    # What makes a product a staple is drawn from the user and the slot, so that it comes back in later purchases.
    source = users * _STAPLES + slot
    own = np.where(staple, stream.uniform("staple_cluster", source), stream.uniform("cluster", keys))
    cluster = choose_clusters(people, catalogue, users, own)
    cluster = np.where(explore, stream.pick("whim", keys, whim_weights(catalogue)), cluster)
    within = np.where(staple, stream.uniform("staple_product", source), stream.uniform("product", keys))
    product = catalogue.choose(cluster, within)
    # Nobody stocks up on the same dress: staples that are not consumed are replaced by something like them.
    durable = staple & ~catalogue.replenishable[product]
    return np.where(durable, catalogue.choose(cluster, stream.uniform("product_again", keys)), product)


def true_rating(people: People, catalogue: Catalogue, users: I64, products: I64) -> F64:
    """The stars that a user would give a product on average, before rounding."""
    match = np.zeros(len(users))
    for factor in range(FACTORS):
        match += people.taste[users, factor] * catalogue.vector[products, factor]
    # People mostly buy what they like: without the shift nearly all ratings would be fives.
    return _RATING_MEAN + people.rating_bias[users] + catalogue.quality[products] + _RATING_TASTE * (match - 0.9)


def without_repeats(stream: Stream, catalogue: Catalogue, purchases: Purchases, product: I64, keys: I64) -> I64:
    """Replace a product that already stands in its basket by another of its cluster."""
    purchase = np.repeat(np.arange(len(purchases.user)), purchases.size)
    for attempt in range(3):
        pair = purchase * len(catalogue.cluster) + product
        order = np.argsort(pair, kind="stable")
        again = order[1:][pair[order][1:] == pair[order][:-1]]
        if not len(again):
            break
        other = catalogue.choose(catalogue.cluster[product[again]], stream.uniform(f"instead_{attempt}", keys[again]))
        product = product.copy()
        product[again] = other
    return product
