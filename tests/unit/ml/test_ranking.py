"""Rankings: order, exclusion, and figures by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

from common.ml.ranking import NO_ITEM, RankingTask, hits, ndcg, rank, ranking_metrics, top_items


def matrix(rows: list[list[int]]) -> sparse.csr_matrix:
    return sparse.csr_matrix(np.array(rows, dtype=np.float64))


def test_equal_scores_go_by_index() -> None:
    assert top_items(np.array([[1.0, 2.0, 2.0, 2.0, 0.0]]), 2).tolist() == [[1, 2]]


def test_what_is_forbidden_never_comes_up() -> None:
    scores = np.array([[-np.inf, 1.0, -np.inf]])
    assert top_items(scores, 2).tolist() == [[1, NO_ITEM]]
    assert top_items(np.full((1, 2), -np.inf), 3).tolist() == [[NO_ITEM] * 3]


def test_more_places_than_items() -> None:
    assert top_items(np.array([[0.5, 0.7]]), 4).tolist() == [[1, 0, NO_ITEM, NO_ITEM]]
    assert top_items(np.empty((2, 0)), 1).tolist() == [[NO_ITEM], [NO_ITEM]]


@given(arrays.arrays(np.float64, (3, 12), elements=st.integers(0, 4).map(float)), st.integers(1, 12))
def test_top_items_are_those_of_a_whole_sort(scores: np.ndarray, count: int) -> None:
    wanted = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    assert top_items(scores, count).tolist() == wanted.tolist()


def test_rank_leaves_out_what_is_excluded_and_goes_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.ml.ranking.BLOCK", 2)
    scores = np.arange(12.0).reshape(3, 4)
    task = RankingTask(matrix([[0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 1, 0]]), matrix([[1, 0, 0, 0]] * 3))
    assert rank(task, lambda rows: scores[rows].astype(np.float64), 2).tolist() == [[2, 1], [3, 2], [3, 0]]


def test_ranking_does_not_change_the_scores() -> None:
    scores = np.arange(4.0).reshape(1, 4)
    rank(RankingTask(matrix([[0, 0, 0, 1]]), matrix([[1, 0, 0, 0]])), lambda rows: scores[rows].astype(np.float64), 2)
    assert scores.tolist() == [[0.0, 1.0, 2.0, 3.0]]


def test_ndcg_by_hand() -> None:
    hit = np.array([[True, False, True], [False, False, False]])
    gained = 1 + 1 / np.log2(4)
    assert ndcg(hit, [2, 1]).tolist() == [pytest.approx(gained / (1 + 1 / np.log2(3))), 0.0]


@given(arrays.arrays(np.bool_, (4, 5)), st.integers(5, 9))
def test_ndcg_lies_between_none_and_all(hit: np.ndarray, relevant: int) -> None:
    values = ndcg(hit, [relevant] * 4)
    assert ((values >= 0) & (values <= 1 + 1e-12)).all()
    assert (values[hit.all(axis=1)] == pytest.approx(1.0)) or not hit.all(axis=1).any()


def test_a_missing_place_is_no_hit() -> None:
    assert hits(np.array([[NO_ITEM, 0]]), matrix([[1, 0, 1]])).tolist() == [[False, True]]


def test_figures_by_hand() -> None:
    task = RankingTask(matrix([[0, 0, 0, 0], [0, 0, 0, 0]]), matrix([[1, 1, 0, 0], [0, 0, 0, 1]]))
    found = ranking_metrics(np.array([[0, 2], [0, 1]]), task, np.array([0.5, 0.25, 0.25, 0.0]), 4)
    assert found["precision_at_2"] == pytest.approx(0.25)
    assert found["recall_at_2"] == pytest.approx(0.25)
    assert found["hit_rate_at_2"] == pytest.approx(0.5)
    assert found["coverage_at_2"] == pytest.approx(3 / 4)
    assert found["novelty_at_2"] == pytest.approx((1 + 2 + 1 + 2) / 4)
    assert found["ndcg_at_2"] == pytest.approx(0.5 * 1 / (1 + 1 / np.log2(3)))
