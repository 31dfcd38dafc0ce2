"""The failures a caller can handle, each with the exit code that its job ends with.

A message is one line that says what is wrong, where, and what to do about it.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a job tells the shell, Airflow and the ledger."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    GATE_FAILED = 3
    INPUT = 4
    LOCKED = 5


class PlatformError(Exception):
    """Base of all failures that end a job with a line instead of a trace.

    Args:
        what: What is wrong, in a few words that name the culprit.
        where: The file, table, option or key at fault.
        remedy: What the reader can do about it.
    """

    exit_code: ExitCode = ExitCode.UNEXPECTED

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        """Put the line together."""
        self.what, self.where, self.remedy = what, where, remedy
        line = what
        if where:
            line += f" [{where}]"
        if remedy:
            line += f" -> {remedy}"
        super().__init__(" ".join(line.split()))


class UsageError(PlatformError):
    """An argument that cannot be used."""

    exit_code = ExitCode.USAGE


class ConfigurationError(UsageError):
    """A configuration or mapping that has an unknown, missing or impossible entry."""


class UnwritableRootError(UsageError):
    """A root under which nothing can be written."""


class GateFailedError(PlatformError):
    """A quality gate that said no, or could not run at all."""

    exit_code = ExitCode.GATE_FAILED


class AccountError(GateFailedError):
    """Rows that went in and rows that came out do not add up."""


class InputError(PlatformError):
    """An input that is missing or cannot be read."""

    exit_code = ExitCode.INPUT


class TooLittleDataError(InputError):
    """Too little to learn from. Nothing is wrong with it: a shop that is new, or has no such data."""


class LockedError(PlatformError):
    """Another run holds an output of this stage."""

    exit_code = ExitCode.LOCKED
