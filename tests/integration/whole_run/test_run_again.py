"""What a second run of the same date does, on the same root: it comes after those that look at the first."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable

from common.layout import PUBLISHED_TABLES
from common.storage.published import read_published
from pipelines import sql
from tests.integration.whole_run.conftest import BATCH, DATE, Finished
from tests.runs import STAGES, fingerprints, python, run_graph

pytestmark = pytest.mark.slow


class TestAgain:
    """What a second run does; it comes last, since it runs on the same root."""

    def test_the_same_date_again_changes_nothing(self, finished: Finished) -> None:
        layout = finished.layout
        tables = [path.parent for path in layout.local().rglob("_delta_log")]
        before = {str(path): DeltaTable(str(path)).version() for path in tables}
        run = run_graph(layout, *BATCH, "--date", DATE)
        statuses = {stage["name"]: stage["status"] for stage in run["stages"]}
        assert statuses == {name: "ok" if name == "land_raw" else "skipped" for name in STAGES}
        assert all(stage["written"] in {0, None} for stage in run["stages"] if stage["name"] != "land_raw")
        assert {str(path): DeltaTable(str(path)).version() for path in tables} == before
        assert layout.local("ops", "tables.json").read_bytes() == finished.tables_json

    def test_what_has_gone_is_published_again(self, finished: Finished) -> None:
        """A directory, and the metastore, of which neither the lake nor the other tables know."""
        layout, before = finished.layout, fingerprints(finished.layout)
        shutil.rmtree(layout.local("warehouse", "hive", "dim_products"))
        shutil.rmtree(layout.local("warehouse", "metastore_db"))
        query = "SELECT count(*) AS n FROM dim_products"
        assert sql.main([query, "--root", layout.root]) == 4
        [stage] = run_graph(layout, "--only", "publish_hive")["stages"]
        products = read_published(layout)["dim_products"].rows
        assert (stage["status"], stage["read"], stage["written"]) == ("ok", products, products)
        assert fingerprints(layout) == before
        shown = python("-m", "pipelines.sql", query, "--engine", "spark", "--format", "csv", "--root", layout.root)
        assert shown.stdout == f"n\n{products}\n", shown.stderr[-2000:]
        tables = python(
            "-m", "pipelines.sql", "SHOW TABLES IN ecommerce", "--engine", "spark", "--format", "csv",
            "--root", layout.root,
        )  # fmt: skip
        assert tables.stdout.count("\n") == 1 + len(PUBLISHED_TABLES), tables.stderr[-2000:]

    def test_everything_anew_with_other_partitions_gives_the_same_fingerprints(
        self, finished: Finished, tmp_path: Path
    ) -> None:
        before = fingerprints(finished.layout)
        conf = tmp_path / "other.yaml"
        conf.write_text("spark: {master: 'local[1]', shuffle_partitions: 7}\n")
        run = run_graph(finished.layout, *BATCH, "--rebuild", "--conf", str(conf))
        assert {stage["status"] for stage in run["stages"]} == {"ok"}
        after = fingerprints(finished.layout)
        assert after == before
        assert sorted(after) == sorted(PUBLISHED_TABLES)
