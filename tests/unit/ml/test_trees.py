"""Contributions of features, on a tree small enough to follow."""

from __future__ import annotations

import numpy as np
import pytest

from common.ml.trees import Tree, contributions

# f0 <= 5 ? (f1 <= 1 ? 4 : 2) : -1, with the means of the inner nodes 1 and 3.
TREE = Tree(
    feature=np.array([0, 1, -1, -1, -1]),
    threshold=np.array([5.0, 1.0, 0.0, 0.0, 0.0]),
    left=np.array([1, 2, -1, -1, -1]),
    right=np.array([4, 3, -1, -1, -1]),
    value=np.array([1.0, 3.0, 4.0, 2.0, -1.0]),
    weight=0.5,
    depth=2,
)


@pytest.mark.parametrize(
    ("row", "added"),
    [((5.0, 1.0), (1.0, 0.5)), ((0.0, 2.0), (1.0, -0.5)), ((6.0, 0.0), (-1.0, 0.0))],
    ids=["left left", "left right", "right"],
)
def test_a_change_is_owed_to_the_feature_that_splits(row: tuple[float, float], added: tuple[float, float]) -> None:
    bias, found = contributions((TREE,), np.array([row]))
    assert bias == 0.5
    assert found[0] == pytest.approx(added)


def test_bias_and_contributions_add_up() -> None:
    rows = np.array([[5.0, 1.0], [0.0, 2.0], [6.0, 0.0]])
    bias, found = contributions((TREE, TREE), rows)
    assert bias + found.sum(axis=1) == pytest.approx([4.0, 2.0, -1.0])


def test_a_tree_of_one_leaf_adds_nothing() -> None:
    leaf = Tree(np.array([-1]), np.zeros(1), np.array([-1]), np.array([-1]), np.array([2.0]), 1.0, 0)
    bias, found = contributions((leaf,), np.zeros((2, 3)))
    assert (bias, found.tolist()) == (2.0, [[0.0] * 3] * 2)
