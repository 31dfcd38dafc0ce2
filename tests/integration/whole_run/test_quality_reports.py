"""Quality reports of the cleaning stages, held against the tables."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import duckdb
import pytest

from common.contracts import CONTRACTS
from common.layout import DATASETS
from tests.first_run import Finished
from tests.integration.whole_run.conftest import ROW_KINDS
from tests.integration.whole_run.counts import one, raw_rows, rows

pytestmark = pytest.mark.slow


class TestQualityReport:
    """ops/quality/<run>/clean_<dataset>.json of the real run, held against the tables."""

    @pytest.fixture(params=DATASETS)
    def dataset(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def report(self, finished: Finished, dataset: str) -> dict[str, Any]:
        path = finished.layout.local("ops", "quality", finished.run["run_id"], f"clean_{dataset}.json")
        loaded: dict[str, Any] = json.loads(path.read_text())
        return loaded

    def test_tells_rows_read_and_kept_and_each_fate(
        self, finished: Finished, stages: dict[str, dict[str, Any]], dataset: str, report: dict[str, Any]
    ) -> None:
        assert (report["dataset"], report["run_id"]) == (dataset, finished.run["run_id"])
        assert report["rows"] == {kind: stages[f"clean_{dataset}"][kind] for kind in ROW_KINDS}
        assert report["rows"]["read"] == raw_rows(finished.layout, dataset)
        names = {
            "written": "written",
            "quarantined": "quarantined",
            "duplicates": "duplicate",
            "superseded": "superseded",
        }
        fates = {fate: report["rows"][kind] for kind, fate in names.items() if report["rows"][kind]}
        assert report["fates"] == fates
        assert sum(report["fates"].values()) == report["rows"]["read"]

    def test_counts_reasons_as_the_quarantine_does(
        self, db: duckdb.DuckDBPyConnection, dataset: str, report: dict[str, Any]
    ) -> None:
        each = f"SELECT unnest(list_distinct(reasons)) AS reason FROM quarantine.{dataset}"
        assert report["reasons"] == dict(rows(db, f"SELECT reason, count(*) FROM ({each}) GROUP BY reason"))
        assert len(report["reasons"]) > 5
        counts = list(report["reasons"].values())
        assert counts == sorted(counts, reverse=True)

    def test_counts_flags_and_bots_as_the_clean_table_does(
        self, db: duckdb.DuckDBPyConnection, dataset: str, report: dict[str, Any]
    ) -> None:
        each = f"SELECT unnest(list_distinct(flags)) AS flag FROM clean.{dataset}"
        flags = dict(rows(db, f"SELECT flag, count(*) FROM ({each}) GROUP BY flag"))
        if dataset == "clickstream":
            for name, condition in (("is_bot", "is_bot"), ("near_duplicate_of", "near_duplicate_of IS NOT NULL")):
                flags[name] = one(db, f"SELECT count(*) FROM clean.clickstream WHERE {condition}")
                assert flags[name] > 0
        assert report["flags"] == flags

    def test_names_the_worst_files(
        self, finished: Finished, db: duckdb.DuckDBPyConnection, dataset: str, report: dict[str, Any]
    ) -> None:
        by_file = "SELECT source_file, count(*) FROM {} GROUP BY source_file"
        dropped = finished.layout.ops("dropped", dataset, f"run_id={finished.run['run_id']}", "*.parquet")
        expected = Counter(dict(rows(db, by_file.format(f"quarantine.{dataset}"))))
        expected.update(dict(rows(db, by_file.format(f"read_parquet('{dropped}')"))))
        counts = list(report["worst_files"].values())
        assert counts == [count for _, count in expected.most_common(5)]
        assert report["worst_files"] == {name: expected[name] for name in report["worst_files"]}
        assert all(finished.layout.local(name).is_file() for name in report["worst_files"])

    def test_shows_examples_without_their_content(self, dataset: str, report: dict[str, Any]) -> None:
        assert set(report["examples"]) == set(report["reasons"])
        assert all(1 <= len(shown) <= 3 for shown in report["examples"].values())
        examples = [text for shown in report["examples"].values() for text in shown]
        assert any(len(text) > 50 for text in examples)
        fields = {part for field in CONTRACTS[dataset].fields for part in field.raw_path.split(".")}
        for text in examples:
            names = set(re.findall(r'"(\w+)"\s*:', text))
            assert names <= fields, "the names of fields stay"
            values = re.sub(r"\b(null|true|false)\b", "", re.sub(r'"\w+"\s*:', "", text))
            assert {char for char in values if char.isalnum()} <= {"x", "9"}, text
