"""The baselines, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from common.ml.baselines import ItemItem, fit_biases
from common.ml.ratings_evaluation import rating_figures
from common.ml.recommender import Index

INDEX = Index(("a", "b"), ("x", "y", "z"))


def test_biases_are_shrunk_towards_none() -> None:
    users, items = np.array([0, 0, 1]), np.array([0, 1, 0])
    model = fit_biases(users, items, np.array([5.0, 3.0, 4.0]), (2, 3))
    assert model.mean == 4.0
    assert model.items == pytest.approx([1 / 27, -1 / 26, 0.0])
    assert model.users == pytest.approx([(1 - 1 / 27 - 1 + 1 / 26) / 12, -(1 / 27) / 11])


def test_an_unknown_one_has_no_bias_and_stars_stay_within_their_range() -> None:
    model = fit_biases(np.array([0] * 50), np.array([0] * 50), np.array([5.0] * 50), (1, 1))
    assert model.predict(np.array([-1]), np.array([-1])) == pytest.approx([5.0])
    low = fit_biases(np.array([0, 0]), np.array([0, 1]), np.array([1.0, 1.0]), (1, 2))
    assert low.predict(np.array([0]), np.array([0]))[0] >= 1.0


def test_new_customers_and_products_are_foretold_by_biases_and_counted_apart() -> None:
    biases = fit_biases(np.array([0, 1]), np.array([0, 1]), np.array([4.0, 2.0]), (2, 3))
    test = pd.DataFrame(
        [("a", "x", 4.0, 3.5), ("new", "x", 3.0, np.nan), ("a", "z", 2.0, np.nan), ("new", "newer", 5.0, np.nan)],
        columns=["user_id", "product_id", "rating", "prediction"],
    )
    found = rating_figures(test, biases, INDEX)
    groups = {name: found[name] for name in ("warm", "new_customers", "new_products")}
    assert {name: group["rows"] for name, group in groups.items()} == {
        "warm": 1, "new_customers": 1, "new_products": 2,
    }  # fmt: skip
    off, other = 1 / 26, 1.0 + (1 - 1 / 26) / 11  # the bias of x; the mean and the bias of a against two stars
    assert groups["warm"]["rmse"] == pytest.approx(0.5)
    assert groups["new_customers"]["mae"] == pytest.approx(off)
    assert groups["new_products"]["mae"] == pytest.approx((other + 2.0) / 2)
    assert found["rows"] == 4
    assert found["rmse"] == pytest.approx(np.sqrt((0.25 + off**2 + other**2 + 4.0) / 4))
    assert found["mean_only"]["mae"] == pytest.approx((1 + 0 + 1 + 2) / 4)


def test_a_group_without_ratings_has_no_error() -> None:
    biases = fit_biases(np.array([0]), np.array([0]), np.array([4.0]), (2, 3))
    test = pd.DataFrame({"user_id": ["a"], "product_id": ["x"], "rating": [4.0], "prediction": [3.5]})
    assert rating_figures(test, biases, INDEX)["new_products"] == {"rows": 0, "rmse": None, "mae": None}


@pytest.mark.parametrize(("jaccard", "similarity"), [(True, 1 / 3), (False, 0.5)])
def test_similar_items_are_those_of_the_same_users(jaccard: bool, similarity: float) -> None:
    population = sparse.csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0]], dtype=float))
    own = sparse.csr_matrix(np.array([[2.0, 0, 0]]))
    scores = ItemItem(population, own, jaccard=jaccard).scores(np.array([0]))
    assert scores[0] == pytest.approx([2.0, 2 * similarity, 0.0])


def test_blocks_of_customers_are_scored_like_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.ml.baselines._ROW_BLOCK", 2)
    random = np.random.default_rng(3)
    population = (random.random((7, 6)) < 0.4) * random.integers(1, 5, (7, 6)).astype(float)
    population[:, 4] = 0.0  # nobody is interested in it
    own = (random.random((5, 6)) < 0.5) * 2.0
    seen = (population > 0).astype(float)
    norms = np.sqrt(np.outer(seen.sum(axis=0), seen.sum(axis=0)))
    similar = np.divide(seen.T @ seen, norms, out=np.zeros((6, 6)), where=norms > 0)
    rows = np.array([4, 0, 3])
    found = ItemItem(sparse.csr_matrix(population), sparse.csr_matrix(own)).scores(rows)
    assert found == pytest.approx(own[rows] @ similar)
