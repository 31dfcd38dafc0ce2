"""The evaluation of the recommender.

analytics/ml/evaluation/recommendations.json:

- `figures`: the entry of ops/ml.json (`ceiling_ndcg_at_10` is added later, where the data has truth);
- `model`: version and MLflow run of the model in use; `newest`: those of the newest training, its figures, and whether
  it was promoted;
- `split`: kind, first day of the test and the day after its last;
- `ratings`: rows, rmse, mae, bias_rmse, bias_mae, `mean_only`, and apart for `warm`, `new_customers` and `new_products`
  rows, rmse, mae; null in a shop without ratings;
- `ranking`: customers, items and `model`, `popularity`, `item_item` with precision, recall, ndcg, hit_rate, coverage
  and novelty `_at_10` (novelty in bits), `new_customers` (customers, ndcg_at_10 of what is popular in the segment) and
  `new_products` (products, share_of_purchases, pairs, ndcg_at_10 of what is popular in the category);
- `search`: `trials` with parameters and validation figures, `explicit` and `implicit` that were chosen.

analytics/ml/evaluation/recommendations_test holds the test's pairs: user_id, product_id, role (candidate, excluded,
relevant).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame

from common.ml.later import later_than
from common.ml.newcomers import new_customer_figures, new_product_figures
from common.ml.popularity import popular_by_segment
from common.ml.ranking_evaluation import (
    EVALUATED,
    baseline_figures,
    model_figures,
    ranking_data,
    test_pairs,
)
from common.ml.recommender import Factors
from common.ml.recommender_training import Chosen, Past, fit, index_before, rating_quality

_NEW = ("new_customers", "new_products")


@dataclass(frozen=True)
class Measured:
    """How a set of parameters does on the test.

    Attributes:
        evaluation: `ratings`, `ranking` and `split` of the evaluation file.
        figures: The entry of ops/ml.json.
        metrics: For MLflow, by name.
        pairs: The test's pairs.
    """

    evaluation: dict[str, Any]
    figures: dict[str, Any]
    metrics: dict[str, float | None]
    pairs: pd.DataFrame


def measure(past: Past, chosen: Chosen, on_sale: DataFrame, segments: DataFrame) -> Measured:
    """Train on what comes before the test, and hold it against the test and the baselines.

    Args:
        past: What is learned from.
        chosen: The parameters.
        on_sale: product_id and category of what can be recommended.
        segments: user_id and segment.

    Raises:
        InputError: If there is too little before the test, or nothing in it.
    """
    count, test, limit = EVALUATED, past.test, past.settings.recommendations.evaluation_users
    index = index_before(past, test.first)
    model = fit(past, test.first, chosen, index)
    ratings = rating_quality(past, model, index)
    with later_than(past.daily, test, limit) as later:
        data = ranking_data(later, index)
        ranking = {"model": model_figures(data, Factors.of(model), count), **baseline_figures(data, count)}
        popular = popular_by_segment(past.daily, segments, on_sale, count, test.first)
        newcomers = {
            "new_customers": new_customer_figures(later, popular, segments, count),
            "new_products": new_product_figures(later, on_sale, count),
        }
    evaluation = {
        "split": {"kind": "temporal", "test_from": test.first.isoformat(), "test_until": test.end.isoformat()},
        "ratings": ratings,
        "ranking": {
            "customers": len(data.customers),
            "items": len(index.items),
            **ranking,
            **newcomers,
        },
    }
    return Measured(evaluation, _figures(evaluation), _metrics(evaluation), test_pairs(data, index))


def _figures(evaluation: dict[str, Any]) -> dict[str, Any]:
    ratings, ranking = evaluation["ratings"] or {}, evaluation["ranking"]
    ndcg = f"ndcg_at_{EVALUATED}"
    return {
        **{name: ratings.get(name) for name in ("rmse", "mae", "bias_rmse")},
        "ndcg_at_10": ranking["model"][ndcg],
        "popularity_ndcg_at_10": ranking["popularity"][ndcg],
        "item_item_ndcg_at_10": ranking["item_item"][ndcg],
        "ceiling_ndcg_at_10": None,
        "coverage_at_10": ranking["model"][f"coverage_at_{EVALUATED}"],
        "users": ranking["customers"],
        "items": ranking["items"],
        "split": f"later purchases and ratings, from {evaluation['split']['test_from']} on",
    }


def _metrics(evaluation: dict[str, Any]) -> dict[str, float | None]:
    ratings, ranking = evaluation["ratings"] or {}, evaluation["ranking"]
    found: dict[str, float | None] = {
        name: ratings.get(name) for name in ("rmse", "mae", "bias_rmse", "bias_mae") if name in ratings
    }
    for part, names in ((ratings, ("warm", "mean_only", *_NEW)), (ranking, _NEW)):
        for name in names:
            found |= {f"{name}_{key}": value for key, value in part.get(name, {}).items()}
    for name in ("model", "popularity", "item_item"):
        prefix = "" if name == "model" else f"{name}_"
        found |= {f"{prefix}{key}": value for key, value in ranking[name].items()}
    return found
