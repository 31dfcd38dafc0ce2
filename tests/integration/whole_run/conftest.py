"""One finished root for all tests that look at a whole run.

Files run in the order of their names: those that run again on the same root, and go on with further days, come last.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from pipelines.tables import connect
from tests.first_run import Finished, first_run

ROW_KINDS = ("read", "written", "quarantined", "duplicates", "superseded")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The generated shop after its first run."""
    return first_run(tmp_path_factory)


@pytest.fixture(scope="session")
def stages(finished: Finished) -> dict[str, dict[str, Any]]:
    return {stage["name"]: stage for stage in finished.run["stages"]}


@pytest.fixture
def db(finished: Finished) -> duckdb.DuckDBPyConnection:
    """DuckDB on the published Parquet, and on the Delta tables of the schemas clean, lake and quarantine."""
    return connect(finished.layout, "ecommerce", "clean. lake. quarantine.")
