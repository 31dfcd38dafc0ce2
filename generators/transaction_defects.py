"""Defective copies of transaction lines, and which lines are delivered with which day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from generators.identifiers import DEFECT_LINES, ORPHAN_PRODUCTS, ORPHAN_USERS
from generators.ledger import Planted
from generators.randomness import I64, Stream
from generators.sales import CANCELLED, PAID, RETURNED, Lines
from generators.spec import DAY_MS, Spec
from generators.transaction_rows import money_column, to_table

_RATE = 0.001
_RATES = {"exact_duplicate": 0.004, "older_version": 0.004}
COPIES = (
    "missing_key", "missing_user", "missing_product", "missing_ts", "malformed_key", "wrong_total", "negative_quantity",
    "zero_quantity", "negative_price", "impossible_date", "future_date", "unknown_status", "foreign_currency",
    "impossible_rating", "exact_duplicate", "older_version",
)  # fmt: skip
_SAME_ID = ("exact_duplicate", "older_version")
_ORPHANS = ("orphan_user", "orphan_product")


def with_orphans(spec: Spec, stream: Stream, lines: Lines, products: int) -> tuple[Lines, dict[str, I64]]:
    """Give some lines a user or product that no file knows.

    Args:
        spec: The data set.
        stream: The stream of the defects.
        lines: All lines.
        products: Number of products.

    Returns:
        The lines, and the rows of each class.
    """
    count = spec.planted(_RATE, len(lines.user))
    plain = np.flatnonzero((lines.status != RETURNED) & ~lines.twin & ~lines.repeat)
    # A line of a basket with one line only, so that the lines of a purchase keep sharing their user.
    sizes = np.bincount(lines.purchase[lines.purchase >= 0])
    single = plain[sizes[lines.purchase[plain]] == 1]
    users = single[stream.sample("orphan_user", len(single), min(count, len(single)))]
    others = np.setdiff1d(plain, users)
    chosen = others[stream.sample("orphan_product", len(others), count)]
    user, product = lines.user.copy(), lines.product.copy()
    user[users] = ORPHAN_USERS + stream.below("orphan_user_id", users, 900_000)
    product[chosen] = ORPHAN_PRODUCTS + stream.below("orphan_product_id", chosen, 4_000)
    return replace(lines, user=user, product=product), {"orphan_user": users, "orphan_product": chosen}


@dataclass(frozen=True)
class Copies:
    """Defective copies of lines, as they stand in the files.

    Attributes:
        table: The rows.
        name: Class of each, index into COPIES.
        day: Day of delivery.
    """

    table: pa.Table
    name: I64
    day: I64


def _set(table: pa.Table, column: str, where: np.ndarray, values: pa.Array | pa.Scalar) -> pa.Table:
    index = table.schema.get_field_index(column)
    return table.set_column(index, table.schema.field(index), pc.if_else(pa.array(where), values, table.column(column)))


def make_copies(  # noqa: PLR0913, PLR0917 - each is a different input
    spec: Spec,
    lines: Lines,
    keys: I64,
    streams: tuple[Stream, Stream],
    days: tuple[int, int],
    first_number: int,
    space: int,
) -> Copies:
    """Make all defective copies.

    Args:
        spec: The data set.
        lines: The lines; row numbers count from `first_number`.
        keys: Session keys of the lines, (L,).
        streams: Those of the defects and of the sessions.
        days: First day and last day of delivery, as days since 1970.
        first_number: Number in the id of the first line.
        space: 0, or the increment's number.
    """
    stream, sessions = streams
    order = {name: spec.planted(_RATES.get(name, _RATE), len(lines.user)) for name in COPIES}
    plain = np.flatnonzero((lines.status >= PAID) & (lines.status != RETURNED) & (lines.user < ORPHAN_USERS))
    special = (lines.product >= ORPHAN_PRODUCTS) | lines.twin | lines.repeat
    special[:-1] |= lines.twin[1:]
    plain = plain[~special[plain]]
    # A line has one older version at most, so these sources differ from one another; the rest are mere patterns.
    source = np.resize(plain[stream.sample("source", len(plain), sum(order.values()))], sum(order.values()))
    name = np.repeat(np.arange(len(COPIES)), list(order.values()))[::-1]
    ids = np.arange(len(source))
    copied = lines.take(source)

    def of(*classes: str) -> np.ndarray:
        return np.isin(name, [COPIES.index(each) for each in classes])

    quantity, unit = copied.quantity.copy(), copied.unit_cents.copy()
    negative, zero = of("negative_quantity"), of("zero_quantity")
    sign = np.where(negative, -1, np.where(zero, 0, 1))
    unit[of("negative_price")] *= -1
    older = of("older_version")
    earlier = np.where(copied.status == CANCELLED, PAID, copied.status - 1)
    copied = replace(
        copied,
        quantity=quantity * sign,
        unit_cents=unit,
        discount_cents=copied.discount_cents * sign,
        tax_cents=copied.tax_cents * sign,
        shipping_cents=copied.shipping_cents * np.where(negative, -1, 1),
        status=np.where(older, earlier, copied.status),
    )
    shift = np.where(of("future_date"), 8 + stream.below("future", ids, 25), 0) * DAY_MS
    delivered = np.maximum(copied.ts_ms // DAY_MS, days[0])
    late = np.where(of(*_SAME_ID), stream.below("delay", ids, 3), 0)
    copied = replace(copied, ts_ms=copied.ts_ms + shift)
    numbers = np.where(of(*_SAME_ID), first_number + source, DEFECT_LINES + space * 100_000 % 90_000_000 + ids)
    table = to_table(copied, numbers, keys[source], sessions, space)
    table = _mutate(table, of, stream, ids, copied)
    return Copies(table, name, np.minimum(delivered + late, days[1]))


def _mutate(table: pa.Table, where: Callable[[str], np.ndarray], stream: Stream, ids: I64, copied: Lines) -> pa.Table:
    """Put the one thing wrong into each row; `where` tells the rows of a class."""
    text = pa.scalar(None, pa.string())

    def choose(column: str, values: list[str]) -> pa.Array:
        return pa.array(values).take(pa.array(stream.below(column, ids, len(values))))

    for column, name in (
        ("transaction_id", "missing_key"),
        ("user_id", "missing_user"),
        ("product_id", "missing_product"),
    ):
        table = _set(table, column, where(name), text)
    table = _set(
        table, "transaction_ts", where("missing_ts"), pa.scalar(None, table.schema.field("transaction_ts").type)
    )
    bad_ids = choose("bad_id", ["T12", "X0000000017", "0000000423", "T00000000000042", "t0000000815"])
    table = _set(table, "transaction_id", where("malformed_key"), bad_ids)
    table = _set(table, "status", where("unknown_status"), choose("bad_status", ["lost", "complete", "on_hold"]))
    table = _set(table, "currency", where("foreign_currency"), pa.scalar("EUR"))
    ratings = pa.array(np.array([0, 6, 9, 10], dtype=np.int32)[stream.below("bad_rating", ids, 4)])
    table = _set(table, "rating", where("impossible_rating"), ratings)
    sign = np.where(ids % 2 == 0, 1, -1).astype(np.int64)
    wrong = copied.total_cents + sign * (5 + stream.below("off_by", ids, 5_000))
    table = _set(table, "total_amount", where("wrong_total"), money_column(wrong))
    years = np.array(["1970-01-01", "1899-12-30"], dtype="datetime64[us]").astype(np.int64)
    times = years[ids % 2] + (copied.ts_ms % DAY_MS) * 1000
    return _set(table, "transaction_ts", where("impossible_date"), pa.array(times).cast(pa.timestamp("us", tz="UTC")))


def identity(table: pa.Table) -> list[bytes]:
    """What tells transaction rows apart in the truth: their key columns and time, as bytes."""
    columns = [table.column(name).to_pylist() for name in ("transaction_id", "user_id", "product_id", "quantity")]
    columns.append(table.column("transaction_ts").cast(pa.int64()).to_pylist())
    rows = zip(*columns, strict=True)
    return ["|".join("" if value is None else str(value) for value in row).encode() for row in rows]


def note(planted: Planted, path: str, names: list[str], table: pa.Table) -> None:
    """Take down planted rows of one file."""
    for name, raw, key in zip(names, identity(table), table.column("transaction_id").to_pylist(), strict=True):
        planted.add("transactions", name, path, raw, key)
