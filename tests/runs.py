"""Whole runs, most of them in processes of their own: the metastore is one for a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from common.layout import DATASETS, Layout
from common.storage.published import read_published

PROJECT = Path(__file__).resolve().parents[1]
STAGES = (
    "land_raw",
    *(f"clean_{name}" for name in DATASETS),
    "load_dimensions",
    "load_facts",
    "etl_warehouse",
    "publish_hive",
    "bi_dashboards",
)
"""Those of a run without models, in their order."""
ENDED = "ended with "
"""How a process for several runs begins its line on the exit code of one."""
_WAIT_SECONDS = 300
_ASK_SPARK = """
import sys
from pipelines import sql
root, *queries = sys.argv[1:]
for query in queries:
    if code := sql.main([query, "--engine", "spark", "--format", "csv", "--root", root]):
        sys.exit(code)
    print(flush=True)
"""
# Of a run of seconds most is over before the highest tier of Java's compilers pays: a quarter less processor time.
_JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m"
# For a few rows, generating code and compiling it costs more than the work: a fifth less.
_INTERPRETED = " -Dspark.sql.codegen.wholeStage=false -Dspark.sql.codegen.factoryMode=NO_CODEGEN"


def environment(*, interpreted: bool = True) -> dict[str, str]:
    """That of a command of the project; Spark evaluates expressions as they are unless it is to generate code."""
    options = _JAVA_OPTIONS + _INTERPRETED * interpreted
    return {**os.environ, "PYTHONPATH": str(PROJECT), "SPARK_SUBMIT_OPTS": options}


def environment_of_a_shell() -> dict[str, str]:
    """That of a command which finds the project and Spark by itself."""
    return {name: value for name, value in environment().items() if name not in {"PYTHONPATH", "SPARK_HOME"}}


def python(*arguments: str, interpreted: bool = True) -> subprocess.CompletedProcess[str]:
    """A command of the project."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT, env=environment(interpreted=interpreted), capture_output=True, text=True, check=False,
    )  # fmt: skip


def generate(layout: Layout, scale: float, seed: int, *arguments: str) -> None:
    """Make a shop's data, or with `--increment` a further day of it."""
    made = python(
        "generators/run_all_generators.py",
        "--scale",
        str(scale),
        "--seed",
        str(seed),
        "--root",
        layout.root,
        *arguments,
    )
    assert made.returncode == 0, made.stderr[-4000:]


def run_graph(layout: Layout, *arguments: str) -> dict[str, Any]:
    """Run the graph in a process of its own, with code that Spark generates, and give run.json."""
    done = python("-m", "pipelines.run", "--root", layout.root, *arguments, interpreted=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return run_json(layout)


def run_in_session(layout: Layout, *arguments: str) -> dict[str, Any]:
    """Run the graph in the tests' session, with its metastore, and give run.json."""
    from pipelines import run  # noqa: PLC0415 - not needed by most tests

    assert run.main(["--root", layout.root, *arguments]) == 0, layout.root
    return run_json(layout)


class RunsInARow:
    """Runs of one root, one after the other in a process of their own, where all but the first find Spark warm.

    The process has the root's metastore to itself until it is closed, and the master of its first run.
    """

    def __init__(self, layout: Layout) -> None:
        """Start the process, which waits for its first run."""
        self._layout = layout
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.run_after_run"],
            cwd=PROJECT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True,
            start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process and its Spark, which lets others have the metastore."""
        try:
            if self._process.poll() is None:
                self._process.communicate(timeout=_WAIT_SECONDS)
        finally:
            self._kill()
            self._said.close()

    def run_graph(self, *arguments: str, open_gates: bool = False) -> dict[str, Any]:
        """Run the graph and give run.json; with open gates where what they say is not the subject."""
        self._order(arguments, open_gates=open_gates)
        assert self._process.stdout
        last = next((line for line in self._process.stdout if line.startswith(ENDED)), "it did not end")
        assert last == f"{ENDED}0\n", last + self._what_it_said()
        return run_json(self._layout)

    def kill_in(self, stage: str, *arguments: str) -> None:
        """Start a run and kill the process, with everything that it started, as soon as a stage has begun to work."""
        try:
            self._order(arguments, open_gates=True)
            _wait_for_output(self._layout, stage, self._process)
            # The run before may have been killed as well, and says that it is running for ever.
            is_running = self._process.poll() is None and run_json(self._layout)["status"] == "running"
            assert is_running, f"it ended before {stage}: {self._what_it_said()}"
        finally:
            self._kill()

    def _kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _order(self, arguments: Sequence[str], *, open_gates: bool) -> None:
        assert self._process.stdin
        order = {"arguments": ["--root", self._layout.root, *arguments], "open_gates": open_gates}
        print(json.dumps(order), file=self._process.stdin, flush=True)

    def _what_it_said(self) -> str:
        self._said.seek(0)
        return self._said.read()[-4000:]


def run_json(layout: Layout) -> dict[str, Any]:
    """What the last run says of itself."""
    loaded: dict[str, Any] = json.loads(layout.local("ops", "run.json").read_text())
    return loaded


def ask_spark(layout: Layout, *queries: str) -> list[str]:
    """What `./build.sh sql --engine spark --format csv` answers to each query, one after the other in one process."""
    done = python("-c", _ASK_SPARK, layout.root, *queries)
    assert done.returncode == 0, done.stderr[-4000:]
    return [f"{answer}\n" for answer in done.stdout.removesuffix("\n\n").split("\n\n")]


def _wait_for_output(layout: Layout, stage: str, process: subprocess.Popen[str]) -> None:
    """Until the stage has put a file somewhere below its first output."""
    from pipelines.stages import GRAPH  # noqa: PLC0415 - not needed by most tests

    output = next(each for each in GRAPH.stages if each.name == stage).outputs[0]
    before = _files(layout, output)
    give_up = time.monotonic() + _WAIT_SECONDS
    while _files(layout, output) == before and process.poll() is None:
        assert time.monotonic() < give_up, f"{stage} wrote nothing"
        time.sleep(0.02)


def _files(layout: Layout, output: str) -> set[Path]:
    return set(layout.local(*output.split("/")).rglob("*"))


def fingerprints(layout: Layout) -> dict[str, str]:
    """Each published table with its fingerprint."""
    return {name: table.fingerprint for name, table in read_published(layout).items()}


def quarantined(layout: Layout) -> dict[str, list[tuple[Any, ...]]]:
    """What each quarantine holds, in an order of its own, without who put it there."""
    from deltalake import DeltaTable  # noqa: PLC0415 - not needed by most tests

    columns = ["payload", "reasons", "source_file"]
    found = {}
    for dataset in DATASETS:
        rows = DeltaTable(layout.quarantine(dataset)).to_pyarrow_table(columns=columns).to_pylist()
        found[dataset] = sorted(((row["payload"], tuple(row["reasons"]), row["source_file"]) for row in rows), key=repr)
    return found
