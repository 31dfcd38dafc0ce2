"""Kernel locks on the outputs of a stage: a process that is killed releases them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from common.errors import LockedError
from common.layout import Layout
from common.storage.files import unwritable

# What Derby says when another process has the metastore of a local root.
_DERBY_IN_USE = "Another instance of Derby may have already booted"


def metastore_in_use(text: str) -> LockedError | None:
    """The failure that a text of Derby's stands for, if it is that one."""
    if _DERBY_IN_USE not in text:
        return None
    return LockedError(
        "the metastore is in use by another process",
        where="warehouse/metastore_db",
        remedy="wait for it to end, or ask DuckDB, which needs no metastore",
    )


@contextmanager
def hold(layout: Layout, outputs: Sequence[str]) -> Iterator[None]:
    """Hold the exclusive locks of some outputs, taken in one order so that two holders cannot block each other.

    Args:
        layout: The root that the outputs belong to.
        outputs: Names of outputs, such as `clean/users`.

    Raises:
        LockedError: If another process, or another thread of this one, holds any of them.
    """
    with ExitStack() as held:
        for output in sorted(set(outputs)):
            held.enter_context(_one(_directory(layout) / (output.replace("/", ".") + ".lock"), layout, output))
        yield


def _directory(layout: Layout) -> Path:
    if layout.is_local:
        return layout.local("ops", "locks")
    name = hashlib.sha256(layout.root.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"ecommerce-locks-{os.getuid()}" / name


@contextmanager
def _one(path: Path, layout: Layout, output: str) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise unwritable(path.parent, error) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.seek(0)
            raise LockedError(
                f"{output} is being written by another run (process {handle.read().strip() or 'unknown'})",
                where=layout.root,
                remedy="wait for it to end, or use another --root",
            ) from error
        handle.seek(0)
        handle.truncate()
        handle.write(str(os.getpid()))
        handle.flush()
        yield
