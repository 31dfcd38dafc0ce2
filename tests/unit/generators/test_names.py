"""What products are called and cost."""

from __future__ import annotations

import numpy as np
import pytest

from generators.assortment import SHELVES
from generators.catalogue import CLUSTERS
from generators.names import NAMES, list_prices, spread_names
from generators.randomness import Stream

STREAM = Stream(7, "products")
CLUSTER_OF = np.repeat(np.arange(CLUSTERS), NAMES.size)


def test_no_name_comes_twice() -> None:
    names = NAMES.text.to_pylist()
    assert len(set(names)) == len(names) == len(CLUSTER_OF)


def test_each_cluster_gives_a_name_to_each_of_its_products_and_never_the_same() -> None:
    cluster = np.repeat(np.arange(CLUSTERS), 40)
    names = spread_names(STREAM, cluster)
    assert (CLUSTER_OF[names] == cluster).all()
    assert len(np.unique(names)) == len(names)


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("Dry Dog Food - 1 kg", "Dry Dog Food - 7 kg"),
        ("Lemonade - Single", "Lemonade - 12-Pack"),
        ("Monitor - 24-inch", "Monitor - 32-inch"),
        ("Tent - 1-Person", "Tent - 4-Person"),
        ("Duvet Cover - Twin", "Duvet Cover - King"),
    ],
)
def test_of_the_same_product_the_larger_costs_more(smaller: str, larger: str) -> None:
    prices = list_prices(STREAM, np.arange(len(CLUSTER_OF)), CLUSTER_OF)
    by_name = dict(zip((name.decode() for name in NAMES.text.to_pylist()), prices, strict=True))
    pairs = [(name, name.replace(smaller, larger)) for name in by_name if name.endswith(smaller)]
    assert len(pairs) >= 20
    assert all(by_name[one] < by_name[other] for one, other in pairs)


def test_prices_rise_with_the_size_in_every_line() -> None:
    prices = list_prices(STREAM, np.arange(len(CLUSTER_OF)), CLUSTER_OF)
    order = np.lexsort((NAMES.level, NAMES.line))
    same = NAMES.line[order][1:] == NAMES.line[order][:-1]
    assert (np.diff(prices[order])[same] >= 0).all()


def test_words_fit_their_things() -> None:
    texts = [name.decode() for name in NAMES.text.to_pylist()]
    for odd in ("Nonstick Duvet", "Puppy Dry Cat", "Honey Penne", "Spicy Orange", "Sugar-Free Electric"):
        assert not [name for name in texts if odd in name]
    for thing, unfit in (("Mini PC", "-inch"), ("Monitor - ", "GB"), ("Yoga Mat", "kg"), ("Headlamp", "Person")):
        assert not [name for name in texts if thing in name and name.endswith(unfit)]


def test_every_shelf_has_things_with_words_and_variants() -> None:
    assert all(item.adjectives and item.variants for shelf in SHELVES for item in shelf.items)


def test_names_need_no_quotes_in_a_csv() -> None:
    assert not [name for name in NAMES.text.to_pylist() if b"," in name or b'"' in name]
