"""A directory for checkpoints, as the stages give one: without it ALS overflows the small stack of the tests' JVM."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from common.ml.lineage import checkpointed


@pytest.fixture(scope="package")
def checkpoints(spark_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with checkpointed(spark_session, str(tmp_path_factory.mktemp("checkpoints"))):
        yield
