"""What a run says of itself: run.json, the ledger, lineage, gates, and what it must not tell."""

from __future__ import annotations

import base64
import csv
import hmac
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from deltalake import DeltaTable

from common.quality.ledger import entries
from common.transforms.tokens import key_file, load_key
from tests.first_run import DATE, SCALE, SEED, Finished
from tests.integration.whole_run.conftest import ROW_KINDS
from tests.integration.whole_run.counts import content
from tests.runs import PROJECT, STAGES

pytestmark = pytest.mark.slow


def personal_values(people: str) -> dict[str, set[str]]:
    """Of a CSV file of users what can only be theirs: values so long that no other text holds one by chance.

    Plain letters only, since JSON and HTML may write others, and quotes, in another way.
    """
    forms = {"email": r"[\w.+-]+@[\w.-]+", "phone": r"\+\d[\d-]{10,}", "street": r"\d+ [A-Z][\w ]{6,}"}
    rows = list(csv.DictReader(people.splitlines()))
    found = {
        name: {row[name] for row in rows if re.fullmatch(form, row[name] or "", re.ASCII)}
        for name, form in forms.items()
    }
    return {**found, "digits of a phone": {re.sub(r"\D", "", number) for number in found["phone"]}}


def texts_below(directory: Path) -> dict[str, str]:
    """Each file that holds text, by its path; scripts and styles of the report are the project's own."""
    files = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if path.is_file()}
    held = {name: path.read_bytes() for name, path in files.items() if not name.startswith("report/assets/")}
    return {name: content.decode(errors="replace") for name, content in held.items() if b"\0" not in content}


class TestRun:
    def test_run_json_is_as_promised(self, finished: Finished) -> None:
        run = finished.run
        assert {name: run[name] for name in ("date", "scale", "seed", "status")} == {
            "date": DATE, "scale": SCALE, "seed": SEED, "status": "ok",
        }  # fmt: skip
        assert run["seconds"] > 0
        assert [stage["name"] for stage in run["stages"]] == list(STAGES)
        keys = {"name", "status", "seconds", "gate_seconds", *ROW_KINDS, "exit_code", "error"}
        assert all(set(stage) == keys for stage in run["stages"])

    def test_every_stage_is_green(self, finished: Finished) -> None:
        assert {(stage["status"], stage["exit_code"], stage["error"]) for stage in finished.run["stages"]} == {
            ("ok", 0, None)
        }

    def test_the_ledger_says_the_same(self, finished: Finished) -> None:
        found = [entry.as_stage() for entry in entries(finished.layout, finished.run["run_id"])]
        assert found == finished.run["stages"]

    def test_lineage_has_each_table_of_the_lake_as_output_of_one_stage(self, finished: Finished) -> None:
        """At the versions of the ledger, in a file of OpenLineage events."""
        run_id, layout = finished.run["run_id"], finished.layout
        events = [json.loads(line) for line in layout.local("ops", "lineage", f"{run_id}.jsonl").open()]
        assert Counter(event["job"]["name"] for event in events) == dict.fromkeys(
            ("generated", *(f"generated.{name}" for name in STAGES)), 2
        )
        assert {event["eventType"] for event in events} == {"START", "COMPLETE"}
        written = [
            (each["name"], each["facets"].get("version", {}).get("datasetVersion"), event["job"]["name"])
            for event in events for each in event["outputs"] if each["name"].startswith(layout.lake(""))
        ]  # fmt: skip
        recorded = [
            (layout.path(name), str(table["after"]), f"generated.{entry.stage}")
            for entry in entries(layout, run_id) for name, table in entry.tables.items()
            if name.startswith("warehouse/lake/")
        ]  # fmt: skip
        assert sorted(written) == sorted(recorded)
        tables = {str(path) for path in layout.local("warehouse", "lake").iterdir() if (path / "_delta_log").is_dir()}
        assert sorted(name for name, _, _ in written) == sorted(tables)

    def test_every_gate_held_something(self, finished: Finished) -> None:
        gates = [gate for entry in entries(finished.layout, finished.run["run_id"]) for gate in entry.gates]
        assert all(gate["passed"] and gate["evaluated"] > 0 for gate in gates)
        declared = {path.stem for path in (PROJECT / "conf" / "expectations").glob("*.json")}
        assert {gate["suite"] for gate in gates} == {name for name in declared if not name.startswith("train_")}
        assert finished.layout.local("ops", "gx", "data_docs", "index.html").is_file()

    def test_stored_results_show_no_personal_values(self, finished: Finished) -> None:
        people = finished.layout.local("raw", "users", "users.csv").read_text(encoding="utf-8", errors="replace")
        personal = personal_values(people)
        assert all(len(values) > 100 for values in personal.values())
        texts = texts_below(finished.layout.local("ops"))
        for zone in ("gx", "ledger", "lineage", "logs", "quality", "report"):
            assert any(name.startswith(f"{zone}/") for name in texts), zone
        # Pages have most of their lines in common.
        searched = "\n".join({line for text in texts.values() for line in text.splitlines()})
        shown = {kind: [value for value in values if value in searched] for kind, values in personal.items()}
        assert shown == {kind: [] for kind in personal}

    def test_the_token_key_is_nowhere_below_the_root(self, finished: Finished) -> None:
        key = load_key()
        written = key.secret.decode("ascii")
        is_as_set_up = bool(re.fullmatch("[0-9a-f]{64}", written))  # apart: an assertion shows what it is about
        assert is_as_set_up, "set-up makes a key of 32 bytes in hex"
        forms = (key.secret, written.upper().encode(), bytes.fromhex(written), base64.b64encode(bytes.fromhex(written)))
        files = [path for path in finished.layout.local().rglob("*") if path.is_file()]
        searched = {path.relative_to(finished.layout.root).as_posix(): content(path) for path in files}
        assert not [name for name, held in searched.items() if any(form in held for form in forms)]
        assert not [name for name in searched if Path(name).name == key_file().name]
        for zone in (
            "ops/logs/",
            "ops/ledger/",
            "ops/gx/",
            "ops/report/",
            "warehouse/lake/",
            "warehouse/metastore_db/",
        ):
            assert any(name.startswith(zone) for name in searched), zone
        # That it would be found: what the commit says of the key, which gives nothing away, and a token of its making.
        commits = [held for name, held in searched.items() if name.startswith("warehouse/lake/dim_users/_delta_log/")]
        assert any(key.identity.encode() in held for held in commits)
        users = DeltaTable(finished.layout.clean("users")).to_pyarrow_table(columns=["email"])["email"].to_pylist()
        email = next(each for each in users if each and each == each.strip().lower())
        token = hmac.digest(key.secret, email.encode(), "sha256").hex().encode()
        published = [held for name, held in searched.items() if name.startswith("warehouse/hive/dim_users/")]
        assert any(token in held for held in published)
