"""What the models' stages write beside tables: Parquet for readers, and the files of their evaluation.

`analytics/ml/evaluation/<name>.json` is the whole evaluation; `ops/ml.json` holds its newest figures:
`{recommendations: {rmse, mae, bias_rmse, ndcg_at_10, popularity_ndcg_at_10, item_item_ndcg_at_10, ceiling_ndcg_at_10,
coverage_at_10, users, items, split}, churn: {auc, accuracy, majority_accuracy, ece, ceiling_auc, recency_auc, as_of,
horizon_days, rows}}`, each null until its stage has run. Ceilings are null where the data has no truth.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from common.errors import InputError
from common.layout import Layout
from common.storage.files import read_json, write_atomically, write_json

FIGURES = {
    "recommendations": (
        "rmse",
        "mae",
        "bias_rmse",
        "ndcg_at_10",
        "popularity_ndcg_at_10",
        "item_item_ndcg_at_10",
        "ceiling_ndcg_at_10",
        "coverage_at_10",
        "users",
        "items",
        "split",
    ),
    "churn": (
        "auc",
        "accuracy",
        "majority_accuracy",
        "ece",
        "ceiling_auc",
        "recency_auc",
        "as_of",
        "horizon_days",
        "rows",
    ),
}
_EVALUATION = ("analytics", "ml", "evaluation")


def write_parquet(frame: DataFrame, path: str, partition_by: Sequence[str] = ()) -> None:
    """Replace a directory of Parquet files: written beside, then renamed, so that a reader finds the old or the new."""
    beside = f"{path}.new"
    frame.write.mode("overwrite").partitionBy(*partition_by).parquet(beside)
    spark = frame.sparkSession
    jvm: Any = spark._jvm
    target, fresh = jvm.org.apache.hadoop.fs.Path(path), jvm.org.apache.hadoop.fs.Path(beside)
    files = target.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())
    files.delete(target, True)
    if not files.rename(fresh, target):
        raise InputError("the new files could not be put in place", where=path, remedy="see who holds it, run again")


def read_evaluation(layout: Layout, name: str) -> dict[str, Any] | None:
    """The newest evaluation of a model; None where there is none, or it cannot be read."""
    if not layout.is_local:
        return None
    with suppress(InputError):
        found = read_json(layout.local(*_EVALUATION, f"{name}.json"))
        return found if isinstance(found, dict) else None
    return None


def write_evaluation(spark: SparkSession, layout: Layout, name: str, evaluation: Mapping[str, Any]) -> None:
    """Write an evaluation, and its figures into ops/ml.json.

    Args:
        spark: Writes where the root is remote.
        layout: The root.
        name: recommendations or churn.
        evaluation: Has `figures` with the keys of `FIGURES`.
    """
    if not layout.is_local:
        _write_remote(spark, layout.path(*_EVALUATION, f"{name}.json"), evaluation)
        return
    write_json(layout.local(*_EVALUATION, f"{name}.json"), evaluation)
    _write_figures(layout)


def add_figures(layout: Layout, name: str, figures: Mapping[str, Any], details: Mapping[str, Any]) -> None:
    """Add to an evaluation what became known after it, as the ceiling that only the data's truth tells."""
    evaluation = read_evaluation(layout, name)
    if evaluation is None:
        raise InputError(
            f"there is no evaluation of {name}", where=layout.path(*_EVALUATION), remedy=f"run train_{name} first"
        )
    merged = {**evaluation, **details, "figures": {**evaluation["figures"], **figures}}
    write_json(layout.local(*_EVALUATION, f"{name}.json"), merged)
    _write_figures(layout)


def hive_table(name: str, path: str, schema: StructType, partition_by: Sequence[str] = ()) -> str:
    """The statement by which Hive, Impala or Spark reads a directory of Parquet files as a table."""
    columns = [f"  `{each.name}` {each.dataType.simpleString()}" for each in schema if each.name not in partition_by]
    parts = [f"`{each.name}` {each.dataType.simpleString()}" for each in schema if each.name in partition_by]
    partitioned = f"PARTITIONED BY ({', '.join(parts)})\n" if parts else ""
    repair = f"MSCK REPAIR TABLE {name};\n" if parts else ""
    body = ",\n".join(columns)
    head = f"CREATE EXTERNAL TABLE IF NOT EXISTS {name} (\n{body}\n)\n{partitioned}"
    return f"{head}STORED AS PARQUET\nLOCATION '{path}';\n{repair}"


def write_statements(layout: Layout, name: str, statements: Sequence[str]) -> None:
    """Keep the statements that make tables of a model's output, beside it."""
    if layout.is_local:
        write_atomically(layout.local("analytics", "ml", f"{name}.sql"), "\n".join(statements))


def _write_figures(layout: Layout) -> None:
    """ops/ml.json from all evaluations. A lock, as both stages may come at once: the last one sees the other's."""
    lock = layout.local("ops", "locks", "ml.json.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        figures: dict[str, Any] = {}
        for name, keys in FIGURES.items():
            evaluation = read_evaluation(layout, name)
            found = (evaluation or {}).get("figures")
            figures[name] = {key: found.get(key) for key in keys} if found else None
        write_json(layout.local("ops", "ml.json"), figures)


def _write_remote(spark: SparkSession, path: str, evaluation: Mapping[str, Any]) -> None:

    jvm: Any = spark._jvm
    target = jvm.org.apache.hadoop.fs.Path(path)
    files = target.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())
    out = files.create(target, True)
    try:
        out.write(bytearray(json.dumps(evaluation, indent=2, default=str).encode()))
    finally:
        out.close()
