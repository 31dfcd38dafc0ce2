"""The first run of the generated shop, made once and looked at by tests in several processes."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from common.layout import Layout
from common.storage.published import read_published
from tests.runs import WarmProcess, generate

SCALE, SEED, DATE = 0.005, 7, "2025-11-30"
BATCH = ("--to", "bi_dashboards")  # models have tests of their own


@dataclass(frozen=True)
class Finished:
    """A root after its first run.

    Attributes:
        layout: The root, in which `tests/integration/whole_run` goes on; no other tests change it.
        copy: The root as it was then; tables.json and the metastore name the other one.
        run: Its run.json.
        tables_json: The bytes of its tables.json.
    """

    layout: Layout
    copy: Layout
    run: dict[str, Any]
    tables_json: bytes


def first_run(tmp_path_factory: pytest.TempPathFactory, process: WarmProcess) -> Finished:
    """The generated shop at a small scale, from raw to dashboards, on two cores, with code that Spark generates.

    Who asks first has it made, by the process that is given; others wait for it.
    """
    own = tmp_path_factory.getbasetemp()
    directory = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "first-run"
    directory.mkdir(exist_ok=True)
    layout, copy = Layout.at(directory / "root"), Layout.at(directory / "copy")
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not copy.local().exists():
            shutil.rmtree(layout.local(), ignore_errors=True)
            two = directory / "two.yaml"
            two.write_text("spark: {master: 'local[2]'}\n")
            generate(layout, SCALE, SEED)
            process.run_graph(layout, *BATCH, "--conf", str(two))
            shutil.copytree(layout.local(), directory / "unfinished")
            (directory / "unfinished").rename(copy.local())
    run = json.loads(copy.local("ops", "run.json").read_text())
    return Finished(layout, copy, run, copy.local("ops", "tables.json").read_bytes())


def copied(root: Layout, to: Path, *, named: Layout | None = None) -> Layout:
    """A root of one's own: what is published is named by absolute paths, and is that of the copy.

    Args:
        root: What is copied.
        to: A directory that is not there yet.
        named: The root that tables.json names, if it is another one.
    """
    shutil.copytree(root.local(), to)
    copy = Layout.at(to)
    listed = copy.local("ops", "tables.json")
    listed.write_text(listed.read_text().replace(f'"{(named or root).root}/', f'"{copy.root}/'))
    assert all(
        part.location.startswith(f"{copy.root}/") for table in read_published(copy).values() for part in table.parts
    )
    # The metastore names the directories of the other root, and the copy gets one of its own.
    shutil.rmtree(copy.local("warehouse", "metastore_db"))
    return copy
