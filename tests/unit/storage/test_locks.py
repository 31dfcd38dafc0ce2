"""Locks: one holder at a time, in this process or another, and none that outlives its process."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.errors import LockedError, UnwritableRootError
from common.layout import Layout
from common.storage.locks import hold

PROJECT = Path(__file__).resolve().parents[3]
_HOLDER = """
import sys
from common.layout import Layout
from common.storage.locks import hold
with hold(Layout(sys.argv[1]), sys.argv[2:]):
    print("held", flush=True)
    sys.stdin.read()
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def holder(layout: Layout) -> Iterator[Start]:
    """Starts a process that holds the locks of some outputs until its standard input ends."""
    started: list[subprocess.Popen[str]] = []

    def start(*outputs: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", _HOLDER, layout.root, *outputs],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_another_process_is_told_who_holds_the_output(layout: Layout, holder: Start) -> None:
    process = holder("clean/users", "quarantine/users")
    with (
        pytest.raises(LockedError, match=rf"clean/users is being written by another run \(process {process.pid}\)"),
        hold(layout, ("clean/users",)),
    ):
        pass
    with hold(layout, ("clean/products",)):
        pass


def test_a_process_that_ends_gives_its_locks_back(layout: Layout, holder: Start) -> None:
    process = holder("clean/users")
    process.communicate("")
    with hold(layout, ("clean/users",)):
        pass


def test_a_killed_process_gives_its_locks_back(layout: Layout, holder: Start) -> None:
    process = holder("clean/users")
    process.send_signal(signal.SIGKILL)
    process.wait()
    with hold(layout, ("clean/users",)):
        pass


def test_nothing_is_held_after_a_refusal(layout: Layout, holder: Start) -> None:
    holder("clean/users")
    with pytest.raises(LockedError), hold(layout, ("clean/products", "clean/users")):
        pass
    with hold(layout, ("clean/products",)):
        pass


def test_a_second_holder_in_the_same_process_is_refused(layout: Layout) -> None:
    with hold(layout, ("clean/users",)):
        with pytest.raises(LockedError), hold(layout, ("clean/users",)):
            pass
        with pytest.raises(LockedError), hold(layout, ("clean/users",)):
            pass
    with hold(layout, ("clean/users", "clean/users")):
        pass


def test_a_failure_inside_gives_the_locks_back(layout: Layout) -> None:
    with pytest.raises(RuntimeError, match="inside"), hold(layout, ("clean/users",)):
        raise RuntimeError("inside")
    with hold(layout, ("clean/users",)):
        pass


def test_two_roots_do_not_meet(tmp_path: Path) -> None:
    with hold(Layout.at(tmp_path / "a"), ("clean/users",)), hold(Layout.at(tmp_path / "b"), ("clean/users",)):
        pass


def test_a_remote_root_is_locked_on_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    with hold(Layout("hdfs://name/a"), ("clean/users",)):
        with pytest.raises(LockedError), hold(Layout("hdfs://name/a"), ("clean/users",)):
            pass
        with hold(Layout("hdfs://name/b"), ("clean/users",)):
            pass


def test_a_root_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UnwritableRootError, match="cannot write"), hold(Layout.at(tmp_path / "file" / "r"), ("x",)):
        pass
