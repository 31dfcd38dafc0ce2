from __future__ import annotations

import pytest

from common.transforms.facts import (
    Versions,
    as_of,
    changed_intervals,
    fact_clickstream,
    fact_transactions,
    partition_value,
    with_session_ids,
)
from tests.unit.transforms.frames import assert_part, assert_rows, frame, rows_of, table

LINES = """transaction_id string, user_id string, product_id string, session_id string, quantity int,
    unit_price decimal(12,2), discount_amount decimal(12,2), tax_amount decimal(12,2), shipping_amount decimal(12,2),
    total_amount decimal(12,2), currency string, payment_method string, status string, rating int,
    transaction_ts timestamp"""
EVENTS = """event_id string, event_ts timestamp, user_id string, anonymous_id string, session_id string,
    event_type string, page_url string, referrer string, product_id string, search_query string, quantity int,
    device_type string, device_os string, device_browser string, geo_country string, geo_city string,
    utm_source string, utm_medium string, utm_campaign string, is_bot boolean, near_duplicate_of string"""
USERS = "user_sk bigint, user_id string, valid_from timestamp, valid_to timestamp"
PRODUCTS = "product_sk bigint, product_id string, unit_cost decimal(12,2), valid_from timestamp, valid_to timestamp"
FACT_TRANSACTIONS = """transaction_id string, user_sk bigint, product_sk bigint, user_id string, product_id string,
    session_id string, quantity int, unit_price decimal(12,2), discount_amount decimal(12,2), tax_amount decimal(12,2),
    shipping_amount decimal(12,2), total_amount decimal(12,2), gross_amount decimal(18,2), return_amount decimal(18,2),
    net_amount decimal(18,2), cost_amount decimal(18,2), margin_amount decimal(18,2), currency string,
    payment_method string, status string, rating int, transaction_ts timestamp, transaction_date date, is_sale boolean,
    is_return boolean, is_unknown_user boolean, is_unknown_product boolean, transaction_month string"""
FACT_CLICKSTREAM = """event_id string, user_sk bigint, product_sk bigint, user_id string, anonymous_id string,
    session_id string, event_ts timestamp, event_date date, event_type string, page_url string, referrer string,
    product_id string, search_query string, quantity int, device_type string, device_os string, device_browser string,
    geo_country string, geo_city string, utm_source string, utm_medium string, utm_campaign string, is_bot boolean,
    near_duplicate_of string, is_anonymous boolean, is_unknown_user boolean, is_unknown_product boolean,
    event_month string"""
ALWAYS, EVER, NOON = "1900-01-01", "9999-12-31", "2025-06-15 12:00:00"
JUST_BEFORE_NOON = "2025-06-15 11:59:59.999999"
MAX_BROADCAST_VERSIONS = 1_500_000


def _users(spark):
    return Versions(table(spark, USERS, [(11, "u", ALWAYS, NOON), (12, "u", NOON, EVER)]), 2)


def _products(spark, count=2):
    versions = [(21, "p", "4.00", ALWAYS, NOON), (22, "p", None, NOON, EVER)]
    return Versions(table(spark, PRODUCTS, versions), count)


def _line(number, **changes):
    return {
        "transaction_id": f"t{number}",
        "user_id": "u",
        "product_id": "p",
        "quantity": 2,
        "unit_price": "10.00",
        "total_amount": "20.00",
        "status": "paid",
        "transaction_ts": JUST_BEFORE_NOON,
        **changes,
    }


def _transactions(spark, shop, lines, grain="month"):
    return fact_transactions(frame(spark, LINES, lines), _users(spark), _products(spark), shop, grain)


def _clickstream(spark, shop, events, grain="month"):
    return fact_clickstream(frame(spark, EVENTS, events), _users(spark), _products(spark), shop, grain)


def test_fact_transactions(spark, source):
    paid = {
        "session_id": "s",
        "discount_amount": "1.00",
        "tax_amount": "1.90",
        "shipping_amount": "4.50",
        "total_amount": "25.40",
        "currency": "USD",
        "payment_method": "card",
        "rating": 5,
    }
    bare = {"transaction_id": "t3", "user_id": "nobody", "product_id": "nothing", "quantity": 1, "unit_price": "1.00"}
    lines = [
        _line(1, **paid),
        _line(2, quantity=-1, status="returned", total_amount="-10.00"),
        {**bare, "total_amount": "1.00", "transaction_ts": NOON},
    ]
    found = _transactions(spark, source, lines)

    assert dict(found.dtypes)["order_id"] == "bigint"
    assert_rows(
        found.drop("order_id"),
        FACT_TRANSACTIONS,
        [
            (
                *("t1", 11, 21, "u", "p", "s", 2, "10.00", "1.00", "1.90", "4.50", "25.40"),
                *("19.00", "0.00", "19.00", "8.00", "11.00", "USD", "card", "paid", 5, JUST_BEFORE_NOON, "2025-06-15"),
                *(True, False, False, False, "2025-06"),
            ),
            (
                *("t2", 11, 21, "u", "p", None, -1, "10.00", None, None, None, "-10.00"),
                *("0.00", "10.00", "-10.00", "-4.00", "-6.00", None, None, "returned", None),
                *(JUST_BEFORE_NOON, "2025-06-15", False, True, False, False, "2025-06"),
            ),
            (
                *("t3", -1, -1, "nobody", "nothing", None, 1, "1.00", None, None, None, "1.00"),
                *("0.00", "0.00", "0.00", None, None, None, None, None, None),
                *(NOON, "2025-06-15", False, False, True, True, "2025-06"),
            ),
        ],
    )


def test_fact_clickstream(spark, source):
    whole = {
        "event_id": "whole",
        "event_ts": NOON,
        "user_id": "u",
        "anonymous_id": "a",
        "session_id": "s",
        "event_type": "add_to_cart",
        "page_url": "/p",
        "referrer": "https://example.org/",
        "product_id": "p",
        "search_query": "lamp",
        "quantity": 2,
        "device_type": "phone",
        "device_os": "os",
        "device_browser": "browser",
        "geo_country": "DE",
        "geo_city": "Ulm",
        "utm_source": "news",
        "utm_medium": "email",
        "utm_campaign": "june",
        "is_bot": True,
        "near_duplicate_of": "first",
    }
    bare = {"event_id": "bare", "event_ts": JUST_BEFORE_NOON, "anonymous_id": "a", "session_id": "s", "is_bot": False}
    where_from = ("phone", "os", "browser", "DE", "Ulm", "news", "email", "june")

    assert_rows(
        _clickstream(spark, source, [whole, bare], "day"),
        FACT_CLICKSTREAM,
        [
            (
                *("whole", 12, 22, "u", "a", "s", NOON, "2025-06-15", "add_to_cart", "/p", "https://example.org/", "p"),
                *("lamp", 2, *where_from, True, "first", False, False, False, "2025-06-15"),
            ),
            (
                *("bare", -1, -1, None, "a", "s", JUST_BEFORE_NOON, "2025-06-15"),
                *([None] * 14),
                *(False, None, True, False, False, "2025-06-15"),
            ),
        ],
    )


def test_a_line_is_joined_to_the_versions_of_its_time(spark, source):
    lines = [
        _line(1),
        _line(2, transaction_ts=NOON),
        _line(3, transaction_ts="1900-01-01"),
        _line(4, user_id="nobody", product_id="nothing"),
        _line(5, transaction_ts="1899-12-31 23:59:59"),
        _line(6, user_id=None, product_id=None),
    ]

    assert_part(
        _transactions(spark, source, lines),
        """transaction_id string, user_sk bigint, product_sk bigint, cost_amount decimal(18,2), is_unknown_user boolean,
            is_unknown_product boolean""",
        [
            ("t1", 11, 21, "8.00", False, False),
            ("t2", 12, 22, None, False, False),
            ("t3", 11, 21, "8.00", False, False),
            ("t4", -1, -1, None, True, True),
            ("t5", -1, -1, None, True, True),
            ("t6", -1, -1, None, False, False),
        ],
    )


def test_intervals_are_half_open_and_may_leave_gaps(spark):
    versions = [
        ("one", "a", "2025-01-01", "2025-02-01"),
        ("two", "a", "2025-02-01", "2025-03-01"),
        ("four", "a", "2025-04-01", "2025-05-01"),
        ("nobody's", None, "2025-01-01", "2025-05-01"),
    ]
    facts = [
        ("a", "2024-12-31 23:59:59.999999"),
        ("a", "2025-01-01"),
        ("a", "2025-01-31 23:59:59.999999"),
        ("a", "2025-02-01"),
        ("a", "2025-03-01"),
        ("a", "2025-04-01"),
        ("a", None),
        ("b", "2025-01-15"),
        (None, "2025-01-15"),
    ]
    found = as_of(
        table(spark, "id string, at timestamp", facts),
        table(spark, "version string, id string, valid_from timestamp, valid_to timestamp", versions),
        "id",
        "at",
    )

    joined = (None, "one", "one", "two", None, "four", None, None, None)
    assert_rows(
        found,
        "id string, at timestamp, version string",
        [(*fact, version) for fact, version in zip(facts, joined, strict=True)],
    )


def test_a_join_by_shuffle_gives_the_same(spark, source):
    lines = frame(spark, LINES, [_line(1), _line(2, transaction_ts=NOON), _line(3, product_id="nothing")])
    facts = [
        fact_transactions(lines, _users(spark), _products(spark, count), source, "month") for count in (2, 10_000_000)
    ]

    assert rows_of(facts[0], *facts[0].columns) == rows_of(facts[1], *facts[1].columns)


@pytest.mark.parametrize(
    ("count", "is_broadcast"), [(0, True), (MAX_BROADCAST_VERSIONS, True), (MAX_BROADCAST_VERSIONS + 1, False)]
)
def test_versions_are_broadcast_up_to_a_count(spark, count, is_broadcast):
    intervals = _products(spark, count).intervals("product_id", "product_sk")

    assert intervals.columns == ["product_id", "product_sk", "valid_from", "valid_to"]
    assert ("broadcast" in intervals._jdf.queryExecution().analyzed().toString()) is is_broadcast


def test_lines_of_one_session_or_one_instant_are_one_order(spark, source):
    lines = [
        _line(1, session_id="s"),
        _line(2, session_id="s", transaction_ts=NOON),
        _line(3, user_id="v", session_id="s"),
        _line(4),
        _line(5),
        _line(6, transaction_ts=NOON),
        _line(7, user_id="v", transaction_ts=NOON),
        _line(8, transaction_ts="2025-06-15 12:00:00.000001"),
    ]
    orders = dict(rows_of(_transactions(spark, source, lines), "transaction_id", "order_id"))

    assert orders["t1"] == orders["t2"]
    assert orders["t4"] == orders["t5"]
    assert len(set(orders.values())) == 6


def test_the_business_day_is_that_of_the_shop(spark, source):
    shop = source.model_copy(update={"time_zone": "America/New_York"})
    lines = [
        _line(1, transaction_ts="2025-07-01 03:59:59.999999"),
        _line(2, transaction_ts="2025-07-01 04:00:00"),
        _line(3, transaction_ts="2025-01-01 04:59:59.999999"),
        _line(4, transaction_ts="2025-01-01 05:00:00"),
    ]
    days = [("t1", "2025-06-30"), ("t2", "2025-07-01"), ("t3", "2024-12-31"), ("t4", "2025-01-01")]

    assert_part(
        _transactions(spark, shop, lines),
        "transaction_id string, transaction_date date, transaction_month string",
        [(name, day, day[:7]) for name, day in days],
    )
    assert_rows(
        frame(spark, LINES, lines).select(
            "transaction_id", partition_value("transaction_ts", shop, "day").alias("day")
        ),
        "transaction_id string, day string",
        days,
    )
    events = [_event("e1", "2025-07-01 03:59:59.999999"), _event("e2", "2025-07-01 04:00:00")]
    assert_part(
        _clickstream(spark, shop, events),
        "event_id string, event_date date, event_month string",
        [("e1", "2025-06-30", "2025-06"), ("e2", "2025-07-01", "2025-07")],
    )


def test_an_anonymous_event_is_not_an_unknown_customer(spark, source):
    events = [
        _event("known", NOON, user_id="u", product_id="p"),
        _event("just before", JUST_BEFORE_NOON, user_id="u", product_id="p"),
        _event("anonymous", NOON),
        _event("unknown", NOON, user_id="nobody", product_id="nothing"),
    ]

    assert_part(
        _clickstream(spark, source, events),
        """event_id string, user_sk bigint, product_sk bigint, is_anonymous boolean, is_unknown_user boolean,
            is_unknown_product boolean""",
        [
            ("anonymous", -1, -1, True, False, False),
            ("just before", 11, 21, False, False, False),
            ("known", 12, 22, False, False, False),
            ("unknown", -1, -1, False, True, True),
        ],
    )


def _event(name, ts, **changes):
    return {
        "event_id": name,
        "event_ts": ts,
        "anonymous_id": "a",
        "event_type": "page_view",
        "is_bot": False,
        **changes,
    }


def test_a_pause_or_midnight_ends_a_derived_session(spark, source):
    events = [
        _event("e1", "2025-06-15 10:00:00"),
        _event("e2", "2025-06-15 10:30:00"),
        _event("e3", "2025-06-15 11:00:00.000001"),
        _event("e4", "2025-06-15 23:59:00"),
        _event("e5", "2025-06-16 00:01:00"),
        _event("e6", "2025-06-15 10:10:00", anonymous_id="b"),
        _event("e7", "2025-06-15 10:10:00", user_id="a", anonymous_id=None),
        _event("e8", "2025-06-15 10:10:00", session_id="given"),
    ]
    found = dict(rows_of(with_session_ids(frame(spark, EVENTS, events), source, 30), "event_id", "session_id"))

    assert found["e1"] == found["e2"]
    assert found["e8"] == "given"
    assert len(set(found.values())) == 7
    assert set(found) == {event["event_id"] for event in events}


def test_a_derived_session_is_named_by_its_first_event_and_given_ones_do_not_prolong_it(spark, source):
    events = [
        _event("b", "2025-06-15 10:00:00"),
        _event("a", "2025-06-15 10:00:00"),
        _event("c", "2025-06-15 10:20:00", session_id="given"),
        _event("d", "2025-06-15 10:40:00"),
    ]
    whole = with_session_ids(frame(spark, EVENTS, events), source, 30)
    alone = with_session_ids(frame(spark, EVENTS, [events[1]]), source, 30)
    found, [(first,)] = dict(rows_of(whole, "event_id", "session_id")), rows_of(alone, "session_id")

    assert whole.dtypes == frame(spark, EVENTS, []).dtypes
    assert found["a"] == found["b"] == first
    assert found["d"] not in (first, "given")
    assert first.startswith("D")


def test_a_derived_session_ends_at_midnight_in_the_shop(spark, source):
    shop = source.model_copy(update={"time_zone": "Asia/Tokyo"})
    events = [
        _event("before", "2025-06-15 14:59:59.999999"),
        _event("after", "2025-06-15 15:00:00"),
        _event("past midnight of UTC", "2025-06-16 00:00:00"),
        _event("before midnight of UTC", "2025-06-15 23:59:59.999999"),
    ]
    found = dict(rows_of(with_session_ids(frame(spark, EVENTS, events), shop, 30), "event_id", "session_id"))

    assert found["before midnight of UTC"] == found["past midnight of UTC"]
    assert len(set(found.values())) == 3


def test_derived_sessions_do_not_depend_on_partitions_or_other_days(spark, source):
    events = [_event(f"e{n}", f"2025-06-{15 + n // 8} 10:{n % 8 * 7:02d}:00") for n in range(16)]
    whole = with_session_ids(frame(spark, EVENTS, events).repartition(5), source, 30)
    one_day = with_session_ids(frame(spark, EVENTS, events[8:]), source, 30)

    assert rows_of(whole.where("day(event_ts) = 16"), "event_id", "session_id") == rows_of(
        one_day, "event_id", "session_id"
    )


def test_changed_intervals_cover_every_time_that_belongs_to_another_version(spark):
    before = [
        (1, "same", None, ALWAYS, EVER),
        (2, "split", "1.00", ALWAYS, EVER),
        (3, "recosted", "1.00", ALWAYS, EVER),
        (4, "gone", "1.00", ALWAYS, EVER),
        (7, "renumbered", "1.00", ALWAYS, EVER),
        (9, "costed", None, ALWAYS, EVER),
        (10, "merged", "1.00", ALWAYS, NOON),
        (11, "merged", "2.00", NOON, EVER),
    ]
    after = [
        (1, "same", None, ALWAYS, EVER),
        (2, "split", "1.00", ALWAYS, NOON),
        (5, "split", "1.00", NOON, EVER),
        (3, "recosted", None, ALWAYS, EVER),
        (6, "new", "1.00", ALWAYS, EVER),
        (8, "renumbered", "1.00", ALWAYS, EVER),
        (9, "costed", "0.00", ALWAYS, EVER),
        (10, "merged", "1.00", ALWAYS, EVER),
    ]
    found = changed_intervals(
        table(spark, PRODUCTS, before), table(spark, PRODUCTS, after), "product_id", ("product_sk", "unit_cost")
    )

    twice = [(name, ALWAYS, EVER) for name in ("recosted", "renumbered", "costed")]
    assert_rows(
        found,
        "product_id string, valid_from timestamp, valid_to timestamp",
        [
            ("gone", ALWAYS, EVER),
            ("new", ALWAYS, EVER),
            ("split", NOON, EVER),
            ("merged", NOON, EVER),
            *twice,
            *twice,
        ],
    )


def test_attributes_that_facts_do_not_take_over_change_no_interval(spark):
    before = table(spark, PRODUCTS, [(1, "p", "1.00", ALWAYS, EVER)])
    after = table(spark, PRODUCTS, [(1, "p", "2.00", ALWAYS, EVER)])

    found = changed_intervals(before, after, "product_id", ("product_sk",))

    assert_rows(found, "product_id string, valid_from timestamp, valid_to timestamp", [])
