"""The contracts: each rule at its boundary, and every reason that a row has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import BinaryType, DateType, StringType, StructField, StructType

from common.cleaning.reading import (
    DELIVERED_ON,
    LINE_REASON,
    PAYLOAD,
    RAW,
    SOURCE_FILE,
    _parquet_schema,
    raw_json_schema,
)
from common.cleaning.typing_rows import FLAGS, PAYLOAD_HASH, REASONS, type_rows
from common.contracts import CLICKSTREAM, CONTRACTS, PRODUCTS, TRANSACTIONS, USERS, Contract
from common.settings import SourceSettings
from common.storage.local_frames import local_frame
from tests import samples

DELIVERED = date(2025, 11, 30)
Case = tuple[dict[str, Any], list[str]]
_SAMPLE = {
    "users": samples.user,
    "products": samples.product,
    "transactions": samples.transaction,
    "clickstream": samples.event,
}


def raw_frame(
    spark: SparkSession,
    contract: Contract,
    rows: Sequence[Mapping[str, Any] | None],
    delivered: date | None = DELIVERED,
) -> DataFrame:
    """What reading gives for some raw rows; None stands for a line that is no row."""
    if contract.form == "parquet":
        raw = _parquet_schema(contract)
    elif contract.form == "json":
        raw = raw_json_schema(contract)
    else:
        raw = StructType([StructField(name, StringType()) for name in contract.raw_columns])
    lines = [
        (
            None if row is None else {name: row.get(name) for name in raw.fieldNames()},
            bytearray(json.dumps([index, row], default=str).encode()),
            "malformed_line" if row is None else None,
            "raw/file",
            delivered,
        )
        for index, row in enumerate(rows)
    ]
    schema = StructType(
        [
            StructField(RAW, raw),
            StructField(PAYLOAD, BinaryType()),
            StructField(LINE_REASON, StringType()),
            StructField(SOURCE_FILE, StringType()),
            StructField(DELIVERED_ON, DateType()),
        ]
    )
    return local_frame(spark, lines, schema)


def check(spark: SparkSession, contract: Contract, source: SourceSettings, cases: Sequence[Case]) -> None:
    """Each case is a good row with some changes, and its reasons, `flag:` before a flag."""
    make = _SAMPLE[contract.name]
    rows = [make(1, **changes) for changes, _ in cases]
    typed = type_rows(raw_frame(spark, contract, rows), contract, source)
    found = {
        json.loads(bytes(row[PAYLOAD]))[0]: [*row[REASONS], *(f"flag:{each}" for each in row[FLAGS])]
        for row in typed.select(PAYLOAD, REASONS, FLAGS).collect()
        if row[PAYLOAD] is not None
    }
    for index, (changes, expected) in enumerate(cases):
        reasons = [each for each in expected if not each.startswith("flag:")]
        if reasons:
            assert (changes, sorted(found[index])) == (changes, sorted(expected))
        else:
            assert (changes, index in found) == (changes, False)


USER_CASES: list[Case] = [
    ({}, []),
    ({"user_id": None}, ["missing_user_id"]),
    ({"user_id": ""}, ["missing_user_id"]),
    ({"user_id": "   "}, ["missing_user_id"]),
    ({"user_id": " U00000001 "}, []),
    ({"user_id": "U0000001"}, ["malformed_user_id"]),
    ({"user_id": "U000000011"}, ["malformed_user_id"]),
    ({"user_id": "u00000001"}, ["malformed_user_id"]),
    ({"user_id": "U0000000\u0661"}, ["malformed_user_id"]),
    ({"updated_at": None}, ["missing_updated_at"]),
    ({"updated_at": "soon"}, ["invalid_updated_at"]),
    ({"updated_at": "2025-02-29T00:00:00Z"}, ["invalid_updated_at"]),
    ({"updated_at": "2024-02-29T00:00:00Z"}, []),
    ({"updated_at": "2025-12-02T23:59:59.999999Z"}, []),
    ({"updated_at": "2025-12-03T00:00:00Z"}, ["future_updated_at"]),
    ({"birth_date": None, "signup_ts": None, "marketing_opt_in": None, "email": None}, []),
    *[({"updated_at": text}, ["invalid_updated_at"]) for text in ("12:30", "T12:30", "2025", "2025-06", "now")],
    *[({"updated_at": text}, ["invalid_updated_at"]) for text in ("99999-01-01", "2025-06-01T24:00:00Z")],
    *[({"updated_at": text}, []) for text in ("2025-06-01", "2025-6-1 9:30:00", "2025-06-01T09:30:00.123456+02:00")],
    *[
        ({"birth_date": text}, ["invalid_birth_date"])
        for text in ("1990", "1990-12", "1990-12-10Tnoon", "1990-12-10 x")
    ],
    *[({"birth_date": text}, []) for text in ("1990-1-2", "1990-12-10 00:00:00", "1990-12-10T00:00:00Z")],
    ({"birth_date": "1990-02-30"}, ["invalid_birth_date"]),
    ({"birth_date": "1899-12-31"}, ["impossible_birth_date"]),
    ({"birth_date": "1900-01-01"}, []),
    ({"birth_date": "2025-06-01"}, []),
    ({"birth_date": "2025-06-02"}, ["impossible_birth_date"]),
    ({"signup_ts": "yesterday at nine"}, ["invalid_signup_ts"]),
    ({"marketing_opt_in": "maybe"}, ["invalid_marketing_opt_in"]),
    ({"marketing_opt_in": "FALSE"}, []),
    ({"op": "delete"}, []),
    ({"op": "upsert"}, []),
    ({"op": "merge"}, ["unknown_op"]),
    ({"op": "DELETE"}, ["unknown_op"]),
    (
        {"user_id": "x", "birth_date": "never", "op": "?", "updated_at": None, "email": "none"},
        ["missing_updated_at", "invalid_birth_date", "malformed_user_id", "unknown_op", "flag:malformed_email"],
    ),
]
PRODUCT_CASES: list[Case] = [
    ({}, []),
    ({"product_id": None}, ["missing_product_id"]),
    ({"product_id": "P1"}, ["malformed_product_id"]),
    ({"op": "remove"}, ["unknown_op"]),
    ({"updated_at": "2025-12-02T23:59:59.999999Z"}, []),
    ({"updated_at": "2025-12-03T00:00:00Z"}, ["future_updated_at"]),
    ({"list_price": "0"}, []),
    ({"list_price": "-0.01"}, ["negative_list_price"]),
    ({"unit_cost": "-1"}, ["negative_unit_cost"]),
    ({"stock_quantity": "0"}, []),
    ({"stock_quantity": "-1"}, ["negative_stock_quantity"]),
    ({"stock_quantity": "1.5"}, ["invalid_stock_quantity"]),
    ({"stock_quantity": "2147483647"}, []),
    ({"stock_quantity": "2147483648"}, ["invalid_stock_quantity"]),
    ({"list_price": "9.999"}, ["invalid_list_price"]),
    ({"list_price": "9.990"}, []),
    ({"list_price": "1e1"}, []),
    ({"list_price": "9999999999.99"}, []),
    ({"list_price": "10000000000.00"}, ["invalid_list_price"]),
    ({"list_price": "1" * 60}, ["invalid_list_price"]),
    ({"list_price": "$9.99"}, ["invalid_list_price"]),
    ({"list_price": "9,99"}, ["invalid_list_price"]),
    ({"list_price": "NaN"}, ["invalid_list_price"]),
    ({"list_price": None, "unit_cost": "", "stock_quantity": " ", "is_active": None, "created_at": None}, []),
    ({"is_active": "perhaps"}, ["invalid_is_active"]),
]
TRANSACTION_CASES: list[Case] = [
    ({}, []),
    *[({name: None}, [f"missing_{name}"]) for name in TRANSACTIONS.required],
    ({name: None for name in ("session_id", "currency", "payment_method", "status", "rating")}, []),
    ({"discount_amount": None, "tax_amount": None, "shipping_amount": None, "total_amount": Decimal("20.00")}, []),
    ({"transaction_id": "T1"}, ["malformed_transaction_id"]),
    ({"user_id": "not checked here"}, []),
    ({"status": "lost"}, ["unknown_status"]),
    ({"status": "Paid"}, ["unknown_status"]),
    ({"currency": "EUR"}, ["currency_without_rate"]),
    ({"quantity": 0, "total_amount": Decimal("4.50")}, ["zero_quantity"]),
    ({"quantity": -2, "total_amount": Decimal("-15.50")}, ["negative_quantity"]),
    ({"quantity": -2, "total_amount": Decimal("-15.50"), "status": None}, ["negative_quantity"]),
    ({"quantity": -2, "total_amount": Decimal("-15.50"), "status": "returned"}, []),
    ({"unit_price": Decimal("-10.00"), "total_amount": Decimal("-15.50")}, ["negative_unit_price"]),
    ({"unit_price": Decimal("0.00"), "total_amount": Decimal("4.50")}, []),
    ({"total_amount": Decimal("24.51")}, []),
    ({"total_amount": Decimal("24.49")}, []),
    ({"total_amount": Decimal("24.52")}, ["wrong_total"]),
    ({"total_amount": Decimal("24.48")}, ["wrong_total"]),
    (
        {"quantity": 2_147_483_647, "unit_price": Decimal("9999999999.99")},
        ["wrong_total"],
    ),
    ({"rating": 1}, []),
    ({"rating": 5}, []),
    ({"rating": 0}, ["impossible_rating"]),
    ({"rating": 6}, ["impossible_rating"]),
    ({"transaction_ts": datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)}, ["impossible_transaction_ts"]),
    ({"transaction_ts": datetime(2000, 1, 1, tzinfo=UTC)}, []),
    ({"transaction_ts": datetime(2025, 12, 2, 23, 59, 59, 999999, tzinfo=UTC)}, []),
    ({"transaction_ts": datetime(2025, 12, 3, tzinfo=UTC)}, ["future_transaction_ts"]),
    (
        {"user_id": None, "status": "lost", "rating": 9, "quantity": 0},
        ["missing_user_id", "unknown_status", "zero_quantity", "wrong_total", "impossible_rating"],
    ),
]
EVENT_CASES: list[Case] = [
    ({}, []),
    ({"event_id": None}, ["missing_event_id"]),
    ({"event_id": "E123"}, ["malformed_event_id"]),
    ({"event_id": "E00000000000000FF"}, ["malformed_event_id"]),
    ({"event_ts": None}, ["missing_event_ts"]),
    ({"event_ts": "12 o'clock"}, ["invalid_event_ts"]),
    ({"event_ts": "2025-11-30T25:00:00Z"}, ["invalid_event_ts"]),
    ({"event_ts": "2025-11-30T23:59:59.999999+14:00"}, []),
    ({"event_type": None}, ["missing_event_type"]),
    ({"event_type": "hover"}, ["unknown_event_type"]),
    ({"user_id": None, "anonymous_id": "a1"}, []),
    ({"user_id": None, "anonymous_id": None}, ["missing_actor"]),
    ({"user_id": " ", "anonymous_id": ""}, ["missing_actor"]),
    ({"quantity": "-1"}, ["invalid_quantity"]),
    ({"quantity": "0"}, []),
    ({"quantity": "many"}, ["invalid_quantity"]),
    ({"event_ts": "1999-12-31T23:59:59Z"}, ["impossible_event_ts"]),
    ({"event_ts": "2025-12-02T23:59:59Z"}, []),
    ({"event_ts": "2025-12-03T00:00:00Z"}, ["future_event_ts"]),
    ({"device": None, "geo": None, "utm": None}, []),
]


@pytest.mark.parametrize(
    ("contract", "cases"),
    [(USERS, USER_CASES), (PRODUCTS, PRODUCT_CASES), (TRANSACTIONS, TRANSACTION_CASES), (CLICKSTREAM, EVENT_CASES)],
    ids=list(CONTRACTS),
)
def test_rules_at_their_boundaries(
    spark: SparkSession, source: SourceSettings, contract: Contract, cases: list[Case]
) -> None:
    check(spark, contract, source, cases)


def test_every_rule_of_a_contract_is_among_the_cases() -> None:
    cases = dict(zip(CONTRACTS, (USER_CASES, PRODUCT_CASES, TRANSACTION_CASES, EVENT_CASES), strict=True))
    limited = {"excessive_quantity", "negligible_total"}  # rules that the generated shop does not use
    for name, contract in CONTRACTS.items():
        seen = {reason.removeprefix("flag:") for _, reasons in cases[name] for reason in reasons}
        assert {rule.reason for rule in contract.rules} - seen <= limited, name


def test_limits_of_a_source(spark: SparkSession, source: SourceSettings) -> None:
    limits = source.limits.model_copy(
        update={"max_quantity": 3, "min_total_amount": Decimal("1.00"), "check_total": False}
    )
    patterns = source.key_patterns.model_copy(update={"transaction_id": None})
    shop = source.model_copy(update={"limits": limits, "key_patterns": patterns})
    cases: list[Case] = [
        ({"transaction_id": "any text"}, []),
        ({"total_amount": Decimal("999.00")}, []),
        ({"quantity": 3}, []),
        ({"quantity": 4}, ["excessive_quantity"]),
        ({"quantity": -4, "status": "returned"}, ["excessive_quantity"]),
        ({"total_amount": Decimal("1.00")}, []),
        ({"total_amount": Decimal("0.99")}, ["negligible_total"]),
        ({"total_amount": Decimal("-0.99")}, ["negligible_total"]),
        ({"total_amount": Decimal("-1.00")}, []),
    ]
    check(spark, TRANSACTIONS, shop, cases)


def test_without_a_day_of_delivery_no_time_is_in_the_future(spark: SparkSession, source: SourceSettings) -> None:
    late = samples.transaction(1, transaction_ts=datetime(2099, 1, 1, tzinfo=UTC))
    typed = type_rows(raw_frame(spark, TRANSACTIONS, [late], delivered=None), TRANSACTIONS, source)
    assert [list(row[0]) for row in typed.select(REASONS).collect()] == [[]]


def test_a_flag_keeps_the_row(spark: SparkSession, source: SourceSettings) -> None:
    emails = ["a@x.org", None, "nobody", "two@@x.org", "a b@x.org", "a@x"]
    rows = [samples.user(number, email=email) for number, email in enumerate(emails)]
    typed = type_rows(raw_frame(spark, USERS, rows), USERS, source).select("email", FLAGS, REASONS)
    flagged = {row["email"]: list(row[FLAGS]) for row in typed.collect()}
    wrong = ["malformed_email"]
    assert flagged == {"a@x.org": [], None: [], "nobody": wrong, "two@@x.org": wrong, "a b@x.org": wrong, "a@x": []}
    assert all(list(row[REASONS]) == [] for row in typed.collect())


def test_a_line_that_is_no_row_has_exactly_one_reason(spark: SparkSession, source: SourceSettings) -> None:
    for contract in (USERS, CLICKSTREAM):
        (row,) = type_rows(raw_frame(spark, contract, [None]), contract, source).collect()
        assert list(row[REASONS]) == ["malformed_line"]
        assert row[PAYLOAD] is not None
        assert all(row[field.name] is None for field in contract.fields if field.name != "op")


def test_values_are_typed_and_trimmed(spark: SparkSession, source: SourceSettings) -> None:
    good = samples.user(1, first_name="  Ada ", email="", updated_at="2025-06-01T02:00:00+02:00")
    (row,) = type_rows(raw_frame(spark, USERS, [good]), USERS, source).collect()
    assert (row["first_name"], row["email"], row["op"]) == ("Ada", None, "upsert")
    assert row["birth_date"] == date(1990, 12, 10)
    assert row["updated_at"].replace(tzinfo=UTC).timestamp() == datetime(2025, 6, 1, tzinfo=UTC).timestamp()
    assert row[PAYLOAD] is None, "the bytes of a good row are not kept twice"


def test_the_hash_is_that_of_the_content_and_not_of_its_spelling(spark: SparkSession, source: SourceSettings) -> None:
    rows = [
        samples.product(1, list_price="20.00"),
        samples.product(1, list_price=" 20.0"),
        samples.product(1, list_price="20.01"),
        samples.product(1, list_price=None, unit_cost="20.00"),
        samples.product(1, list_price="20.00", unit_cost=None),
    ]
    typed = type_rows(raw_frame(spark, PRODUCTS, rows), PRODUCTS, source)
    hashes = [row[0] for row in typed.select(PAYLOAD_HASH).collect()]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 4


def test_typed_columns_are_those_of_the_contract(spark: SparkSession, source: SourceSettings) -> None:
    for contract in CONTRACTS.values():
        typed = type_rows(raw_frame(spark, contract, []), contract, source)
        assert typed.dtypes[: len(contract.fields)] == [(field.name, field.type) for field in contract.fields]
        assert typed.columns[len(contract.fields) :] == [
            FLAGS, REASONS, PAYLOAD, PAYLOAD_HASH, SOURCE_FILE, DELIVERED_ON,
        ]  # fmt: skip
