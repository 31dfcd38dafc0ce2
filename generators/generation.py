"""A data set on disk: made beside its place and renamed, so that what can be seen is whole."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from generators import base
from generators.increments import Increment
from generators.plan import make_plan
from generators.progress import GenerationProgress, Silence
from generators.spec import END, START, Spec
from generators.writing import partition_path, publish

STATE = Path("truth/generation.json")
_DIRECTORIES = ("raw", "samples", "truth")
_BUILD = ".generating"
MAX_INCREMENT_DAYS = 700


class GenerationError(Exception):
    """Data cannot be generated as asked.

    Args:
        what: What is wrong.
        where: The directory, file or option at fault.
        remedy: What the reader can do about it.
    """

    def __init__(self, what: str, where: object, remedy: str) -> None:
        """Put the line together."""
        super().__init__(" ".join(f"{what} [{where}] -> {remedy}".split()))


@dataclass(frozen=True)
class GenerationSummary:
    """What was generated.

    Attributes:
        root: Where.
        rows: Raw rows by data set, planted defects included.
        seconds: How long it took.
        bytes: Size of all raw files.
        existed: Whether the data was there already, so that nothing was done.
    """

    root: Path
    rows: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    bytes: int = 0
    existed: bool = False

    def describe(self) -> str:
        """The summary as a line."""
        if self.existed:
            return f"{self.root}: this data is already there, nothing to do"
        rows = ", ".join(f"{count:,} {name}" for name, count in self.rows.items())
        return f"{self.root}: {rows}; {self.bytes / 1e6:,.0f} MB in {self.seconds:.1f} s"


def read_state(root: Path) -> dict[str, object] | None:
    """What generation.json says of a root, None where there is none."""
    try:
        state = json.loads((root / STATE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise GenerationError(f"cannot be read: {error}", root / STATE, "mend it, or use --force") from error
    return dict(state)


def write_state(root: Path, state: dict[str, object]) -> None:
    """Replace generation.json in one step."""
    target = root / STATE
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".json.new")
    beside.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
    os.replace(beside, target)


def _same(state: dict[str, object], spec: Spec) -> bool:
    return state.get("scale") == spec.scale and state.get("seed") == spec.seed


def _prepare(root: Path, build: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
        if build.exists():
            shutil.rmtree(build)
        build.mkdir()
    except OSError as error:
        what = f"cannot write to the root: {error.strerror or error}"
        raise GenerationError(what, root, "give another directory with --root") from error


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Say in one line what cannot be written; what was made so far stays in `.generating` and is replaced next time."""
    try:
        yield
    except OSError as error:
        what = f"cannot write: {error.strerror or error}"
        raise GenerationError(what, error.filename or root, "make room or mend it, or give another --root") from error


def generate(  # noqa: PLR0913, PLR0917 - each is a different input
    root: Path,
    scale: float,
    seed: int,
    jobs: int | None = None,
    progress: GenerationProgress | None = None,
    force: bool = False,
) -> GenerationSummary:
    """Generate the first load under a root.

    Args:
        root: Where raw/, samples/ and truth/ go.
        scale: Size, 1 for 100,000 users.
        seed: Same seed, same bytes.
        jobs: Threads that write; default one a processor.
        progress: Hears of the steps.
        force: Replace generated data of another scale or seed.

    Returns:
        What was written; `existed` is set where the same data is already there.

    Raises:
        GenerationError: If the root holds other data, or cannot be written.
    """
    started, spec, progress = time.monotonic(), Spec(scale, seed), progress or Silence()
    state = None if force else read_state(root)
    if state is not None and _same(state, spec):
        return GenerationSummary(root, existed=True)
    if state is not None:
        what = f"the root holds generated data of scale {state.get('scale')} and seed {state.get('seed')}"
        raise GenerationError(what, root, "use another --root, or --force to replace it")
    odd = next((root / name for name in _DIRECTORIES if (root / name).exists() and not (root / name).is_dir()), None)
    if odd is not None:
        raise GenerationError("is no directory", odd, "remove it, or use another --root")
    taken = [name for name in _DIRECTORIES if (root / name).is_dir() and any((root / name).iterdir())]
    if taken and not force:
        what = f"the root has {', '.join(taken)} of unknown origin"
        raise GenerationError(what, root, "use another --root, or --force to replace it")
    build = root / _BUILD
    _prepare(root, build)
    progress.start("plan", 5, "steps")
    plan = make_plan(spec, lambda _: progress.advance("plan"))
    threads = jobs or os.cpu_count() or 1
    with _writing(root), ThreadPoolExecutor(threads) as pool:
        built = base.write_all(plan, build, pool, progress)
        # Without the state, what is renamed until then is seen as incomplete by the next run.
        (root / STATE).unlink(missing_ok=True)
        for name in _DIRECTORIES:
            if (root / name).exists():
                shutil.rmtree(root / name)
        publish(build, root, _DIRECTORIES)
        build.rmdir()
    rows = {name: count for name, (count, _) in built.items()}
    write_state(
        root,
        {
            "scale": scale,
            "seed": seed,
            "start_date": START.isoformat(),
            "end_date": END.isoformat(),
            "rows": rows,
            "increments": [],
        },
    )
    return GenerationSummary(root, rows, time.monotonic() - started, sum(size for _, size in built.values()))


def generate_increment(
    root: Path, scale: float, seed: int, date: dt.date, progress: GenerationProgress | None = None
) -> GenerationSummary:
    """Add a later day to a generated root.

    Args:
        root: Where the first load of the same scale and seed is.
        scale: Its scale.
        seed: Its seed.
        date: The day to add, after the first load's last one.
        progress: Hears of the steps.

    Returns:
        What was written; `existed` is set where the day is already there.

    Raises:
        GenerationError: If there is no such first load, the date is not after it, or the root cannot be written.
    """
    started, spec, progress = time.monotonic(), Spec(scale, seed), progress or Silence()
    state = read_state(root)
    if state is None or not _same(state, spec):
        raise GenerationError(f"no generated data of scale {scale} and seed {seed}", root, "generate that first")
    if not END < date <= END + dt.timedelta(days=MAX_INCREMENT_DAYS):
        what = f"{date} is not within {MAX_INCREMENT_DAYS} days after {END}, where the first load ends"
        raise GenerationError(what, "--increment", "give an earlier day")
    increments = [str(day) for day in _list(state.get("increments"))]
    if date.isoformat() in increments:
        return GenerationSummary(root, existed=True)
    build = root / _BUILD
    _prepare(root, build)
    progress.start(f"increment {date}", 1)
    increment = Increment(make_plan(spec), date)
    with _writing(root):
        written, _ = increment.write(build)
        names = [str(Path(partition_path(name, date)).parent) for name in written]
        names.append(f"truth/increments/date={date.isoformat()}")
        for name in names:
            # A killed run may have left a part of the same day.
            shutil.rmtree(root / name, ignore_errors=True)
        publish(build, root, names)
        shutil.rmtree(build)
    write_state(root, {**state, "increments": sorted([*increments, date.isoformat()])})
    progress.advance(f"increment {date}")
    rows = {name: file.rows for name, file in written.items()}
    return GenerationSummary(root, rows, time.monotonic() - started, sum(file.bytes for file in written.values()))


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
