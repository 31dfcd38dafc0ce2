"""What a stage is given at a root, and what is found there: files, rows, and runs of MLflow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from pyspark.sql import SparkSession

from common.job import StageContext
from common.layout import Layout
from common.quality.gate import Gatekeeper
from common.settings import Settings, SourceSettings
from tests.gates import OpenGate

DAY = date(2025, 11, 30)
QUICK = Path(__file__).with_name("quick.yaml")


def context(spark: SparkSession, root: Path, settings: Settings, source: SourceSettings, **more: Any) -> StageContext:
    """With the day of the first run and open gates, where not said otherwise: `context(…, day=…, gates=Gatekeeper)`."""
    layout = Layout.at(root)
    gates: type[Gatekeeper] = more.pop("gates", OpenGate)
    return StageContext(
        spark, layout, settings, source, more.pop("day", DAY), "test-run", gates(layout, "test-run"), **more
    )


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def rows(query: str, **paths: Path) -> list[tuple[Any, ...]]:
    for name, path in paths.items():
        query = query.replace(f"${name}", f"read_parquet('{path}/**/*.parquet', hive_partitioning = true)")
    with duckdb.connect() as db:
        return db.execute(query).fetchall()


@dataclass(frozen=True)
class Run:
    """A run of MLflow and its files."""

    id: str
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]
    files: Path

    def file(self, name: str) -> dict[str, Any]:
        return read(self.files / name)


def run_of(root: Path, run_id: str) -> Run:
    import mlflow  # noqa: PLC0415 - loading it takes seconds

    uri = f"sqlite:///{root / 'models/mlflow.db'}"
    found = mlflow.MlflowClient(uri, uri).get_run(run_id)
    files = Path(found.info.artifact_uri.removeprefix("file://"))
    return Run(run_id, dict(found.data.metrics), dict(found.data.params), dict(found.data.tags), files)
