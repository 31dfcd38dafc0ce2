"""`python -m pipelines.doctor`: one line a check with ok, warning or problem and the remedy."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from common.arguments import Parser
from common.errors import PlatformError
from pipelines.doctor.checks import Finding, State, examine
from pipelines.doctor.machine import read_machine

PROJECT = Path(__file__).resolve().parents[2]
_DEEP_TIMEOUT_SECONDS = 300


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the findings. Returns 0 when there is no problem, otherwise 1."""
    parser = Parser(prog="./build.sh doctor", description="Check the machine and the environment.")
    parser.add_argument("--root", default=str(PROJECT / "data"), help="root of the zones to look at (default: data)")
    parser.add_argument("--deep", action="store_true", help="also start Spark and write and read a Delta table")
    try:
        arguments = parser.parse_args(argv)
        findings = examine(read_machine(PROJECT, arguments.root, os.environ))
    except PlatformError as error:
        sys.stderr.write(f"doctor: {error}\n")
        return int(error.exit_code)
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    if arguments.deep:
        findings.append(try_spark(PROJECT / ".venv" / "bin" / "spark-submit"))
        sys.stdout.write(f"{findings[-1]}\n")
    problems = sum(finding.state is State.PROBLEM for finding in findings)
    warnings = sum(finding.state is State.WARNING for finding in findings)
    sys.stdout.write(f"doctor: problems {problems}, warnings {warnings}\n")
    return 1 if problems else 0


def try_spark(spark_submit: Path) -> Finding:
    """Writes and reads a Delta table with a session of its own."""
    started = time.monotonic()
    script = Path(__file__).with_name("round_trip.py")
    with tempfile.TemporaryDirectory() as work:
        try:
            done = subprocess.run(
                [spark_submit, script, f"{work}/table"],
                cwd=work,
                capture_output=True,
                text=True,
                timeout=_DEEP_TIMEOUT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return Finding("Spark and Delta", State.PROBLEM, f"did not run: {error}", "run ./build.sh setup")
    seconds = time.monotonic() - started
    if done.returncode == 0:
        return Finding("Spark and Delta", State.OK, f"a table written, changed and read in {seconds:.0f} s")
    said = [line for line in done.stderr.splitlines() if "Error" in line or "Exception" in line or "ERROR" in line]
    last_words = (said or done.stderr.strip().splitlines() or ["no message"])[-1].strip()
    return Finding("Spark and Delta", State.PROBLEM, f"failed: {last_words}", "mend what is above, or ./build.sh setup")


if __name__ == "__main__":
    sys.exit(main())
