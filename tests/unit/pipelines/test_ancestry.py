"""The tree of what a table was made of."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from common.errors import ExitCode
from common.layout import Layout
from common.quality.ledger import record
from pipelines import status
from pipelines.ancestry import ancestry
from pipelines.lineage import TableFacts
from pipelines.stages import GRAPH
from tests.unit.pipelines.test_lineage import entry

LAKE = "warehouse/lake"


@pytest.fixture
def shop(layout: Layout) -> Layout:
    """Two runs, of which the second brought new users alone."""
    for run_id, users in (("run-1", 0), ("run-2", 1)):
        before = None if run_id == "run-1" else 0
        for made in (
            entry("clean_users", 30, {"clean/users": (before, users)}),
            entry("clean_products", 31, {"clean/products": (before, 0)}),
            entry("load_dimensions", 32, {f"{LAKE}/dim_users": (before, users), f"{LAKE}/dim_products": (before, 0)}),
            entry("publish_hive", 33, {"dim_users": (before, users + 1)}),
        ):
            record(layout, replace(made, run_id=run_id))
    return layout


KEPT = {
    ("warehouse/hive/dim_users", 2): {f"{LAKE}/dim_users": 1},
    (f"{LAKE}/dim_users", 1): {"clean/users": 1},
    (f"{LAKE}/fact_transactions", 0): {"clean/transactions": 0, f"{LAKE}/dim_users": 0, f"{LAKE}/dim_products": 0},
}


def shown(layout: Layout, table: str) -> list[str]:
    console = Console(file=io.StringIO(), width=200)
    kept = lambda path, version: TableFacts(inputs=KEPT.get((path, version), {}))  # noqa: E731
    console.print(ancestry(layout, GRAPH, table, kept))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_each_table_has_its_version_and_the_run_that_made_it(shop: Layout) -> None:
    assert shown(shop, "warehouse/hive/dim_users") == [
        "warehouse/hive/dim_users v2 by publish_hive in run-2",
        "└── warehouse/lake/dim_users v1 by load_dimensions in run-2",
        "    └── clean/users v1 by clean_users in run-2",
        "        └── raw/users",
    ]


def test_a_table_that_does_not_tell_is_made_of_what_its_stage_reads(shop: Layout) -> None:
    assert shown(shop, "dim_products") == [
        "warehouse/lake/dim_products v0 by load_dimensions in run-1",
        "├── clean/users v1 by clean_users in run-2",
        "│   └── raw/users",
        "└── clean/products v0 by clean_products in run-1",
        "    └── raw/products",
    ]


def test_a_name_means_the_table_in_the_lake(shop: Layout) -> None:
    assert shown(shop, "dim_users")[0].startswith(f"{LAKE}/dim_users v1")
    assert shown(shop, "users")[0].startswith("clean/users v1")


def test_versions_are_those_that_were_read_and_nothing_is_unfolded_twice(shop: Layout) -> None:
    record(shop, replace(entry("load_facts", 40, {f"{LAKE}/fact_transactions": (None, 0)}), run_id="run-3"))
    lines = shown(shop, "fact_transactions")
    assert lines[:3] == [
        "warehouse/lake/fact_transactions v0 by load_facts in run-3",
        "├── clean/transactions v0",
        "├── warehouse/lake/dim_users v0 by load_dimensions in run-1",
    ], "the ledger of what made clean/transactions has gone"
    assert [line for line in lines if "see above" in line] == [
        "    ├── clean/users v1, see above",
        "    └── clean/products v0, see above",
    ]


def test_a_table_that_no_run_made_is_refused(shop: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.main(["--root", shop.root, "--lineage", "dim_user"]) == ExitCode.USAGE
    said = capsys.readouterr()
    assert said.err == "error: the ledger knows no table 'dim_user' [--lineage] -> did you mean dim_users?\n"


def test_status_shows_it(shop: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.main(["--root", shop.root, "--lineage", "dim_users"]) == ExitCode.DONE
    assert "└── clean/products v0 by clean_products in run-1" in capsys.readouterr().out
