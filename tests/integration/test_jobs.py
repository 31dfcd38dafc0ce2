"""Each stage but those of models as a job, one by one, on what the first run left: they end well, nothing changes."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from deltalake import DeltaTable

from common.layout import PUBLISHED_TABLES, Layout
from common.quality.ledger import entries
from common.storage.published import read_published
from tests.first_run import DATE, copied, first_run
from tests.runs import STAGES, WarmProcess, fingerprints

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("spark")
def test_each_job_ends_well_and_leaves_what_is_up_to_date(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with WarmProcess() as process:
        first = first_run(tmp_path_factory, process)
    layout = copied(first.copy, tmp_path / "shop", named=first.layout)
    before = fingerprints(layout), lake_versions(layout)
    for name in STAGES:
        main = importlib.import_module(f"jobs.{name}").main
        code = main(["--root", layout.root, "--date", DATE, "--run-id", "by-jobs"])
        assert code == 0, f"{name}: {capsys.readouterr().err[-4000:]}"
    assert [entry.stage for entry in entries(layout, "by-jobs")] == list(STAGES)
    assert (fingerprints(layout), lake_versions(layout)) == before
    assert all(
        part.location.startswith(f"{layout.root}/") for table in read_published(layout).values() for part in table.parts
    )


def lake_versions(layout: Layout) -> dict[str, int]:
    return {name: DeltaTable(layout.lake(name)).version() for name in PUBLISHED_TABLES}
