"""The sessions of the plan: who came when from where, how far they got, and how they spread over time."""

# ruff: noqa: PLR2004 - shares and dates of made-up behaviour say more where they are used than under a name
from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from generators.catalogue import Catalogue
from generators.people import People, choose_clusters
from generators.places import CITY_WEIGHTS
from generators.randomness import F64, I64, Stream
from generators.sales import Lines, Purchases
from generators.spec import DAY_MS, START_MS

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
# Of visits that end in a purchase: who knows the shop, or has its newsletter, buys more often than who is shown it.
_BUYING_SOURCE_SHARES = (0.34, 0.25, 0.035, 0.155, 0.16, 0.025, 0.025, 0.01)
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
# Some turn to a desktop to buy.
_DESKTOP_SHARES = tuple(
    share if kind == "desktop" else 0.0 for (kind, _, _), share in zip(DEVICES, _DEVICE_SHARES, strict=True)
)
_TO_DESKTOP = 0.25
_CHUNK = 500_000
# More events than anybody makes who is neither a machine nor looks at very much.
LONG = 40
_CALLED_AWAY, _LONGEST_PAUSE_MS, MAX_SESSION_MS = 0.012, 1_500_000, 3_000_000


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


@dataclass(frozen=True)
class Draft:
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


def keys_of_lines(sessions: Sessions, lines: Lines) -> I64:
    """Key of the session of each line, -1 for returns and for purchases that leave no events, (L,)."""
    bought = sessions.purchase >= 0
    keys = np.full(int(lines.purchase.max(initial=-1)) + 2, -1)
    keys[sessions.purchase[bought]] = sessions.key[bought]
    # The last place is that of lines without a purchase.
    return keys[lines.purchase]


def assemble(  # noqa: PLR0913, PLR0917 - each is a different input
    stream: Stream,
    people: People,
    catalogue: Catalogue,
    lines: Lines,
    purchases: Purchases,
    drafts: list[Draft],
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
        [np.full(len(draft.kind), MAX_SESSION_MS) if draft.room is None else draft.room for draft in drafts]
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
    buys = kind == PURCHASED
    other = np.where(buys, stream.pick("desktop", key, _DESKTOP_SHARES), other)
    source = np.where(
        buys, stream.pick("buying_source", key, _BUYING_SOURCE_SHARES), stream.pick("source", key, _SOURCE_SHARES)
    )
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
        source=np.where(kind == BOT, 0, source),
        device=np.where(stream.uniform("device", key) < np.where(buys, 1 - _TO_DESKTOP, 0.8), usual, other),
        city=city,
        login=login,
        steps=steps,
        extras=extras,
        room=room,
        start_ms=start,
        end_ms=start + duration,
    )
    return sessions.take(np.argsort(start, kind="stable"))
