"""Identifiers in the forms of the contracts, from numbers; different numbers never give the same identifier."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from generators.randomness import I64, Stream, mix, mix_48
from generators.text import Bytes2D, constant, digits, fixed, hexadecimal

# Numbers from here on are for identifiers of rows on top, such as defective copies.
DEFECT_EVENTS = 1 << 39
DEFECT_LINES = 900_000_000
ORPHAN_USERS, ORPHAN_PRODUCTS = 95_000_000, 990_000
NEW_USERS, NEW_PRODUCTS = 50_000_000, 900_000
INCREMENT_LINES = 1_000_000_000
LINES_A_DAY, NEW_USERS_A_DAY, NEW_PRODUCTS_A_DAY = 2_000_000, 10_000, 100
_INCREMENT_BITS, _SESSION_BITS = 40, 33


def _id(letter: str, body: Bytes2D) -> Bytes2D:
    return np.concatenate([constant(letter, len(body)), body], axis=1)


def user_ids(users: npt.NDArray[np.integer]) -> Bytes2D:
    """U and eight digits, (n, 9)."""
    return _id("U", digits(users, 8))


def product_ids(products: npt.NDArray[np.integer]) -> Bytes2D:
    """P and six digits, (n, 7)."""
    return _id("P", digits(products, 6))


def transaction_ids(lines: npt.NDArray[np.integer]) -> Bytes2D:
    """T and ten digits, (n, 11)."""
    return _id("T", digits(lines, 10))


def event_ids(stream: Stream, events: I64, name_space: int) -> Bytes2D:
    """E and sixteen hexadecimal digits, (n, 17); the name space is 0 or an increment's number."""
    number = events.astype(np.uint64) + np.uint64(name_space << _INCREMENT_BITS)
    return _id("E", hexadecimal(mix(number ^ (stream.key("event_id") >> np.uint64(1))), 16))


def session_ids(stream: Stream, keys: I64, name_space: int) -> Bytes2D:
    """S and twelve hexadecimal digits, (n, 13)."""
    number = keys.astype(np.uint64) + np.uint64(name_space << _SESSION_BITS)
    return _id("S", hexadecimal(mix_48(number ^ stream.key("session_id")), 12))


def anonymous_ids(stream: Stream, visitors: I64, name_space: int) -> Bytes2D:
    """A and twelve hexadecimal digits, (n, 13)."""
    number = visitors.astype(np.uint64) + np.uint64(name_space << _SESSION_BITS)
    return _id("A", hexadecimal(mix_48(number ^ stream.key("anonymous_id")), 12))


def column(ids: Bytes2D, present: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Identifiers as a binary column."""
    return fixed(ids, present=present)
