"""When people buy and when they only look: a day-by-day simulation whose hazard depends on what can be observed.

The chance that a user buys on a day is 1 - exp(-rate), with

    rate = pace * level * rhythm * calendar * temper

- pace = (SHAPE + purchases so far) / (EXPOSURE + days so far): what one would predict from a gamma prior and the
  purchases seen, so that a user's activity is known from the history as well as it can be known at all;
- rhythm is low just after a purchase, highest about one of the user's own mean pauses (1 / pace) later, and falls to
  LAPSED when the silence goes beyond SILENCE of them: customers who broke with their rhythm rarely come back;
- calendar has growth, weekdays and sales; temper has newcomers' first weeks, a recent return, and a liking for
  discounts that waits for the sales;
- level is one number for the data set, which sets its size.

All of it is known before the day, so the best reachable prediction of silence over some days is the product of the
chances of no purchase on each (`silence_probabilities`), without any hidden state.
"""

# ruff: noqa: PLR2004 - shares and dates of made-up behaviour say more where they are used than under a name
from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from generators.people import EXPOSURE, SHAPE, People
from generators.randomness import F64, I64, Stream
from generators.spec import DAYS, LINES, MEAN_BASKET, RETURN_SHARE, USERS, Spec, date_of

SILENCE, SILENCE_WIDTH, LAPSED = 2.2, 0.2, 0.01
DUE, DUE_WIDTH, DUE_LOW, DUE_RISE = 0.6, 0.15, 0.3, 1.7
RETURN_MEMORY_DAYS, RETURN_TEMPER = 30, 0.7
NEWCOMER_DAYS, NEWCOMER_TEMPER = 14, 4.0
_NEVER = -(10**6)
_WEEKDAY = np.array([1.02, 0.95, 0.93, 0.96, 1.0, 1.04, 1.12])  # from Monday
_GROWTH = (0.8, 0.5)
_FIRST_LEVEL = 0.94
_VISIT_SHARE, _VISIT_POWER, _MAX_VISIT = 0.25, 0.5, 0.5
PURCHASES_A_USER = LINES * (1 - RETURN_SHARE) / MEAN_BASKET / USERS


def calendar(day: int) -> tuple[float, bool]:
    """The demand of a day against a usual one, and whether it is a day of sales."""
    date = date_of(day)
    demand = float(_WEEKDAY[date.weekday()]) * (_GROWTH[0] + _GROWTH[1] * min(day, DAYS) / DAYS)
    fourth_thursday = dt.date(date.year, 11, 22) + dt.timedelta(days=(3 - dt.date(date.year, 11, 22).weekday()) % 7)
    since = (date - fourth_thursday).days
    if since == 1:
        return demand * 3.2, True
    if -3 <= since <= 4:
        return demand * 1.6, True
    if date.month == 7 and 15 <= date.day <= 18:
        return demand * 1.5, True
    if date.month == 12 and date.day <= 20:
        return demand * 1.35, False
    if (date.month, date.day) in {(12, 24), (12, 25), (12, 31), (1, 1), (7, 4)}:
        return demand * 0.6, False
    return demand, False


@dataclass
class State:
    """What is known of each user before a day.

    Attributes:
        count: Purchases so far, (N,).
        last: Day of the last purchase, long ago where there is none, (N,).
        returned: Day of the newest return, which may still lie ahead, (N,).
    """

    count: I64
    last: I64
    returned: I64

    def take(self, users: I64) -> State:
        """What is known of some users."""
        return State(self.count[users], self.last[users], self.returned[users])


def rates(people: People, state: State, day: int, level: float, known: int) -> F64:
    """Purchase rates on a day of the first `known` users, (known,)."""
    signup = people.signup_day[:known]
    segment = people.segment[:known]
    pace = (SHAPE[segment] + state.count[:known]) / (EXPOSURE[segment] + (day - np.maximum(signup, 0)))
    silence = np.minimum((day - state.last[:known]) * pace, 20.0)
    due = DUE_LOW + DUE_RISE / (1 + np.exp((DUE - silence) / DUE_WIDTH))
    rhythm = due * (LAPSED + (1 - LAPSED) / (1 + np.exp((silence - SILENCE) / SILENCE_WIDTH)))
    rhythm[state.count[:known] == 0] = 1.0
    demand, sale = calendar(day)
    discount = people.discount_share[:known]
    temper = 1 + 0.8 * discount if sale else 1 - 0.3 * discount
    temper[day - signup < NEWCOMER_DAYS] *= NEWCOMER_TEMPER
    since_return = day - state.returned[:known]
    temper[(since_return >= 0) & (since_return < RETURN_MEMORY_DAYS)] *= RETURN_TEMPER
    values: F64 = level * demand * pace * rhythm * temper
    return values


@dataclass(frozen=True)
class Behaviour:
    """Who came on which day, ordered by day and user.

    Attributes:
        level: The level that gives the data set its size.
        buyer: User of each purchase, (B,).
        buy_day: Its day, (B,).
        return_day: Day on which part of it is sent back, -1 where nothing is, (B,).
        visitor: User of each visit without a purchase, (V,).
        visit_day: Its day, (V,).
        state: What is known after the last day.
    """

    level: float
    buyer: I64
    buy_day: I64
    return_day: I64
    visitor: I64
    visit_day: I64
    state: State

    def state_before(self, day: int) -> State:
        """What was known of each user before a day of the window."""
        users = len(self.state.count)
        state = _blank(users)
        before = int(np.searchsorted(self.buy_day, day))
        buyer, return_day = self.buyer[:before], self.return_day[:before]
        state.count[:] = np.bincount(buyer, minlength=users)
        # Of several values for one user the last one stays, and purchases are in order of time.
        state.last[buyer] = self.buy_day[:before]
        sent = return_day >= 0
        state.returned[buyer[sent]] = return_day[sent]
        return state


def _blank(users: int) -> State:
    return State(np.zeros(users, np.int64), np.full(users, _NEVER), np.full(users, _NEVER))


def simulate(spec: Spec, people: People, level: float) -> Behaviour:
    """Simulate the window, day by day and all users at once."""
    stream = Stream(spec.seed, "behaviour")
    users = np.arange(spec.users)
    state = _blank(spec.users)
    bought: list[tuple[I64, I64, I64]] = []
    visited: list[tuple[I64, I64]] = []
    for day in range(DAYS):
        known = int(np.searchsorted(people.signup_day, day, side="right"))
        rate = rates(people, state, day, level, known)
        ids = users[:known] * 4096 + day
        buys = stream.uniform("buys", ids) < -np.expm1(-rate)
        visit_rate = np.minimum(_VISIT_SHARE * rate**_VISIT_POWER, _MAX_VISIT)
        visits = ~buys & (stream.uniform("visits", ids) < visit_rate)
        buyer = users[:known][buys]
        sends_back = stream.uniform("sends_back", ids[buys]) < people.return_share[buyer]
        return_day = np.where(sends_back, day + 8 + stream.below("return_delay", ids[buys], 14), -1)
        state.count[buyer] += 1
        state.last[buyer] = day
        state.returned[buyer[sends_back]] = return_day[sends_back]
        bought.append((buyer, np.full(len(buyer), day), return_day))
        visitor = users[:known][visits]
        visited.append((visitor, np.full(len(visitor), day)))
    buyer, buy_day, return_day = (np.concatenate(parts) for parts in zip(*bought, strict=True))
    visitor, visit_day = (np.concatenate(parts) for parts in zip(*visited, strict=True))
    return Behaviour(level, buyer, buy_day, return_day, visitor, visit_day, state)


def make_behaviour(spec: Spec, people: People) -> Behaviour:
    """Simulate the window at the level that gives about the planned number of purchases."""
    wanted = PURCHASES_A_USER * spec.users
    level, behaviour = _FIRST_LEVEL, None
    for _ in range(12):
        behaviour = simulate(spec, people, level)
        ratio = max(len(behaviour.buyer), 1) / wanted
        if abs(ratio - 1) < max(0.03, 0.6 * wanted**-0.5):
            break
        # Purchases feed on purchases, so that their number grows faster than the level.
        level *= float(np.clip(ratio**-0.6, 0.5, 2.0))
    if behaviour is None:
        raise AssertionError("the simulation ran no time")
    return behaviour


def silence_probabilities(
    people: People, state: State, level: float, day: int, horizons: Sequence[int]
) -> dict[int, npt.NDArray[np.float64]]:
    """The chance that a user buys nothing on so many days from `day` on, given all that is known before it.

    As long as nobody buys, what is known changes by the passing of time alone, so the product over days is exact.
    A return that is still to come counts as known here; its effect is small.

    Args:
        people: The users, in order of signing up.
        state: What is known of them.
        level: The data set's level.
        day: The first day.
        horizons: Numbers of days.

    Returns:
        Probabilities by horizon, (N,) each; 1 for users who sign up later.
    """
    total, found = np.zeros(len(people.signup_day)), {}
    for ahead in range(max(horizons)):
        known = int(np.searchsorted(people.signup_day, day + ahead, side="right"))
        total[:known] += rates(people, state, day + ahead, level, known)
        if ahead + 1 in horizons:
            found[ahead + 1] = np.exp(-total)
    return found
