"""How good the models of whole runs are: `python tests/bench/bench_models.py --scale 1 --seeds 1 2 3`.

Each seed is a shop of its own, from raw data to models in a root of its own. What is required of each figure stands in
`REQUIRED`; one that falls short ends the benchmark with 1. `--roots R …` looks at roots that runs have finished on
instead of making new ones. The requirements are meant for scale 1: smaller shops have less to learn from.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
Figures = dict[str, Any]
MODELS = ("train_recommendations", "train_churn")

REQUIRED: tuple[tuple[str, Callable[[Figures, Figures], bool]], ...] = (
    ("RMSE < 1.0", lambda r, _: r["rmse"] < 1.0),
    ("MAE < 0.8", lambda r, _: r["mae"] < 0.8),
    ("RMSE 10 % below biases", lambda r, _: r["rmse"] <= 0.9 * r["bias_rmse"]),
    ("NDCG@10 twice popularity", lambda r, _: r["ndcg_at_10"] >= 2 * r["popularity_ndcg_at_10"]),
    ("NDCG@10 above item-item", lambda r, _: r["ndcg_at_10"] > r["item_item_ndcg_at_10"]),
    ("AUC > 0.75", lambda _, c: c["auc"] > 0.75),
    ("accuracy > 0.80", lambda _, c: c["accuracy"] > 0.80),
    ("accuracy above the majority", lambda _, c: c["accuracy"] > c["majority_accuracy"]),
    ("calibration error <= 0.03", lambda _, c: c["ece"] <= 0.03),
    ("AUC within 0.02 of the ceiling", lambda _, c: c["auc"] >= c["ceiling_auc"] - 0.02),
    ("AUC above recency alone", lambda _, c: c["auc"] > c["recency_auc"]),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--roots", type=Path, nargs="+", help="roots that runs have finished on")
    arguments = parser.parse_args()
    failed = 0
    if arguments.roots:
        failed = sum(judge(str(root), root) for root in arguments.roots)
    else:
        for seed in arguments.seeds:
            with tempfile.TemporaryDirectory() as directory:
                root = Path(directory) / "root"
                command = [str(PROJECT / "build.sh"), "run", "--root", str(root)]
                command += ["--scale", str(arguments.scale), "--seed", str(seed)]
                subprocess.run(command, check=True, capture_output=True)
                failed += judge(f"seed {seed}", root)
    print(f"requirements missed: {failed}")
    return 1 if failed else 0


def judge(name: str, root: Path) -> int:
    """Print a root's figures; how many requirements they miss."""
    figures = json.loads((root / "ops" / "ml.json").read_text(encoding="utf-8"))
    run = json.loads((root / "ops" / "run.json").read_text(encoding="utf-8"))
    for model, found in figures.items():
        said = {key: round(value, 4) if isinstance(value, float) else value for key, value in found.items()}
        print(f"{name} {model}: {json.dumps(said)}")
    seconds = {stage["name"]: stage["seconds"] for stage in run["stages"] if stage["name"] in MODELS}
    print(f"{name} seconds: {json.dumps(seconds)}, run {run['seconds']:.0f}")
    missed = [what for what, holds in REQUIRED if not holds(figures["recommendations"], figures["churn"])]
    for what in missed:
        print(f"{name} MISSED {what}")
    return len(missed)


if __name__ == "__main__":
    sys.exit(main())
