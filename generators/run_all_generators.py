"""Generate the shop's raw data: users, products, transactions, clickstream, samples, and the truth about them.

Run `python generators/run_all_generators.py --scale 1 --seed 42 --root data`; importable as `generate` and
`generate_increment`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path
from typing import NoReturn

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from generators.generation import (
    GenerationError,
    GenerationSummary,
    generate,
    generate_increment,
)
from generators.progress import make_progress
from generators.spec import END, MAX_SCALE, MIN_SCALE

__all__ = ["GenerationError", "GenerationSummary", "generate", "generate_increment", "main"]

USAGE_ERROR = 2
_DATA = Path(__file__).resolve().parents[1] / "data"


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing a usage text and leaving."""
        what, _, remedy = message.partition("; ")
        raise GenerationError(what, self.prog, remedy or f"see {self.prog} --help")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of threads; give 1 or more")
    return int(text)


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a seed; give a whole number") from None


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = float("nan")
    if not MIN_SCALE <= scale <= MAX_SCALE:
        raise argparse.ArgumentTypeError(f"{text} is not a scale; give a number from {MIN_SCALE} to {MAX_SCALE:g}")
    return scale


def _date(text: str) -> dt.date:
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a date; give it as YYYY-MM-DD") from None
    if date <= END:
        raise argparse.ArgumentTypeError(f"{text} lies in the first load, which ends on {END}; give a later date")
    return date


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="run_all_generators.py", description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=_scale, default=1.0, help="size, 1 for 100,000 users (default: %(default)s)")
    parser.add_argument("--seed", type=_seed, default=42, help="same seed, same bytes (default: %(default)s)")
    parser.add_argument("--root", type=Path, default=_DATA, help="where to write (default: data in the project)")
    parser.add_argument("--jobs", type=_count, default=None, help="threads that write (default: one a processor)")
    parser.add_argument("--force", action="store_true", help="replace generated data of another scale or seed")
    parser.add_argument(
        "--increment", type=_date, nargs="+", default=[], metavar="YYYY-MM-DD", help="add these later days"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Generate as the arguments say; the exit code is 0, or 2 for wrong arguments or a root that cannot be written."""
    try:
        args = _parser().parse_args(argv)
        with make_progress() as progress:
            summaries = [generate(args.root, args.scale, args.seed, args.jobs, progress=progress, force=args.force)]
            summaries += [
                generate_increment(args.root, args.scale, args.seed, date, progress=progress) for date in args.increment
            ]
    except SystemExit as exit_:
        return int(exit_.code or 0)
    except GenerationError as error:
        sys.stderr.write(f"error: {error}\n")
        return USAGE_ERROR
    for summary in summaries:
        sys.stdout.write(summary.describe() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
