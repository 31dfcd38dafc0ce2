"""The process in which `tests.runs.RunsInARow` runs the graph: an order a line, and how each ended.

A module of its own, since PySpark takes a main module without a file for a doctest and leaves the process.
"""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from unittest.mock import patch

from pipelines import run
from tests.gates import OpenGate
from tests.runs import ENDED


def obey() -> None:
    """Run what standard input orders, until it ends."""
    for line in sys.stdin:
        order = json.loads(line)
        with patch.object(run, "Gatekeeper", OpenGate) if order["open_gates"] else nullcontext():
            code = run.main(order["arguments"])
        print(f"{ENDED}{code}", flush=True)  # noqa: T201 - to who ordered it


if __name__ == "__main__":
    obey()
