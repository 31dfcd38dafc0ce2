"""A Delta table of two columns, which the tests write and read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from common.storage.local_frames import local_frame


@pytest.fixture
def rows(spark: SparkSession) -> Callable[..., DataFrame]:
    """Frames of (id, v), both of which may be null."""

    def make(*values: tuple[str | None, int | None]) -> DataFrame:
        return local_frame(spark, list(values), "id string, v int")

    return make


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the table is."""
    return str(tmp_path / "table")
