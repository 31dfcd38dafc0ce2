"""Whole runs, most of them in processes of their own: the metastore is one for a process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from common.layout import DATASETS, Layout
from common.quality.ledger import LedgerEntry, entries, run_ids
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
FOR_A_FEW_ROWS = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.lightweightPlanChangeValidation": "false",
    "spark.sql.ui.explainMode": "simple",
    "spark.delta.logStore.file.impl": "io.delta.storage.LocalLogStore",
    "spark.sql.streaming.checkpointFileManagerClass": (
        "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
    ),
}
"""As in pyproject.toml: what pays for many rows, or on a cluster, costs more than the work for a few. Expressions are
evaluated as they are, the optimizer does not test each step that it takes, and a commit's files are put in their place
without a process for each look at them."""
ENDED = "ended with "
"""How a process for several commands begins its line on the exit code of one."""
FIRST_TIER_ALONE = "-XX:TieredStopAtLevel=1"
"""Of a run of seconds most is over before the highest tier of Java's compilers pays: a quarter less processor time."""
_WAIT_SECONDS = 300
# What little is sorted or joined needs no pages of 64 MB. And 33,000 classes of pinned packages need no verification,
# which takes 7 s for all of them.
_JAVA_OPTIONS = (
    f"-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote {FIRST_TIER_ALONE} "
    "-XX:ReservedCodeCacheSize=512m -XX:MetaspaceSize=256m -Dspark.buffer.pageSize=1m"
)


def environment(*, as_it_ships: bool = False) -> dict[str, str]:
    """That of a command of the project, with Spark as for a few rows unless it is to be as it ships."""
    properties = {} if as_it_ships else FOR_A_FEW_ROWS
    options = " ".join([_JAVA_OPTIONS, *(f"-D{name}={value}" for name, value in properties.items())])
    return {**os.environ, "PYTHONPATH": str(PROJECT), "SPARK_SUBMIT_OPTS": options}


def environment_of_a_shell() -> dict[str, str]:
    """That of a command which finds Java, Spark, Python, the project and the token key by itself."""
    return {**bare_environment("HOME", "TMPDIR"), "SPARK_SUBMIT_OPTS": environment()["SPARK_SUBMIT_OPTS"]}


def bare_environment(*names: str) -> dict[str, str]:
    """Where programs are, some more variables, and where Python keeps bytecode, so that it writes none elsewhere."""
    kept = ("PATH", *names, "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
    return {name: os.environ[name] for name in kept if name in os.environ}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the project."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=PROJECT, env=environment(), capture_output=True, text=True, check=False
    )


def generate(layout: Layout, scale: float, seed: int, *arguments: str) -> None:
    """Make a shop's data, or with `--increment` a further day of it."""
    from generators import run_all_generators  # noqa: PLC0415 - not needed by most tests

    asked = ["--scale", str(scale), "--seed", str(seed), "--root", layout.root, *arguments]
    assert run_all_generators.main(asked) == 0, asked


def run_in_session(layout: Layout, *arguments: str) -> dict[str, Any]:
    """Run the graph in the tests' session, with its metastore, and give run.json."""
    from pipelines import run  # noqa: PLC0415 - not needed by most tests

    assert run.main(["--root", layout.root, *arguments]) == 0, layout.root
    return run_json(layout)


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


class WarmProcess:
    """A process for commands of the project, one after the other, where all but the first find Java warm.

    Spark starts anew where a command has another root or configuration than the one before. The process starts with the
    first of them; until it ends, it has the metastores that it opened to itself.
    """

    def __init__(self) -> None:
        """Start nothing yet."""
        self._said = tempfile.NamedTemporaryFile("ab")  # noqa: SIM115 - closed with the process
        self._started: subprocess.Popen[str] | None = None

    @property
    def _process(self) -> subprocess.Popen[str]:
        if self._started is None:
            self._started = subprocess.Popen(
                [sys.executable, "-m", "tests.warm_process"],
                cwd=PROJECT, env=environment(as_it_ships=True), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=self._said, text=True, start_new_session=True,
            )  # fmt: skip
        return self._started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process and its Spark, which lets others have the metastores."""
        try:
            if self._started is not None and self._started.poll() is None:
                self._started.communicate(timeout=_WAIT_SECONDS)
        finally:
            self._kill()
            self._said.close()

    def run(self, layout: Layout, *arguments: str) -> Ended:
        """Run the graph."""
        return self._do("run", [*arguments, "--root", layout.root])

    def run_graph(self, layout: Layout, *arguments: str, open_gates: bool = False) -> dict[str, Any]:
        """Run the graph to a good end and give run.json; with open gates where what they say is not the subject."""
        done = self._do("run", [*arguments, "--root", layout.root], open_gates=open_gates)
        assert done.returncode == 0, done.stderr[-4000:]
        # What works tells of no error, and warns of nothing in the words of a library but that this process goes on.
        said = re.findall(r"^\S+ \S+ (?:ERROR|WARN) (?!SparkSession: Using an existing).*", done.stderr, re.MULTILINE)
        assert not said, said[:5]
        return run_json(layout)

    def ask_spark(self, layout: Layout, query: str) -> str:
        """What `./build.sh sql --engine spark --format csv` answers."""
        done = self._do("sql", [query, "--engine", "spark", "--format", "csv", "--root", layout.root])
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def kill_in(self, layout: Layout, stage: str, *arguments: str) -> None:
        """Start a run and kill the process, with everything that it started, as soon as a stage has begun to work."""
        try:
            self._order("run", [*arguments, "--root", layout.root], open_gates=True)
            _wait_for_output(layout, stage, self._process)
            is_running = self._process.poll() is None and run_json(layout)["status"] == "running"
            assert is_running, f"it ended before {stage}: {self._what_it_said()[-4000:]}"
        finally:
            self._kill()

    def _kill(self) -> None:
        if self._started is not None and self._started.poll() is None:
            os.killpg(self._started.pid, signal.SIGKILL)
            self._started.wait()

    def _do(self, command: str, arguments: Sequence[str], *, open_gates: bool = False) -> Ended:
        before = len(self._what_it_said())
        self._order(command, arguments, open_gates=open_gates)
        assert self._process.stdout
        printed: list[str] = []
        for line in self._process.stdout:
            if line.startswith(ENDED):
                return Ended(int(line.removeprefix(ENDED)), "".join(printed), self._what_it_said()[before:])
            printed.append(line)
        raise AssertionError(f"the process has gone: {self._what_it_said()[-4000:]}")

    def _order(self, command: str, arguments: Sequence[str], *, open_gates: bool) -> None:
        assert self._process.stdin
        order = {"command": command, "arguments": list(arguments), "open_gates": open_gates}
        print(json.dumps(order), file=self._process.stdin, flush=True)

    def _what_it_said(self) -> str:
        return Path(self._said.name).read_text(encoding="utf-8")


def run_json(layout: Layout) -> dict[str, Any]:
    """What the last run says of itself."""
    loaded: dict[str, Any] = json.loads(layout.local("ops", "run.json").read_text())
    return loaded


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


def newest_entry(layout: Layout) -> LedgerEntry:
    """What the ledger has of the newest run, which had one stage."""
    newest = max(run_ids(layout), key=lambda run: layout.local("ops", "ledger", run).stat().st_mtime_ns)
    (entry,) = entries(layout, newest)
    return entry
