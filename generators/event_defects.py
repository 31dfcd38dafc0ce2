"""Defective copies of events, and hard negatives that only look like them."""

# ruff: noqa: PLR2004 - shares and dates of made-up behaviour say more where they are used than under a name
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from generators.event_rows import VIEW, EventRows, Events
from generators.identifiers import DEFECT_EVENTS, ORPHAN_PRODUCTS, ORPHAN_USERS
from generators.ledger import Planted
from generators.randomness import I64, Stream
from generators.sessions import BOT, LONG
from generators.spec import DAY_MS, Spec

_RATE = 0.001
_RATES = {"exact_duplicate": 0.003, "near_duplicate": 0.004, "late_event": 0.004, "quick_repeat": 0.002}
Json = dict[str, object]


def _without(*names: str) -> Callable[[Json, int], bytes]:
    return lambda event, nth: dump({name: value for name, value in event.items() if name not in names})


def _with(name: str, *values: object) -> Callable[[Json, int], bytes]:
    return lambda event, nth: dump({**event, name: values[nth % len(values)]})


def dump(event: Json) -> bytes:
    """An event as a line of JSON without line feed."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _time(event: Json) -> str:
    return str(event["event_ts"])


def _latin_1(event: Json, nth: int) -> bytes:
    changed = {**event, "page_url": f"{event['page_url']}?ref=caf\x01"}
    return dump(changed).replace(b"\\u0001", b"\xe9")


def _array(event: Json, nth: int) -> bytes:
    twin = {**event, "event_id": f"{str(event['event_id'])[:-2]}ff"}
    return b"[" + dump(event) + b"," + dump(twin) + b"]"


def _cut(event: Json, nth: int) -> bytes:
    """A line that breaks off between two characters: within one it would be invalid UTF-8, which is another class."""
    return dump(event)[: -(20 + nth % 120)].decode("utf-8", "ignore").encode()


# What is done to the parsed line of a copy, by class; the classes below need more than the line.
MUTATIONS: dict[str, Callable[[Json, int], bytes]] = {
    "broken_json": _cut,
    "json_array": _array,
    "blank_line": lambda event, nth: b"",
    "invalid_utf8": _latin_1,
    "missing_event_id": _without("event_id"),
    "missing_event_ts": _without("event_ts"),
    "missing_event_type": _without("event_type"),
    "malformed_key": _with("event_id", "E123", "X0123456789abcdef", "E0123456789ABCDEF", "E0123456789abcdef0123"),
    "unknown_event_type": _with("event_type", "hover", "wishlist_add", "scroll"),
    "missing_actor": _without("user_id", "anonymous_id"),
    "invalid_ts": _with("event_ts", "yesterday", "2025-02-30T10:00:00.000Z", "2025-07-01 25:61", "n/a"),
    "impossible_date": lambda event, nth: _with("event_ts", "1970-01-01" + _time(event)[10:])(event, nth),
    "invalid_quantity": _with("quantity", "two", -1, "many", -3),
}
_SHIFTED = ("future_event", "near_duplicate", "quick_repeat", "exact_duplicate", "orphan_product", "orphan_user")
CLASSES = (*MUTATIONS, *_SHIFTED, "late_event")
_KEYLESS = {"broken_json", "json_array", "blank_line", "invalid_utf8", "missing_event_id"}
# Copies that survive must not change how far a session got, nor meet another one's definition by chance.
_CALM = {"near_duplicate", "quick_repeat", "orphan_product", "orphan_user"}


class EventDefects:
    """Which events are copied and how, and which come late.

    Args:
        spec: The data set.
        rows: What makes the events.
        stream: The stream of the defects.
        days: First day and last day of delivery, as days since 1970.
    """

    def __init__(self, spec: Spec, rows: EventRows, stream: Stream, days: tuple[int, int]) -> None:
        """Plan what the class gives; see there for the arguments."""
        self.rows, self.stream = rows, stream
        sessions = rows.sessions
        sizes = {name: spec.planted(_RATES.get(name, _RATE), rows.total) for name in CLASSES}
        calm = (sessions.steps[:, VIEW] == 1) & (sessions.kind != BOT)
        # The view of a session with one view stands right behind its entries.
        views = (rows.first + sessions.steps[:, 0])[calm]
        needed = sum(sizes[name] for name in CLASSES if name in _CALM)
        calm_source = views[stream.sample("views", len(views), min(needed, len(views)))]
        ordinary = (sessions.kind != BOT) & (rows.size <= LONG)
        pool = self._ordinary(ordinary, np.sort(calm_source), sum(sizes.values()) - needed)
        source: list[I64] = []
        used = {True: 0, False: 0}
        for name in CLASSES:
            is_calm = name in _CALM
            chosen = (calm_source if is_calm else pool)[used[is_calm] : used[is_calm] + sizes[name]]
            used[is_calm] += sizes[name]
            source.append(chosen)
        self.source = np.concatenate(source)
        self.name = np.repeat(np.arange(len(CLASSES)), [len(part) for part in source])
        self.session = np.searchsorted(rows.first, self.source, side="right") - 1
        delay = 1 + stream.below("late_by", self.source, 3)
        late = self.name == CLASSES.index("late_event")
        again = self.name == CLASSES.index("exact_duplicate")
        delay = np.where(late, delay, np.where(again, stream.below("again_after", self.source, 2), 0))
        day = self._times() // DAY_MS
        # What would come after the last day comes in time.
        self.day = np.clip(day + delay, *days)
        self.late = np.sort(self.source[late & (self.day > day)])
        self._comes_late = np.isin(self.source, self.late)

    def _ordinary(self, ordinary: np.ndarray, taken: I64, count: int) -> I64:
        """Events of short sessions of people, all different and none of them taken."""
        drawn = self.stream.sample("events", self.rows.total, min(self.rows.total, 3 * count + 1_000))
        session = np.searchsorted(self.rows.first, drawn, side="right") - 1
        return drawn[ordinary[session] & ~np.isin(drawn, taken)][:count]

    def _times(self) -> I64:
        sessions = np.unique(self.session)
        events = self.rows.expand(sessions)
        place = np.searchsorted(events.number, self.source)
        return events.ts_ms[place]

    def on_time(self, events: Events) -> Events:
        """The events without those that come late."""
        return events.take(~np.isin(events.number, self.late))

    def _sources(self, which: np.ndarray) -> Events:
        events = self.rows.expand(np.unique(self.session[which]))
        return events.take(np.searchsorted(events.number, self.source[which]))

    def late_on(self, day: int, path: str, planted: Planted) -> tuple[list[bytes], I64]:
        """Lines of earlier events that are delivered on a day (days since 1970), and their times."""
        which = np.flatnonzero((self.day == day) & self._comes_late)
        events = self._sources(which)
        lines: list[bytes] = self.rows.lines_of(events).to_pylist()
        for line in lines:
            planted.add("clickstream", "late_event", path, line, str(json.loads(line)["event_id"]))
        return lines, events.ts_ms

    def copies_on(self, day: int, path: str, planted: Planted) -> tuple[list[bytes], I64]:
        """Defective copies that are delivered on a day (days since 1970), and their places in time."""
        which = np.flatnonzero((self.day == day) & (self.name != CLASSES.index("late_event")))
        events, name, ids = self._sources(which), self.name[which], self.source[which]
        originals = self.rows.event_ids(events)
        products = self.rows.products(events)

        def of(label: str) -> np.ndarray:
            found: np.ndarray = name == CLASSES.index(label)
            return found

        near, quick = of("near_duplicate"), of("quick_repeat")
        other = quick & (self.stream.uniform("other_product", ids) < 0.4)
        shift = np.where(near, 50 + self.stream.below("near", ids, 851), 0)
        shift = np.where(quick, 3_000 + self.stream.below("quick", ids, 17_000), shift)
        shift = np.where(other, 300 + self.stream.below("other", ids, 600), shift)
        shift = np.where(of("future_event"), (8 + self.stream.below("future", ids, 20)) * DAY_MS, shift)
        number = np.where(of("exact_duplicate"), events.number, DEFECT_EVENTS + events.number)
        products = np.where(other, (products + 1) % len(self.rows.catalogue.cluster), products)
        orphan = ORPHAN_PRODUCTS + self.stream.below("orphan_product", ids, 4_000)
        products = np.where(of("orphan_product"), orphan, products)
        copies = replace(events, number=number, ts_ms=events.ts_ms + shift)
        lines: list[bytes] = self.rows.lines_of(copies, products).to_pylist()
        for nth, (line, original) in enumerate(zip(lines, originals, strict=True)):
            label, of_event = CLASSES[name[nth]], None
            if label in MUTATIONS:
                lines[nth] = MUTATIONS[label](json.loads(line), int(ids[nth]))
            elif label == "orphan_user":
                lines[nth] = self._by_nobody(line, int(ids[nth]))
            elif label == "near_duplicate":
                of_event = original
            key = None if label in _KEYLESS else str(json.loads(lines[nth])["event_id"])
            planted.add("clickstream", label, path, lines[nth], key, of_event)
        return lines, events.ts_ms

    def _by_nobody(self, line: bytes, number: int) -> bytes:
        """The event as that of a user whom no file knows, in a session of its own."""
        event, ids = json.loads(line), np.array([number])
        bits = f"{int(self.stream.bits('nobody', ids)[0]):016x}"
        user = ORPHAN_USERS + int(self.stream.below("orphan_user", ids, 900_000)[0])
        parts = {"user_id": f"U{user:08d}", "anonymous_id": f"A{bits[:12]}", "session_id": f"S{bits[4:]}"}
        head = {"event_id": event.pop("event_id"), "event_ts": event.pop("event_ts")}
        return dump({**head, **{name: value for name, value in event.items() if name not in parts}, **parts})


def note_crowds(rows: EventRows, events: Events, lines: list[bytes], path: str, planted: Planted) -> None:
    """Take down the events of bots and of people who look at very much."""
    is_bot = rows.sessions.kind[events.session] == BOT
    for line, key, bot in zip(lines, rows.event_ids(events), is_bot.tolist(), strict=True):
        planted.add("clickstream", "bot" if bot else "power_user", path, line, key)
