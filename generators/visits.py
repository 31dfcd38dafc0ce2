"""Drafts of sessions, by what brings people to the shop: buying, looking, reading it all, or writing a review.

A shop's funnel has twenty visits for a purchase. Most customers buy in the app or give no consent to tracking, so that
only a part of the purchases leaves events; most visits are of people who never log in, and short.
"""

# ruff: noqa: PLR2004 - shares and dates of made-up behaviour say more where they are used than under a name
from __future__ import annotations

import numpy as np
import numpy.typing as npt

from generators.behaviour import Behaviour, calendar
from generators.catalogue import Catalogue
from generators.clock import time_of_day
from generators.people import People
from generators.places import CITIES, CITY_WEIGHTS
from generators.randomness import I64, Stream
from generators.sales import Lines, Purchases
from generators.sessions import ABANDONED, BOT, BROWSED, MAX_SESSION_MS, PURCHASED, STEPS, Draft, Sessions, assemble
from generators.spec import DAY_MS, DAYS, START_MS, Spec

_LOOKS_FIRST = (0.35, 0.66)  # what is bought again and again, and other things
_POWER_PER_USER, _BOTS_PER_USER, _REVIEW_RATE = 0.0004, 0.0003, 0.012
# How many purchases are tracked: of customers who mostly buy in the app, and of others.
_TRACKED = (0.08, 0.70)


def _room(purchases: Purchases) -> I64:
    """How long the session of each purchase may last: it starts after the user's purchase before it."""
    order = np.lexsort((purchases.ts_ms, purchases.user))
    user, at = purchases.user[order], purchases.ts_ms[order]
    since = np.full(len(user), MAX_SESSION_MS)
    since[1:] = np.where(user[1:] == user[:-1], at[1:] - at[:-1] - 15_000, MAX_SESSION_MS)
    room = np.empty(len(user), dtype=np.int64)
    room[order] = np.clip(since, 60_000, MAX_SESSION_MS)
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


def _full(rows: int, value: int) -> I64:
    return np.full(rows, value, dtype=np.int64)


def tracked(stream: Stream, people: People, purchases: Purchases) -> I64:
    """The purchases that leave events: those in the app, and those without consent to tracking, leave none, (T,)."""
    share = np.where(people.prefers_app[purchases.user], *_TRACKED)
    seen: I64 = np.flatnonzero(stream.uniform("followed", purchases.key) < share)
    # The smallest shops have one as well.
    return seen if len(seen) else np.arange(min(1, len(purchases.user)))


def purchase_draft(stream: Stream, people: People, catalogue: Catalogue, purchases: Purchases, lines: Lines) -> Draft:
    """A session for each purchase that is tracked; it puts the lines into the cart and ends with buying them."""
    child, bought = stream.child("purchase"), tracked(stream, people, purchases)
    rows, user, key = len(bought), purchases.user[bought], purchases.key[bought]
    shown = np.add.reduceat(looked_at(stream, catalogue, purchases, lines).astype(np.int64), purchases.first_line)
    extras = child.pick("extras", key, (0.88, 0.09, 0.03))
    steps = np.zeros((rows, len(STEPS)), dtype=np.int64)
    steps[:, 0] = child.uniform("entry", key) < 0.22
    steps[:, 1] = extras + shown[bought]
    steps[:, 2], steps[:, 4], steps[:, 5] = purchases.size[bought], 1, 1
    kind, none, room = _full(rows, PURCHASED), _full(rows, -1), _room(purchases)[bought]
    return Draft(kind, user, user, bought, none, steps, purchases.ts_ms[bought], extras, room, ends=True)


def visit_draft(stream: Stream, people: People, users: I64, days: I64) -> Draft:
    """A session without a purchase for each visit of a user."""
    stream, ids = stream.child("visit"), users * 4096 + days
    kind = np.where(stream.uniform("abandons", ids) < 0.26, ABANDONED, BROWSED)
    at = START_MS + days * DAY_MS + time_of_day(stream, "time", ids, people.country[users])
    return Draft(kind, users, users, _full(len(ids), -1), _full(len(ids), -1), _steps(stream, ids, kind, 0.50), at)


def anonymous_draft(stream: Stream, spec: Spec, events: int, days: I64) -> Draft:
    """Sessions of visitors who never log in, until there are so many events.

    Args:
        stream: Where random values come from.
        spec: The data set.
        events: How many events to make, a few more come out.
        days: Days to spread them over, by the calendar.
    """
    stream, ids = stream.child("anonymous"), np.arange(max(events, 1))
    kind = np.where(stream.uniform("abandons", ids) < 0.13, ABANDONED, BROWSED)
    steps = _steps(stream, ids, kind, 0.78)
    rows = int(np.searchsorted(np.cumsum(steps.sum(axis=1)), events)) + 1
    kind, steps, ids = kind[:rows], steps[:rows], ids[:rows]
    day = days[stream.pick("day", ids, [calendar(int(day))[0] for day in days])]
    visitor = spec.users + (stream.uniform("visitor", ids) ** 1.5 * 0.7 * rows).astype(np.int64)
    country = np.array([city.country for city in CITIES])[stream.pick("city", visitor, CITY_WEIGHTS)]
    at = START_MS + day * DAY_MS + time_of_day(stream, "time", ids, country)
    return Draft(kind, _full(rows, -1), visitor, _full(rows, -1), _full(rows, -1), steps, at)


def _heavy_draft(stream: Stream, rows: int, users: I64, kind: int, views: I64, days: I64, visitor: I64) -> Draft:  # noqa: PLR0913, PLR0917 - each is a different input
    steps = np.zeros((rows, len(STEPS)), dtype=np.int64)
    steps[:, 0] = 1 if kind == BROWSED else 0
    steps[:, 1] = views
    ids = np.arange(rows)
    # Between 4 and 14 o'clock UTC, so that the whole visit lies on one day.
    at = START_MS + days * DAY_MS + 4 * 3_600_000 + stream.below("time", ids, 10 * 3_600_000)
    return Draft(_full(rows, kind), users, visitor, _full(rows, -1), _full(rows, -1), steps, at)


def power_draft(stream: Stream, people: People, days: I64, rows: int) -> Draft:
    """Long visits of people who look at a hundred products and more on one day, after the day of their signing up."""
    stream, ids = stream.child("power"), np.arange(rows)
    day = days[stream.below("day", ids, len(days))]
    users = stream.below("user", ids, np.searchsorted(people.signup_day, day, side="left"))
    _, first = np.unique(users, return_index=True)
    users, day, ids = users[first], day[first], ids[first]
    views = 79 + stream.below("views", ids, 110)
    return _heavy_draft(stream, len(users), users, BROWSED, views, day, users)


def bot_draft(stream: Stream, spec: Spec, days: I64, rows: int, first_visitor: int) -> Draft:
    """Machines that read product page after product page."""
    stream, ids = stream.child("bot"), np.arange(rows)
    views = 150 + stream.below("views", ids, 251)
    day = days[stream.below("day", ids, len(days))]
    return _heavy_draft(stream, rows, _full(rows, -1), BOT, views, day, first_visitor + ids)


def review_draft(stream: Stream, lines: Lines, last_ms: int) -> Draft:
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
    return Draft(_full(rows, BROWSED), user, user, _full(rows, -1), lines.product[chosen], steps, at)


def make_sessions(
    spec: Spec, people: People, catalogue: Catalogue, behaviour: Behaviour, sales: tuple[Purchases, Lines]
) -> Sessions:
    """The sessions of the window."""
    purchases, lines = sales
    stream, days, last_ms = Stream(spec.seed, "sessions"), np.arange(DAYS), START_MS + DAYS * DAY_MS
    drafts = [
        purchase_draft(stream, people, catalogue, purchases, lines),
        visit_draft(stream, people, behaviour.visitor, behaviour.visit_day),
        power_draft(stream, people, days, max(2, round(_POWER_PER_USER * spec.users))),
        review_draft(stream, lines, last_ms),
    ]
    so_far = sum(int(draft.steps.sum()) for draft in drafts)
    drafts.append(anonymous_draft(stream, spec, max(spec.events - so_far, spec.events // 20), days))
    bots = max(1, round(_BOTS_PER_USER * spec.users))
    drafts.append(bot_draft(stream, spec, days, bots, int(drafts[-1].visitor.max()) + 1))
    return assemble(stream, people, catalogue, lines, purchases, drafts, last_ms)
