"""The tables and evaluations that recommendations and churn write on a small generated shop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from common.layout import Layout
from pipelines.report.evaluations import read_evaluation
from pipelines.report.pages.models import model_pages
from tests.integration.ml.roots import read, rows
from tests.unit.report.answers import put_churn, put_recommendations
from tests.unit.report.shapes import shape
from tests.unit.report.test_model_pages import CHURN_CARDS, RECOMMENDATION_CARDS

pytestmark = pytest.mark.slow

CHURN_FIGURES = {
    "auc", "accuracy", "majority_accuracy", "ece", "ceiling_auc", "recency_auc", "as_of", "horizon_days", "rows",
}  # fmt: skip
RECOMMENDATION_FIGURES = {
    "rmse", "mae", "bias_rmse", "ndcg_at_10", "popularity_ndcg_at_10", "item_item_ndcg_at_10", "ceiling_ndcg_at_10",
    "coverage_at_10", "users", "items", "split",
}  # fmt: skip


class TestChurn:
    def test_every_customer_who_bought_is_scored_once(self, root: Path) -> None:
        predictions, lines = root / "analytics/ml/churn_predictions", root / "warehouse/lake/fact_transactions"
        ((scored, distinct, low, high),) = rows(
            "SELECT count(*), count(DISTINCT user_id), min(churn_probability), max(churn_probability) FROM $p",
            p=predictions,
        )
        bought = rows("SELECT DISTINCT user_id FROM $l WHERE quantity > 0 AND NOT is_unknown_user", l=lines)
        assert scored == distinct == len(bought) > 50
        assert 0 <= low < high <= 1
        assert {each for (each,) in rows("SELECT user_id FROM $p", p=predictions)} == {each for (each,) in bought}

    def test_risk_levels_are_partitions_and_follow_the_probability(self, root: Path) -> None:
        predictions = root / "analytics/ml/churn_predictions"
        assert {path.name for path in predictions.glob("risk_level=*")} <= {
            "risk_level=high", "risk_level=medium", "risk_level=low",
        }  # fmt: skip
        bounds = {"high": (0.7, 1.0), "medium": (0.3, 0.7), "low": (0.0, 0.3)}
        for level, low, high in rows(
            "SELECT risk_level, min(churn_probability), max(churn_probability) FROM $p GROUP BY 1", p=predictions
        ):
            assert bounds[level][0] <= low <= high <= bounds[level][1]

    def test_reasons_are_sentences(self, root: Path) -> None:
        found = rows("SELECT reasons FROM $p", p=root / "analytics/ml/churn_predictions")
        assert all(1 <= len(reasons) <= 3 for (reasons,) in found)
        assert all(
            reason.endswith(("(raises the risk)", "(lowers the risk)")) for (reasons,) in found for reason in reasons
        )

    def test_figures(self, root: Path) -> None:
        figures = read(root / "ops/ml.json")["churn"]
        assert set(figures) == CHURN_FIGURES
        assert (figures["as_of"], figures["horizon_days"]) == ("2025-11-01", 30)
        assert 0.5 < figures["auc"] <= 1

    def test_figures_are_those_of_the_rows(self, root: Path) -> None:
        evaluation = read(root / "analytics/ml/evaluation/churn.json")
        found = rows("SELECT label, prediction FROM $t", t=root / "analytics/ml/evaluation/churn_test")
        pairs = [
            (mine > other) + (mine == other) / 2
            for mine in (p for label, p in found if label == 1)
            for other in (p for label, p in found if label == 0)
        ]
        assert evaluation["figures"]["auc"] == pytest.approx(sum(pairs) / len(pairs), abs=1e-9)
        assert evaluation["figures"]["rows"] == len(found)

    def test_labels_are_those_of_the_facts(self, root: Path) -> None:
        evaluation = root / "analytics/ml/evaluation/churn_test"
        wrong = rows(
            """SELECT count(*) FROM $t t WHERE label <> (SELECT CASE WHEN count(*) = 0 THEN 1 ELSE 0 END FROM $l l
               WHERE l.user_id = t.user_id AND quantity > 0
               AND transaction_date >= DATE '2025-11-01' AND transaction_date < DATE '2025-12-01')""",
            t=evaluation,
            l=root / "warehouse/lake/fact_transactions",
        )
        assert wrong == [(0,)]


class TestRecommendations:
    def test_figures(self, root: Path) -> None:
        figures = read(root / "ops/ml.json")["recommendations"]
        assert set(figures) == RECOMMENDATION_FIGURES
        assert figures["rmse"] < figures["bias_rmse"] * 1.2
        assert figures["users"] > 10

    def test_every_active_customer_has_products_on_sale_that_they_lack(self, root: Path) -> None:
        mine, products = root / "analytics/ml/recommendations/for_customers", root / "warehouse/lake/dim_products"
        lines = root / "warehouse/lake/fact_transactions"
        ((customers, least, most),) = rows(
            "SELECT count(*), min(n), max(n) FROM (SELECT user_id, count(*) n FROM $m GROUP BY 1)", m=mine
        )
        assert customers > 100
        assert (least, most) == (10, 10)
        names = "('Grocery', 'Cleaning', 'Skin Care', 'Hair Care', 'Vitamins', 'First Aid', 'Oral Care', 'Dog Food', "
        names += "'Cat Food', 'Cat Litter', 'Paper & Notebooks', 'Writing', 'Plants & Seeds', 'Soil & Care')"
        wrong = rows(
            f"""SELECT count(*) FROM $m m JOIN $p p ON p.product_id = m.product_id AND p.is_current
                WHERE NOT coalesce(p.category IN {names} OR p.subcategory IN {names}, false)
                AND EXISTS (SELECT 1 FROM $l l WHERE l.user_id = m.user_id AND l.product_id = m.product_id
                            AND l.quantity > 0)""",
            m=mine,
            p=products,
            l=lines,
        )
        assert wrong == [(0,)]
        gone = rows("SELECT product_id FROM $p WHERE is_current AND (is_deleted OR NOT is_active)", p=products)
        shown = rows("SELECT DISTINCT product_id FROM $m", m=mine)
        assert not {each for (each,) in gone} & {each for (each,) in shown}

    def test_products_have_others_like_them(self, root: Path) -> None:
        alike, products = root / "analytics/ml/recommendations/similar_products", root / "warehouse/lake/dim_products"
        ((found, pairs, least, most, same),) = rows(
            """SELECT count(*), sum(alike), min(n), max(n), sum(same) FROM (
                 SELECT product_id, count(*) n, count(DISTINCT similar_product_id) alike,
                        count_if(product_id = similar_product_id) same
                 FROM $s GROUP BY 1)""",
            s=alike,
        )
        ((sold,),) = rows(
            """SELECT count(*) FROM $p
               WHERE is_current AND NOT is_deleted AND coalesce(is_active, true) AND product_sk <> -1""",
            p=products,
        )
        assert (found, least, most, pairs, same) == (sold, 10, 10, sold * 10, 0)
        assert dict(rows("SELECT reason, count_if(similarity IS NULL) = count(*) FROM $s GROUP BY 1", s=alike)) in (
            {"model": False}, {"model": False, "popular": True},
        )  # fmt: skip

    def test_the_statements_make_tables(self, root: Path, spark: SparkSession) -> None:
        statements = (root / "analytics/ml/recommendations.sql").read_text().split(";\n")
        path = root / "analytics/ml/recommendations/for_customers"
        statement = next(each for each in statements if "ml_for_customers" in each)
        schema = ", ".join(line.strip() for line in statement.split("(\n", 1)[1].split("\n)", 1)[0].splitlines())
        declared = spark.read.schema(schema.replace(",,", ",")).parquet(str(path))
        assert declared.schema == spark.read.parquet(str(path)).schema
        assert f"LOCATION '{path}'" in statement


@pytest.mark.parametrize(
    ("name", "put", "cards"),
    [("churn", put_churn, CHURN_CARDS), ("recommendations", put_recommendations, RECOMMENDATION_CARDS)],
    ids=["churn", "recommendations"],
)
def test_an_evaluation_has_the_shape_of_the_fixture_and_fills_every_card(
    root: Path, layout: Layout, name: str, put: Callable[[Layout], None], cards: set[str]
) -> None:
    put(layout)
    written, fixture = (read(Path(at, f"analytics/ml/evaluation/{name}.json")) for at in (root, layout.root))
    assert shape(written) == shape(fixture)
    [page] = [page for page in model_pages({name: read_evaluation(Layout.at(root), name)}) if name in page.file]
    assert {card.key for card in page.context["cards"]} == cards
