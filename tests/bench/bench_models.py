"""How good the models of whole runs are: `python tests/bench/bench_models.py --scale 1 --seeds 1 2 3`.

Each seed is a shop of its own, from raw data to models in a root of its own. What is required of each figure stands in
`REQUIRED`; one that falls short ends the benchmark with 1. `--roots R …` looks at roots that runs have finished on
instead of making new ones. The requirements are meant for scale 1: smaller shops have less to learn from.

`--source conf/sources/completejourney.yaml` looks at a shop of one's own instead, which has no truth: its models have
to beat the simpler rules that stand beside them.
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
MOST_SECONDS = 240.0  # of both, at scale 1 on two cores

Requirements = tuple[tuple[str, Callable[[Figures, Figures], bool]], ...]
REQUIRED: Requirements = (
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
BASELINES: Requirements = (
    ("NDCG@10 above popularity", lambda r, _: r["ndcg_at_10"] > r["popularity_ndcg_at_10"]),
    ("NDCG@10 above item-item", lambda r, _: r["ndcg_at_10"] > r["item_item_ndcg_at_10"]),
    ("AUC above recency alone", lambda _, c: c["auc"] > c["recency_auc"]),
    ("accuracy above the majority", lambda _, c: c["accuracy"] > c["majority_accuracy"]),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--roots", type=Path, nargs="+", help="roots that runs have finished on")
    parser.add_argument("--source", help="a shop of one's own instead of the generated one")
    arguments = parser.parse_args()
    required = BASELINES if arguments.source else REQUIRED
    if arguments.roots:
        failed = sum(judge(str(root), root, required) for root in arguments.roots)
    elif arguments.source:
        failed = judge_run(arguments.source, required, "--source", arguments.source)
    else:
        failed = sum(
            judge_run(f"seed {seed}", required, "--scale", str(arguments.scale), "--seed", str(seed))
            for seed in arguments.seeds
        )
    print(f"requirements missed: {failed}")
    return 1 if failed else 0


def judge_run(name: str, required: Requirements, *options: str) -> int:
    """Run everything on a root of its own, and judge that."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "root"
        command = [str(PROJECT / "build.sh"), "run", "--root", str(root), *options]
        subprocess.run(command, check=True, capture_output=True)
        return judge(name, root, required)


def judge(name: str, root: Path, required: Requirements) -> int:
    """Print a root's figures; how many requirements they miss."""
    figures = json.loads((root / "ops" / "ml.json").read_text(encoding="utf-8"))
    run = json.loads((root / "ops" / "run.json").read_text(encoding="utf-8"))
    for model, found in figures.items():
        said = {key: round(value, 4) if isinstance(value, float) else value for key, value in found.items()}
        print(f"{name} {model}: {json.dumps(said)}")
    seconds = {stage["name"]: stage["seconds"] for stage in run["stages"] if stage["name"] in MODELS}
    print(f"{name} seconds: {json.dumps(seconds)}, run {run['seconds']:.0f}")
    missed = [what for what, holds in required if not holds(figures["recommendations"], figures["churn"])]
    if required is REQUIRED and sum(seconds.values()) > MOST_SECONDS:
        missed.append(f"both models within {MOST_SECONDS:.0f} s")
    for what in missed:
        print(f"{name} MISSED {what}")
    return len(missed)


if __name__ == "__main__":
    sys.exit(main())
