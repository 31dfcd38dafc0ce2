"""One finished root for all tests that look at a whole run.

Files run in the order of their names: those that run again on the same root, and go on with further days, come last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from pipelines.tables import connect
from tests.first_run import Finished, first_run
from tests.runs import FIRST_TIER_ALONE, WarmProcess

ROW_KINDS = ("read", "written", "quarantined", "duplicates", "superseded")


@pytest.fixture(scope="session")
def warm() -> Iterator[WarmProcess]:
    """Where the first run and the commands after it follow one another, with the root's metastore to themselves.

    The session of this process starts late, and lives for minutes.
    """
    with WarmProcess() as process, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_SUBMIT_OPTS", FIRST_TIER_ALONE)
        yield process


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, warm: WarmProcess) -> Finished:
    """The generated shop after its first run."""
    return first_run(tmp_path_factory, warm)


@pytest.fixture(scope="session")
def stages(finished: Finished) -> dict[str, dict[str, Any]]:
    return {stage["name"]: stage for stage in finished.run["stages"]}


@pytest.fixture
def db(finished: Finished) -> duckdb.DuckDBPyConnection:
    """DuckDB on the published Parquet, and on the Delta tables of the schemas clean, lake and quarantine."""
    return connect(finished.layout, "ecommerce", "clean. lake. quarantine.")
