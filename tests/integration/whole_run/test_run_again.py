"""What a second run of the same date does, on the same root: it comes after those that look at the first."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from deltalake import DeltaTable

from common.layout import PUBLISHED_TABLES
from common.storage.published import read_published
from pipelines import sql
from tests.first_run import BATCH, DATE, Finished
from tests.runs import STAGES, RunsInARow, ask_spark, fingerprints

pytestmark = pytest.mark.slow


@pytest.fixture(scope="class")
def runs(finished: Finished) -> Iterator[RunsInARow]:
    """Further runs on the root."""
    with RunsInARow(finished.layout) as runs:
        yield runs


class TestAgain:
    """What a second run does; it comes last, since it runs on the same root."""

    def test_the_same_date_again_changes_nothing(self, finished: Finished, runs: RunsInARow) -> None:
        layout = finished.layout
        tables = [path.parent for path in layout.local().rglob("_delta_log")]
        before = {str(path): DeltaTable(str(path)).version() for path in tables}
        run = runs.run_graph(*BATCH, "--date", DATE)
        statuses = {stage["name"]: stage["status"] for stage in run["stages"]}
        assert statuses == {name: "ok" if name == "land_raw" else "skipped" for name in STAGES}
        assert all(stage["written"] in {0, None} for stage in run["stages"] if stage["name"] != "land_raw")
        assert {str(path): DeltaTable(str(path)).version() for path in tables} == before
        assert layout.local("ops", "tables.json").read_bytes() == finished.tables_json

    def test_what_has_gone_is_published_again(self, finished: Finished, runs: RunsInARow) -> None:
        """A directory, and the metastore, of which neither the lake nor the other tables know."""
        layout, before = finished.layout, fingerprints(finished.layout)
        shutil.rmtree(layout.local("warehouse", "hive", "dim_products"))
        shutil.rmtree(layout.local("warehouse", "metastore_db"))
        query = "SELECT count(*) AS n FROM dim_products"
        assert sql.main([query, "--root", layout.root]) == 4
        [stage] = runs.run_graph("--only", "publish_hive")["stages"]
        runs.close()
        products = read_published(layout)["dim_products"].rows
        assert (stage["status"], stage["read"], stage["written"]) == ("ok", products, products)
        assert fingerprints(layout) == before
        counted, tables = ask_spark(layout, query, "SHOW TABLES IN ecommerce")
        assert counted == f"n\n{products}\n"
        assert tables.count("\n") == 1 + len(PUBLISHED_TABLES)
