"""Every row is counted from both ends: by Python in raw files and by another implementation of Delta in tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from common.layout import DATASETS
from common.storage.published import read_published
from tests.first_run import Finished
from tests.integration.whole_run.conftest import ROW_KINDS
from tests.integration.whole_run.counts import delta_rows, one, raw_rows
from tests.runs import STAGES

pytestmark = pytest.mark.slow


class TestAccount:
    def test_every_account_balances(self, stages: dict[str, dict[str, Any]]) -> None:
        kept = [stage for stage in stages.values() if stage["read"] is not None]
        assert {stage["name"] for stage in kept} >= set(STAGES) - {"etl_warehouse", "bi_dashboards"}
        for stage in kept:
            assert stage["read"] == sum(stage[kind] for kind in ROW_KINDS[1:]), stage["name"]

    @pytest.mark.parametrize("dataset", DATASETS)
    def test_cleaning_counts_what_the_files_hold(
        self, finished: Finished, stages: dict[str, dict[str, Any]], dataset: str
    ) -> None:
        stage = stages[f"clean_{dataset}"]
        assert stage["read"] == raw_rows(finished.layout, dataset)
        assert stage["written"] == delta_rows(finished.layout.clean(dataset))
        assert stage["quarantined"] == delta_rows(finished.layout.quarantine(dataset))

    def test_all_of_raw_is_landed(self, finished: Finished, stages: dict[str, dict[str, Any]]) -> None:
        assert stages["land_raw"]["read"] == sum(raw_rows(finished.layout, name) for name in DATASETS)

    def test_every_version_of_a_user_or_product_is_counted(
        self, finished: Finished, stages: dict[str, dict[str, Any]]
    ) -> None:
        stage, unknown_members = stages["load_dimensions"], 2
        assert stage["read"] == sum(delta_rows(finished.layout.clean(name)) for name in ("users", "products"))
        dimensions = sum(delta_rows(finished.layout.lake(name)) for name in ("dim_users", "dim_products"))
        assert stage["written"] == dimensions - unknown_members

    def test_every_clean_row_reaches_the_facts(self, finished: Finished, stages: dict[str, dict[str, Any]]) -> None:
        for dataset in ("transactions", "clickstream"):
            clean = delta_rows(finished.layout.clean(dataset))
            assert delta_rows(finished.layout.lake(f"fact_{dataset}")) == clean
        assert (
            stages["load_facts"]["read"]
            == stages["clean_transactions"]["written"] + (stages["clean_clickstream"]["written"])
        )

    def test_what_is_published_is_what_the_lake_holds(
        self, finished: Finished, stages: dict[str, dict[str, Any]]
    ) -> None:
        published = read_published(finished.layout)
        for name, table in published.items():
            footers = sum(
                pq.ParquetFile(path).metadata.num_rows
                for part in table.parts
                for path in Path(part.location).glob("*.parquet")
            )
            assert table.rows == footers == delta_rows(finished.layout.lake(name)), name
        assert stages["publish_hive"]["written"] == sum(table.rows for table in published.values())

    def test_the_bytes_of_rejected_lines_are_kept(self, finished: Finished) -> None:
        for dataset in ("users", "products", "clickstream"):
            for row in DeltaTable(finished.layout.quarantine(dataset)).to_pyarrow_table().to_pylist():
                lines = finished.layout.local(row["source_file"]).read_bytes().split(b"\n")
                assert row["payload"] in lines
                assert row["reasons"]

    def test_amounts_are_kept_to_the_cent(self, db: duckdb.DuckDBPyConnection) -> None:
        total = one(db, "SELECT sum(total_amount) FROM clean.transactions")
        assert total == one(db, "SELECT sum(total_amount) FROM fact_transactions")
        assert one(db, "SELECT sum(quantity) FROM clean.transactions") == one(
            db, "SELECT sum(quantity) FROM fact_transactions"
        )
        for column in ("net_amount", "gross_amount"):
            fact = one(db, f"SELECT sum({column}) FROM fact_transactions")
            for aggregate in ("agg_daily_sales", "mv_daily_revenue_by_category"):
                assert one(db, f"SELECT sum({column}) FROM {aggregate}") == fact, aggregate
            known = one(db, f"SELECT sum({column}) FROM fact_transactions WHERE NOT is_unknown_user")
            assert one(db, f"SELECT sum({column}) FROM agg_user_metrics") == known

    def test_units_are_those_that_were_sold_and_that_came_back(self, db: duckdb.DuckDBPyConnection) -> None:
        sold = "status IN ('paid', 'shipped', 'delivered', 'returned') AND quantity > 0"
        for column, counted in (("units", sold), ("returned_units", "status = 'returned'")):
            units = one(db, f"SELECT sum(abs(quantity)) FROM clean.transactions WHERE {counted}")
            assert units > 0
            for aggregate in ("agg_daily_sales", "mv_daily_revenue_by_category"):
                assert one(db, f"SELECT sum({column}) FROM {aggregate}") == units, (aggregate, column)

    def test_every_line_counts_once_in_the_aggregates(self, db: duckdb.DuckDBPyConnection) -> None:
        lines = one(db, "SELECT count(*) FROM fact_transactions")
        assert one(db, "SELECT sum(lines) FROM agg_daily_sales") == lines
        assert one(db, "SELECT sum(lines) FROM mv_daily_revenue_by_category") == lines

    def test_gross_revenue_is_that_of_its_definition(self, db: duckdb.DuckDBPyConnection) -> None:
        gross = "sum(quantity * unit_price - coalesce(discount_amount, 0))"
        sold = one(
            db,
            f"SELECT {gross} FROM clean.transactions "
            "WHERE status IN ('paid', 'shipped', 'delivered', 'returned') AND quantity > 0",
        )
        assert one(db, "SELECT sum(gross_amount) FROM agg_daily_sales") == sold
