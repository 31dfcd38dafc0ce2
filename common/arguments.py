"""Arguments that commands share. Nothing here loads Spark, so that a question is answered at once."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import NoReturn

from common.errors import PlatformError, UsageError


class HelpShown(SystemExit):
    """Somebody asked for help and has it. A library that ends the process must not look like this."""


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Leave after --help, and only then, since `error` raises.

        Raises:
            HelpShown: Always.
        """
        raise HelpShown(status)

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing a usage text and leaving.

        Raises:
            UsageError: Always.
        """
        raise UsageError(message, where=self.prog, remedy=f"see {self.prog} --help")


def iso_date(text: str) -> date:
    """A day as YYYY-MM-DD and nothing else.

    Raises:
        argparse.ArgumentTypeError: If it is not one.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; give YYYY-MM-DD") from error
    if day.isoformat() != text:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; give YYYY-MM-DD")
    return day


def default_root() -> str:
    """`data` in the project whatever the working directory; in the working directory where there is no checkout."""
    project = Path(__file__).resolve().parents[1]
    return str((project if (project / "conf").is_dir() else Path.cwd()) / "data")


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every job and of the runner."""
    parser.add_argument("--root", default=default_root(), help="directory or URI of the zones (default: data)")
    parser.add_argument(
        "--date", type=iso_date, metavar="YYYY-MM-DD", help="last day to process (default: newest in raw)"
    )
    parser.add_argument("--conf", type=Path, metavar="FILE", help="YAML laid over conf/base.yaml")
    parser.add_argument("--source", help="name in conf/sources, or path, of the shop whose data this is")
    parser.add_argument("--rebuild", action="store_true", help="make tables from nothing instead of adding what is new")


def print_error(failure: PlatformError) -> None:
    """The one line that a failure shows."""
    sys.stderr.write(f"error: {failure}\n")
