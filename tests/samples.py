"""Small raw data for tests: good rows to be varied, and files in the form of the raw zone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from common.contracts import CONTRACTS
from common.layout import Layout

DAY = "2025-11-30"
_MONEY = pa.decimal128(12, 2)
_AMOUNTS = ("unit_price", "discount_amount", "tax_amount", "shipping_amount", "total_amount")
TRANSACTION_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("transaction_id", "user_id", "product_id", "session_id")),
        ("quantity", pa.int32()),
        *((name, _MONEY) for name in _AMOUNTS),
        *((name, pa.string()) for name in ("currency", "payment_method", "status")),
        ("rating", pa.int32()),
        ("transaction_ts", pa.timestamp("us", tz="UTC")),
    ]
)


def user(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A user as a row of users.csv; None leaves a field empty."""
    return {
        "user_id": f"U{number:08d}",
        "email": f"person{number}@example.org",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "gender": "female",
        "birth_date": "1990-12-10",
        "phone": "+1 555 0100",
        "street": "1 Main Street",
        "city": "Springfield",
        "state": "IL",
        "country": "US",
        "postal_code": "62701",
        "signup_ts": "2025-01-01T10:00:00Z",
        "marketing_opt_in": "true",
        "loyalty_tier": "gold",
        "updated_at": "2025-06-01T00:00:00Z",
        **changes,
    }


def product(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A product as a row of products.csv."""
    return {
        "product_id": f"P{number:06d}",
        "product_name": "Lamp",
        "category": "Home",
        "subcategory": "Lighting",
        "brand": "Lumen",
        "list_price": "20.00",
        "unit_cost": "8.00",
        "stock_quantity": "5",
        "is_active": "true",
        "created_at": "2025-01-01T00:00:00Z",
        "updated_at": "2025-06-01T00:00:00Z",
        **changes,
    }


def transaction(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A line of a purchase whose total adds up: 2 * 10.00 - 1.00 + 1.50 + 4.00."""
    return {
        "transaction_id": f"T{number:010d}",
        "user_id": "U00000001",
        "product_id": "P000001",
        "session_id": "s1",
        "quantity": 2,
        "unit_price": Decimal("10.00"),
        "discount_amount": Decimal("1.00"),
        "tax_amount": Decimal("1.50"),
        "shipping_amount": Decimal("4.00"),
        "total_amount": Decimal("24.50"),
        "currency": "USD",
        "payment_method": "card",
        "status": "paid",
        "rating": None,
        "transaction_ts": datetime(2025, 11, 30, 12, tzinfo=UTC),
        **changes,
    }


def event(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A click."""
    return {
        "event_id": f"E{number:016x}",
        "event_ts": "2025-11-30T12:00:00Z",
        "user_id": "U00000001",
        "session_id": "s1",
        "event_type": "page_view",
        "page_url": "/home",
        "device": {"type": "mobile", "os": "iOS", "browser": "Safari"},
        **changes,
    }


def csv_text(dataset: str, rows: Iterable[Mapping[str, Any]], *, with_op: bool = False) -> str:
    """A CSV file with the header of the contract; a field that holds a comma or a quote is quoted."""
    columns = [name for name in CONTRACTS[dataset].raw_columns if with_op or name != "op"]
    lines = [",".join(columns)]
    lines += [",".join(_field(row.get(name)) for name in columns) for row in rows]
    return "\n".join(lines) + "\n"


def _field(value: Any) -> str:
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '""') + '"' if any(each in text for each in ',"') else text


def put(layout: Layout, name: str, content: str | bytes) -> Path:
    """A file below raw/."""
    path = layout.local("raw", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def put_users(layout: Layout, rows: Iterable[Mapping[str, Any]], name: str = "users.csv") -> Path:
    """The first load of users."""
    return put(layout, f"users/{name}", csv_text("users", rows))


def put_changes(layout: Layout, dataset: str, day: str, rows: Iterable[Mapping[str, Any]]) -> Path:
    """A day's changes of users or products."""
    return put(layout, f"{dataset}/changes/date={day}/{dataset}.csv", csv_text(dataset, rows, with_op=True))


def put_transactions(
    layout: Layout, rows: Iterable[Mapping[str, Any]], day: str = DAY, name: str = "part-0.parquet"
) -> Path:
    """A day's transactions."""
    path = layout.local("raw", "transactions", f"transaction_date={day}", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=TRANSACTION_SCHEMA), path)
    return path


def put_events(
    layout: Layout, rows: Iterable[Mapping[str, Any] | str], day: str = DAY, name: str = "events.jsonl"
) -> Path:
    """A day's clicks; text goes in as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    return put(layout, f"clickstream/event_date={day}/{name}", "".join(f"{line}\n" for line in lines))


def put_shop(layout: Layout) -> None:
    """A shop with two rows of everything, all of them good."""
    put_users(layout, [user(1), user(2)])
    put(layout, "products/products.csv", csv_text("products", [product(1), product(2)]))
    put_transactions(layout, [transaction(1), transaction(2, product_id="P000002")])
    put_events(layout, [event(1), event(2, event_ts="2025-11-30T12:05:00Z", page_url="/lamp")])
