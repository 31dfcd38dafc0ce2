"""Packed text files: Spark's reader goes by a file's suffix, so what is declared must agree with it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from common.errors import ConfigurationError
from common.settings import MappedFile

_BY_SUFFIX = {".gz": "gzip", ".gzip": "gzip", ".bz2": "bzip2", ".zst": "zstd"}
# Spark takes these for text, or reads no row of them; neither could be counted.
_UNREADABLE = frozenset({".7z", ".br", ".deflate", ".lz4", ".lzo", ".snappy", ".xz", ".zip"})
_CODECS = {"none": None, "gzip": "gzip", "bzip2": "bz2", "zstd": "zstd"}


def compression_of(path: Path) -> str:
    """How a file is packed, by its suffix, in capitals or not: none, gzip, bzip2 or zstd."""
    return _BY_SUFFIX.get(path.suffix.lower(), "none")


def check_compression(paths: Iterable[Path], declared: MappedFile, where: str) -> None:
    """See that files are packed in a form that can be read, and in the one that is declared.

    Raises:
        ConfigurationError: If one is not.
    """
    if declared.format == "parquet":
        return
    for path in paths:
        if path.suffix.lower() in _UNREADABLE:
            raise ConfigurationError(
                f"{path} is packed in a form that cannot be read", where=where, remedy="pack it by gzip, bzip2 or zstd"
            )
        found = compression_of(path)
        if declared.compression not in {None, found}:
            raise ConfigurationError(
                f"compression {declared.compression} is declared, and {path} has the suffix of {found}",
                where=where,
                remedy=f"rename the file ({_suffixes()}), or declare {found}",
            )


def open_text(path: Path) -> io.BufferedIOBase:
    """The bytes of a text file, unpacked; reading raises OSError where it is damaged."""
    opened: io.BufferedIOBase = pa.input_stream(str(path), compression=_CODECS[compression_of(path)])
    return opened


def _suffixes() -> str:
    return ", ".join(f"{suffix} is {name}" for suffix, name in _BY_SUFFIX.items())
