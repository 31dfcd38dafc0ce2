"""Users as lines of CSV: the first load, and later states of them."""

# ruff: noqa: PLR2004 - shares and dates of made-up behaviour say more where they are used than under a name
from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache

import numpy as np
import pyarrow as pa

from generators.identifiers import column, user_ids
from generators.people import TIERS, People
from generators.places import CITIES, COUNTRIES
from generators.pools import GENDERS, ascii_word, name_pools
from generators.randomness import I64, Ids, Stream
from generators.spec import DAY_MS, START_MS
from generators.text import dates, digits, fixed, join, numbers, pool, take, timestamps

COLUMNS = (
    "user_id,email,first_name,last_name,gender,birth_date,phone,street,city,state,country,postal_code,signup_ts,"
    "marketing_opt_in,loyalty_tier,updated_at"
)
_DOMAINS = ("mail.example", "post.example", "inbox.example", "webmail.example", "letters.example")


@dataclass(frozen=True)
class UserStates:
    """States of users; one row each.

    Attributes:
        user: Number in the id, (n,).
        draw: What the values that change with an address hang on, (n,).
        gender: Index into GENDERS, (n,).
        birth_day: Days since 1970, (n,).
        name_draw: What the names hang on, (n,).
        city: Index into CITIES, (n,).
        signup_ms: Milliseconds since 1970, (n,).
        opt_in: 0 or 1, (n,).
        tier: Index into TIERS, (n,).
        updated_ms: Milliseconds since 1970, (n,).
    """

    user: I64
    draw: I64
    gender: I64
    birth_day: I64
    name_draw: I64
    city: I64
    signup_ms: I64
    opt_in: I64
    tier: I64
    updated_ms: I64

    def take(self, rows: Ids) -> UserStates:
        """Some of the states."""
        return UserStates(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def updated(self, **columns: I64) -> UserStates:
        """The same states with other values in some columns."""
        return replace(self, **columns)


def join_users(*parts: UserStates) -> UserStates:
    """States one after another."""
    names = [field.name for field in fields(UserStates)]
    return UserStates(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def first_states(stream: Stream, people: People, first_seen_ms: I64) -> UserStates:
    """Each user in the state of the first load, which is older than any change in the window.

    Args:
        stream: The users' stream.
        people: The users.
        first_seen_ms: Until when on their day they sign up, (N,).
    """
    ids = np.arange(len(people.signup_day))
    midnight = START_MS + people.signup_day * DAY_MS
    signup = midnight + stream.below("signup_time", ids, first_seen_ms - midnight)
    settled = np.maximum(START_MS - DAY_MS - signup, 0)
    later = stream.uniform("updated", ids) < 0.4
    touched = signup + (settled * stream.uniform("updated_at", ids) * later).astype(np.int64)
    return UserStates(
        user=ids,
        draw=ids,
        gender=people.gender,
        birth_day=people.birth_day,
        name_draw=people.namesake,
        city=people.city,
        signup_ms=signup,
        opt_in=(stream.uniform("opt_in", ids) < 0.58).astype(np.int64),
        tier=people.tier,
        updated_ms=touched,
    )


@dataclass(frozen=True)
class _NameColumns:
    """All countries' pools one after another, with where each starts and how long it is."""

    texts: pa.Array
    folded: pa.Array
    start: I64
    size: I64


def _columns(groups: list[tuple[str, ...]]) -> _NameColumns:
    size = np.array([len(group) for group in groups])
    flat = [name for group in groups for name in group]
    return _NameColumns(pool(flat), pool([ascii_word(name) or "x" for name in flat]), np.cumsum(size) - size, size)


@cache
def _names() -> tuple[_NameColumns, _NameColumns, _NameColumns]:
    pools = name_pools()
    first = _columns([names for each in pools for names in each.first])
    return first, _columns([each.last for each in pools]), _columns([each.streets for each in pools])


def _choose(stream: Stream, name: str, draw: I64, group: I64, columns: _NameColumns) -> I64:
    return columns.start[group] + stream.below(name, draw, columns.size[group])


def _postal(stream: Stream, draw: I64, city: I64) -> pa.Array:
    """Postal codes in the country's form that start as the city's do."""
    length = np.array([len(entry.postal_prefix) for entry in CITIES])[city]
    country = np.array([entry.country for entry in CITIES])[city]
    digits_of = digits(stream.below("postal", draw, 100_000), 5)
    letters = (ord("A") + (digits(stream.below("postal_letters", draw, 10_000), 4) - ord("0"))).astype(np.uint8)
    prefix = take(pool([entry.postal_prefix for entry in CITIES]), city)
    blank = np.full((len(city), 1), ord(" "), dtype=np.uint8)
    british = fixed(digits_of[:, :1], blank, digits_of[:, 1:2], letters[:, :2])
    canadian = fixed(digits_of[:, :1], letters[:, :1], blank, digits_of[:, 1:2], letters[:, 1:2], digits_of[:, 2:3])
    two, three = fixed(digits_of[:, :2]), fixed(digits_of[:, :3])
    choices = pa.concat_arrays([british, canadian, two, three])
    kind = np.select([country == 1, country == 4, length == 3, country == 5], [0, 1, 2, 2], default=3)
    tail = choices.take(pa.array(kind * len(city) + np.arange(len(city))))
    return join(prefix, tail)


def to_lines(stream: Stream, states: UserStates) -> pa.Array:
    """States as lines of CSV without line feeds, binary."""
    first, last, streets = _names()
    country = np.array([entry.country for entry in CITIES])[states.city]
    women = np.where(states.gender == len(GENDERS) - 1, stream.below("x_name", states.name_draw, 2), states.gender)
    first_name = _choose(stream, "first_name", states.name_draw, country * 2 + women, first)
    last_name = _choose(stream, "last_name", states.name_draw, country, last)
    street = _choose(stream, "street", states.draw, country, streets)
    house = numbers(1 + (stream.uniform("house", states.draw) ** 2 * 999).astype(np.int64))
    flat = stream.below("flat", states.draw, 60)
    has_flat = (stream.uniform("has_flat", states.draw) < 0.12) & np.isin(country, (0, 4, 5))
    flats = pool([f", Apt {number + 1}" for number in range(60)] + [""])
    after_name = np.isin(country, (2,))
    name, blank = take(streets.texts, street), b" "
    front = join(house, name, separator=blank)
    back = join(name, house, separator=blank)
    both = pa.concat_arrays([front, back])
    addressed = both.take(pa.array(np.where(after_name, len(house), 0) + np.arange(len(house))))
    quotes = take(pool(["", '"']), has_flat.astype(np.int64))
    addressed = join(quotes, addressed, take(flats, np.where(has_flat, flat, 60)), quotes)
    email = join(
        take(first.folded, first_name),
        b".",
        take(last.folded, last_name),
        numbers(states.user),
        b"@",
        take(pool(_DOMAINS), stream.pick("domain", states.user, (40, 25, 15, 12, 8))),
    )
    phone = join(
        take(pool([entry.dialling for entry in COUNTRIES]), country),
        fixed(digits(200 + stream.below("phone_area", states.user, 780), 3)),
        fixed(digits(stream.below("phone", states.user, 10_000_000), 7)),
        separator=b"-",
    )
    return join(
        column(user_ids(states.user)),
        email,
        take(first.texts, first_name),
        take(last.texts, last_name),
        take(pool(GENDERS), states.gender),
        fixed(dates(states.birth_day)),
        phone,
        addressed,
        take(pool([entry.name for entry in CITIES]), states.city),
        take(pool([entry.state for entry in CITIES]), states.city),
        take(pool([entry.code for entry in COUNTRIES]), country),
        _postal(stream, states.draw, states.city),
        fixed(timestamps(states.signup_ms)),
        take(pool(["false", "true"]), states.opt_in),
        take(pool(TIERS), states.tier),
        fixed(timestamps(states.updated_ms)),
        separator=b",",
    )
