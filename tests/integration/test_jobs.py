"""Each stage but those of models as a job, one by one, on what the first run left: they end well, nothing changes."""

from __future__ import annotations

import importlib
import shutil

import pytest

from common.layout import Layout
from common.quality.ledger import entries
from common.storage.published import read_published
from tests.first_run import DATE, first_run
from tests.runs import STAGES, WarmProcess, fingerprints

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("spark")
def test_each_job_ends_well_and_leaves_what_is_up_to_date(
    tmp_path_factory: pytest.TempPathFactory, layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    with WarmProcess() as process:
        first = first_run(tmp_path_factory, process)
    shutil.copytree(first.copy.local(), layout.local())
    listed = layout.local("ops", "tables.json")
    listed.write_text(listed.read_text().replace(f'"{first.layout.root}/', f'"{layout.root}/'))
    before = fingerprints(layout)
    for name in STAGES:
        main = importlib.import_module(f"jobs.{name}").main
        code = main(["--root", layout.root, "--date", DATE, "--run-id", "by-jobs"])
        assert code == 0, f"{name}: {capsys.readouterr().err[-4000:]}"
    found = entries(layout, "by-jobs")
    assert [entry.stage for entry in found] == list(STAGES)
    assert fingerprints(layout) == before
    assert all(
        part.location.startswith(f"{layout.root}/") for table in read_published(layout).values() for part in table.parts
    )
