"""Names of products: every brand, word, thing and size that go together, and what their prices are to each other."""

# ruff: noqa: PLR2004 - shares of made-up behaviour say more where they are used than under a name
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from generators.assortment import DEPARTMENTS, SHELVES, UNBRANDED, Item, words
from generators.randomness import F64, I64, Ids, Stream
from generators.shelves import BRANDS
from generators.text import pool

BANDS = ("budget", "mid", "premium")
_BRANDS_OF = {name: words(BRANDS[name]) for name in DEPARTMENTS}
_OWN_RANGE = 0.65
# The brands of each band of prices, of the eight from the cheapest to the dearest.
_BAND_BRANDS = (slice(0, 3), slice(3, 6), slice(6, 8))


@dataclass(frozen=True)
class Names:
    """All names there are, one after another by cluster, which is a shelf in a band of prices.

    Attributes:
        text: The whole name, (M,).
        brand: The brand, (M,).
        line: Number shared by the names that differ in the variant alone, (M,).
        level: Logarithm of the price against that of others of the shelf, (M,).
        start: Where each cluster starts, (CLUSTERS,).
        size: How many it has, (CLUSTERS,).
    """

    text: pa.Array
    brand: pa.Array
    line: I64
    level: F64
    start: I64
    size: I64


def _titles(item: Item, department: str, band: int) -> list[tuple[str, str]]:
    """Brand and name, without the variant, of what an item is sold as in a band."""
    brands = _BRANDS_OF[department][_BAND_BRANDS[band]]
    if department not in UNBRANDED:
        return [(brand, f"{brand} {word} {item.noun}") for brand in brands for word in item.adjectives]
    # A title comes out once, so each band has other ones.
    titles = [f"{word} {item.noun}" for word in item.adjectives[band :: len(BANDS)]]
    return [(brands[(len(item.noun) + nth) % len(brands)], title) for nth, title in enumerate(titles)]


def _make_names() -> Names:
    text: list[str] = []
    brands: list[str] = []
    line: list[int] = []
    level: list[float] = []
    size: list[int] = []
    lines = 0
    for shelf in SHELVES:
        for band in range(len(BANDS)):
            first = len(text)
            for item in shelf.items:
                for brand, title in _titles(item, shelf.department, band):
                    for variant in item.variants:
                        text.append(f"{title} - {variant.name}")
                        brands.append(brand)
                        line.append(lines)
                        level.append(item.level * variant.factor)
                    lines += 1
            logs = np.log(level[first:])
            level[first:] = list(logs - logs.mean())
            size.append(len(text) - first)
    sizes = np.array(size)
    return Names(pool(text), pool(brands), np.array(line), np.array(level), np.cumsum(sizes) - sizes, sizes)


NAMES = _make_names()


def spread_names(stream: Stream, cluster: I64) -> I64:
    """A name for each product, no two alike as long as its cluster has enough.

    Args:
        stream: The products' stream.
        cluster: Their clusters, (P,).
    """
    rows = np.arange(len(NAMES.line))
    shuffled = np.lexsort((stream.bits("names", rows), np.repeat(np.arange(len(NAMES.size)), NAMES.size)))
    order = np.argsort(cluster, kind="stable")
    rank = np.empty(len(cluster), dtype=np.int64)
    rank[order] = np.arange(len(cluster)) - np.searchsorted(cluster[order], cluster[order])
    values: I64 = shuffled[NAMES.start[cluster] + rank % NAMES.size[cluster]]
    return values


def draw_names(stream: Stream, cluster: I64, ids: Ids) -> I64:
    """A name for each of some later products, whatever others are called."""
    values: I64 = NAMES.start[cluster] + stream.below("later_name", ids, NAMES.size[cluster])
    return values


def list_prices(stream: Stream, names: I64, cluster: I64) -> I64:
    """List prices in cents: of names that differ in the variant alone the larger costs more.

    Args:
        stream: The products' stream.
        names: Indices into NAMES, (n,).
        cluster: Their clusters, (n,).
    """
    shelf, band = np.divmod(cluster, len(BANDS))
    low, high = (np.log([getattr(entry, side) for entry in SHELVES])[shelf] for side in ("low", "high"))
    line = NAMES.line[names]
    place = (band + stream.uniform("price", line)) / len(BANDS)
    # The sizes and kinds of things take up a part of the shelf's range.
    dollars = np.exp(low + (0.5 + _OWN_RANGE * (place - 0.5)) * (high - low) + NAMES.level[names])
    return charm_price(dollars, stream.uniform("ending", line))


def charm_price(dollars: F64, bits: F64) -> I64:
    """A price as shops write it, in cents: mostly .99, else .49 or .95."""
    ending = np.where(bits < 0.75, 99, np.where(bits < 0.9, 49, 95))
    values: I64 = np.maximum(np.floor(dollars), 1).astype(np.int64) * 100 + ending
    return values
