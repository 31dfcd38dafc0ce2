"""A job from the unpacked bundle, in a directory of its own, by spark-submit."""

from __future__ import annotations

import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from deltalake import DeltaTable

from common.layout import PERSONAL_ZONES, Layout
from pipelines import dist
from tests import samples
from tests.runs import PROJECT, environment_of_a_shell

pytestmark = pytest.mark.deep


def test_a_job_runs_from_the_unpacked_bundle_in_another_directory(tmp_path: Path) -> None:
    dist.build(PROJECT, tmp_path / "made")
    (archive,) = (tmp_path / "made").glob("ecommerce-platform-*.zip")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path / "elsewhere")
    (bundle,) = (tmp_path / "elsewhere").iterdir()
    layout = Layout.at(tmp_path / "root")
    samples.put_users(layout, [samples.user(1), samples.user(2), samples.user(2), samples.user(3, user_id="x")])
    done = subprocess.run(
        [
            Path(sys.executable).parent / "spark-submit",
            "--py-files",
            "common.zip",
            "jobs/clean_users.py",
            "--root",
            layout.root,
        ],
        cwd=bundle,
        env=environment_of_a_shell(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    accepted = DeltaTable(layout.clean("users")).to_pyarrow_table()["user_id"].to_pylist()
    assert sorted(accepted) == ["U00000001", "U00000002"]
    assert DeltaTable(layout.quarantine("users")).to_pyarrow_table()["reasons"].to_pylist() == [["malformed_user_id"]]
    for zone in PERSONAL_ZONES:
        assert stat.S_IMODE(layout.local(zone).stat().st_mode) == stat.S_IRWXU, zone
