"""Failures: one line each, and the exit code that a caller can rely on."""

from __future__ import annotations

import pytest

from common import errors
from common.errors import ExitCode, PlatformError


def test_the_line_says_what_where_and_what_to_do() -> None:
    assert str(PlatformError("no rows", where="raw/users", remedy="copy some")) == "no rows [raw/users] -> copy some"
    assert str(PlatformError("no rows")) == "no rows"


def test_the_line_is_one_line_whatever_goes_in() -> None:
    error = PlatformError("broken\n  at line 3", where="a\tb", remedy="mend\r\nit")
    assert str(error) == "broken at line 3 [a b] -> mend it"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (PlatformError, 1),
        (errors.UsageError, 2),
        (errors.ConfigurationError, 2),
        (errors.UnwritableRootError, 2),
        (errors.GateFailedError, 3),
        (errors.AccountError, 3),
        (errors.InputError, 4),
        (errors.LockedError, 5),
    ],
)
def test_each_kind_has_its_exit_code(kind: type[PlatformError], code: int) -> None:
    assert int(kind("x").exit_code) == code


def test_the_codes_are_those_of_the_contract() -> None:
    names = {"DONE": 0, "UNEXPECTED": 1, "USAGE": 2, "GATE_FAILED": 3, "INPUT": 4, "LOCKED": 5}
    assert {code.name: int(code) for code in ExitCode} == names
