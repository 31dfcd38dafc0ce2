"""Pools of names and streets by country, from Faker, made once and sampled by hash."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

from faker import Faker

from generators.places import COUNTRIES

_POOL_SEED = 20_250_604
GENDERS = ("F", "M", "X")


@dataclass(frozen=True)
class NamePools:
    """Names of one country.

    Attributes:
        first: First names of women and of men.
        last: Last names.
        streets: Names of streets.
    """

    first: tuple[tuple[str, ...], tuple[str, ...]]
    last: tuple[str, ...]
    streets: tuple[str, ...]


def _distinct(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if "," not in value and '"' not in value))


@cache
def name_pools() -> tuple[NamePools, ...]:
    """Pools in the order of `places.COUNTRIES`."""
    pools = []
    for country in COUNTRIES:
        fake = Faker(country.locale)
        fake.seed_instance(_POOL_SEED)
        women = _distinct([fake.first_name_female() for _ in range(400)])
        men = _distinct([fake.first_name_male() for _ in range(400)])
        last = _distinct([fake.last_name() for _ in range(900)])
        pools.append(NamePools((women, men), last, _distinct([fake.street_name() for _ in range(500)])))
    return tuple(pools)


def ascii_word(text: str) -> str:
    """A name as it stands in an e-mail address: lower-case ASCII letters."""
    spelled = text.lower().replace("ß", "ss").replace("ö", "oe").replace("ü", "ue").replace("ä", "ae")
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain if letter.isalpha())
