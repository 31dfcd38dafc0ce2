"""Pages of models: every card that training gives the data for, and fixtures that are as training writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from common.job import StageContext
from common.layout import Layout
from common.ml import outputs
from common.stages import churn_steps
from common.stages.origins import Origin
from pipelines.report.evaluations import CHURN, RECOMMENDATIONS, read_evaluation
from pipelines.report.pages.model import Card
from pipelines.report.pages.models import model_pages
from tests.unit.ml.churners import LABELLED, Shelf, train
from tests.unit.report.answers import put_churn, put_recommendations
from tests.unit.report.shapes import shape

CHURN_CARDS = {
    "churn_calibration", "churn_lift", "churn_confusion", "churn_levels", "churn_importance", "churn_alone",
    "churn_baselines", "churn_trials",
}  # fmt: skip
RECOMMENDATION_CARDS = {
    "recommendations_ndcg", "recommendations_ratings", "recommendations_ranking", "recommendations_known_and_new",
    "recommendations_trials",
}  # fmt: skip


def cards_of(layout: Layout, name: str) -> dict[str, Card]:
    """The cards of a model's page by their keys."""
    evaluations = {each: read_evaluation(layout, each) for each in (CHURN, RECOMMENDATIONS)}
    page = next(page for page in model_pages(evaluations) if page.file == f"model-{name}.html")
    return {card.key: card for card in page.context["cards"]}


def table_of(card: Card) -> dict[str, dict[str, str]]:
    """A card's table: what its first column names, and the other columns of it."""
    assert card.table is not None
    heads = [head.label for head in card.table.heads]
    rows = [dict(zip(heads, (cell.text for cell in row), strict=True)) for row in card.table.rows]
    return {row[heads[0]]: row for row in rows}


def evaluation_of(layout: Layout, name: str) -> dict[str, Any]:
    found = outputs.read_evaluation(layout, name)
    assert found is not None
    return found


class TestChurn:
    @pytest.fixture
    def cards(self, layout: Layout) -> dict[str, Card]:
        put_churn(layout)
        return cards_of(layout, CHURN)

    def test_every_card_is_there(self, cards: dict[str, Card]) -> None:
        assert set(cards) == CHURN_CARDS

    @pytest.mark.parametrize("key", ["calibration", "lift", "confusion", "importance"])
    def test_what_can_be_seen_is_drawn(self, cards: dict[str, Card], key: str) -> None:
        figure = cards[f"churn_{key}"].figure
        assert figure is not None
        assert json.loads(figure)["data"]

    def test_metrics_stand_beside_recency_and_the_majority(self, cards: dict[str, Card]) -> None:
        found = table_of(cards["churn_baselines"])
        assert set(found) == {"model", "recency alone", "always the majority"}
        assert found["model"] == {
            "rule": "model", "AUC": "0.880", "accuracy": "0.810", "calibration error": "0.020", "precision": "0.790",
            "recall": "0.800", "log loss": "0.420", "brier": "0.130",
        }  # fmt: skip
        assert (found["recency alone"]["AUC"], found["recency alone"]["recall"]) == ("0.780", "0.800")
        assert found["always the majority"]["accuracy"] == "0.540"

    def test_lift_and_calibration_have_a_row_for_each_tenth(self, cards: dict[str, Card]) -> None:
        assert set(table_of(cards["churn_lift"])) == {str(tenth) for tenth in range(1, 11)}
        assert len(table_of(cards["churn_calibration"])) == 9, "a bin that nobody is in has no point"

    def test_all_four_outcomes_are_counted(self, cards: dict[str, Card]) -> None:
        table = cards["churn_confusion"].table
        assert table is not None
        assert [[cell.text for cell in row] for row in table.rows] == [
            ["left", "said to leave", "56"],
            ["left", "said to stay", "13"],
            ["stayed", "said to leave", "15"],
            ["stayed", "said to stay", "65"],
        ]

    def test_features_are_named_with_their_importance(self, cards: dict[str, Card]) -> None:
        assert set(table_of(cards["churn_importance"])) == {"recency days", "orders"}

    def test_every_trial_is_listed_with_its_figure(self, cards: dict[str, Card]) -> None:
        found = table_of(cards["churn_trials"])
        assert {depth: row["validation AUC"] for depth, row in found.items()} == {"4": "0.880", "5": "0.870"}

    def test_what_training_writes_has_the_shape_of_the_fixture_and_fills_every_card(
        self, layout: Layout, make_context: Callable[..., StageContext], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_churn(layout)
        expected = shape(evaluation_of(layout, CHURN))
        context, shelf = make_context(), Shelf()
        chosen = train(context, shelf, monkeypatch, 20)
        churn_steps.evaluate(context, shelf, chosen, LABELLED, Origin("basis", {}))  # type: ignore[arg-type]  # a fake
        assert shape(evaluation_of(layout, CHURN)) == expected
        assert set(cards_of(layout, CHURN)) == CHURN_CARDS

    def test_a_later_evaluation_keeps_what_was_tried(
        self, layout: Layout, make_context: Callable[..., StageContext], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_churn(layout)
        before = evaluation_of(layout, CHURN)
        context, shelf = make_context(), Shelf()
        train(context, shelf, monkeypatch, 20)
        chosen = churn_steps.Chosen(shelf.versions[0])
        churn_steps.evaluate(context, shelf, chosen, LABELLED, Origin("basis", {}))  # type: ignore[arg-type]  # a fake
        after = evaluation_of(layout, CHURN)
        assert (after["search"], after["newest"]) == (before["search"], before["newest"])
        assert after["figures"]["auc"] == 1.0
        [logged] = shelf.evaluations
        assert logged.metrics["auc"] == 1.0
        assert logged.documents["evaluation.json"]["baselines"] == after["baselines"]


class TestRecommendations:
    @pytest.fixture
    def cards(self, layout: Layout) -> dict[str, Card]:
        put_recommendations(layout)
        return cards_of(layout, RECOMMENDATIONS)

    def test_every_card_is_there(self, cards: dict[str, Card]) -> None:
        assert set(cards) == RECOMMENDATION_CARDS

    @pytest.mark.parametrize("key", ["ndcg", "ratings"])
    def test_what_can_be_seen_is_drawn(self, cards: dict[str, Card], key: str) -> None:
        figure = cards[f"recommendations_{key}"].figure
        assert figure is not None
        assert json.loads(figure)["data"]

    def test_stars_stand_beside_simpler_rules(self, cards: dict[str, Card]) -> None:
        found = table_of(cards["recommendations_ratings"])
        assert {rule: (row["RMSE"], row["MAE"]) for rule, row in found.items()} == {
            "model": ("0.860", "0.660"),
            "user and item biases": ("0.980", "0.770"),
            "mean only": ("1.100", "0.900"),
        }

    def test_every_figure_of_the_ranking_stands_beside_popularity_and_item_to_item(
        self, cards: dict[str, Card]
    ) -> None:
        found = table_of(cards["recommendations_ranking"])
        assert set(found) == {"model", "popularity", "item to item"}
        for rule, ndcg in (("model", "0.200"), ("popularity", "0.050"), ("item to item", "0.150")):
            assert found[rule] == {
                "rule": rule, "NDCG at 10": ndcg, "precision at 10": "0.100", "recall at 10": "0.200",
                "hit rate at 10": "0.400", "coverage at 10": "0.600", "novelty at 10": "9.000",
            }  # fmt: skip

    def test_known_and_new_stand_apart(self, cards: dict[str, Card]) -> None:
        found = table_of(cards["recommendations_known_and_new"])
        assert {group: row["tested"] for group, row in found.items()} == {
            "ratings, customer and product known": "60",
            "ratings of customers who had rated nothing": "7",
            "ratings of products that nobody had rated": "3",
            "new customers, given what is popular in their segment": "12",
            "buyers of new products, given what is popular in its category": "5",
        }
        assert "12.5% was of new products" in cards["recommendations_known_and_new"].question

    def test_trials_of_both_searches_are_listed(self, cards: dict[str, Card]) -> None:
        found = table_of(cards["recommendations_trials"])
        assert found["5"]["validation RMSE"] == "0.900"
        assert found["8"]["validation NDCG at 10"] == "0.190"
