"""A second run of the same date: it changes nothing, and brings back what has gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable

from common.layout import PUBLISHED_TABLES
from common.storage.published import read_published
from pipelines import sql
from tests.first_run import BATCH, DATE, Finished
from tests.integration.whole_run.conftest import copied
from tests.runs import STAGES, WarmProcess, fingerprints

pytestmark = pytest.mark.slow


def test_the_same_date_again_changes_nothing(finished: Finished, warm: WarmProcess) -> None:
    layout = finished.layout
    tables = [path.parent for path in layout.local().rglob("_delta_log")]
    before = {str(path): DeltaTable(str(path)).version() for path in tables}
    run = warm.run_graph(layout, *BATCH, "--date", DATE)
    statuses = {stage["name"]: stage["status"] for stage in run["stages"]}
    assert statuses == {name: "ok" if name == "land_raw" else "skipped" for name in STAGES}
    assert all(stage["written"] in {0, None} for stage in run["stages"] if stage["name"] != "land_raw")
    assert {str(path): DeltaTable(str(path)).version() for path in tables} == before
    assert layout.local("ops", "tables.json").read_bytes() == finished.tables_json


def test_what_has_gone_is_published_again(finished: Finished, warm: WarmProcess, tmp_path: Path) -> None:
    """A directory, and the metastore, of which neither the lake nor the other tables know."""
    layout = copied(finished.layout, tmp_path / "root")
    before = fingerprints(layout)
    shutil.rmtree(layout.local("warehouse", "hive", "dim_products"))
    query = "SELECT count(*) AS n FROM dim_products"
    assert sql.main([query, "--root", layout.root]) == 4
    [stage] = warm.run_graph(layout, "--only", "publish_hive")["stages"]
    products = read_published(layout)["dim_products"].rows
    assert (stage["status"], stage["read"], stage["written"]) == ("ok", products, products)
    assert fingerprints(layout) == before
    assert warm.ask_spark(layout, query) == f"n\n{products}\n"
    assert warm.ask_spark(layout, "SHOW TABLES IN ecommerce").count("\n") == 1 + len(PUBLISHED_TABLES)
