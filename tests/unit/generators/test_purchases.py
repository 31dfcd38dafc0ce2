"""How many lines people buy at a time."""

from __future__ import annotations

import numpy as np
import pytest

from generators.purchases import basket_sizes, line_keys
from generators.randomness import Stream
from generators.spec import MAX_BASKET

STREAM = Stream(7, "purchases")


@pytest.mark.parametrize("mean", [3.0, 3.7, 3.8, 5.0])
def test_larger_baskets_are_rarer_and_their_lines_add_up(mean: float) -> None:
    keys = np.arange(50_000)
    sizes = basket_sizes(STREAM, keys, round(mean * len(keys)))
    assert sizes.sum() == round(mean * len(keys))
    counts = np.bincount(sizes, minlength=MAX_BASKET + 1)
    assert len(counts) == MAX_BASKET + 1
    assert counts[0] == 0
    assert (np.diff(counts[1:]) < 0).all()


@pytest.mark.parametrize(("wanted", "expected"), [(2, 1), (2 * MAX_BASKET + 5, MAX_BASKET)])
def test_baskets_stay_within_their_limits(wanted: int, expected: int) -> None:
    assert basket_sizes(STREAM, np.arange(2), wanted).tolist() == [expected, expected]


def test_lines_have_keys_of_their_own() -> None:
    purchase = np.repeat(np.arange(200), MAX_BASKET)
    keys = line_keys(np.arange(200), purchase, np.tile(np.arange(MAX_BASKET), 200))
    assert len(np.unique(keys)) == len(keys)
