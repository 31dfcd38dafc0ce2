"""What a user sees while data is made: bars on a terminal, plain lines elsewhere, always on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class GenerationProgress(Protocol):
    """Hears of steps and of how far they are."""

    def start(self, step: str, total: int, unit: str = "files") -> None:
        """A step of so many parts begins."""

    def advance(self, step: str) -> None:
        """A part of a step is done."""


class Silence:
    """Says nothing."""

    def start(self, step: str, total: int, unit: str = "files") -> None:
        """See GenerationProgress."""

    def advance(self, step: str) -> None:
        """See GenerationProgress."""


class PlainLines:
    """A line for each step that begins."""

    def start(self, step: str, total: int, unit: str = "files") -> None:
        """See GenerationProgress."""
        sys.stderr.write(f"generating {step}" + (f" ({total} {unit})\n" if total > 1 else "\n"))
        sys.stderr.flush()

    def advance(self, step: str) -> None:
        """See GenerationProgress."""


class Bars:
    """A bar for each step."""

    def __init__(self, progress: Progress) -> None:
        """Plan what the class gives; see there for the arguments."""
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def start(self, step: str, total: int, unit: str = "files") -> None:
        """See GenerationProgress."""
        self._tasks[step] = self._progress.add_task(step, total=total)

    def advance(self, step: str) -> None:
        """See GenerationProgress."""
        self._progress.advance(self._tasks[step])


@contextmanager
def make_progress() -> Iterator[GenerationProgress]:
    """Bars if standard error is a terminal, otherwise plain lines."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield PlainLines()
        return
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield Bars(progress)
