"""Columns of text made at once: fixed-width fields as byte matrices, variable ones taken from pools."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from generators.spec import DAY_MS

Bytes2D = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]

_HEX = np.array([f"{value:02x}".encode() for value in range(256)], dtype="S2").view(np.uint8).reshape(-1, 2)
_TWO = np.array([f"{value:02d}".encode() for value in range(100)], dtype="S2").view(np.uint8).reshape(-1, 2)
_THREE = np.array([f"{value:03d}".encode() for value in range(1000)], dtype="S3").view(np.uint8).reshape(-1, 3)
TS_WIDTH = 24


def digits(values: npt.NDArray[np.integer], width: int) -> Bytes2D:
    """Whole numbers as digits with leading zeros, (n, width)."""
    out = np.empty((len(values), width), dtype=np.uint8)
    rest = values.astype(np.int64)
    for position in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 10)
        out[:, position] = digit + ord("0")
    return out


def hexadecimal(values: npt.NDArray[np.uint64], width: int) -> Bytes2D:
    """The low hexadecimal digits, (n, width); the width is even."""
    raw = values.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - width // 2 :]
    return _HEX[raw].reshape(len(values), width)


def timestamps(ms: npt.NDArray[np.int64]) -> Bytes2D:
    """Milliseconds since 1970 as ISO 8601 in UTC, (n, 24)."""
    out = np.empty((len(ms), TS_WIDTH), dtype=np.uint8)
    day, rest = np.divmod(ms, DAY_MS)
    out[:, 10], out[:, 23] = ord("T"), ord("Z")
    out[:, 13] = out[:, 16] = ord(":")
    out[:, 19] = ord(".")
    out[:, :10] = dates(day)
    rest, milli = np.divmod(rest, 1000)
    rest, second = np.divmod(rest, 60)
    hour, minute = np.divmod(rest, 60)
    out[:, 11:13], out[:, 14:16], out[:, 17:19] = _TWO[hour], _TWO[minute], _TWO[second]
    out[:, 20:23] = _THREE[milli]
    return out


def dates(days: npt.NDArray[np.int64]) -> Bytes2D:
    """Days since 1970 as YYYY-MM-DD, (n, 10)."""
    if not len(days):
        return np.empty((0, 10), dtype=np.uint8)
    first, last = int(days.min()), int(days.max())
    names = np.datetime_as_string(np.arange(first, last + 1).astype("datetime64[D]")).astype("S10")
    return names.view(np.uint8).reshape(-1, 10)[days - first]


def constant(text: str, rows: int) -> Bytes2D:
    """The same ASCII text in each row."""
    return np.broadcast_to(np.frombuffer(text.encode(), dtype=np.uint8), (rows, len(text)))


def fixed(*parts: Bytes2D, present: BoolArray | None = None) -> pa.Array:
    """Byte matrices side by side as a binary column; empty where not present."""
    matrix = np.concatenate(parts, axis=1)
    width = matrix.shape[1]
    if present is None:
        offsets = np.arange(len(matrix) + 1, dtype=np.int32) * width
        data = matrix
    else:
        offsets = np.concatenate([[0], np.cumsum(present, dtype=np.int32) * width]).astype(np.int32)
        data = matrix[present]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data))]
    return pa.Array.from_buffers(pa.binary(), len(matrix), buffers)


def pool(texts: Sequence[str | bytes]) -> pa.Array:
    """A pool of texts to take from."""
    return pa.array([text.encode() if isinstance(text, str) else text for text in texts], type=pa.binary())


def take(texts: pa.Array, indices: npt.NDArray[np.integer]) -> pa.Array:
    """Texts of a pool by index."""
    return texts.take(pa.array(indices))


def join(*parts: pa.Array | bytes, separator: bytes = b"") -> pa.Array:
    """Columns joined row by row into a binary column."""
    columns = [pa.scalar(part, type=pa.binary()) if isinstance(part, bytes) else part for part in parts]
    return pc.binary_join_element_wise(*columns, pa.scalar(separator, type=pa.binary()))


def numbers(values: npt.NDArray[np.integer]) -> pa.Array:
    """Whole numbers as text."""
    return pa.array(values).cast(pa.string()).cast(pa.binary())


def money(cents: npt.NDArray[np.integer]) -> pa.Array:
    """Amounts not below zero with two decimals."""
    whole, fraction = np.divmod(cents, 100)
    return join(numbers(whole), fixed(digits(fraction, 2)), separator=b".")


def contents(lines: pa.Array) -> bytes | memoryview:
    """The bytes of lines, each with a line feed: the column's own data, without a copy of each row."""
    ended = join(lines, b"\n")
    if not len(ended):
        return b""
    offsets = np.frombuffer(ended.buffers()[1], dtype=np.int32)
    return memoryview(ended.buffers()[2])[offsets[ended.offset] : offsets[ended.offset + len(ended)]]
