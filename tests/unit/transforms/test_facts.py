from __future__ import annotations

from common.transforms.facts import (
    Versions,
    changed_intervals,
    fact_clickstream,
    fact_transactions,
    partition_value,
    with_session_ids,
)
from tests.unit.transforms.frames import frame, rows_of

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
ALWAYS, EVER, NOON = "1900-01-01", "9999-12-31", "2025-06-15 12:00:00"


def _users(spark):
    versions = [
        {"user_sk": 11, "user_id": "u", "valid_from": ALWAYS, "valid_to": NOON},
        {"user_sk": 12, "user_id": "u", "valid_from": NOON, "valid_to": EVER},
    ]
    return Versions(frame(spark, USERS, versions), 2)


def _products(spark, count=2):
    versions = [
        {"product_sk": 21, "product_id": "p", "unit_cost": "4.00", "valid_from": ALWAYS, "valid_to": NOON},
        {"product_sk": 22, "product_id": "p", "unit_cost": None, "valid_from": NOON, "valid_to": EVER},
    ]
    return Versions(frame(spark, PRODUCTS, versions), count)


def _line(number, **changes):
    return {
        "transaction_id": f"t{number}",
        "user_id": "u",
        "product_id": "p",
        "quantity": 2,
        "unit_price": "10.00",
        "total_amount": "20.00",
        "status": "paid",
        "transaction_ts": "2025-06-15 11:59:59.999999",
        **changes,
    }


def test_a_line_is_joined_to_the_versions_of_its_time(spark, source):
    lines = [
        _line(1),
        _line(2, transaction_ts=NOON),
        _line(3, transaction_ts="1900-01-01"),
        _line(4, user_id="nobody", product_id="nothing"),
    ]
    found = fact_transactions(frame(spark, LINES, lines), _users(spark), _products(spark), source, "month")

    assert rows_of(
        found, "transaction_id", "user_sk", "product_sk", "cost_amount", "is_unknown_user", "is_unknown_product"
    ) == [
        ("t1", 11, 21, "8.00", False, False),
        ("t2", 12, 22, None, False, False),
        ("t3", 11, 21, "8.00", False, False),
        ("t4", -1, -1, None, True, True),
    ]


def test_a_join_by_shuffle_gives_the_same(spark, source):
    lines = frame(spark, LINES, [_line(1), _line(2, transaction_ts=NOON), _line(3, product_id="nothing")])
    facts = [
        fact_transactions(lines, _users(spark), _products(spark, count), source, "month") for count in (2, 10_000_000)
    ]

    assert rows_of(facts[0], *facts[0].columns) == rows_of(facts[1], *facts[1].columns)


def test_lines_of_one_session_or_one_instant_are_one_order(spark, source):
    lines = [
        _line(1, session_id="s"),
        _line(2, session_id="s", transaction_ts=NOON),
        _line(3, user_id="v", session_id="s"),
        _line(4),
        _line(5),
        _line(6, transaction_ts=NOON),
    ]
    found = fact_transactions(frame(spark, LINES, lines), _users(spark), _products(spark), source, "month")
    orders = dict(rows_of(found, "transaction_id", "order_id"))

    assert orders["t1"] == orders["t2"]
    assert orders["t4"] == orders["t5"]
    assert len(set(orders.values())) == 4


def test_the_business_day_is_that_of_the_shop(spark, source):
    shop = source.model_copy(update={"time_zone": "America/New_York"})
    lines = [_line(1, transaction_ts="2025-07-01 03:59:59"), _line(2, transaction_ts="2025-07-01 04:00:00")]
    found = fact_transactions(frame(spark, LINES, lines), _users(spark), _products(spark), shop, "month")

    assert rows_of(found, "transaction_id", "transaction_date", "transaction_month") == [
        ("t1", "2025-06-30", "2025-06"),
        ("t2", "2025-07-01", "2025-07"),
    ]
    by_day = frame(spark, LINES, lines).select(partition_value("transaction_ts", shop, "day").alias("day"))
    assert rows_of(by_day, "day") == [("2025-06-30",), ("2025-07-01",)]


def test_an_anonymous_event_is_not_an_unknown_customer(spark, source):
    common = {"event_type": "page_view", "session_id": "s", "is_bot": False, "event_ts": NOON}
    events = [
        {"event_id": "known", "user_id": "u", "product_id": "p", **common},
        {"event_id": "anonymous", "anonymous_id": "a", **common},
        {"event_id": "unknown", "user_id": "nobody", "product_id": "nothing", **common},
    ]
    found = fact_clickstream(frame(spark, EVENTS, events), _users(spark), _products(spark), source, "month")

    assert rows_of(
        found, "event_id", "user_sk", "product_sk", "is_anonymous", "is_unknown_user", "is_unknown_product"
    ) == [
        ("anonymous", -1, -1, True, False, False),
        ("known", 12, 22, False, False, False),
        ("unknown", -1, -1, False, True, True),
    ]


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


def test_derived_sessions_do_not_depend_on_partitions_or_other_days(spark, source):
    events = [_event(f"e{n}", f"2025-06-{15 + n // 8} 10:{n % 8 * 7:02d}:00") for n in range(16)]
    whole = with_session_ids(frame(spark, EVENTS, events).repartition(5), source, 30)
    one_day = with_session_ids(frame(spark, EVENTS, events[8:]), source, 30)

    assert rows_of(whole.where("day(event_ts) = 16"), "event_id", "session_id") == rows_of(
        one_day, "event_id", "session_id"
    )


def test_changed_intervals_cover_every_time_that_belongs_to_another_version(spark):
    before = [
        {"product_sk": 1, "product_id": "same", "unit_cost": None, "valid_from": ALWAYS, "valid_to": EVER},
        {"product_sk": 2, "product_id": "split", "unit_cost": "1.00", "valid_from": ALWAYS, "valid_to": EVER},
        {"product_sk": 3, "product_id": "recosted", "unit_cost": "1.00", "valid_from": ALWAYS, "valid_to": EVER},
        {"product_sk": 4, "product_id": "gone", "unit_cost": "1.00", "valid_from": ALWAYS, "valid_to": EVER},
    ]
    after = [
        before[0],
        {**before[1], "valid_to": NOON},
        {"product_sk": 5, "product_id": "split", "unit_cost": "1.00", "valid_from": NOON, "valid_to": EVER},
        {**before[2], "unit_cost": None},
        {"product_sk": 6, "product_id": "new", "unit_cost": "1.00", "valid_from": ALWAYS, "valid_to": EVER},
    ]
    found = changed_intervals(
        frame(spark, PRODUCTS, before), frame(spark, PRODUCTS, after), "product_id", ("product_sk", "unit_cost")
    )

    always, ever = "1900-01-01 00:00:00", "9999-12-31 00:00:00"
    assert sorted(set(rows_of(found, "product_id", "valid_from", "valid_to"))) == [
        ("gone", always, ever),
        ("new", always, ever),
        ("recosted", always, ever),
        ("split", NOON, ever),
    ]
