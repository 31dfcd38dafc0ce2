"""One finished root for all tests that look at a whole run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from common.layout import Layout
from tests.runs import generate, run_graph

SCALE, SEED, DATE = 0.005, 7, "2025-11-30"
BATCH = ("--to", "bi_dashboards")  # models have tests of their own, on data that they can learn from


@dataclass(frozen=True)
class Finished:
    """A root after its first run.

    Attributes:
        layout: The root.
        run: Its run.json.
        tables_json: The bytes of its tables.json.
    """

    layout: Layout
    run: dict[str, Any]
    tables_json: bytes


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The generated shop at a small scale, from raw to dashboards."""
    layout = Layout.at(tmp_path_factory.mktemp("whole") / "root")
    generate(layout, SCALE, SEED)
    run = run_graph(layout, *BATCH)
    return Finished(layout, run, layout.local("ops", "tables.json").read_bytes())
