"""The ceilings of the models on generated data: `python -m pipelines.ml_truth --root ROOT`.

What generated the data knows the chance of every customer's silence and taste. Held against the same test rows as the
models, that knowledge gives the best figures that can be reached. The jobs never read it; a run adds the ceilings to
ops/ml.json after they are done. Data without truth has none, and stays as it is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import numpy as np
import pandas as pd
from scipy import sparse

from common.arguments import HelpShown, Parser, default_root, print_error
from common.errors import ExitCode, PlatformError
from common.layout import Layout
from common.ml.classification import accuracy, auc, log_loss
from common.ml.outputs import add_figures, read_evaluation
from common.ml.ranking import Floats, Ints, RankingTask, rank, ranking_metrics
from common.ml.recommender import Index
from generators.catalogue import Catalogue, make_catalogue
from generators.oracle import churn_probabilities, preferences
from generators.people import make_people
from generators.plan import Plan
from generators.spec import DAYS, Spec, day_of
from pipelines.generation import generated

_COUNT = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Add the ceilings to what was evaluated.

    Returns:
        0; 2 for a wrong argument.
    """
    parser = Parser(prog="python -m pipelines.ml_truth", description="Add the ceilings that generated data allows.")
    parser.add_argument("--root", default=default_root(), help="directory of the zones (default: data)")
    try:
        arguments: argparse.Namespace = parser.parse_args(argv)
        for line in add_ceilings(Layout.at(arguments.root)):
            sys.stdout.write(f"{line}\n")
    except HelpShown:
        return int(ExitCode.DONE)
    except PlatformError as error:
        print_error(error)
        return int(error.exit_code)
    return int(ExitCode.DONE)


def add_ceilings(layout: Layout) -> tuple[str, ...]:
    """Add the ceilings to the evaluations that are there and lack them; nothing for data without truth.

    Args:
        layout: A local root.

    Returns:
        A line for each that was added, or that the truth does not reach.
    """
    made = generated(layout)
    if made is None:
        return ()
    spec = Spec(float(made["scale"]), int(made["seed"]))
    lines = []
    for name, key, add in (
        ("recommendations", "ceiling_ndcg_at_10", _recommendations),
        ("churn", "ceiling_auc", _churn),
    ):
        evaluation = read_evaluation(layout, name)
        if evaluation is not None and evaluation["figures"].get(key) is None:
            lines.append(add(layout, spec, evaluation))
    return tuple(lines)


def _churn(layout: Layout, spec: Spec, evaluation: dict[str, Any]) -> str:
    figures = evaluation["figures"]
    day, horizon = date.fromisoformat(figures["as_of"]), int(figures["horizon_days"])
    if day_of(day) + horizon > DAYS:
        return f"churn: no ceiling, as the {horizon} days from {day} on go beyond those of the first load"
    test = _rows(layout, "churn_test").sort_values("user_id", ignore_index=True)
    known = _known_probabilities(layout, day, horizon) or churn_probabilities(spec.scale, spec.seed, day, horizon)
    true = test["user_id"].map(known)
    there = true.notna().to_numpy()
    labels, said = test["label"].to_numpy()[there], true.to_numpy(dtype=np.float64)[there]
    best = {
        "rows": int(there.sum()),
        "auc": auc(labels, said),
        "accuracy": accuracy(labels, said, 0.5),
        "log_loss": log_loss(labels, said),
    }
    add_figures(layout, "churn", {"ceiling_auc": best["auc"]}, {"ceiling": best})
    return f"churn: ceiling AUC {best['auc']:.4f}, the model's {figures['auc']:.4f}"


def _known_probabilities(layout: Layout, day: date, horizon: int) -> dict[str, float]:
    """From truth/churn.parquet, which has some dates; empty for another."""
    path = layout.local("truth", "churn.parquet")
    if not path.exists():
        return {}
    query = "SELECT user_id, probability FROM read_parquet(?) WHERE as_of = ? AND horizon_days = ?"
    with duckdb.connect() as connection:
        return dict(connection.execute(query, [str(path), day, horizon]).fetchall())


def _recommendations(layout: Layout, spec: Spec, evaluation: dict[str, Any]) -> str:
    figures = evaluation["figures"]
    pairs = _rows(layout, "recommendations_test")
    items = tuple(sorted(pairs.loc[pairs["role"] == "candidate", "product_id"]))
    customers = tuple(sorted(pairs["user_id"].dropna().unique()))
    index = Index(customers, items)
    task = RankingTask(_matrix(pairs, "excluded", index), _matrix(pairs, "relevant", index))
    ranked = rank(task, _true_scores(spec, index), _COUNT)
    best = ranking_metrics(ranked, task, np.zeros(len(items)), len(items))
    best = {name: value for name, value in best.items() if not name.startswith("novelty")}
    ceiling = best[f"ndcg_at_{_COUNT}"]
    add_figures(layout, "recommendations", {"ceiling_ndcg_at_10": ceiling}, {"ceiling": best})
    return f"recommendations: ceiling NDCG@10 {ceiling:.4f}, the model's {figures['ndcg_at_10']:.4f}"


def _true_scores(spec: Spec, index: Index) -> Any:  # noqa: ANN401 - a Scorer
    """Each customer's chance to buy each product; those who came after the first load are taken for average ones."""
    catalogue = make_catalogue(spec)
    plan = cast(Plan, SimpleNamespace(people=make_people(spec), catalogue=catalogue))
    users = np.array([int(name[1:]) for name in index.users], dtype=np.int64)
    items = np.array([int(name[1:]) for name in index.items], dtype=np.int64)
    first_users, first_items = users < spec.users, items < spec.products

    def score(rows: Ints) -> Floats:
        values = np.tile(_average(catalogue), (len(rows), 1))
        known = first_users[rows]
        values[known] = preferences(plan, users[rows][known])
        padded = np.where(first_items, values[:, np.where(first_items, items, 0)], 0.0)
        scores: Floats = padded
        return scores

    return score


def _average(catalogue: Catalogue) -> Floats:
    return catalogue.popularity


def _matrix(pairs: pd.DataFrame, role: str, index: Index) -> sparse.csr_matrix:
    chosen = pairs[pairs["role"] == role]
    rows = index.places(chosen["user_id"], index.users)
    columns = index.places(chosen["product_id"], index.items)
    shape = (len(index.users), len(index.items))
    matrix = sparse.csr_matrix((np.ones(len(chosen)), (rows, columns)), shape=shape)
    matrix.sort_indices()
    return matrix


def _rows(layout: Layout, name: str) -> pd.DataFrame:
    files = sorted(str(path) for path in layout.local("analytics", "ml", "evaluation", name).glob("*.parquet"))
    with duckdb.connect() as connection:
        return connection.read_parquet(files).df()


if __name__ == "__main__":
    sys.exit(main())
