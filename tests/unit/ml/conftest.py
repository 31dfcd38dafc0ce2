"""What learning needs: a directory for checkpoints, and settings of few iterations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from common.ml.lineage import checkpointed
from common.settings import MlSettings, load_settings


@pytest.fixture(scope="package")
def checkpoints(spark_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """As the stages give one: without it ALS overflows the small stack of the tests' JVM."""
    with checkpointed(spark_session, str(tmp_path_factory.mktemp("checkpoints"))):
        yield


@pytest.fixture(scope="package")
def quick() -> MlSettings:
    """As they ship, but for factors after a few iterations: each takes as long as all other work on so few rows."""
    shipped = load_settings().ml
    few = shipped.recommendations.model_copy(update={"max_iter": 3})
    return shipped.model_copy(update={"recommendations": few})
