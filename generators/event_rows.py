"""Sessions to events, and events to lines of JSON."""

# ruff: noqa: PLR2004 - shares and dates of made-up behaviour say more where they are used than under a name
from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cached_property
from urllib.parse import quote_plus

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from generators.assortment import SHELVES
from generators.catalogue import SHELF_OF, Catalogue
from generators.identifiers import anonymous_ids, event_ids, product_ids, session_ids, user_ids
from generators.places import CITIES, COUNTRIES
from generators.randomness import I64, Stream
from generators.sales import Lines, Purchases
from generators.sessions import BOT, DEVICES, MAX_STEPS, SOURCES, STEPS, Sessions, timeline
from generators.text import BoolArray, constant, fixed, join, pool, take, timestamps
from generators.visits import looked_at

SHOP = "https://marlowe.example"
ENTRY, VIEW, CART, REMOVE, CHECKOUT, PURCHASE, REVIEW = range(len(STEPS))
_TYPES = ("page_view", "product_view", "add_to_cart", "remove_from_cart", "begin_checkout", "purchase", "review")
_PATHS = ("", "/p/", "/p/", "/cart", "/checkout", "/order/confirmation", "/p/")
_REFERRERS = {"google": "https://www.google.com/", "bing": "https://www.bing.com/"}
_QUERIES_A_SHELF, _MAX_QUANTITY = 6, 4
_SOCIAL = {name: f"https://www.{name}.com/" for name in ("instagram", "facebook", "tiktok")}


@dataclass(frozen=True)
class Events:
    """Events; one row each.

    Attributes:
        number: What the id is made of, (n,).
        session: Row of the session in the plan, (n,).
        position: Step within the session from 0, (n,).
        step: Index into STEPS, (n,).
        nth: Number of the product among those that the session looks at or buys, (n,).
        ts_ms: Milliseconds since 1970, (n,).
    """

    number: I64
    session: I64
    position: I64
    step: I64
    nth: I64
    ts_ms: I64

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Events:
        """Some of the events."""
        return Events(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def _queries() -> list[str]:
    """What people search for on each shelf: what things are called, and a bit more."""
    queries = []
    for shelf in SHELVES:
        items = [shelf.items[nth % len(shelf.items)] for nth in range(_QUERIES_A_SHELF // 2)]
        queries += [item.noun.lower() for item in items]
        queries += [f"{item.adjectives[nth]} {item.noun}".lower() for nth, item in enumerate(items)]
    return queries


def slug(text: str) -> str:
    """A name as it stands in an address."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in text.lower()).split())


class EventRows:
    """Makes events of planned sessions.

    Args:
        stream: Where random values come from.
        sessions: The plan, in order of time.
        catalogue: The products.
        sales: Purchases and their lines.
        name_space: Number that tells this delivery's ids from others: 0, or an increment's.
        ids: The stream that identifiers hang on, if another one: that of the first load.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - each is a different input
        self,
        stream: Stream,
        sessions: Sessions,
        catalogue: Catalogue,
        sales: tuple[Purchases, Lines],
        name_space: int = 0,
        ids: Stream | None = None,
    ) -> None:
        """Plan what the class gives; see there for the arguments."""
        self.ids = ids or stream
        self.stream, self.sessions, self.catalogue, self.name_space = stream, sessions, catalogue, name_space
        self.purchases, self.lines = sales
        self.size = sessions.size
        self.first = np.cumsum(self.size) - self.size
        self.steps_before = np.cumsum(sessions.steps, axis=1)
        # Views and carts of the lines, one line after another.
        self.line_ends = np.cumsum(1 + looked_at(stream, catalogue, *sales))

    @cached_property
    def total(self) -> int:
        """Number of events of all sessions."""
        return int(self.size.sum())

    def expand(self, rows: I64) -> Events:
        """All events of some sessions, session by session."""
        sessions, chosen = self.sessions, self.sessions.take(rows)
        row, position, elapsed = timeline(self.stream, chosen.key, chosen.kind, chosen.steps, chosen.room)
        session = rows[row]
        before = self.steps_before[session]
        step = (position[:, None] >= before).sum(axis=1)
        step, nth = self._in_turn(session, position, step)
        ts = sessions.start_ms[session] + elapsed
        return Events(self.first[session] + position, session, position, step, nth, ts)

    def _in_turn(self, session: I64, position: I64, step: I64) -> tuple[I64, I64]:
        """Steps and their products where each product is put into the cart right after it was looked at."""
        sessions, extras = self.sessions, self.sessions.extras[session]
        place = position - sessions.steps[session, ENTRY] - extras
        within = (place >= 0) & ((step == VIEW) | (step == CART))
        item, is_cart = np.maximum(place, 0) // 2, place % 2 == 1
        purchase = sessions.purchase[session]
        rows = np.flatnonzero(within & (purchase >= 0))
        if len(rows):
            first = self.purchases.first_line[purchase[rows]]
            event = np.where(first > 0, self.line_ends[first - 1], 0) + place[rows]
            line = np.searchsorted(self.line_ends, event, side="right")
            item[rows], is_cart[rows] = line - first, event == self.line_ends[line] - 1
        step = np.where(within, np.where(is_cart, CART, VIEW), step)
        looks = (step == VIEW) & ~within
        # Whoever takes something out again takes the first thing.
        return step, np.where(looks, place + extras, np.where(within, extras + item, extras))

    def all_events(self) -> Events:
        """The events of all sessions."""
        return self.expand(np.arange(len(self.size)))

    def of_day(self, day_start_ms: int, day_ms: int) -> Events:
        """The events of a day, whichever day their session started on."""
        sessions = self.sessions
        stop = int(np.searchsorted(sessions.start_ms, day_start_ms + day_ms))
        # No session lasts longer than half a day.
        start = int(np.searchsorted(sessions.start_ms, day_start_ms - day_ms // 2))
        rows = np.arange(start, stop)
        events = self.expand(rows[sessions.end_ms[rows] >= day_start_ms])
        return events.take((events.ts_ms >= day_start_ms) & (events.ts_ms < day_start_ms + day_ms))

    def products(self, events: Events) -> I64:
        """Product of each event, -1 for one that is about none."""
        sessions, session, step = self.sessions, events.session, events.step
        key = sessions.key[session] * MAX_STEPS + events.nth
        product = self.catalogue.choose(sessions.cluster[session], self.stream.uniform("product", key))
        line = self._line(events)
        product = np.where(line >= 0, self.lines.product[line], product)
        # A machine walks through the catalogue: never the same page twice in a row.
        count = len(self.catalogue.cluster)
        walk = (self.stream.below("walk", sessions.key[session], count) + 7 * events.nth) % count
        product = np.where(sessions.kind[session] == BOT, walk, product)
        product = np.where(step == REVIEW, sessions.product[session], product)
        is_about_one = (step == VIEW) | (step == CART) | (step == REMOVE) | (step == REVIEW)
        return np.where(is_about_one, product, -1)

    def _line(self, events: Events) -> I64:
        """Line that each event is about, -1 where it is about none."""
        purchase, item = self.sessions.purchase[events.session], events.nth - self.sessions.extras[events.session]
        about = (purchase >= 0) & (item >= 0) & ((events.step == VIEW) | (events.step == CART))
        return np.where(about, self.purchases.first_line[purchase] + item, -1)

    def lines_of(self, events: Events, products: I64 | None = None) -> pa.Array:
        """Events as lines of JSON without line feeds, binary.

        Args:
            events: Which events.
            products: Their products where others than planned, (n,).
        """
        sessions, session, step = self.sessions, events.session, events.step
        rows = len(session)
        product = self.products(events) if products is None else products
        user = sessions.user[session]
        known = (user >= 0) & (events.position >= sessions.login[session])
        with_product = product >= 0
        in_path = with_product & (step != REMOVE)
        product_text = product_ids(np.maximum(product, 0))
        anonymous_space = np.where(user >= 0, 0, self.name_space)
        searches, query = self._search(events)
        ids = anonymous_ids(self.ids, sessions.visitor[session] + (anonymous_space << 33), 0)
        return join(
            fixed(
                constant('{"event_id":"', rows),
                event_ids(self.ids, events.number, self.name_space),
                constant('","event_ts":"', rows),
                timestamps(events.ts_ms),
                constant('"', rows),
            ),
            fixed(constant(',"user_id":"', rows), user_ids(np.maximum(user, 0)), constant('"', rows), present=known),
            fixed(
                constant(',"anonymous_id":"', rows),
                ids,
                constant('","session_id":"', rows),
                session_ids(self.ids, sessions.key[session], self.name_space),
                constant('","event_type":"', rows),
            ),
            take(_TYPE_AND_PAGE, self._page(events, searches, query)),
            fixed(product_text, present=in_path),
            take(_REFERRER, np.where(events.position == 0, sessions.source[session], len(SOURCES))),
            fixed(constant(',"product_id":"', rows), product_text, constant('"', rows), present=with_product),
            take(_QUERY_AND_QUANTITY, self._query_or_quantity(events, searches, query)),
            take(_DEVICE, sessions.device[session]),
            take(_GEO, sessions.city[session]),
            take(_UTM, self._utm(session)),
        )

    def event_ids(self, events: Events) -> list[str]:
        """The ids in the lines of events."""
        ids = fixed(event_ids(self.ids, events.number, self.name_space))
        return [name.decode() for name in ids.to_pylist()]

    def _search(self, events: Events) -> tuple[BoolArray, I64]:
        key = self.sessions.key[events.session]
        searches = (events.step == ENTRY) & (self.sessions.product[events.session] < 0)
        searches &= self.stream.uniform("searches", key) < 0.42
        shelf = SHELF_OF[self.sessions.cluster[events.session]]
        return searches, shelf * _QUERIES_A_SHELF + self.stream.below("query", key, _QUERIES_A_SHELF)

    def _page(self, events: Events, searches: BoolArray, query: I64) -> I64:
        shelf = SHELF_OF[self.sessions.cluster[events.session]]
        home = self.stream.uniform("home", self.sessions.key[events.session]) < 0.35
        landing = np.where(home, len(STEPS), len(STEPS) + 1 + shelf)
        page = np.where(events.step == ENTRY, landing, events.step)
        return np.where(searches, len(STEPS) + 1 + len(SHELVES) + query, page)

    def _query_or_quantity(self, events: Events, searches: BoolArray, query: I64) -> I64:
        line = self._line(events)
        quantity = np.where(line >= 0, self.lines.quantity[line], 1)
        has_quantity = (events.step == CART) | (events.step == REMOVE)
        index = np.where(has_quantity, np.minimum(quantity, _MAX_QUANTITY), 0)
        return np.where(searches, 1 + _MAX_QUANTITY + query, index)

    def _utm(self, session: I64) -> I64:
        source = self.sessions.source[session]
        values: I64 = _UTM_FIRST[source] + self.stream.below("campaign", self.sessions.key[session], _UTM_COUNT[source])
        return values


def _fragment(key: str, value: object) -> str:
    return f',"{key}":{json.dumps(value, ensure_ascii=False, separators=(",", ":"))}'


def _referrer(source: str, medium: str) -> str:
    if medium == "organic" or (source in _REFERRERS and medium == "cpc"):
        return _REFERRERS[source]
    return _SOCIAL.get(source, "")


_ALL_QUERIES = _queries()
_TYPE_AND_PAGE = pool(
    [f'{name}","page_url":"{SHOP}{path}' for name, path in zip(_TYPES, _PATHS, strict=True)]
    + [f'page_view","page_url":"{SHOP}/']
    + [f'page_view","page_url":"{SHOP}/c/{slug(shelf.department)}/{slug(shelf.name)}' for shelf in SHELVES]
    + [f'search","page_url":"{SHOP}/search?q={quote_plus(query)}' for query in _ALL_QUERIES]
)
# The quotation mark closes the page's address.
_REFERRER = pool(
    ['"' + (_fragment("referrer", link) if (link := _referrer(name, medium)) else "") for name, medium, _ in SOURCES]
    + ['"']
)
_QUERY_AND_QUANTITY = pool(
    ["", *[_fragment("quantity", number) for number in range(1, _MAX_QUANTITY + 1)]]
    + [_fragment("search_query", query) for query in _ALL_QUERIES]
)
_DEVICE = pool([_fragment("device", {"type": kind, "os": os, "browser": browser}) for kind, os, browser in DEVICES])
_GEO = pool([_fragment("geo", {"country": COUNTRIES[city.country].code, "city": city.name}) for city in CITIES])


def _utm_texts() -> tuple[list[str], list[int]]:
    texts, counts = [], []
    for source, medium, campaigns in SOURCES:
        tags = [{"source": source, "medium": medium, "campaign": name} for name in campaigns.split()]
        tags = tags or [{"source": source, "medium": medium} if medium == "organic" else {}]
        texts += [(_fragment("utm", tag) if tag else "") + "}" for tag in tags]
        counts.append(len(tags))
    return texts, counts


_TEXTS, _COUNTS = _utm_texts()
_UTM = pool(_TEXTS)
_UTM_COUNT = np.array(_COUNTS)
_UTM_FIRST = np.cumsum(_UTM_COUNT) - _UTM_COUNT
