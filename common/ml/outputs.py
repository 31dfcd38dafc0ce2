"""What the models' stages write beside tables: Parquet for readers, and the files of their evaluation.

`analytics/ml/evaluation/<name>.json` is the whole evaluation; `ops/ml.json` holds its newest figures:
`{recommendations: {rmse, mae, bias_rmse, ndcg_at_10, popularity_ndcg_at_10, item_item_ndcg_at_10, ceiling_ndcg_at_10,
coverage_at_10, users, items, split}, churn: {auc, accuracy, majority_accuracy, ece, ceiling_auc, recency_auc, as_of,
horizon_days, rows}}`, each null until its stage has run. Ceilings are null where the data has no truth.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from common.errors import InputError
from common.layout import Layout
from common.storage.files import read_json, write_atomically

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
    """Replace a directory of Parquet files: written beside, then put in its place, which is empty for a moment."""
    beside = f"{path}.new"
    frame.write.mode("overwrite").partitionBy(*partition_by).parquet(beside)
    _put_in_place(frame.sparkSession, beside, path)


def read_evaluation(layout: Layout, name: str, spark: SparkSession | None = None) -> dict[str, Any] | None:
    """The newest evaluation of a model; None where there is none, or it cannot be read.

    Args:
        layout: The root.
        name: recommendations or churn.
        spark: Reads where the root is remote; without it there is none there.
    """
    found = _read_json(spark, layout, (*_EVALUATION, f"{name}.json"))
    return found if isinstance(found, dict) else None


def write_evaluation(spark: SparkSession, layout: Layout, name: str, evaluation: Mapping[str, Any]) -> None:
    """Write an evaluation, and its figures into ops/ml.json.

    Args:
        spark: Writes where the root is remote.
        layout: The root.
        name: recommendations or churn.
        evaluation: Has `figures` with the keys of `FIGURES`.
    """
    _write_json(spark, layout, (*_EVALUATION, f"{name}.json"), evaluation)
    _write_figures(layout, spark)


def add_figures(layout: Layout, name: str, figures: Mapping[str, Any], details: Mapping[str, Any]) -> None:
    """Add to an evaluation of a local root what became known after it, as the ceiling that only the truth tells."""
    evaluation = read_evaluation(layout, name)
    if evaluation is None:
        raise InputError(
            f"there is no evaluation of {name}", where=layout.path(*_EVALUATION), remedy=f"run train_{name} first"
        )
    merged = {**evaluation, **details, "figures": {**evaluation["figures"], **figures}}
    _write_json(None, layout, (*_EVALUATION, f"{name}.json"), merged)
    _write_figures(layout, None)


def read_completion(spark: SparkSession, layout: Layout, name: str) -> Any:  # noqa: ANN401 - JSON is what it is
    """What the last whole run of a stage was made from; None after one that did not come to its end."""
    return _read_json(spark, layout, (*_EVALUATION, f"{name}_complete.json"))


def write_completion(spark: SparkSession, layout: Layout, name: str, origin: Mapping[str, Any] | None) -> None:
    """Note what a whole run was made from, or with None that one is at work."""
    _write_json(spark, layout, (*_EVALUATION, f"{name}_complete.json"), origin)


def hive_table(name: str, path: str, schema: StructType, partition_by: Sequence[str] = ()) -> str:
    """The statement by which Hive, Impala or Spark reads a directory of Parquet files as a table."""
    columns = [f"  `{each.name}` {each.dataType.simpleString()}" for each in schema if each.name not in partition_by]
    parts = [f"`{each.name}` {each.dataType.simpleString()}" for each in schema if each.name in partition_by]
    partitioned = f"PARTITIONED BY ({', '.join(parts)})\n" if parts else ""
    repair = f"MSCK REPAIR TABLE {name};\n" if parts else ""
    body = ",\n".join(columns)
    head = f"CREATE EXTERNAL TABLE IF NOT EXISTS {name} (\n{body}\n)\n{partitioned}"
    return f"{head}STORED AS PARQUET\nLOCATION '{path}';\n{repair}"


def write_statements(spark: SparkSession, layout: Layout, name: str, statements: Sequence[str]) -> None:
    """Keep the statements that make tables of a model's output, beside it."""
    _write_text(spark, layout, ("analytics", "ml", f"{name}.sql"), "\n".join(statements))


def _write_figures(layout: Layout, spark: SparkSession | None) -> None:
    """ops/ml.json from all evaluations. A lock, as both stages may come at once: the last one sees the other's."""
    with _figures_lock(layout):
        figures: dict[str, Any] = {}
        for name, keys in FIGURES.items():
            found = (read_evaluation(layout, name, spark) or {}).get("figures")
            figures[name] = {key: found.get(key) for key in keys} if found else None
        _write_json(spark, layout, ("ops", "ml.json"), figures)


@contextmanager
def _figures_lock(layout: Layout) -> Iterator[None]:
    if not layout.is_local:
        yield
        return
    lock = layout.local("ops", "locks", "ml.json.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _read_json(spark: SparkSession | None, layout: Layout, parts: Sequence[str]) -> Any:  # noqa: ANN401 - JSON
    with suppress(InputError):
        if layout.is_local:
            return read_json(layout.local(*parts))
        if spark is not None:
            with suppress(AnalysisException, ValueError):
                row = spark.read.text(layout.path(*parts), wholetext=True).first()
                return json.loads(row[0]) if row else None
    return None


def _write_json(spark: SparkSession | None, layout: Layout, parts: Sequence[str], value: object) -> None:
    # NaN is no JSON: a figure that could not be measured is null.
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=str)
    _write_text(spark, layout, parts, f"{text}\n")


def _write_text(spark: SparkSession | None, layout: Layout, parts: Sequence[str], text: str) -> None:
    if layout.is_local:
        write_atomically(layout.local(*parts), text)
        return
    if spark is None:
        raise ValueError("a remote root is written through Spark")
    path = layout.path(*parts)
    out = _file_system(spark, path).create(_hadoop_path(spark, f"{path}.new"), True)
    try:
        out.write(bytearray(text.encode()))
    finally:
        out.close()
    _put_in_place(spark, f"{path}.new", path)


def _put_in_place(spark: SparkSession, beside: str, path: str) -> None:
    target, fresh = _hadoop_path(spark, path), _hadoop_path(spark, beside)
    files = _file_system(spark, path)
    files.delete(target, True)
    if not files.rename(fresh, target):
        raise InputError("the new files could not be put in place", where=path, remedy="see who holds it, run again")


def _hadoop_path(spark: SparkSession, path: str) -> Any:  # noqa: ANN401 - an object of the JVM
    jvm: Any = spark._jvm
    return jvm.org.apache.hadoop.fs.Path(path)


def _file_system(spark: SparkSession, path: str) -> Any:  # noqa: ANN401 - an object of the JVM
    return _hadoop_path(spark, path).getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())
