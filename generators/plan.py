"""The whole plan of a data set, from which every row follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from generators.behaviour import Behaviour, make_behaviour
from generators.catalogue import Catalogue, make_catalogue
from generators.event_rows import EventRows
from generators.people import People, make_people
from generators.purchases import make_purchases
from generators.randomness import I64, Stream
from generators.sales import Lines, Purchases
from generators.sessions import Sessions, keys_of_lines
from generators.spec import DAY_MS, START_MS, Spec
from generators.visits import make_sessions

# Visits of the day after may start before midnight.
_SIGNED_UP_BY_MS = 3_600_000


@dataclass(frozen=True)
class Plan:
    """What happens in the shop within the window.

    Attributes:
        spec: Size and seed.
        people: The users.
        catalogue: The products.
        behaviour: Who came when.
        purchases: The purchases.
        lines: Their lines and the returns.
        sessions: The sessions.
    """

    spec: Spec
    people: People
    catalogue: Catalogue
    behaviour: Behaviour
    purchases: Purchases
    lines: Lines
    sessions: Sessions

    @cached_property
    def session_keys(self) -> I64:
        """Key of the session of each line, -1 for returns and for purchases that leave no events, (L,)."""
        return keys_of_lines(self.sessions, self.lines)

    @cached_property
    def first_seen_ms(self) -> I64:
        """Before when each user has signed up: their first visit or purchase, or that day's midnight if later, (N,)."""
        sessions, start = self.sessions, START_MS + self.people.signup_day * DAY_MS
        known = sessions.user >= 0
        seen = start + DAY_MS - _SIGNED_UP_BY_MS
        np.minimum.at(seen, sessions.user[known], sessions.start_ms[known])
        np.minimum.at(seen, self.purchases.user, self.purchases.ts_ms)
        return np.maximum(seen, start)

    def stream(self, table: str) -> Stream:
        """The stream of a table's random values."""
        return Stream(self.spec.seed, table)

    def event_rows(self) -> EventRows:
        """What makes events of the sessions."""
        return EventRows(self.stream("sessions"), self.sessions, self.catalogue, (self.purchases, self.lines))


def make_plan(spec: Spec, report: Callable[[str], None] = lambda step: None) -> Plan:
    """Plan a data set.

    Args:
        spec: Size and seed.
        report: Called with the name of each step as it starts.
    """
    report("products")
    catalogue = make_catalogue(spec)
    report("users")
    people = make_people(spec)
    report("behaviour")
    behaviour = make_behaviour(spec, people)
    report("purchases")
    purchases, lines = make_purchases(spec, people, catalogue, behaviour)
    report("sessions")
    sessions = make_sessions(spec, people, catalogue, behaviour, (purchases, lines))
    return Plan(spec, people, catalogue, behaviour, purchases, lines, sessions)
