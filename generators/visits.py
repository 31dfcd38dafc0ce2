"""The plan of the sessions: who came when from where, and how far they got on the way to a purchase.

A shop's funnel has ten visits or more for a purchase. A purchase puts each of its lines into the cart and looks at most
of them before, which leaves room for some three visits a purchase, so most other visits here are short.
"""

# ruff: noqa: PLR2004 - shares and dates of made-up behaviour say more where they are used than under a name
from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from generators.behaviour import Behaviour, calendar
from generators.catalogue import Catalogue
from generators.clock import time_of_day
from generators.people import People, choose_clusters
from generators.places import CITIES, CITY_WEIGHTS
from generators.purchases import Lines, Purchases
from generators.randomness import F64, I64, Stream
from generators.spec import DAY_MS, DAYS, START_MS, Spec

BROWSED, ABANDONED, PURCHASED, BOT = range(4)
OUTCOMES = ("browsed", "abandoned", "purchased", "browsed")
STEPS = ("entry", "view", "cart", "remove", "checkout", "purchase", "review")
MAX_STEPS = 512
# source, medium; campaigns are chosen among the last column
SOURCES = (
    ("direct", "", ""),
    ("google", "organic", ""),
    ("bing", "organic", ""),
    ("google", "cpc", "brand shoes-and-bags home-refresh free-shipping"),
    ("newsletter", "email", "weekly-deals back-in-stock price-drops"),
    ("instagram", "social", "new-looks creators-picks"),
    ("facebook", "social", "lookalike retargeting"),
    ("tiktok", "social", "creators"),
)
_SOURCE_SHARES = (0.30, 0.26, 0.04, 0.15, 0.11, 0.06, 0.05, 0.03)
DEVICES = (
    ("mobile", "iOS", "Safari"),
    ("mobile", "Android", "Chrome"),
    ("desktop", "Windows", "Chrome"),
    ("desktop", "Windows", "Edge"),
    ("desktop", "macOS", "Safari"),
    ("desktop", "macOS", "Chrome"),
    ("tablet", "iPadOS", "Safari"),
    ("desktop", "Linux", "Firefox"),
    ("mobile", "Android", "Samsung Internet"),
)
_DEVICE_SHARES = (0.27, 0.22, 0.19, 0.07, 0.08, 0.05, 0.06, 0.02, 0.04)
_LOOKS_FIRST = (0.35, 0.66)  # what is bought again and again, and other things
_POWER_PER_USER, _BOTS_PER_USER, _REVIEW_RATE = 0.0004, 0.0003, 0.012
_CHUNK = 500_000
# More events than anybody makes who is neither a machine nor looks at very much.
LONG = 40
_CALLED_AWAY, _LONGEST_PAUSE_MS, _MAX_SESSION_MS = 0.012, 1_500_000, 3_000_000


@dataclass(frozen=True)
class Sessions:
    """Sessions in order of their start.

    Attributes:
        key: Number that random values and the session's id hang on, (S,).
        kind: Index into OUTCOMES, (S,).
        user: User index, -1 for a visitor who never logs in, (S,).
        visitor: Number behind the anonymous id, (S,).
        purchase: Purchase index, -1 without one, (S,).
        product: Product of a review, -1 without one, (S,).
        cluster: Cluster that the visit is about, (S,).
        source: Index into SOURCES, (S,).
        device: Index into DEVICES, (S,).
        city: Index into CITIES, (S,).
        login: Step from which on the user is known, (S,).
        steps: How many events of each of STEPS, (S, 7).
        extras: How many products are looked at before the first that goes into the cart, (S,).
        room: How long the session may last in milliseconds, (S,).
        start_ms: Time of the first event, (S,).
        end_ms: Time of the last one, (S,).
    """

    key: I64
    kind: I64
    user: I64
    visitor: I64
    purchase: I64
    product: I64
    cluster: I64
    source: I64
    device: I64
    city: I64
    login: I64
    steps: I64
    extras: I64
    room: I64
    start_ms: I64
    end_ms: I64

    @property
    def size(self) -> I64:
        """Number of events, (S,)."""
        values: I64 = self.steps.sum(axis=1)
        return values

    def take(self, rows: npt.NDArray[np.integer]) -> Sessions:
        """Some of the sessions."""
        return Sessions(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def _pauses_ms(stream: Stream, step_key: I64, pace: F64, ends: tuple[npt.NDArray[np.bool_], ...]) -> I64:
    """Pauses of people before each step: seconds to minutes while they look around, and rarely a call at the door.

    Args:
        stream: The sessions' stream.
        step_key: What random values hang on, (n,).
        pace: How slow the visitor is, (n,).
        ends: Whether the step begins the checkout, and whether it ends it with the purchase, (n,) each.
    """
    uniform = stream.uniform("gap", step_key)
    looks = (5_000 + 150_000 * uniform**2.2) * pace
    pause = np.select(ends, [8_000 + 100_000 * uniform**2, 22_000 - 65_000 * np.log1p(-uniform)], looks)
    called_away = stream.uniform("called_away", step_key)
    pause += np.where(called_away < _CALLED_AWAY, 120_000 + 1_000_000 * called_away / _CALLED_AWAY, 0)
    whole: I64 = np.minimum(pause, _LONGEST_PAUSE_MS).astype(np.int64)
    return whole


def timeline(stream: Stream, key: I64, kind: I64, steps: I64, room: I64) -> tuple[I64, I64, I64]:
    """The events of sessions in time, session by session.

    Args:
        stream: The sessions' stream.
        key: The sessions' keys, (S,).
        kind: Index into OUTCOMES, (S,).
        steps: How many events of each of STEPS, (S, 7).
        room: How long they may last in milliseconds; longer ones are pressed into it, (S,).

    Returns:
        Row of the session, number of the event within it, and milliseconds since its first, (n,) each.
    """
    counts = steps.sum(axis=1)
    first = np.cumsum(counts) - counts
    row = np.repeat(np.arange(len(counts)), counts)
    position = np.arange(len(row)) - first[row]
    step_key = key[row] * MAX_STEPS + position
    before = np.cumsum(steps, axis=1)
    ends = tuple((position >= before[row, step - 1]) & (position < before[row, step]) for step in (4, 5))
    pause = _pauses_ms(stream, step_key, 0.5 + 1.2 * stream.uniform("pace", key)[row], ends)
    # Machines take less than two seconds, people who look at very much about half a minute.
    crowd = np.flatnonzero((kind == BOT)[row] | (counts > LONG)[row])
    uniform = stream.uniform("gap", step_key[crowd])
    machine, patient = 200 + 1_750 * uniform, 3_100 + 82_000 * uniform**2
    pause[crowd] = np.where((kind == BOT)[row[crowd]], machine, patient).astype(np.int64)
    elapsed = np.cumsum(np.where(position > 0, pause, 0))
    if len(elapsed):
        elapsed -= elapsed[first[row]]
        total = elapsed[first + counts - 1]
        elapsed = np.where((total > room)[row], elapsed * room[row] // np.maximum(total, 1)[row], elapsed)
    return row, position, elapsed


def _durations(stream: Stream, key: I64, kind: I64, steps: I64, room: I64) -> I64:
    out = np.empty(len(key), dtype=np.int64)
    for start in range(0, len(key), _CHUNK):
        part = slice(start, start + _CHUNK)
        row, _, elapsed = timeline(stream, key[part], kind[part], steps[part], room[part])
        out[part] = elapsed[np.searchsorted(row, np.arange(len(key[part])), side="right") - 1]
    return out


def _room(purchases: Purchases) -> I64:
    """How long the session of each purchase may last: it starts after the user's purchase before it."""
    order = np.lexsort((purchases.ts_ms, purchases.user))
    user, at = purchases.user[order], purchases.ts_ms[order]
    since = np.full(len(user), _MAX_SESSION_MS)
    since[1:] = np.where(user[1:] == user[:-1], at[1:] - at[:-1] - 15_000, _MAX_SESSION_MS)
    room = np.empty(len(user), dtype=np.int64)
    room[order] = np.clip(since, 60_000, _MAX_SESSION_MS)
    return room


def _steps(stream: Stream, key: I64, kind: I64, bounce: float) -> I64:
    """How many events of each step people make who do not buy."""
    steps = np.zeros((len(key), len(STEPS)), dtype=np.int64)
    views = stream.uniform("views", key)
    steps[:, 0] = stream.uniform("entry", key) < np.where(kind == ABANDONED, 0.25, 0.5)
    leaves = kind == ABANDONED
    bounces = stream.uniform("bounce", key) < bounce
    looked = np.where(bounces, 1 - steps[:, 0], 1 + (views < 0.6) * 1 + (views < 0.2) * 1 + (views < 0.05) * 2)
    steps[:, 1] = np.where(leaves, 1 + (views < 0.24) * 1 + (views < 0.05) * 1, looked)
    steps[:, 2] = leaves * (1 + (stream.uniform("carts", key) < 0.6))
    steps[:, 3] = leaves & (stream.uniform("remove", key) < 0.12)
    steps[:, 4] = leaves & (stream.uniform("checkout", key) < 0.26)
    # Nobody puts into the cart what the session has not shown.
    steps[:, 2] = np.minimum(steps[:, 2], steps[:, 1])
    return steps


def looked_at(stream: Stream, catalogue: Catalogue, purchases: Purchases, lines: Lines) -> npt.NDArray[np.bool_]:
    """Whether a line's product is looked at before it goes into the cart.

    The first of a basket always is; what is bought again and again often comes straight from a list.

    Args:
        stream: The sessions' stream.
        catalogue: The products.
        purchases: The purchases, B of them.
        lines: Their lines, and returns behind them.

    Returns:
        One for each line of the purchases, without returns.
    """
    purchase = np.repeat(np.arange(len(purchases.size)), purchases.size)
    position = np.arange(len(purchase)) - purchases.first_line[purchase]
    share = np.where(catalogue.replenishable[lines.product[: len(purchase)]], *_LOOKS_FIRST)
    looks = stream.uniform("looks_first", purchases.key[purchase] * 64 + position) < share
    shown: npt.NDArray[np.bool_] = looks | (position == 0)
    return shown


@dataclass(frozen=True)
class _Draft:
    """Sessions of one origin before the shared attributes are drawn: see Sessions."""

    kind: I64
    user: I64
    visitor: I64
    purchase: I64
    product: I64
    steps: I64
    at_ms: I64
    extras: I64 | None = None
    room: I64 | None = None
    ends: bool = False


def _full(rows: int, value: int) -> I64:
    return np.full(rows, value, dtype=np.int64)


def purchase_draft(stream: Stream, catalogue: Catalogue, purchases: Purchases, lines: Lines) -> _Draft:
    """A session for each purchase, that puts its lines into the cart and ends with buying them."""
    rows, child = len(purchases.user), stream.child("purchase")
    shown = looked_at(stream, catalogue, purchases, lines).astype(np.int64)
    extras = child.pick("extras", purchases.key, (0.88, 0.09, 0.03))
    steps = np.zeros((rows, len(STEPS)), dtype=np.int64)
    steps[:, 0] = child.uniform("entry", purchases.key) < 0.22
    steps[:, 1] = extras + np.add.reduceat(shown, purchases.first_line)
    steps[:, 2], steps[:, 4], steps[:, 5] = purchases.size, 1, 1
    user = purchases.user
    kind, none = _full(rows, PURCHASED), _full(rows, -1)
    return _Draft(kind, user, user, np.arange(rows), none, steps, purchases.ts_ms, extras, _room(purchases), ends=True)


def visit_draft(stream: Stream, people: People, users: I64, days: I64) -> _Draft:
    """A session without a purchase for each visit of a user."""
    stream, ids = stream.child("visit"), users * 4096 + days
    kind = np.where(stream.uniform("abandons", ids) < 0.45, ABANDONED, BROWSED)
    at = START_MS + days * DAY_MS + time_of_day(stream, "time", ids, people.country[users])
    return _Draft(kind, users, users, _full(len(ids), -1), _full(len(ids), -1), _steps(stream, ids, kind, 0.60), at)


def anonymous_draft(stream: Stream, spec: Spec, events: int, days: I64) -> _Draft:
    """Sessions of visitors who never log in, until there are so many events.

    Args:
        stream: Where random values come from.
        spec: The data set.
        events: How many events to make, a few more come out.
        days: Days to spread them over, by the calendar.
    """
    stream, ids = stream.child("anonymous"), np.arange(max(events, 1))
    kind = np.where(stream.uniform("abandons", ids) < 0.18, ABANDONED, BROWSED)
    steps = _steps(stream, ids, kind, 0.90)
    rows = int(np.searchsorted(np.cumsum(steps.sum(axis=1)), events)) + 1
    kind, steps, ids = kind[:rows], steps[:rows], ids[:rows]
    day = days[stream.pick("day", ids, [calendar(int(day))[0] for day in days])]
    visitor = spec.users + (stream.uniform("visitor", ids) ** 1.5 * 0.7 * rows).astype(np.int64)
    country = np.array([city.country for city in CITIES])[stream.pick("city", visitor, CITY_WEIGHTS)]
    at = START_MS + day * DAY_MS + time_of_day(stream, "time", ids, country)
    return _Draft(kind, _full(rows, -1), visitor, _full(rows, -1), _full(rows, -1), steps, at)


def _heavy_draft(stream: Stream, rows: int, users: I64, kind: int, views: I64, days: I64, visitor: I64) -> _Draft:  # noqa: PLR0913, PLR0917 - each is a different input
    steps = np.zeros((rows, len(STEPS)), dtype=np.int64)
    steps[:, 0] = 1 if kind == BROWSED else 0
    steps[:, 1] = views
    ids = np.arange(rows)
    # Between 4 and 14 o'clock UTC, so that the whole visit lies on one day.
    at = START_MS + days * DAY_MS + 4 * 3_600_000 + stream.below("time", ids, 10 * 3_600_000)
    return _Draft(_full(rows, kind), users, visitor, _full(rows, -1), _full(rows, -1), steps, at)


def power_draft(stream: Stream, people: People, days: I64, rows: int) -> _Draft:
    """Long visits of people who look at a hundred products and more on one day, after the day of their signing up."""
    stream, ids = stream.child("power"), np.arange(rows)
    day = days[stream.below("day", ids, len(days))]
    users = stream.below("user", ids, np.searchsorted(people.signup_day, day, side="left"))
    _, first = np.unique(users, return_index=True)
    users, day, ids = users[first], day[first], ids[first]
    views = 79 + stream.below("views", ids, 110)
    return _heavy_draft(stream, len(users), users, BROWSED, views, day, users)


def bot_draft(stream: Stream, spec: Spec, days: I64, rows: int, first_visitor: int) -> _Draft:
    """Machines that read product page after product page."""
    stream, ids = stream.child("bot"), np.arange(rows)
    views = 150 + stream.below("views", ids, 251)
    day = days[stream.below("day", ids, len(days))]
    return _heavy_draft(stream, rows, _full(rows, -1), BOT, views, day, first_visitor + ids)


def review_draft(stream: Stream, lines: Lines, last_ms: int) -> _Draft:
    """Later visits in which buyers write about what they have got."""
    stream = stream.child("review")
    rated = np.flatnonzero(lines.rating > 0)
    chosen = rated[stream.uniform("writes", rated) < _REVIEW_RATE]
    at = (
        lines.ts_ms[chosen]
        + (8 + stream.below("after", chosen, 14)) * DAY_MS
        + stream.below("jitter", chosen, 7_200_000)
    )
    chosen, at = chosen[at < last_ms], at[at < last_ms]
    steps = np.zeros((len(chosen), len(STEPS)), dtype=np.int64)
    steps[:, 0] = steps[:, 6] = 1
    rows = len(chosen)
    user = lines.user[chosen]
    return _Draft(_full(rows, BROWSED), user, user, _full(rows, -1), lines.product[chosen], steps, at)


def assemble(  # noqa: PLR0913, PLR0917 - each is a different input
    stream: Stream,
    people: People,
    catalogue: Catalogue,
    lines: Lines,
    purchases: Purchases,
    drafts: list[_Draft],
    last_ms: int,
) -> Sessions:
    """Give drafted sessions their shared attributes, and put them in order of time."""
    joined = {
        name: np.concatenate([getattr(draft, name) for draft in drafts])
        for name in ("kind", "user", "visitor", "purchase", "product", "steps", "at_ms")
    }
    steps = joined["steps"]
    extras = np.concatenate(
        [draft.steps[:, 1] - draft.steps[:, 2] if draft.extras is None else draft.extras for draft in drafts]
    )
    room = np.concatenate(
        [np.full(len(draft.kind), _MAX_SESSION_MS) if draft.room is None else draft.room for draft in drafts]
    )
    room = np.where(steps.sum(axis=1) > LONG, DAY_MS, room)
    ends = np.concatenate([np.full(len(draft.kind), draft.ends) for draft in drafts])
    key = np.arange(len(joined["kind"]))
    kind, user, visitor = joined["kind"], joined["user"], joined["visitor"]
    duration = _durations(stream, key, kind, steps, room)
    start = np.where(ends, joined["at_ms"] - duration, np.minimum(joined["at_ms"], last_ms - duration - 1))
    known = user >= 0
    # Nobody is logged in on the day before the one of signing up.
    first_day = START_MS + people.signup_day[np.maximum(user, 0)] * DAY_MS
    early = np.flatnonzero(known & (start < first_day))
    city = stream.pick("city", visitor, CITY_WEIGHTS)
    city[known] = people.city[user[known]]
    cluster = stream.pick("cluster", key, catalogue.cluster_share)
    wanders = known & (joined["purchase"] < 0)
    cluster[wanders] = choose_clusters(people, catalogue, user[wanders], stream.uniform("taste", key[wanders]))
    if len(purchases.first_line):
        bought = joined["purchase"] >= 0
        cluster[bought] = catalogue.cluster[lines.product[purchases.first_line[joined["purchase"][bought]]]]
    usual = stream.pick("usual_device", visitor, _DEVICE_SHARES)
    other = stream.pick("other_device", key, _DEVICE_SHARES)
    # Some log in only when they put something into the cart, right after they have looked at it.
    late = stream.uniform("late_login", key) < 0.15
    login = np.where(late, steps[:, 0] + np.where(steps[:, 2] > 0, extras + 1, steps[:, 1]), 0)
    row, _, elapsed = timeline(stream, key[early], kind[early], steps[early], room[early])
    unknown = elapsed <= (first_day - start)[early][row]
    login[early] = np.maximum(login[early], np.bincount(row[unknown], minlength=len(early)))
    sessions = Sessions(
        key=key,
        kind=kind,
        user=user,
        visitor=visitor,
        purchase=joined["purchase"],
        product=joined["product"],
        cluster=cluster,
        source=np.where(kind == BOT, 0, stream.pick("source", key, _SOURCE_SHARES)),
        device=np.where(stream.uniform("device", key) < 0.8, usual, other),
        city=city,
        login=login,
        steps=steps,
        extras=extras,
        room=room,
        start_ms=start,
        end_ms=start + duration,
    )
    return sessions.take(np.argsort(start, kind="stable"))


def make_sessions(
    spec: Spec, people: People, catalogue: Catalogue, behaviour: Behaviour, sales: tuple[Purchases, Lines]
) -> Sessions:
    """The sessions of the window."""
    purchases, lines = sales
    stream, days, last_ms = Stream(spec.seed, "sessions"), np.arange(DAYS), START_MS + DAYS * DAY_MS
    drafts = [
        purchase_draft(stream, catalogue, purchases, lines),
        visit_draft(stream, people, behaviour.visitor, behaviour.visit_day),
        power_draft(stream, people, days, max(2, round(_POWER_PER_USER * spec.users))),
        review_draft(stream, lines, last_ms),
    ]
    so_far = sum(int(draft.steps.sum()) for draft in drafts)
    drafts.append(anonymous_draft(stream, spec, max(spec.events - so_far, spec.events // 20), days))
    bots = max(1, round(_BOTS_PER_USER * spec.users))
    drafts.append(bot_draft(stream, spec, days, bots, int(drafts[-1].visitor.max()) + 1))
    return assemble(stream, people, catalogue, lines, purchases, drafts, last_ms)
