"""One finished root for all tests that look at a whole run.

Files run in the order of their names: those that run again on the same root, and go on with further days, come last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

from common.layout import Layout
from pipelines.tables import connect
from tests.runs import generate, run_graph

SCALE, SEED, DATE = 0.005, 7, "2025-11-30"
BATCH = ("--to", "bi_dashboards")  # models have tests of their own, on data that they can learn from

ROW_KINDS = ("read", "written", "quarantined", "duplicates", "superseded")


@dataclass(frozen=True)
class Finished:
    """A root after its first run.

    Attributes:
        layout: The root.
        run: Its run.json.
        tables_json: The bytes of its tables.json.
    """

    layout: Layout
    run: dict[str, Any]
    tables_json: bytes


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The generated shop at a small scale, from raw to dashboards, on two cores, with code that Spark generates."""
    directory = tmp_path_factory.mktemp("whole")
    layout = Layout.at(directory / "root")
    two = directory / "two.yaml"
    two.write_text("spark: {master: 'local[2]'}\n")
    generate(layout, SCALE, SEED)
    run = run_graph(layout, *BATCH, "--conf", str(two), interpreted=False)
    return Finished(layout, run, layout.local("ops", "tables.json").read_bytes())


@pytest.fixture(scope="session")
def stages(finished: Finished) -> dict[str, dict[str, Any]]:
    return {stage["name"]: stage for stage in finished.run["stages"]}


@pytest.fixture
def db(finished: Finished) -> duckdb.DuckDBPyConnection:
    """DuckDB on the published Parquet, and on the Delta tables of the schemas clean, lake and quarantine."""
    return connect(finished.layout, "ecommerce", "clean. lake. quarantine.")
