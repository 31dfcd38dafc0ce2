from __future__ import annotations

from common.transforms.sessions import cart_items, sessions
from tests.unit.transforms.frames import frame, rows_of

EVENTS = """event_id string, event_ts timestamp, user_id string, anonymous_id string, session_id string,
    event_type string, page_url string, referrer string, product_id string, product_sk bigint, quantity int,
    device_type string, geo_country string, utm_source string, utm_medium string, is_bot boolean,
    near_duplicate_of string"""
PRODUCTS = "product_sk bigint, product_id string, list_price decimal(12,2)"
LINES = "session_id string, product_id string, quantity int, gross_amount decimal(18,2)"
PRICES = [
    {"product_sk": 1, "product_id": "p", "list_price": "10.00"},
    {"product_sk": 2, "product_id": "p", "list_price": "12.00"},
    {"product_sk": 3, "product_id": "q", "list_price": "5.00"},
    {"product_sk": -1, "product_id": "unknown"},
]


def _event(second, event_type, **changes):
    event = {
        "event_id": f"e{second:02d}{event_type[:3]}",
        "event_ts": f"2025-06-15 10:00:{second:02d}",
        "session_id": "s",
        "event_type": event_type,
        "is_bot": False,
        "product_sk": -1,
    }
    return {**event, **changes}


def _p(second, event_type, **changes):
    return _event(second, event_type, **{"product_id": "p", "product_sk": 1, **changes})


def _carts(spark, events, lines=()):
    return cart_items(frame(spark, EVENTS, events), frame(spark, PRODUCTS, PRICES), frame(spark, LINES, list(lines)))


def _sessions(spark, events, lines=(), zone="UTC"):
    return sessions(frame(spark, EVENTS, events), _carts(spark, events, lines), frame(spark, LINES, list(lines)), zone)


def test_what_is_left_in_a_cart(spark):
    events = [
        _p(1, "add_to_cart", quantity=2),
        _p(2, "add_to_cart", product_sk=2),
        _p(3, "remove_from_cart"),
        _p(4, "add_to_cart", product_id="q", product_sk=3),
        _p(5, "remove_from_cart", product_id="q", product_sk=3, quantity=4),
        _p(6, "add_to_cart", product_id="stranger", product_sk=-1),
        _p(7, "remove_from_cart", product_id="never added", product_sk=-1),
        _p(8, "add_to_cart", product_id=None, product_sk=-1),
        _p(9, "product_view"),
    ]
    columns = ("product_id", "added_quantity", "removed_quantity", "left_quantity", "unit_price", "cart_value")

    assert rows_of(_carts(spark, events), *columns, "is_left_behind") == [
        ("p", 3, 1, 2, "10.00", "20.00", True),
        ("q", 1, 4, 0, "5.00", "0.00", False),
        ("stranger", 1, 0, 1, None, "0.00", True),
    ]


def test_what_was_bought_in_the_session_is_not_left_behind(spark):
    lines = [
        {"session_id": "s", "product_id": "p", "quantity": 1, "gross_amount": "10.00"},
        {"session_id": "s", "product_id": "p", "quantity": 1, "gross_amount": "10.00"},
        {"session_id": "s", "product_id": "q", "quantity": -1, "gross_amount": "0.00"},
        {"session_id": None, "product_id": "q", "quantity": 1, "gross_amount": "5.00"},
    ]
    events = [_p(1, "add_to_cart"), _p(2, "add_to_cart", product_id="q", product_sk=3)]

    found = _carts(spark, events, lines)

    assert rows_of(found, "product_id", "is_purchased", "is_left_behind") == [("p", True, False), ("q", False, True)]


def test_bots_and_repeated_events_make_no_session(spark):
    events = [
        _p(1, "add_to_cart"),
        _p(1, "add_to_cart", event_id="twin", near_duplicate_of="e01add"),
        _p(2, "product_view", is_bot=True),
        _p(3, "product_view", session_id="machine", is_bot=True),
    ]
    assert rows_of(_sessions(spark, events), "session_id", "events", "carts", "cart_items") == [("s", 1, 1, 1)]


def test_steps_count_in_the_order_of_the_funnel(spark):
    def visit(name, *steps):
        return [_p(second, step, session_id=name, event_id=f"{name}{second}{step}") for second, step in steps]

    events = [
        *visit("all", (1, "product_view"), (2, "add_to_cart"), (3, "begin_checkout"), (4, "purchase")),
        *visit("at once", (1, "purchase"), (1, "begin_checkout"), (1, "add_to_cart"), (1, "product_view")),
        *visit("backwards", (1, "add_to_cart"), (2, "product_view")),
        *visit("no cart", (1, "product_view"), (2, "begin_checkout"), (3, "purchase")),
        *visit("again", (1, "add_to_cart"), (2, "product_view"), (3, "add_to_cart")),
        *visit("visit", (1, "page_view"), (2, "search")),
    ]
    found = _sessions(spark, events)

    assert rows_of(found, "session_id", "funnel_depth", "furthest_step") == [
        ("again", 2, "add_to_cart"),
        ("all", 4, "purchase"),
        ("at once", 4, "purchase"),
        ("backwards", 1, "product_view"),
        ("no cart", 1, "product_view"),
        ("visit", 0, "visit"),
    ]
    assert rows_of(found.where("session_id = 'again'"), "first_cart_at", "reached_cart_at", "reached_purchase_at") == [
        ("2025-06-15 10:00:01", "2025-06-15 10:00:03", None)
    ]


def test_converted_and_abandoned(spark):
    events = [
        _p(1, "add_to_cart", session_id="left"),
        _p(1, "add_to_cart", session_id="bought"),
        _p(2, "purchase", session_id="event only"),
        _p(1, "add_to_cart", session_id="event only"),
        _p(1, "product_view", session_id="browsed"),
    ]
    lines = [{"session_id": "bought", "product_id": "p", "quantity": 1, "gross_amount": "10.00"}]
    found = _sessions(spark, events, lines)

    assert rows_of(found, "session_id", "is_converted", "is_abandoned", "cart_value", "purchase_amount") == [
        ("bought", True, False, "10.00", "10.00"),
        ("browsed", False, False, "0.00", "0.00"),
        ("event only", True, False, "10.00", "0.00"),
        ("left", False, True, "10.00", "0.00"),
    ]


def test_attributes_are_those_of_the_first_event_or_the_least_known(spark):
    events = [
        _event(1, "page_view", anonymous_id="a"),
        _event(1, "search", event_id="e01zzz", anonymous_id="b", device_type="phone"),
        _event(9, "page_view", user_id="u", geo_country="DE", device_type="desktop"),
    ]
    found = _sessions(spark, events, zone="Asia/Tokyo")
    columns = ("user_id", "anonymous_id", "device_type", "country", "duration_seconds", "events", "session_date")

    assert rows_of(found, *columns) == [("u", "a", "desktop", "DE", 8, 3, "2025-06-15")]
    assert rows_of(_sessions(spark, events, zone="Pacific/Auckland"), "session_date") == [("2025-06-15",)]
    late = [_event(1, "page_view", event_ts="2025-06-15 15:00:00", anonymous_id="a")]
    assert rows_of(_sessions(spark, late, zone="Asia/Tokyo"), "session_date") == [("2025-06-16",)]


def test_where_sessions_come_from(spark):
    entries = {
        "campaign": {"utm_source": "newsletter", "utm_medium": "email", "referrer": "https://www.google.com/"},
        "campaign without medium": {"utm_source": "partner"},
        "search": {"referrer": "https://www.google.co.uk/search?q=x"},
        "social": {"referrer": "https://m.facebook.com/"},
        "short link": {"referrer": "https://t.co/abc"},
        "elsewhere": {"referrer": "http://blog.example.org:8080/post"},
        "own page": {"referrer": "https://shop.example.com/a", "page_url": "https://shop.example.com/b"},
        "nowhere": {},
        "no address": {"referrer": "android-app", "page_url": "/home"},
    }
    events = [_event(1, "page_view", session_id=name, **entry) for name, entry in entries.items()]
    # Only the first event of a session says where it came from.
    events.append(_event(2, "page_view", session_id="nowhere", utm_source="late"))

    assert rows_of(_sessions(spark, events), "session_id", "entry_source", "entry_medium") == [
        ("campaign", "newsletter", "email"),
        ("campaign without medium", "partner", "unknown"),
        ("elsewhere", "referral", "referral"),
        ("no address", "direct", "none"),
        ("nowhere", "direct", "none"),
        ("own page", "direct", "none"),
        ("search", "search", "organic"),
        ("short link", "social", "social"),
        ("social", "social", "social"),
    ]
