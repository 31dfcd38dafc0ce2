"""`./build.sh run` as somebody types it: in the checkout, from a shell that knows nothing of the project."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from common.layout import DATASETS, Layout
from common.quality.ledger import entries
from tests.runs import PROJECT, bare_environment

pytestmark = pytest.mark.deep

SCALE = 0.001
SUMMARY = re.compile(r"^ (\w+) +(ok|failed|skipped) .* (\d+) *$", re.MULTILINE)


def test_the_entry_generates_and_runs_the_stages_that_are_asked_for(layout: Layout, tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    usual_root = PROJECT / "data"
    is_there = usual_root.exists()
    done = subprocess.run(
        ["bash", "build.sh", "run", "--scale", str(SCALE), "--to", "land_raw", "--root", layout.root],
        cwd=PROJECT, env={**bare_environment(), "HOME": str(home), "TMPDIR": str(temporary)},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert SUMMARY.findall(done.stdout) == [("generate", "ok", "0"), ("land_raw", "ok", "0")]
    assert f"report:  {layout.local('ops', 'report', 'index.html')}" in done.stderr
    assert "set-up:" not in done.stderr, "the environment that these tests run in is as set-up leaves it"

    run = json.loads(layout.local("ops", "run.json").read_text())
    assert (run["status"], run["scale"], run["seed"]) == ("ok", SCALE, 42)
    assert [(stage["name"], stage["exit_code"]) for stage in run["stages"]] == [("generate", 0), ("land_raw", 0)]
    (generated, landed) = entries(layout, run["run_id"])
    assert (generated.stage, landed.stage) == ("generate", "land_raw")
    assert generated.started_at < landed.started_at
    manifests = [json.loads(layout.local("ops", "manifest", f"{name}.json").read_text()) for name in DATASETS]
    listed = [file for manifest in manifests for file in manifest]
    assert all(manifests)
    assert all(layout.local(file["path"]).is_file() for file in listed)
    assert sum(file["rows"] for file in listed) == run["stages"][0]["written"] == run["stages"][1]["read"] > 2_000
    assert pq.read_table(layout.local("truth", "defects.parquet")).num_rows > 0
    assert is_empty(layout.local("clean")), "the directory is made for its owner before anything is in it"

    assert is_empty(home)
    assert is_empty(temporary)
    assert usual_root.exists() == is_there


def is_empty(directory: Path) -> bool:
    return not any(directory.iterdir())
