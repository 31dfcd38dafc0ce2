"""Small files of the operational zone: written beside and renamed, so that a reader never sees half of one."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from common.errors import InputError, UnwritableRootError


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file, text as UTF-8, so that it is there whole or not at all.

    Raises:
        UnwritableRootError: If the directory cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise unwritable(path.parent, error) from error
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content.encode("utf-8") if isinstance(content, str) else content)
            out.flush()
            os.fsync(out.fileno())
        beside.chmod(0o644)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: object) -> None:
    """Write JSON in the same bytes for the same value."""
    write_atomically(path, json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON is what it is; callers validate
    """Read a JSON file of the operational zone.

    Raises:
        InputError: If the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path.name}", where=str(path), remedy="run the stage that writes it") from error
    except ValueError as error:
        raise InputError(
            f"{path.name} is not JSON: {error}", where=str(path), remedy="remove it and run again"
        ) from error


def ensure_writable(root: Path) -> None:
    """See that files can be made under a root; a directory that is not there yet is made.

    Raises:
        UnwritableRootError: If not. Asks the file system itself, as permission bits do not tell for a superuser or a
            read-only mount.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise unwritable(root, error) from error


def keep_private(directory: Path) -> None:
    """Make a directory that its owner alone can enter: it holds personal data.

    Raises:
        UnwritableRootError: If it cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise unwritable(directory, error) from error


def unwritable(path: Path, error: OSError) -> UnwritableRootError:
    """The failure of a directory that cannot be written."""
    return UnwritableRootError(
        f"cannot write: {error.strerror or error}",
        where=str(path),
        remedy="choose another --root or mend its permissions",
    )
