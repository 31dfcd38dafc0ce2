"""Lineage: OpenLineage events that follow from the ledger alone, and the file that holds them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from deltalake import CommitProperties, write_deltalake
from pyarrow import table as arrow

from common.layout import PUBLISHED_TABLES, Layout
from common.quality.ledger import LedgerEntry, record
from common.settings import MappedDataset, MappedFile, load_source
from common.storage.files import read_json
from common.storage.published import PublishedPartition, PublishedTable, write_published
from pipelines.lineage import Event, TableFacts, dataset_name, events, run_uuid
from pipelines.lineage_file import _written, raw_files, table_facts, write_lineage
from pipelines.stages import GRAPH
from pipelines.view import RunFacts, write_run
from tests.unit.quality.test_ledger import ENTRY, FAILED

ROOT = "/shop"
FACT, DIM = "warehouse/lake/fact_transactions", "warehouse/lake/dim_users"
RUN = {
    "run_id": ENTRY.run_id, "date": "2025-11-30", "source": "generated", "status": "ok", "error": None,
    "updated_at": "2025-11-30T09:40:00+00:00",
}  # fmt: skip


def entry(
    stage: str, minute: int = 30, /, tables: Mapping[str, tuple[int | None, int]] | None = None, **changes: Any
) -> LedgerEntry:
    versions = {name: {"before": before, "after": after} for name, (before, after) in (tables or {}).items()}
    started = f"2025-11-30T09:{minute}:00.000+00:00"
    return replace(ENTRY, stage=stage, started_at=started, tables=versions, **changes)


CLEAN = entry("clean_users", 30, {"clean/users": (3, 4)})
DIMENSIONS = entry("load_dimensions", 31, {DIM: (None, 0), "warehouse/lake/dim_products": (1, 1)})
FACTS = entry("load_facts", 32, {FACT: (None, 0), "warehouse/lake/fact_clickstream": (0, 2)})
PUBLISHED = entry("publish_hive", 33, {name: (None, 1) for name in PUBLISHED_TABLES})
DASHBOARDS = entry("bi_dashboards", 34)


def made(*ended: LedgerEntry, run: Mapping[str, Any] = RUN, **known: Any) -> list[Event]:
    return events(run, ended, GRAPH, ROOT, **known)


def end_of(found: list[Event], stage: str) -> Event:
    (event,) = [each for each in found if each["job"]["name"] == f"generated.{stage}" and each["eventType"] != "START"]
    return event


def versions(datasets: list[Event]) -> dict[str, str | None]:
    """Below the root, as names are absolute."""
    return {
        each["name"].removeprefix(f"{ROOT}/"): each["facets"].get("version", {}).get("datasetVersion")
        for each in datasets
    }


def facets_in(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [facet for each in value for facet in facets_in(each)]
    if not isinstance(value, dict):
        return []
    own = [value] if "_schemaURL" in value else []
    return own + [facet for each in value.values() for facet in facets_in(each)]


def test_each_run_starts_and_ends_once() -> None:
    found = made(CLEAN, DIMENSIONS)
    assert [(event["job"]["name"], event["eventType"]) for event in found] == [
        ("generated", "START"),
        ("generated.clean_users", "START"),
        ("generated.clean_users", "COMPLETE"),
        ("generated.load_dimensions", "START"),
        ("generated.load_dimensions", "COMPLETE"),
        ("generated", "COMPLETE"),
    ]
    assert [event["eventTime"] for event in found[1:3]] == [
        "2025-11-30T09:30:00.000+00:00",
        "2025-11-30T09:30:01.500+00:00",
    ], "as the ledger says, the seconds included"
    assert found[-1]["eventTime"] == found[-2]["eventTime"]


def test_events_have_what_the_specification_requires() -> None:
    found = made(CLEAN, DIMENSIONS, FACTS, PUBLISHED, DASHBOARDS, facts_of=lambda *_: TableFacts((("a", "long"),)))
    for event in found:
        assert set(event) == {
            "eventType", "eventTime", "run", "job", "inputs", "outputs", "producer", "schemaURL",
        }  # fmt: skip
        assert event["schemaURL"] == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
        assert datetime.fromisoformat(event["eventTime"]).tzinfo
        assert str(uuid.UUID(event["run"]["runId"])) == event["run"]["runId"]
        assert event["job"]["namespace"] == "ecommerce-platform"
    facets = facets_in(found)
    assert all(facet["_producer"] == "urn:ecommerce-platform:0.1.0" for facet in facets)
    assert {facet["_schemaURL"].rpartition("/")[2] for facet in facets} == {
        "DatasetVersionDatasetFacet",
        "DocumentationJobFacet",
        "OutputStatisticsOutputDatasetFacet",
        "ParentRunFacet",
        "SchemaDatasetFacet",
        "TagsRunFacet",
    }
    assert json.loads(json.dumps(found)) == found


def test_a_stage_names_the_run_that_it_is_part_of() -> None:
    found = made(CLEAN)
    whole, stage = found[0], end_of(found, "clean_users")
    parent = stage["run"]["facets"]["parent"]
    assert parent["run"]["runId"] == whole["run"]["runId"] == found[-1]["run"]["runId"]
    assert parent["job"] == whole["job"]
    assert stage["job"]["facets"]["documentation"]["description"] == next(
        each.title for each in GRAPH.stages if each.name == "clean_users"
    )
    tags = {tag["key"]: tag["value"] for tag in stage["run"]["facets"]["tags"]["tags"]}
    assert tags == {"run_id": ENTRY.run_id, "date": "2025-11-30", "code_version": "1", "configuration": "abc"}


def test_identifiers_follow_from_run_and_stage() -> None:
    ids = {run_uuid(run, stage) for run in ("a", "b") for stage in ("", "clean_users", "load_facts")}
    assert len(ids) == 6
    assert run_uuid("a", "load_facts") in ids
    assert made(CLEAN, FACTS) == made(FACTS, CLEAN), "in whatever order they are given"


def test_inputs_are_at_the_versions_that_earlier_stages_left() -> None:
    found = made(CLEAN, DIMENSIONS, FACTS, known={"clean/transactions": 7, "clean/users": 3})
    assert versions(end_of(found, "load_dimensions")["inputs"]) == {"clean/users": "4", "clean/products": None}
    assert versions(end_of(found, "load_facts")["inputs"]) == {
        "clean/transactions": "7", "clean/clickstream": None, DIM: "0", "warehouse/lake/dim_products": "1",
    }  # fmt: skip
    assert versions(end_of(found, "clean_users")["inputs"]) == {"raw/users": None}, "and no bookkeeping of ours"


def test_a_skipped_stage_gives_no_event_and_tells_its_versions() -> None:
    found = made(replace(DIMENSIONS, status="skipped"), FACTS)
    assert {event["job"]["name"] for event in found} == {"generated", "generated.load_facts"}
    assert versions(end_of(found, "load_facts")["inputs"])[DIM] == "0"


def test_published_tables_stand_for_the_directory_that_holds_them() -> None:
    found = made(PUBLISHED, DASHBOARDS)
    hive = {f"warehouse/hive/{name}": "1" for name in PUBLISHED_TABLES}
    assert versions(end_of(found, "publish_hive")["outputs"]) == hive
    sessions = {"warehouse/lake/sessions": None, "warehouse/lake/cart_items": None}
    assert versions(end_of(found, "bi_dashboards")["inputs"]) == {**hive, **sessions}
    assert versions(end_of(found, "bi_dashboards")["outputs"]) == {"analytics/bi": None}


def test_figures_are_given_of_what_was_written_by_one_commit() -> None:
    found = made(
        CLEAN, DIMENSIONS, FACTS,
        facts_of=lambda path, version: TableFacts((("id", "string"),), {"rowCount": len(path) + version}),
    )  # fmt: skip
    outputs = {each["name"].removeprefix(f"{ROOT}/"): each for event in found for each in event["outputs"]}
    rows = {name: each["outputFacets"].get("outputStatistics", {}).get("rowCount") for name, each in outputs.items()}
    assert rows == {
        "clean/users": len("clean/users") + 4,
        "quarantine/users": 1,
        DIM: len(DIM),
        "warehouse/lake/dim_products": None,
        FACT: len(FACT),
        "warehouse/lake/fact_clickstream": None,
    }
    assert outputs[FACT]["facets"]["schema"]["fields"] == [{"name": "id", "type": "string"}]


def test_a_failure_says_why_and_claims_no_version() -> None:
    failed = replace(FAILED, tables={})
    found = made(CLEAN, failed, run={**RUN, "status": "failed"})
    stage, whole = end_of(found, "load_facts"), found[-1]
    assert (stage["eventType"], whole["eventType"]) == ("FAIL", "FAIL")
    assert stage["run"]["facets"]["errorMessage"]["message"] == "gate load_facts failed"
    assert whole["run"]["facets"]["errorMessage"]["message"] == "load_facts: gate load_facts failed"
    assert set(versions(stage["outputs"]).values()) == {None}
    assert all("outputFacets" not in each for each in stage["outputs"])


def test_a_failure_before_the_first_stage_is_that_of_the_run() -> None:
    start, end = made(run={**RUN, "status": "failed", "error": "no raw users"})
    assert (start["eventType"], end["eventType"], end["eventTime"]) == ("START", "FAIL", RUN["updated_at"])
    assert end["run"]["facets"]["errorMessage"]["message"] == "no raw users"


def test_a_run_that_goes_on_has_no_end() -> None:
    assert [event["eventType"] for event in made(CLEAN, run={**RUN, "status": "running"})] == [
        "START", "START", "COMPLETE",
    ]  # fmt: skip


def test_the_generator_writes_raw() -> None:
    generate = end_of(made(entry("generate")), "generate")
    assert (generate["inputs"], list(versions(generate["outputs"]))) == (
        [], ["raw/users", "raw/products", "raw/transactions", "raw/clickstream"],
    )  # fmt: skip


def test_files_of_a_shop_of_ones_own_stand_in_place_of_raw() -> None:
    found = made(CLEAN, files={"raw/users": ("/exports/people.csv", "/exports/more.csv")})
    assert [(each["namespace"], each["name"]) for each in end_of(found, "clean_users")["inputs"]] == [
        ("file", "/exports/people.csv"), ("file", "/exports/more.csv"),
    ]  # fmt: skip


def test_the_files_of_a_mapped_shop_are_found(tmp_path: Path) -> None:
    generated = load_source("generated")
    assert raw_files(generated) == {}
    (tmp_path / "people.csv").write_text("id\n")
    mapped = generated.model_copy(
        update={
            "files": {
                "people": MappedFile(path=str(tmp_path / "*.csv"), format="csv"),
                "lines": MappedFile(path=str(tmp_path / "gone.parquet"), format="parquet"),
            },
            "datasets": {
                "users": MappedDataset(files=("people",), rows_of="people", select="SELECT 1"),
                "transactions": MappedDataset(files=("lines",), rows_of="lines", select="SELECT 1"),
            },
        }
    )
    assert raw_files(mapped) == {
        "raw/users": (str(tmp_path / "people.csv"),), "raw/products": (), "raw/transactions": (), "raw/clickstream": (),
    }, "of files that have gone and of data sets that the shop lacks nothing is said"  # fmt: skip


@pytest.mark.parametrize(
    ("root", "path", "namespace", "name"),
    [
        ("/shop", "clean/users", "file", "/shop/clean/users"),
        ("/my shop", "clean/users", "file", "/my shop/clean/users"),
        ("/shop", "/exports/people.csv", "file", "/exports/people.csv"),
        ("hdfs://name:8020/ecommerce", "clean/users", "hdfs://name:8020", "/ecommerce/clean/users"),
        ("s3a://bucket", "clean/users", "s3a://bucket", "/clean/users"),
    ],
)
def test_a_data_set_is_named_by_its_file_system_and_its_path(root: str, path: str, namespace: str, name: str) -> None:
    assert dataset_name(root, path) == {"namespace": namespace, "name": name}


class TestFile:
    def write(self, layout: Layout, *ended: LedgerEntry) -> list[Event]:
        facts = RunFacts(ENTRY.run_id, "2025-11-30", None, None, "generated", tuple(each.stage for each in ended))
        run = write_run(layout, facts, ended, 1.0, status="ok")
        write_lineage(layout, run, ended, GRAPH, {})
        text = layout.local("ops", "lineage", f"{ENTRY.run_id}.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def test_holds_an_event_a_line_and_is_replaced_whole(self, layout: Layout) -> None:
        assert len(self.write(layout, CLEAN)) == 4
        assert len(self.write(layout, CLEAN, FACTS)) == 6
        assert [path.name for path in layout.local("ops", "lineage").iterdir()] == [f"{ENTRY.run_id}.jsonl"]

    def test_takes_versions_that_a_run_did_not_make_from_runs_before_it(self, layout: Layout) -> None:
        for run_id, version, minute in (("1", 5, 10), ("2", 6, 11), ("3", 9, 59)):
            record(
                layout,
                replace(entry("clean_transactions", minute, {"clean/transactions": (None, version)}), run_id=run_id),
            )
        record(layout, replace(entry("load_dimensions", 12, {DIM: (None, 2)}), run_id="2"))
        found = self.write(layout, FACTS)
        inputs = next(event for event in found if event["inputs"])["inputs"]
        named = {each["name"]: each["facets"].get("version", {}).get("datasetVersion") for each in inputs}
        assert named == {
            layout.path("clean/transactions"): "6",
            layout.path("clean/clickstream"): None,
            layout.path(DIM): "2",
            layout.path("warehouse/lake/dim_products"): None,
        }, "a run after it does not count"

    def test_columns_and_inputs_are_those_of_the_version(self, layout: Layout) -> None:
        for number, rows in enumerate((["a"], ["a", "b", "c"])):
            kept = CommitProperties(custom_metadata={"userMetadata": json.dumps({"inputs": {"clean/users": number}})})
            write_deltalake(
                layout.path(DIM), arrow({"user_id": rows, "flags": [["x"]] * len(rows)}), mode="overwrite",
                commit_properties=kept,
            )  # fmt: skip
        for version in (0, 1):
            found = table_facts(layout, DIM, version)
            assert found.columns == (("user_id", "string"), ("flags", "array<string>"))
            assert found.inputs == {"clean/users": version}

    @pytest.mark.parametrize(
        ("metrics", "written"),
        [
            (
                {"numFiles": "6", "numOutputRows": "500", "numOutputBytes": "190", "numRemovedFiles": "0"},
                {"rowCount": 500, "size": 190, "fileCount": 6},
            ),
            (
                {"numOutputRows": "9", "numTargetRowsInserted": "2", "numTargetRowsUpdated": "1",
                 "numTargetBytesAdded": "70", "numTargetFilesAdded": "1"},
                {"rowCount": 3, "size": 70, "fileCount": 1},
            ),
            ({"numOutputRows": "9", "numCopiedRows": "4"}, {"rowCount": 5}),
            ({"num_added_rows": 9}, {}),
        ],
        ids=["write", "merge", "delete", "another writer"],
    )  # fmt: skip
    def test_figures_are_those_of_the_commit(self, metrics: dict[str, Any], written: dict[str, int]) -> None:
        assert _written(metrics) == written

    def test_of_a_table_that_has_gone_nothing_is_said(self, layout: Layout) -> None:
        assert table_facts(layout, DIM, 0) == table_facts(layout, "warehouse/hive/dim_users", 1) == TableFacts()

    def test_of_a_published_table_tables_json_tells(self, layout: Layout) -> None:
        part = PublishedPartition({}, "/x", 12, 5)
        columns = (("user_id", "string"),)
        write_published(layout, "ecommerce", [PublishedTable("dim_users", 3, 7, "/x", (), columns, (part,))])
        assert table_facts(layout, "warehouse/hive/dim_users", 3) == TableFacts(columns, {"rowCount": 12}, {DIM: 7})
        assert table_facts(layout, "warehouse/hive/dim_users", 2) == TableFacts(), "of another version it does not"
        assert read_json(layout.local("ops", "tables.json"))
