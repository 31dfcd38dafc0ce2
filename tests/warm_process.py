"""The process of `tests.runs.WarmProcess`: an order a line on standard input, and how each ended on standard output.

A module of its own, since PySpark takes a main module without a file for a doctest and leaves the process.
"""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from itertools import pairwise
from typing import Any
from unittest.mock import patch

from pyspark.sql import SparkSession

from common.session import start_session
from pipelines import run, sql
from tests.gates import OpenGate
from tests.runs import ENDED
from tests.sessions import lighten

COMMANDS = {"run": run.main, "sql": sql.main}


def _light_session(*arguments: Any) -> SparkSession:
    session = start_session(*arguments)
    lighten(session)
    return session


_INSTEAD: dict[str, Any] = {"Gatekeeper": OpenGate, "start_session": _light_session}
"""What a run does without that is tested in others."""


def obey() -> None:
    """Do what standard input orders, until it ends; Spark starts anew for another root or configuration."""
    before: list[str] = []
    for line in sys.stdin:
        order = json.loads(line)
        arguments = order["arguments"]
        started_for = [value for name, value in pairwise(arguments) if name in {"--root", "--conf"}]
        session = SparkSession.getActiveSession()
        if session is not None and started_for != before:
            session.stop()
        before = started_for
        with patch.multiple(run, **_INSTEAD) if order["open_gates"] else nullcontext():
            code = COMMANDS[order["command"]](arguments)
        print(f"{ENDED}{code}", flush=True)  # noqa: T201 - to who ordered it


if __name__ == "__main__":
    obey()
