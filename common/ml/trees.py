"""What each feature adds to a boosted model's margin for a row.

A row's way through a tree passes nodes whose predictions are means; the change from a node to its child is owed to the
feature that the node splits by. Bias and contributions of all trees add up to the margin (Saabas 2014; Palczewska et
al. 2013).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspark.ml.classification import GBTClassificationModel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_LEAF = -1


@dataclass(frozen=True)
class Tree:
    """A regression tree as arrays over its nodes; node 0 is the root.

    Attributes:
        feature: Index of the feature split by, -1 for a leaf, (k,).
        threshold: Rows with a value up to it go left, (k,).
        left: Index of the left child, (k,).
        right: Index of the right child, (k,).
        value: Prediction of the node, (k,).
        weight: The tree's weight in the sum.
        depth: The longest way from the root to a leaf.
    """

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    value: Floats
    weight: float
    depth: int


def trees_of(model: GBTClassificationModel) -> tuple[Tree, ...]:
    """The trees of a fitted model, read from the JVM once.

    Raises:
        ValueError: If a split is by category: this platform's features are numbers.
    """
    return tuple(
        _read(tree._java_obj, float(weight)) for tree, weight in zip(model.trees, model.treeWeights, strict=True)
    )


def _read(tree: Any, weight: float) -> Tree:  # noqa: ANN401 - a Java object
    rows: list[list[float]] = []

    def visit(node: Any) -> int:  # noqa: ANN401 - a Java object
        place = len(rows)
        rows.append([_LEAF, 0.0, _LEAF, _LEAF, float(node.prediction())])
        if node.subtreeDepth() > 0:
            split = node.split()
            if not split.getClass().getSimpleName().startswith("Continuous"):
                raise ValueError("a split by category has no threshold")
            rows[place][0], rows[place][1] = float(split.featureIndex()), float(split.threshold())
            rows[place][2] = visit(node.leftChild())
            rows[place][3] = visit(node.rightChild())
        return place

    visit(tree.rootNode())
    table = np.array(rows, dtype=np.float64)
    whole = [table[:, column].astype(np.int64) for column in (0, 2, 3)]
    return Tree(whole[0], table[:, 1], whole[1], whole[2], table[:, 4], weight, int(tree.depth()))


def contributions(trees: tuple[Tree, ...], rows: Floats) -> tuple[float, Floats]:
    """The bias of the margin, and what each feature adds to it.

    Args:
        trees: The model's.
        rows: Feature values, (n, f).

    Returns:
        The bias, and contributions (n, f).
    """
    count = len(rows)
    added = np.zeros(rows.shape)
    index = np.arange(count)
    bias = 0.0
    for tree in trees:
        bias += tree.weight * float(tree.value[0])
        node = np.zeros(count, dtype=np.int64)
        for _ in range(tree.depth):
            feature = tree.feature[node]
            inner = feature != _LEAF
            chosen = np.where(inner, feature, 0)
            goes_left = rows[index, chosen] <= tree.threshold[node]
            child = np.where(inner, np.where(goes_left, tree.left[node], tree.right[node]), node)
            added[index, chosen] += tree.weight * (tree.value[child] - tree.value[node])
            node = child
    return bias, added
