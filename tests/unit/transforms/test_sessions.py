from __future__ import annotations

from common.transforms.sessions import cart_items, sessions
from tests.unit.transforms.frames import assert_part, assert_rows, frame

EVENTS = """event_id string, event_ts timestamp, user_id string, anonymous_id string, session_id string,
    event_type string, page_url string, referrer string, product_id string, product_sk bigint, quantity int,
    device_type string, geo_country string, utm_source string, utm_medium string, is_bot boolean,
    near_duplicate_of string"""
PRODUCTS = "product_sk bigint, product_id string, list_price decimal(12,2)"
LINES = "session_id string, product_id string, quantity int, gross_amount decimal(18,2)"
CARTS = """session_id string, product_id string, product_sk bigint, added_quantity bigint, removed_quantity bigint,
    left_quantity bigint, unit_price decimal(12,2), cart_value decimal(18,2), first_added_at timestamp,
    is_purchased boolean, is_left_behind boolean"""
SESSIONS = """session_id string, user_id string, anonymous_id string, started_at timestamp, ended_at timestamp,
    session_date date, duration_seconds bigint, events bigint, page_views bigint, searches bigint,
    product_views bigint, carts bigint, removals bigint, checkouts bigint, purchases bigint, reviews bigint,
    first_view_at timestamp, first_cart_at timestamp, first_checkout_at timestamp, first_purchase_at timestamp,
    reached_view_at timestamp, reached_cart_at timestamp, reached_checkout_at timestamp, reached_purchase_at timestamp,
    funnel_depth int, furthest_step string, entry_source string, entry_medium string, device_type string,
    country string, cart_items bigint, cart_value decimal(18,2), purchased_lines bigint,
    purchase_amount decimal(18,2), is_converted boolean, is_abandoned boolean"""
PRICES = [
    {"product_sk": 1, "product_id": "p", "list_price": "10.00"},
    {"product_sk": 2, "product_id": "p", "list_price": "12.00"},
    {"product_sk": 3, "product_id": "q", "list_price": "5.00"},
    {"product_sk": -1, "product_id": "unknown"},
]


def _event(second, event_type, **changes):
    event = {
        "event_id": f"e{second:02d}{event_type[:3]}",
        "event_ts": _at(second),
        "session_id": "s",
        "event_type": event_type,
        "is_bot": False,
        "product_sk": -1,
    }
    return {**event, **changes}


def _p(second, event_type, **changes):
    return _event(second, event_type, **{"product_id": "p", "product_sk": 1, **changes})


def _at(second):
    return f"2025-06-15 10:00:{second:02d}"


def _bought(product, quantity=1, gross="10.00", session="s"):
    return {"session_id": session, "product_id": product, "quantity": quantity, "gross_amount": gross}


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
        _p(10, "add_to_cart", session_id="other", quantity=1),
        _p(11, "remove_from_cart", session_id="other", quantity=1),
        _p(12, "remove_from_cart", session_id="removed first"),
        _p(13, "add_to_cart", session_id="removed first", quantity=3),
        _p(14, "add_to_cart", session_id="nothing", quantity=0),
    ]

    assert_rows(
        _carts(spark, events),
        CARTS,
        [
            ("s", "p", 1, 3, 1, 2, "10.00", "20.00", _at(1), False, True),
            ("s", "q", 3, 1, 4, 0, "5.00", "0.00", _at(4), False, False),
            ("s", "stranger", -1, 1, 0, 1, None, "0.00", _at(6), False, True),
            ("other", "p", 1, 1, 1, 0, "10.00", "0.00", _at(10), False, False),
            ("removed first", "p", 1, 3, 1, 2, "10.00", "20.00", _at(13), False, True),
            ("nothing", "p", 1, 0, 0, 0, "10.00", "0.00", _at(14), False, False),
        ],
    )


def test_the_price_is_that_of_the_first_adding_at_a_tie_that_of_the_least_event(spark):
    events = [
        _p(5, "add_to_cart", event_id="b", product_sk=1),
        _p(5, "add_to_cart", event_id="a", product_sk=2),
        _p(5, "add_to_cart", event_id="c", product_sk=1),
        _p(1, "remove_from_cart", event_id="0", product_sk=1),
        _p(3, "add_to_cart", session_id="twice", event_id="z", product_sk=2),
        _p(4, "add_to_cart", session_id="twice", event_id="y", product_sk=1),
    ]

    assert_part(
        _carts(spark, events),
        "session_id string, product_sk bigint, unit_price decimal(12,2), cart_value decimal(18,2)",
        [("s", 2, "12.00", "24.00"), ("twice", 2, "12.00", "24.00")],
    )


def test_what_was_bought_in_the_session_is_not_left_behind(spark):
    lines = [
        _bought("p"),
        _bought("p"),
        _bought("q", quantity=-1, gross="0.00"),
        _bought("q", quantity=0, gross="0.00"),
        _bought("q", quantity=None),
        _bought("q", session=None),
        _bought("q", session="another"),
    ]
    events = [_p(1, "add_to_cart"), _p(2, "add_to_cart", product_id="q", product_sk=3)]

    assert_part(
        _carts(spark, events, lines),
        "product_id string, is_purchased boolean, is_left_behind boolean",
        [("p", True, False), ("q", False, True)],
    )


def test_bots_and_repeated_events_make_no_session(spark):
    events = [
        _p(1, "add_to_cart"),
        _p(1, "add_to_cart", event_id="twin", near_duplicate_of="e01add"),
        _p(2, "product_view", is_bot=True),
        _p(3, "product_view", session_id="machine", is_bot=True),
    ]

    assert_part(
        _sessions(spark, events, [_bought("p", session="machine")]),
        "session_id string, events bigint, carts bigint, cart_items bigint",
        [("s", 1, 1, 1)],
    )


def test_a_session_in_full(spark):
    kinds = ("page_view", "search", "product_view", "add_to_cart", "add_to_cart", "remove_from_cart")
    steps = enumerate([*kinds, "begin_checkout", "purchase", "review"], start=1)
    events = [
        *[_p(second, kind, user_id="u", device_type="phone", geo_country="DE") for second, kind in steps],
        _event(20, "page_view", session_id="glance", anonymous_id="a"),
    ]
    lines = [_bought("p"), _bought("q", gross="5.50"), _bought("p", quantity=-1), _bought("p", session=None)]

    assert_rows(
        _sessions(spark, events, lines),
        SESSIONS,
        [
            (
                *("s", "u", None, _at(1), _at(9), "2025-06-15", 8, 9, 1, 1, 1, 2, 1, 1, 1, 1),
                *(_at(3), _at(4), _at(7), _at(8), _at(3), _at(4), _at(7), _at(8), 4, "purchase", "direct", "none"),
                *("phone", "DE", 1, "10.00", 2, "15.50", True, False),
            ),
            (
                *("glance", None, "a", _at(20), _at(20), "2025-06-15", 0, 1, 1, 0, 0, 0, 0, 0, 0, 0),
                *([None] * 8),
                *(0, "visit", "direct", "none", None, None, 0, "0.00", 0, "0.00", False, False),
            ),
        ],
    )


def test_no_events_make_no_sessions(spark):
    assert_rows(_sessions(spark, [], [_bought("p")]), SESSIONS, [])


def test_a_duration_is_in_whole_seconds(spark):
    events = [
        _event(1, "page_view", session_id="short", event_ts="2025-06-15 10:00:01.5"),
        _event(2, "page_view", session_id="short", event_ts="2025-06-15 10:00:02.499999"),
        _event(1, "page_view", session_id="a second"),
        _event(2, "page_view", session_id="a second"),
    ]

    assert_part(_sessions(spark, events), "session_id string, duration_seconds bigint", [("short", 0), ("a second", 1)])


def test_steps_count_in_the_order_of_the_funnel(spark):
    def visit(name, *steps):
        return [_p(second, step, session_id=name, event_id=f"{name}{second}{step}") for second, step in steps]

    events = [
        *visit("all", (1, "product_view"), (2, "add_to_cart"), (3, "begin_checkout"), (4, "purchase")),
        *visit("at once", (1, "purchase"), (1, "begin_checkout"), (1, "add_to_cart"), (1, "product_view")),
        *visit("backwards", (1, "add_to_cart"), (2, "product_view")),
        *visit("no cart", (1, "product_view"), (2, "begin_checkout"), (3, "purchase")),
        *visit("again", (1, "add_to_cart"), (2, "product_view"), (3, "add_to_cart"), (4, "add_to_cart")),
        *visit("visit", (1, "page_view"), (2, "search")),
        *visit("too soon", (1, "product_view"), (3, "add_to_cart"), (2, "begin_checkout"), (4, "purchase")),
    ]

    assert_part(
        _sessions(spark, events),
        """session_id string, funnel_depth int, furthest_step string, first_cart_at timestamp,
            reached_view_at timestamp, reached_cart_at timestamp, reached_checkout_at timestamp,
            reached_purchase_at timestamp""",
        [
            ("again", 2, "add_to_cart", _at(1), _at(2), _at(3), None, None),
            ("all", 4, "purchase", _at(2), _at(1), _at(2), _at(3), _at(4)),
            ("at once", 4, "purchase", _at(1), _at(1), _at(1), _at(1), _at(1)),
            ("backwards", 1, "product_view", _at(1), _at(2), None, None, None),
            ("no cart", 1, "product_view", None, _at(1), None, None, None),
            ("too soon", 2, "add_to_cart", _at(3), _at(1), _at(3), None, None),
            ("visit", 0, "visit", None, None, None, None, None),
        ],
    )


def test_converted_and_abandoned(spark):
    events = [
        _p(1, "add_to_cart", session_id="left"),
        _p(1, "add_to_cart", session_id="bought"),
        _p(2, "purchase", session_id="event only"),
        _p(1, "add_to_cart", session_id="event only"),
        _p(1, "product_view", session_id="browsed"),
        _p(1, "add_to_cart", session_id="emptied"),
        _p(2, "remove_from_cart", session_id="emptied"),
        _p(1, "add_to_cart", session_id="returned only"),
        _p(1, "add_to_cart", session_id="without product", product_id=None),
        _p(1, "product_view", session_id="bought without cart"),
    ]
    lines = [
        _bought("p", session="bought"),
        _bought("p", quantity=-1, session="returned only"),
        _bought("p", quantity=0, session="left"),
        _bought("p", gross="0.00", session="bought without cart"),
    ]

    assert_part(
        _sessions(spark, events, lines),
        """session_id string, is_converted boolean, is_abandoned boolean, cart_items bigint, cart_value decimal(18,2),
            purchased_lines bigint, purchase_amount decimal(18,2)""",
        [
            ("bought", True, False, 1, "10.00", 1, "10.00"),
            ("browsed", False, False, 0, "0.00", 0, "0.00"),
            ("event only", True, False, 1, "10.00", 0, "0.00"),
            ("left", False, True, 1, "10.00", 0, "0.00"),
            ("emptied", False, True, 0, "0.00", 0, "0.00"),
            ("returned only", False, True, 1, "10.00", 0, "0.00"),
            ("without product", False, True, 0, "0.00", 0, "0.00"),
            ("bought without cart", True, False, 0, "0.00", 1, "0.00"),
        ],
    )


def test_a_cart_is_worth_what_is_left_of_each_product(spark):
    events = [
        _p(1, "add_to_cart", quantity=2),
        _p(2, "add_to_cart", product_id="q", product_sk=3, quantity=3),
        _p(3, "remove_from_cart", product_id="q", product_sk=3),
        _p(4, "add_to_cart", product_id="stranger", product_sk=-1),
    ]

    assert_part(_sessions(spark, events), "cart_items bigint, cart_value decimal(18,2)", [(5, "30.00")])


def test_attributes_are_those_of_the_first_event_or_the_least_known(spark):
    events = [
        _event(1, "page_view", anonymous_id="a"),
        _event(1, "search", event_id="e01zzz", anonymous_id="b", device_type="phone"),
        _event(9, "page_view", user_id="u", geo_country="DE", device_type="desktop"),
        _event(9, "search", session_id="known", anonymous_id="a", geo_country="AT"),
        _event(1, "page_view", session_id="known", anonymous_id="z", geo_country="US"),
    ]

    assert_part(
        _sessions(spark, events),
        "session_id string, user_id string, anonymous_id string, device_type string, country string",
        [("s", "u", "a", "desktop", "DE"), ("known", None, "z", None, "US")],
    )


def test_a_session_is_of_the_day_on_which_it_began_in_the_shop(spark):
    starts = {"before midnight": "2025-06-15 14:59:59.999999", "midnight": "2025-06-15 15:00:00"}
    events = [_event(1, "page_view", session_id=name, event_ts=ts) for name, ts in starts.items()]
    events.append(_event(2, "search", session_id="before midnight", event_ts="2025-06-15 15:30:00"))

    assert_part(
        _sessions(spark, events, zone="Asia/Tokyo"),
        "session_id string, session_date date",
        [("before midnight", "2025-06-15"), ("midnight", "2025-06-16")],
    )


def test_where_sessions_come_from(spark):
    entries = {
        "campaign": {"utm_source": "newsletter", "utm_medium": "email", "referrer": "https://www.google.com/"},
        "campaign without medium": {"utm_source": "partner"},
        "medium alone": {"utm_medium": "email", "referrer": "https://m.facebook.com/"},
        "search": {"referrer": "https://www.google.co.uk/search?q=x"},
        "social": {"referrer": "https://m.facebook.com/"},
        "short link": {"referrer": "https://t.co/abc"},
        "elsewhere": {"referrer": "http://blog.example.org:8080/post"},
        "looks like search": {"referrer": "https://notgoogle.com/"},
        "looks like social": {"referrer": "https://fox.com/"},
        "own page": {"referrer": "https://shop.example.com/a", "page_url": "https://shop.example.com/b"},
        "own page in capitals": {
            "referrer": "HTTPS://SHOP.example.com/a",
            "page_url": "https://shop.example.com:443/b",
        },
        "part of ours": {"referrer": "https://blog.shop.example.com", "page_url": "https://shop.example.com"},
        "nowhere": {},
        "empty": {"referrer": "", "page_url": ""},
        "no address": {"referrer": "android-app", "page_url": "/home"},
    }
    events = [_event(1, "page_view", session_id=name, **entry) for name, entry in entries.items()]
    # Only the first event of a session says where it came from.
    events.append(_event(2, "page_view", session_id="nowhere", utm_source="late"))
    events.append(_event(1, "search", session_id="empty", referrer="https://www.google.com/"))

    assert_part(
        _sessions(spark, events),
        "session_id string, entry_source string, entry_medium string",
        [
            ("campaign", "newsletter", "email"),
            ("campaign without medium", "partner", "unknown"),
            ("medium alone", "social", "email"),
            ("search", "search", "organic"),
            ("social", "social", "social"),
            ("short link", "social", "social"),
            ("elsewhere", "referral", "referral"),
            ("looks like search", "referral", "referral"),
            ("looks like social", "referral", "referral"),
            ("own page", "direct", "none"),
            ("own page in capitals", "direct", "none"),
            ("part of ours", "referral", "referral"),
            ("nowhere", "direct", "none"),
            ("empty", "direct", "none"),
            ("no address", "direct", "none"),
        ],
    )
