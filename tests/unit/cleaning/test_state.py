"""What a cleaning job decides to read, as a table of cases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.cleaning.state import MadeOf, Pending, after, decide
from common.storage.inventory import RawFile

A = RawFile("raw/users/a.csv", 10, 1, None, 3)
B = RawFile("raw/users/changes/date=2025-11-30/b.csv", 10, 1, "2025-11-30", 2)
C = RawFile("raw/users/changes/date=2025-12-01/c.csv", 10, 1, "2025-12-01", 2)
A_TOUCHED = replace(A, modified_ns=2)
A_GROWN = replace(A, size=11, rows=4)


@pytest.mark.parametrize(
    ("present", "processed", "basis", "rebuild", "decision"),
    [
        ((A, B), (), None, False, ((A, B), True, "first load")),
        ((A, B), (), None, True, ((A, B), True, "first load")),
        ((A, B), (A, B), "b1", False, ((), False, "no new files")),
        ((A, B, C), (A, B), "b1", False, ((C,), False, "new files")),
        ((A, B, C), (), "b1", False, ((A, B, C), False, "new files")),
        ((A_TOUCHED, B), (A, B), "b1", False, ((A_TOUCHED, B), True, "a raw file changed")),
        ((A_GROWN, B, C), (A, B), "b1", False, ((A_GROWN, B, C), True, "a raw file changed")),
        ((A, B), (A, B), "b0", False, ((A, B), True, "code or settings changed")),
        ((A, B), (A, B), "b1", True, ((A, B), True, "asked for")),
        ((A,), (A, B), "b0", False, ((A, B), True, "code or settings changed")),
        ((A,), (A, B), "b1", False, ((), False, "no new files")),
        ((), (), "b1", False, ((), False, "no new files")),
    ],
    ids=[
        "first load", "first load, rebuild", "nothing new", "increment", "increment on an empty table", "touched",
        "grown and increment", "other basis", "rebuild", "earlier date, other basis", "earlier date", "no files",
    ],
)  # fmt: skip
def test_decision(
    present: tuple[RawFile, ...],
    processed: tuple[RawFile, ...],
    basis: str | None,
    rebuild: bool,
    decision: tuple[tuple[RawFile, ...], bool, str],
) -> None:
    pending = decide(present, processed, "b1", basis, rebuild=rebuild)
    assert (pending.files, pending.rebuild, pending.why) == decision


@pytest.mark.parametrize(
    ("made", "pending", "expected"),
    [
        (MadeOf(), Pending((A,), True, "first load"), MadeOf((A,), "b1", ("run-2",))),
        (
            MadeOf((A,), "b1", ("run-1",)),
            Pending((B,), False, "new files"),
            MadeOf((A, B), "b1", ("run-1", "run-2")),
        ),
        (
            MadeOf((A,), "b0", ("run-0", "run-1")),
            Pending((A, B), True, "code or settings changed"),
            MadeOf((A, B), "b1", ("run-2",)),
        ),
        (
            MadeOf((A,), "b1", ("run-1", "run-2")),
            Pending((B,), False, "new files"),
            MadeOf((A, B), "b1", ("run-1", "run-2")),
        ),
        (MadeOf((A,), "b1"), Pending((B,), False, "new files"), MadeOf((A, B), "b1")),
    ],
    ids=["first load", "increment", "rebuild", "increment of the same run", "increment on what does not say"],
)
def test_what_a_table_is_made_of_afterwards(made: MadeOf, pending: Pending, expected: MadeOf) -> None:
    assert after(made, pending, "b1", "run-2") == expected
