"""How long each stage of a run takes, and what it costs in processor time: `python tests/bench/bench_run.py --scale 1`.

Machines differ and are noisy: compare shares within one run, or two runs taken in turn, rather than seconds. Processor
time (user and system, of the run and of the processes that it started) hardly depends on what else the machine does.

At scale 1 the run has to keep what is promised (`LIMITS`), and cleaning has to find what was planted (`score`);
otherwise the benchmark ends with 1. `--against 0.1` runs a smaller shop first and tells how time and memory grow with
the rows; memory is the largest resident size of the JVM, in which driver and executor live, and of any Python process
(Linux alone).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
KINDS = ("java", "python")
# Rows that are written, and seconds.
LIMITS = {"clean_transactions": 500_000, "clean_clickstream": 1_000_000, "users": 100_000, "products": 10_000}
MOST_SECONDS, MOST_GENERATION, MOST_GATES = 240.0, 30.0, 0.20
GROWTH = 7.0  # times the time, at most, for ten times the rows
_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class Measured:
    """A run.

    Attributes:
        code: What it ended with.
        run: Its run.json.
        processor: Seconds of processor time.
        memory: Largest resident MiB of a process by kind.
        entities: Users and products that the published dimensions know.
    """

    code: int
    run: dict[str, Any]
    processor: float
    memory: dict[str, float]
    entities: dict[str, int]

    @property
    def stages(self) -> dict[str, dict[str, Any]]:
        """What run.json says of each."""
        return {stage["name"]: stage for stage in self.run["stages"]}

    @property
    def batch(self) -> float:
        """Seconds of all stages but the making of data."""
        return sum(stage["seconds"] or 0 for name, stage in self.stages.items() if name != "generate")

    @property
    def gates(self) -> float:
        """Seconds of gates."""
        return sum(stage["gate_seconds"] or 0 for stage in self.run["stages"])

    @property
    def rows(self) -> int:
        """Raw rows."""
        return int(self.stages["generate"]["written"])

    def missed(self) -> list[str]:
        """What of the promises for scale 1 does not hold."""
        written = {name: stage["written"] or 0 for name, stage in self.stages.items()} | self.entities
        said = [f"{name}: {written[name]:,} rows" for name, least in LIMITS.items() if written[name] < least]
        if self.batch > MOST_SECONDS:
            said.append(f"batch stages took {self.batch:.0f} s")
        if self.stages["generate"]["seconds"] > MOST_GENERATION:
            said.append(f"generation took {self.stages['generate']['seconds']:.0f} s")
        if self.gates > MOST_GATES * self.batch:
            said.append(f"gates took {self.gates / self.batch:.1%}")
        return said


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--against", type=float, help="a smaller scale, which is run first")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--to", default="bi_dashboards", help="the last stage (default: bi_dashboards)")
    arguments = parser.parse_args()
    smaller = measure(arguments.against, arguments) if arguments.against else None
    found = measure(arguments.scale, arguments)
    show(found)
    missed = found.missed() if arguments.scale == 1 else []
    if smaller is not None:
        if found.batch / smaller.batch > GROWTH * found.rows / smaller.rows / 10:
            missed.append("time grows too fast")
        print(
            f"{found.rows / smaller.rows:.1f} times the rows: {found.batch / smaller.batch:.1f} times the time "
            f"({smaller.batch:.0f} s and {found.batch:.0f} s)"
        )
        for kind in KINDS:
            print(f"largest {kind} process: {smaller.memory[kind]:,.0f} MiB and {found.memory[kind]:,.0f} MiB")
    for what in missed:
        print(f"MISSED {what}")
    return int(bool(missed) or bool(found.code) or bool(smaller and smaller.code))


def measure(scale: float, arguments: argparse.Namespace) -> Measured:
    """Run on a root of its own."""
    with tempfile.TemporaryDirectory() as root:
        command = [str(PROJECT / "build.sh"), "run", "--root", root, "--scale", str(scale)]
        command += ["--seed", str(arguments.seed), "--parallel", str(arguments.parallel), "--to", arguments.to]
        process = subprocess.Popen(command)
        watcher = Watcher(process.pid)
        watcher.start()
        code = process.wait()
        watcher.end()
        run = json.loads((Path(root) / "ops" / "run.json").read_text(encoding="utf-8"))
        entities = {"users": 0, "products": 0}
        if any(stage["name"] == "publish_hive" and stage["status"] == "ok" for stage in run["stages"]):
            code = code or subprocess.run([str(PROJECT / "build.sh"), "score", "--root", root], check=False).returncode
            entities = {name: _known(root, name) for name in entities}
    return Measured(code, run, watcher.processor, watcher.memory, entities)


def _known(root: str, name: str) -> int:
    """Distinct users or products of a published dimension, without the unknown member."""
    key = name.removesuffix("s")
    query = f"SELECT count(DISTINCT {key}_id) AS n FROM dim_{name} WHERE {key}_sk <> -1"
    command = [str(PROJECT / "build.sh"), "sql", query, "--root", root, "--format", "json"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(json.loads(said)[0]["n"])


def show(found: Measured) -> None:
    """Print stage by stage."""
    total = sum(stage["seconds"] or 0 for stage in found.run["stages"])
    for stage in found.run["stages"]:
        seconds = stage["seconds"] or 0
        rate = (stage["read"] or stage["written"] or 0) / max(seconds, 0.001)
        print(f"{stage['name']:<20} {seconds:8.1f} s {seconds / total:7.1%} {rate:12,.0f} rows/s")
    share = f"gates {found.gates:.1f} s ({found.gates / found.batch:.1%} of the batch stages)"
    print(f"{'run':<20} {found.run['seconds']:8.1f} s, {share}")
    print(f"{'processor time':<20} {found.processor:8.1f} s")


class Watcher(threading.Thread):
    """Looks at the processes below one every second, as a JVM is not waited for by those that start it."""

    def __init__(self, top: int) -> None:
        super().__init__(daemon=True)
        self._top, self._ended = top, threading.Event()
        self._seconds: dict[int, float] = {}
        self.memory = dict.fromkeys(KINDS, 0.0)

    @property
    def processor(self) -> float:
        """Seconds of all processes, up to when each was last seen."""
        return sum(self._seconds.values())

    def run(self) -> None:
        while not self._ended.wait(_EVERY_SECONDS):
            self._look()

    def end(self) -> None:
        self._ended.set()
        self.join()

    def _look(self) -> None:
        parents, found = {}, {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                said = dict(line.split(":", 1) for line in (path / "status").read_text().splitlines() if ":" in line)
                ticks = (path / "stat").read_text().rpartition(")")[2].split()[11:13]
            except OSError:  # it has ended meanwhile
                continue
            process = int(said["Pid"])
            parents[process] = int(said["PPid"])
            size = int(said.get("VmHWM", "0 kB").split()[0]) / 1024
            found[process] = said["Name"].strip(), size, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        for process, (name, size, seconds) in found.items():
            if not _is_below(process, self._top, parents):
                continue
            self._seconds[process] = seconds
            kind = next((kind for kind in KINDS if name.startswith(kind)), None)
            if kind:
                self.memory[kind] = max(self.memory[kind], size)


def _is_below(process: int, top: int, parents: dict[int, int]) -> bool:
    while process > 1 and process != top:
        process = parents.get(process, 0)
    return process == top


if __name__ == "__main__":
    sys.exit(main())
