"""Small files: whole or not at all, and one line when they cannot be read or written."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import InputError, UnwritableRootError
from common.storage.files import ensure_writable, read_json, write_atomically, write_json


def test_a_value_survives_and_the_directory_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    write_json(path, {"name": "Zoë", "n": None})
    assert read_json(path) == {"name": "Zoë", "n": None}
    assert "Zoë" in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_failed_write_leaves_the_old_content_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \ud800")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b""], ids=["half", "no UTF-8", "empty"])
def test_a_damaged_file_is_an_input_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json is not JSON"):
        read_json(path)


def test_a_missing_file_is_an_input_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read a\.json"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("inside", ["x/below", "x"])
def test_a_root_that_is_a_file_or_below_one_cannot_be_written(tmp_path: Path, inside: str) -> None:
    (tmp_path / "x").write_text("a file")
    with pytest.raises(UnwritableRootError, match="cannot write"):
        ensure_writable(tmp_path / inside)
    with pytest.raises(UnwritableRootError, match="cannot write"):
        write_atomically(tmp_path / inside / "a.json", "{}")


def test_a_root_on_a_file_system_that_refuses_cannot_be_written() -> None:
    with pytest.raises(UnwritableRootError, match="cannot write"):
        ensure_writable(Path("/proc/ecommerce"))


def test_a_new_root_is_made_and_left_empty(tmp_path: Path) -> None:
    ensure_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
