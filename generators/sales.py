"""What is sold: purchases, their lines, and what can be said of a line."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from generators.randomness import I64

STATUSES = ("pending", "paid", "shipped", "delivered", "cancelled", "returned")
PENDING, PAID, SHIPPED, DELIVERED, CANCELLED, RETURNED = range(6)
PAYMENTS = ("credit_card", "debit_card", "paypal", "gift_card", "bank_transfer")


@dataclass(frozen=True)
class Purchases:
    """Purchases by time; a part of them is tracked by a session that ends in buying.

    Attributes:
        user: User index, (B,).
        ts_ms: Time of buying in milliseconds since 1970, (B,).
        size: Number of lines, (B,).
        first_line: Index of the first of them, (B,).
        key: What random values of the purchase hang on, (B,).
    """

    user: I64
    ts_ms: I64
    size: I64
    first_line: I64
    key: I64


@dataclass(frozen=True)
class Lines:
    """Transaction lines, sales by time and then returns by time; amounts in cents.

    Attributes:
        purchase: Purchase of the line, -1 for a return, (L,).
        user: User index, (L,).
        product: Product index, (L,).
        quantity: Below zero for a return, (L,).
        unit_cents: Price of one, (L,).
        discount_cents: Taken off the line, (L,).
        tax_cents: Put on the line, (L,).
        shipping_cents: Put on the first line of a basket, (L,).
        payment: Index into PAYMENTS, (L,).
        status: Index into STATUSES, as of the end of the window, (L,).
        rating: 1 to 5, 0 where there is none, (L,).
        ts_ms: Milliseconds since 1970, (L,).
        twin: Whether the line repeats the one before it in its basket, (L,).
        repeat: Whether the line repeats another purchase minutes before, (L,).
    """

    purchase: I64
    user: I64
    product: I64
    quantity: I64
    unit_cents: I64
    discount_cents: I64
    tax_cents: I64
    shipping_cents: I64
    payment: I64
    status: I64
    rating: I64
    ts_ms: I64
    twin: npt.NDArray[np.bool_]
    repeat: npt.NDArray[np.bool_]

    @property
    def total_cents(self) -> I64:
        """What the line adds to what the customer pays, (L,)."""
        return self.quantity * self.unit_cents - self.discount_cents + self.tax_cents + self.shipping_cents

    def take(self, rows: npt.NDArray[np.integer]) -> Lines:
        """Some of the lines."""
        return Lines(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def join_lines(*parts: Lines) -> Lines:
    """Lines one after another."""
    return Lines(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Lines)}
    )
