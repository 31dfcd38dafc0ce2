"""Transaction lines as Parquet tables."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from generators.identifiers import column, product_ids, session_ids, transaction_ids, user_ids
from generators.randomness import I64, Stream
from generators.sales import PAYMENTS, STATUSES, Lines

_MONEY = pa.decimal128(12, 2)
SCHEMA = pa.schema(
    [
        ("transaction_id", pa.string()),
        ("user_id", pa.string()),
        ("product_id", pa.string()),
        ("session_id", pa.string()),
        ("quantity", pa.int32()),
        ("unit_price", _MONEY),
        ("discount_amount", _MONEY),
        ("tax_amount", _MONEY),
        ("shipping_amount", _MONEY),
        ("total_amount", _MONEY),
        ("currency", pa.string()),
        ("payment_method", pa.string()),
        ("status", pa.string()),
        ("rating", pa.int32()),
        ("transaction_ts", pa.timestamp("us", tz="UTC")),
    ]
)


def money_column(cents: I64) -> pa.Array:
    """Cents as decimal(12, 2): the unscaled value is the number of cents."""
    low = np.empty((len(cents), 2), dtype=np.int64)
    low[:, 0], low[:, 1] = cents, cents >> 63
    return pa.Array.from_buffers(_MONEY, len(cents), [None, pa.py_buffer(low)])


def _text(ids: npt.NDArray[np.uint8]) -> pa.Array:
    return column(ids).cast(pa.string())


def _dictionary(values: tuple[str, ...], indices: I64) -> pa.Array:
    return pa.array(values, type=pa.string()).take(pa.array(indices))


def to_table(lines: Lines, numbers: I64, purchase_keys: I64, stream: Stream, name_space: int = 0) -> pa.Table:
    """Lines as a table of the raw layout.

    Args:
        lines: The lines.
        numbers: What their ids are made of, (L,).
        purchase_keys: Key of the session of each line, -1 for lines without one, (L,).
        stream: The sessions' stream.
        name_space: 0, or an increment's number.
    """
    sessions = _text(session_ids(stream, np.maximum(purchase_keys, 0), name_space))
    columns = [
        _text(transaction_ids(numbers)),
        _text(user_ids(lines.user)),
        _text(product_ids(lines.product)),
        pc.if_else(pa.array(purchase_keys >= 0), sessions, pa.scalar(None, pa.string())),
        pa.array(lines.quantity.astype(np.int32)),
        money_column(lines.unit_cents),
        money_column(lines.discount_cents),
        money_column(lines.tax_cents),
        money_column(lines.shipping_cents),
        money_column(lines.total_cents),
        _dictionary(("USD",), np.zeros(len(numbers), dtype=np.int64)),
        _dictionary(PAYMENTS, lines.payment),
        _dictionary(STATUSES, lines.status),
        pa.array(lines.rating.astype(np.int32), mask=lines.rating == 0),
        pa.array(lines.ts_ms * 1000).cast(pa.timestamp("us", tz="UTC")),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)
