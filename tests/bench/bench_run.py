"""How long each stage of a run takes, and what it costs in processor time: `python tests/bench/bench_run.py --scale 1`.

Machines differ and are noisy: compare shares within one run, or two runs taken in turn, rather than seconds. Processor
time (user and system, of the run and of the processes that it started) hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--to", default="publish_hive", help="the last stage (default: publish_hive)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        command = [str(PROJECT / "build.sh"), "run", "--root", root, "--scale", str(arguments.scale)]
        command += ["--seed", str(arguments.seed), "--parallel", str(arguments.parallel), "--to", arguments.to]
        code = subprocess.run(command, check=False).returncode
        run = json.loads((Path(root) / "ops" / "run.json").read_text(encoding="utf-8"))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    gates = sum(stage["gate_seconds"] or 0 for stage in run["stages"])
    total = sum(stage["seconds"] or 0 for stage in run["stages"])
    for stage in run["stages"]:
        seconds = stage["seconds"] or 0
        rate = (stage["read"] or stage["written"] or 0) / max(seconds, 0.001)
        print(f"{stage['name']:<20} {seconds:8.1f} s {seconds / total:7.1%} {rate:12,.0f} rows/s")
    print(f"{'run':<20} {run['seconds']:8.1f} s, gates {gates:.1f} s ({gates / total:.1%} of the stages)")
    print(f"{'processor time':<20} {used.ru_utime + used.ru_stime:8.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
