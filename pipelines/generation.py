"""The generator as the first step of a run: a process of its own, since generators/ stands alone."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common import __version__
from common.errors import ExitCode, UsageError
from common.layout import Layout
from common.quality.ledger import LedgerEntry
from common.storage.files import read_json
from generators.spec import MAX_SCALE, MIN_SCALE

STAGE = "generate"
_STEP = "generating "
_SCRIPT = Path(__file__).resolve().parents[1] / "generators" / "run_all_generators.py"
DEFAULT_SCALE, DEFAULT_SEED = 1.0, 42


@dataclass(frozen=True)
class Generation:
    """What is to be generated."""

    scale: float
    seed: int


def generated(layout: Layout) -> dict[str, Any] | None:
    """What the root's data was generated with; None for a shop's own data or an empty root."""
    path = layout.local("truth", "generation.json")
    return read_json(path) if path.exists() else None


def scale_argument(text: str) -> float:
    """A scale that the generator takes.

    Raises:
        argparse.ArgumentTypeError: If it is not one.
    """
    try:
        scale = float(text)
    except ValueError:
        scale = float("nan")
    if not MIN_SCALE <= scale <= MAX_SCALE:
        raise argparse.ArgumentTypeError(f"{text!r} is not a scale; give a number from {MIN_SCALE} to {MAX_SCALE:g}")
    return scale


def refuse_generation(layout: Layout, scale: float | None, seed: int | None, why: str) -> None:
    """See that nobody asks for other data than there is in a run that generates none.

    Args:
        layout: The root.
        scale: As asked for.
        seed: As asked for.
        why: Why the run generates nothing.

    Raises:
        UsageError: If scale or seed are given and are not those of the root.
    """
    there = generated(layout) or {"scale": None, "seed": None}
    for option, asked in (("scale", scale), ("seed", seed)):
        if asked is not None and asked != there[option]:
            holds = "" if there[option] is None else f", and the root holds data of {option} {there[option]}"
            raise UsageError(
                f"--{option} {asked} has nothing to work on: {why}{holds}",
                where=f"--{option}",
                remedy="leave it out",
            )


def plan_generation(layout: Layout, scale: float | None, seed: int | None) -> Generation | None:
    """Whether to generate, and what.

    Raises:
        UsageError: If scale or seed are given for data that was not generated, or was with others.
    """
    there = generated(layout)
    if there is not None:
        asked = (there["scale"] if scale is None else scale, there["seed"] if seed is None else seed)
        if asked != (there["scale"], there["seed"]):
            raise UsageError(
                f"the root holds data of scale {there['scale']} and seed {there['seed']}",
                where=layout.root,
                remedy="choose another --root, or remove this one",
            )
        return None
    if layout.local("raw").exists() and any(layout.local("raw").iterdir()):
        if scale is not None or seed is not None:
            raise UsageError(
                "--scale and --seed go with generated data, and raw holds data of another origin",
                where=layout.path("raw"),
                remedy="leave them out, or choose another --root",
            )
        return None
    return Generation(DEFAULT_SCALE if scale is None else scale, DEFAULT_SEED if seed is None else seed)


class GeneratorProcess:
    """The generator at work, beside a session that starts.

    Args:
        layout: The root that it fills.
        generation: What to make.
        run_id: The run that it is a part of.
        heard: Called, in a thread, with each step as it begins.
    """

    def __init__(
        self, layout: Layout, generation: Generation, run_id: str, heard: Callable[[str], None] = lambda step: None
    ) -> None:
        """Start it."""
        self._layout, self._run_id = layout, run_id
        self._started_at, self._started = datetime.now(UTC), time.monotonic()
        arguments = ["--scale", str(generation.scale), "--seed", str(generation.seed), "--root", layout.root]
        self._process = subprocess.Popen(
            [sys.executable, str(_SCRIPT), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self._complaints: list[str] = []
        self._listener = threading.Thread(target=self._listen, args=(heard,), daemon=True)
        self._listener.start()

    def _listen(self, heard: Callable[[str], None]) -> None:
        for line in self._process.stderr or ():
            if line.startswith(_STEP):
                heard(line.removeprefix(_STEP).strip())
            elif line.strip():
                self._complaints.append(line.rstrip())

    def wait(self) -> LedgerEntry:
        """Wait for its end and give its entry for the ledger."""
        code = self._process.wait()
        self._listener.join()
        rows: dict[str, int | None] | None = None
        if code == 0:
            made = sum(
                json.loads(self._layout.local("truth", "generation.json").read_text(encoding="utf-8"))["rows"].values()
            )
            rows = {"read": None, "written": made, "quarantined": None, "duplicates": None, "superseded": None}
        return LedgerEntry(
            run_id=self._run_id,
            stage=STAGE,
            date=None,
            status="ok" if code == 0 else "failed",
            started_at=self._started_at.isoformat(timespec="milliseconds"),
            seconds=round(time.monotonic() - self._started, 3),
            gate_seconds=None,
            rows=rows,
            tables={},
            gates=(),
            notes=(),
            exit_code=code if code in set(ExitCode) else int(ExitCode.UNEXPECTED),
            error=None if code == 0 else (self._complaints or [f"the generator ended with {code}"])[-1],
            code_version=__version__,
            configuration="",
        )

    def stop(self) -> None:
        """End it, when the run is interrupted."""
        self._process.terminate()
        self._process.wait()
