"""The two dimensions: which changes make a version, for how long it holds, and what it keeps."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from common.transforms.dimensions import product_history, user_history
from common.transforms.scd2 import surrogate_key
from common.transforms.tokens import TokenKey
from tests.unit.transforms.frames import assert_part, frame, rows_of, table

USERS = """user_id string, email string, first_name string, last_name string, gender string, birth_date date,
    phone string, street string, city string, state string, country string, postal_code string, signup_ts timestamp,
    marketing_opt_in boolean, loyalty_tier string, updated_at timestamp, op string, _payload_hash bigint"""
DIM_USERS = """user_id string, email_token string, phone_token string, name_token string, gender string,
    birth_year int, city string, state string, country string, signup_ts timestamp, signup_date date,
    marketing_opt_in boolean, loyalty_tier string, valid_from timestamp, valid_to timestamp, is_current boolean,
    is_deleted boolean, _changes_of_key bigint"""
PRODUCTS = """product_id string, product_name string, category string, subcategory string, brand string,
    list_price decimal(12,2), unit_cost decimal(12,2), stock_quantity int, is_active boolean, created_at timestamp,
    updated_at timestamp, op string, _payload_hash bigint"""
DIM_PRODUCTS = """product_id string, product_name string, category string, subcategory string, brand string,
    list_price decimal(12,2), unit_cost decimal(12,2), stock_quantity int, is_active boolean, created_at timestamp,
    valid_from timestamp, valid_to timestamp, is_current boolean, is_deleted boolean, _changes_of_key bigint"""
KEY = TokenKey(b"0f1e2d3c4b5a69788796a5b4c3d2e1f7")
ALWAYS, EVER = "1900-01-01", "9999-12-31"
ONE, TWO, THREE = "2025-01-01", "2025-02-01", "2025-03-01"
ANN = {
    "email": "ann@example.com",
    "first_name": "Ann",
    "last_name": "van Lee",
    "gender": "f",
    "birth_date": "1990-06-15",
    "phone": "+1 555 0100",
    "street": "High Street 1",
    "city": "Leeds",
    "state": "Yorkshire",
    "country": "GB",
    "postal_code": "LS1",
    "signup_ts": "2024-12-01 10:00:00",
    "marketing_opt_in": True,
    "loyalty_tier": "silver",
}
LAMP = {
    "product_name": "Lamp",
    "category": "Home",
    "subcategory": "Light",
    "brand": "Lumo",
    "list_price": "10.00",
    "unit_cost": "4.00",
    "stock_quantity": 5,
    "is_active": True,
    "created_at": "2024-12-01",
}
ANN_ELSEWHERE = {
    "email": "lee@example.com",
    "first_name": "Anna",
    "last_name": "Lee",
    "gender": "x",
    "birth_date": "1991-06-15",
    "phone": "+1 555 0101",
    "city": "York",
    "state": "Kent",
    "country": "US",
    "signup_ts": "2024-12-01 10:00:00.000001",
    "marketing_opt_in": False,
    "loyalty_tier": "gold",
}
ANOTHER_LAMP = {
    "product_name": "Lantern",
    "category": "Garden",
    "subcategory": "Fire",
    "brand": "Ember",
    "list_price": "10.01",
    "unit_cost": "4.01",
    "is_active": False,
    "created_at": "2024-12-02",
}
BETWEEN = "valid_from timestamp, valid_to timestamp, is_current boolean, is_deleted boolean, _changes_of_key bigint"


def _user(name: str, at: str, **changes: Any) -> dict[str, Any]:
    return {"user_id": name, "updated_at": at, "op": "upsert", "_payload_hash": 1, **ANN, **changes}


def _product(name: str, at: str, **changes: Any) -> dict[str, Any]:
    return {"product_id": name, "updated_at": at, "op": "upsert", "_payload_hash": 1, **LAMP, **changes}


def _without_user(name: str, at: str, **changes: Any) -> dict[str, Any]:
    return {"user_id": name, "updated_at": at, "op": "delete", "_payload_hash": 1, **changes}


def _without_product(name: str, at: str, **changes: Any) -> dict[str, Any]:
    return {"product_id": name, "updated_at": at, "op": "delete", "_payload_hash": 1, **changes}


def _users(spark: SparkSession, changes: Sequence[Mapping[str, Any]], time_zone: str = "UTC") -> DataFrame:
    return user_history(frame(spark, USERS, changes), KEY, time_zone)


def _products(spark: SparkSession, changes: Sequence[Mapping[str, Any]]) -> DataFrame:
    return product_history(frame(spark, PRODUCTS, changes))


def _token(text: str) -> str:
    return hmac.new(KEY.secret, text.encode(), hashlib.sha256).hexdigest()


def test_dim_users(spark):
    tokens = (_token("ann@example.com"), _token("15550100"), _token("ann van lee"))
    ann = (*tokens, "f", 1990, "Leeds", "Yorkshire", "GB", "2024-12-01 10:00:00", "2024-12-01", True)
    nobody = (None,) * 12
    changes = [
        _user("ann", ONE),
        _user("ann", TWO, loyalty_tier="gold"),
        {"user_id": "nobody", "updated_at": ONE, "op": "upsert", "_payload_hash": 1},
    ]
    expected = table(
        spark,
        DIM_USERS,
        [
            ("ann", *ann, "silver", ALWAYS, TWO, False, False, 2),
            ("ann", *ann, "gold", TWO, EVER, True, False, 0),
            ("nobody", *nobody, ALWAYS, EVER, True, False, 1),
        ],
    ).select(surrogate_key("users", "user_id").alias("user_sk"), "*")

    assert_df_equality(_users(spark, changes), expected, ignore_row_order=True, ignore_nullable=True)


def test_dim_products(spark):
    lamp = ("lamp", "Lamp", "Home", "Light", "Lumo")
    changes = [
        _product("lamp", ONE),
        _product("lamp", TWO, list_price="12.00", stock_quantity=4),
        {"product_id": "nothing", "updated_at": ONE, "op": "upsert", "_payload_hash": 1},
    ]
    expected = table(
        spark,
        DIM_PRODUCTS,
        [
            (*lamp, "10.00", "4.00", 5, True, "2024-12-01", ALWAYS, TWO, False, False, 2),
            (*lamp, "12.00", "4.00", 4, True, "2024-12-01", TWO, EVER, True, False, 0),
            ("nothing", *[None] * 9, ALWAYS, EVER, True, False, 1),
        ],
    ).select(surrogate_key("products", "product_id").alias("product_sk"), "*")

    assert_df_equality(_products(spark, changes), expected, ignore_row_order=True, ignore_nullable=True)


def test_each_attribute_that_changes_comes_or_goes_makes_a_version(spark):
    users = [
        change
        for column, other in ANN_ELSEWHERE.items()
        for change in (
            _user(f"{column} changes", ONE),
            _user(f"{column} changes", TWO, **{column: other}),
            _user(f"{column} comes", ONE, **{column: None}),
            _user(f"{column} comes", TWO),
            _user(f"{column} goes", ONE),
            _user(f"{column} goes", TWO, **{column: None}),
        )
    ]
    products = [
        change
        for column, other in ANOTHER_LAMP.items()
        for change in (
            _product(f"{column} changes", ONE),
            _product(f"{column} changes", TWO, **{column: other}),
            _product(f"{column} comes", ONE, **{column: None}),
            _product(f"{column} comes", TWO),
            _product(f"{column} goes", ONE),
            _product(f"{column} goes", TWO, **{column: None}),
        )
    ]
    how = ("changes", "comes", "goes")

    assert rows_of(_users(spark, users).groupBy("user_id").count().where("count = 2"), "user_id") == sorted(
        (f"{column} {each}",) for column in ANN_ELSEWHERE for each in how
    )
    assert rows_of(_products(spark, products).groupBy("product_id").count().where("count = 2"), "product_id") == sorted(
        (f"{column} {each}",) for column in ANOTHER_LAMP for each in how
    )


def test_what_the_warehouse_does_not_hold_makes_no_version(spark):
    differences: dict[str, dict[str, Any]] = {
        "nothing": {},
        "street": {"street": "High Street 2"},
        "postal code": {"postal_code": None},
        "first day of the year of birth": {"birth_date": "1990-01-01"},
        "last day of the year of birth": {"birth_date": "1990-12-31"},
        "spelling of the e-mail": {"email": " ANN@example.com"},
        "spelling of the phone": {"phone": "1 (555) 01-00"},
        "spelling of the name": {"first_name": " ann ", "last_name": "VAN  LEE"},
        "name cut elsewhere": {"first_name": "Ann van", "last_name": "Lee"},
    }
    changes = [change for name, each in differences.items() for change in (_user(name, ONE), _user(name, TWO, **each))]
    nowhere = [_user("no city", ONE, city=None), _user("no city", TWO, city=None)]

    assert_part(
        _users(spark, changes + nowhere),
        f"user_id string, {BETWEEN}",
        [(name, ALWAYS, EVER, True, False, 2) for name in (*differences, "no city")],
    )


def test_years_of_birth_meet_between_two_days(spark):
    changes = [_user("u", ONE, birth_date="1989-12-31"), _user("u", TWO, birth_date="1990-01-01")]

    assert_part(
        _users(spark, changes),
        "birth_year int, valid_from timestamp, valid_to timestamp",
        [(1989, ALWAYS, TWO), (1990, TWO, EVER)],
    )


def test_the_day_of_signing_up_is_that_of_the_shop(spark):
    changes = [
        _user("the day before", ONE, signup_ts="2025-01-01 04:59:59.999999"),
        _user("midnight", ONE, signup_ts="2025-01-01 05:00:00"),
        _user("summer time", ONE, signup_ts="2025-07-01 04:00:00"),
        _user("not known", ONE, signup_ts=None),
    ]

    assert_part(
        _users(spark, changes, "America/New_York"),
        "user_id string, signup_date date",
        [
            ("the day before", "2024-12-31"),
            ("midnight", "2025-01-01"),
            ("summer time", "2025-07-01"),
            ("not known", None),
        ],
    )


def test_customers_who_leave_and_come_back(spark):
    changes = [
        _user("left", ONE),
        _without_user("left", TWO),
        _user("back as before", ONE),
        _without_user("back as before", TWO),
        _user("back as before", THREE),
        _user("back elsewhere", ONE),
        _without_user("back elsewhere", TWO, city="ignored"),
        _user("back elsewhere", THREE, city="York"),
        _without_user("gone first", ONE),
        _user("gone first", TWO),
        _without_user("only gone", ONE),
        _without_user("only gone", TWO),
    ]

    assert_part(
        _users(spark, changes),
        f"user_id string, city string, {BETWEEN}",
        [
            ("left", "Leeds", ALWAYS, TWO, False, False, 2),
            ("left", "Leeds", TWO, EVER, False, True, 0),
            ("back as before", "Leeds", ALWAYS, TWO, False, False, 3),
            ("back as before", "Leeds", TWO, THREE, False, True, 0),
            ("back as before", "Leeds", THREE, EVER, True, False, 0),
            ("back elsewhere", "Leeds", ALWAYS, TWO, False, False, 3),
            ("back elsewhere", "Leeds", TWO, THREE, False, True, 0),
            ("back elsewhere", "York", THREE, EVER, True, False, 0),
            ("gone first", None, ALWAYS, TWO, False, True, 2),
            ("gone first", "Leeds", TWO, EVER, True, False, 0),
            ("only gone", None, ALWAYS, EVER, False, True, 2),
        ],
    )


def test_changes_at_one_instant(spark):
    changes = [
        _user("higher hash", ONE, _payload_hash=5, city="last"),
        _user("higher hash", ONE, _payload_hash=-5, city="first"),
        _without_user("delete last", ONE, _payload_hash=-5),
        _user("delete last", ONE, _payload_hash=5, city="never seen"),
        _user("a microsecond", "2025-01-01 00:00:00.000001", city="last"),
        _user("a microsecond", ONE, city="first"),
    ]

    assert_part(
        _users(spark, changes),
        f"user_id string, city string, {BETWEEN}",
        [
            ("higher hash", "last", ALWAYS, EVER, True, False, 2),
            ("delete last", None, ALWAYS, EVER, False, True, 2),
            ("a microsecond", "first", ALWAYS, "2025-01-01 00:00:00.000001", False, False, 2),
            ("a microsecond", "last", "2025-01-01 00:00:00.000001", EVER, True, False, 0),
        ],
    )


def test_a_late_change_moves_an_end_and_renumbers_nothing(spark):
    known = [_user("u", ONE), _user("u", THREE, city="York")]
    before = _users(spark, known)
    after = _users(spark, [*known, _user("u", TWO, city="Hull"), _user("u", "2024-01-01", city="Bath")])

    assert set(rows_of(before, "user_sk", "city")) - set(rows_of(after, "user_sk", "city")) == {
        (row["user_sk"], "Leeds") for row in before.where("city = 'Leeds'").collect()
    }
    assert_part(
        after,
        f"city string, {BETWEEN}",
        [
            ("Bath", ALWAYS, ONE, False, False, 4),
            ("Leeds", ONE, TWO, False, False, 0),
            ("Hull", TWO, THREE, False, False, 0),
            ("York", THREE, EVER, True, False, 0),
        ],
    )


def test_a_version_has_the_stock_last_reported_while_it_held(spark):
    changes = [
        _product("restocked", ONE),
        _product("restocked", TWO, stock_quantity=0),
        _product("not told", ONE),
        _product("not told", TWO, stock_quantity=None),
        _product("repriced", ONE),
        _product("repriced", TWO, stock_quantity=7),
        _product("repriced", THREE, stock_quantity=8, list_price="11.00"),
        _product("gone", ONE),
        _without_product("gone", TWO, stock_quantity=9),
        _product("back", ONE),
        _without_product("back", TWO),
        _product("back", THREE, stock_quantity=6),
        _product("at once", ONE, _payload_hash=1),
        _product("at once", ONE, _payload_hash=2, stock_quantity=1),
    ]

    assert_part(
        _products(spark, changes),
        f"product_id string, list_price decimal(12,2), stock_quantity int, {BETWEEN}",
        [
            ("restocked", "10.00", 0, ALWAYS, EVER, True, False, 2),
            ("not told", "10.00", None, ALWAYS, EVER, True, False, 2),
            ("repriced", "10.00", 7, ALWAYS, THREE, False, False, 3),
            ("repriced", "11.00", 8, THREE, EVER, True, False, 0),
            ("gone", "10.00", 5, ALWAYS, TWO, False, False, 2),
            ("gone", "10.00", 5, TWO, EVER, False, True, 0),
            ("back", "10.00", 5, ALWAYS, TWO, False, False, 3),
            ("back", "10.00", 5, TWO, THREE, False, True, 0),
            ("back", "10.00", 6, THREE, EVER, True, False, 0),
            ("at once", "10.00", 1, ALWAYS, EVER, True, False, 2),
        ],
    )


def test_a_price_that_goes_back_is_a_version_of_its_own(spark):
    changes = [_product("p", ONE), _product("p", TWO, list_price="9.00"), _product("p", THREE)]

    assert_part(
        _products(spark, changes),
        f"list_price decimal(12,2), {BETWEEN}",
        [
            ("10.00", ALWAYS, TWO, False, False, 3),
            ("9.00", TWO, THREE, False, False, 0),
            ("10.00", THREE, EVER, True, False, 0),
        ],
    )
