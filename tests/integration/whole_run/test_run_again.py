"""A second run of the same date, and that of a day without rows: they change nothing, and bring back what has gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable

from common.layout import PUBLISHED_TABLES
from common.quality.ledger import entries
from common.storage.published import read_published
from pipelines import sql
from tests import samples
from tests.contents import contents
from tests.first_run import BATCH, DATE, Finished, copied
from tests.runs import STAGES, WarmProcess, fingerprints

pytestmark = pytest.mark.slow

DELIVERED = ("transactions", "clickstream")


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


def test_a_day_on_which_nothing_was_sold_and_nobody_looked_passes_with_a_warning(
    finished: Finished, warm: WarmProcess, tmp_path: Path
) -> None:
    layout = copied(finished.layout, tmp_path / "root")
    samples.put_events(layout, [], day="2025-12-01")
    samples.put_transactions(layout, [], day="2025-12-01")
    before = {name: contents(layout.clean(name)) for name in DELIVERED}
    assert all(before.values())
    run = warm.run_graph(layout, *BATCH)

    assert run["date"] == "2025-12-01"
    statuses = {stage["name"]: stage["status"] for stage in run["stages"]}
    works = {"land_raw", *(f"clean_{name}" for name in DELIVERED), "publish_hive"}  # the copy has no metastore yet
    assert statuses == {name: "ok" if name in works else "skipped" for name in STAGES}
    found = {entry.stage: entry for entry in entries(layout, run["run_id"])}
    assert {"warning: no clickstream on 2025-12-01", "warning: no transactions on 2025-12-01"} <= set(
        found["land_raw"].notes
    )
    for name in DELIVERED:
        cleaning = found[f"clean_{name}"]
        assert cleaning.rows
        assert set(cleaning.rows.values()) == {0}
        assert [(gate["suite"], gate["passed"]) for gate in cleaning.gates] == [(f"clean_{name}", True)]
    assert {name: contents(layout.clean(name)) for name in DELIVERED} == before
    assert fingerprints(layout) == fingerprints(finished.layout)
