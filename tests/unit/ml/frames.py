"""Facts and dimensions of a very small shop, for the transforms of models."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from common.storage.local_frames import local_frame
from common.transforms.customer_days import History

START = date(2025, 6, 1)
LINES = """transaction_id string, order_id bigint, user_id string, product_id string, product_sk bigint, quantity int,
    discount_amount decimal(12,2), total_amount decimal(12,2), rating int, transaction_ts timestamp,
    transaction_date date, is_unknown_user boolean, is_unknown_product boolean, status string"""
EVENTS = """event_id string, user_id string, session_id string, event_type string, product_id string, event_date date,
    is_bot boolean, near_duplicate_of string, is_unknown_user boolean, is_unknown_product boolean"""
USERS = """user_id string, loyalty_tier string, signup_date date, valid_from timestamp, valid_to timestamp,
    is_current boolean, is_deleted boolean"""
PRODUCTS = """product_sk bigint, product_id string, category string, subcategory string, is_active boolean,
    is_current boolean, is_deleted boolean"""
BEGINNING, END = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def day(number: int) -> date:
    """A day by its number, 0 for the first."""
    return START + timedelta(days=number)


def line(user: str, on: int, product: int = 1, **changes: Any) -> dict[str, Any]:
    """A line of a purchase; its order is that of the customer's day."""
    return {
        "transaction_id": f"{user}-{on}-{product}",
        "order_id": on,
        "user_id": user,
        "product_id": f"P{product}",
        "product_sk": product,
        "quantity": 1,
        "discount_amount": Decimal("0.00"),
        "total_amount": Decimal("10.00"),
        "rating": None,
        "transaction_ts": datetime.combine(day(on), datetime.min.time(), UTC) + timedelta(hours=12),
        "transaction_date": day(on),
        "is_unknown_user": False,
        "is_unknown_product": False,
        "status": "delivered",
        **changes,
    }


def event(user: str | None, on: int, kind: str = "product_view", **changes: Any) -> dict[str, Any]:
    """An event of a customer's only session of a day."""
    return {
        "event_id": f"{user}-{on}-{kind}",
        "user_id": user,
        "session_id": f"{user}-{on}",
        "event_type": kind,
        "product_id": "P1",
        "event_date": day(on),
        "is_bot": False,
        "near_duplicate_of": None,
        "is_unknown_user": False,
        "is_unknown_product": False,
        **changes,
    }


def user(name: str, **changes: Any) -> dict[str, Any]:
    """A version of a customer that always held."""
    return {
        "user_id": name,
        "loyalty_tier": "silver",
        "signup_date": day(-100),
        "valid_from": BEGINNING,
        "valid_to": END,
        "is_current": True,
        "is_deleted": False,
        **changes,
    }


def product(number: int, **changes: Any) -> dict[str, Any]:
    """A current product."""
    return {
        "product_sk": number,
        "product_id": f"P{number}",
        "category": "Books",
        "subcategory": "Fiction",
        "is_active": True,
        "is_current": True,
        "is_deleted": False,
        **changes,
    }


def history(
    spark: SparkSession,
    lines: list[dict[str, Any]],
    events: list[dict[str, Any]] | None = None,
    users: list[dict[str, Any]] | None = None,
    products: list[dict[str, Any]] | None = None,
) -> History:
    """A shop; its customers and products are those of the lines where none are given."""
    if users is None:
        users = [user(name) for name in sorted({each["user_id"] for each in lines})]
    if products is None:
        products = [product(number) for number in sorted({each["product_sk"] for each in lines})]
    return History(
        _frame(spark, lines, LINES),
        _frame(spark, events or [], EVENTS),
        _frame(spark, users, USERS),
        _frame(spark, products, PRODUCTS),
    )


def _frame(spark: SparkSession, rows: list[dict[str, Any]], schema: str) -> DataFrame:
    columns = cast(StructType, StructType.fromDDL(schema)).names
    return local_frame(spark, [tuple(row[name] for name in columns) for row in rows], schema)
