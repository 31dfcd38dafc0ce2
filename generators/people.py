"""The plan of the users: where they live, when they came, how active they are, what they like."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from generators.catalogue import BAND_OF, CLUSTERS, FACTORS, Catalogue
from generators.places import CITIES, CITY_WEIGHTS
from generators.randomness import F64, I64, Stream
from generators.spec import DAYS, FIRST_SIGNUP, Spec, date_of, day_of

SEGMENTS = ("occasional", "regular", "frequent", "devoted")
TIERS = ("bronze", "silver", "gold", "platinum")
_SEGMENT_SHARES = (0.74, 0.16, 0.05, 0.05)
# Purchases a day before any has been seen, as a gamma prior: shape and exposure in days (see behaviour.py).
SHAPE = np.array([0.03, 0.08, 1.2, 4.0])
EXPOSURE = np.array([22.0, 22.0, 22.0, 22.0])
TASTE_WEIGHT = 2.5
_PRICE_WEIGHT = 0.9
_CHUNK = 20_000
_TWIN_RATE, _PREFER_APP = 0.0005, 0.72


@dataclass(frozen=True)
class People:
    """Users by index, in order of signing up.

    Attributes:
        namesake: User whose name and birth date the user shares, mostly the user, (N,).
        signup_day: Day of signing up, 0 for the first of the window, (N,).
        city: Index into `places.CITIES`, (N,).
        gender: Index into `pools.GENDERS`, (N,).
        birth_day: Days since 1970, (N,).
        segment: Index into SEGMENTS, (N,).
        tier: Index into TIERS when signed up, (N,).
        taste: Latent tastes, (N, FACTORS).
        price_sensitivity: How much cheap products are preferred, (N,).
        rating_bias: Shift of the user's ratings in stars, (N,).
        discount_share: Share of lines bought with a discount, (N,).
        return_share: Share of purchases of which something is sent back, (N,).
        prefers_app: Who mostly buys in the app, where the clickstream sees nothing, (N,).
    """

    namesake: I64
    signup_day: I64
    city: I64
    gender: I64
    birth_day: I64
    segment: I64
    tier: I64
    taste: F64
    price_sensitivity: F64
    rating_bias: F64
    discount_share: F64
    return_share: F64
    prefers_app: npt.NDArray[np.bool_]

    def take(self, users: I64) -> People:
        """Some of the users."""
        return People(**{field.name: getattr(self, field.name)[users] for field in fields(self)})

    @property
    def country(self) -> I64:
        """Index into `places.COUNTRIES`, (N,)."""
        return np.array([city.country for city in CITIES])[self.city]


def twins(stream: Stream, users: int) -> tuple[I64, I64]:
    """Users who share name and birth date by chance: the one, and the other who has them too."""
    count = max(2, round(_TWIN_RATE * users))
    chosen = stream.sample("twins", users, 2 * count)
    return chosen[:count], chosen[count:]


def make_people(spec: Spec) -> People:
    """The users of the first load."""
    stream, ids = Stream(spec.seed, "users"), np.arange(spec.users)
    first, last = day_of(FIRST_SIGNUP), DAYS - 1
    place = (ids + stream.uniform("signup", ids)) / spec.users
    segment = stream.pick("segment", ids, _SEGMENT_SHARES)
    wobble = stream.pick("tier", ids, (0.15, 0.7, 0.15)) - 1
    namesake = ids.copy()
    originals, others = twins(stream, spec.users)
    namesake[others] = originals
    age = 18 + 62 * stream.uniform("age", namesake) ** 1.5
    return People(
        namesake=namesake,
        signup_day=np.floor(first + (last - first) * place**0.62).astype(np.int64),
        city=stream.pick("city", namesake, CITY_WEIGHTS),
        gender=stream.pick("gender", namesake, (0.53, 0.45, 0.02)),
        birth_day=((date_of(0) - dt.date(1970, 1, 1)).days - age * 365.25).astype(np.int64),
        segment=segment,
        tier=np.clip(segment + wobble, 0, len(TIERS) - 1),
        taste=stream.normal("taste", np.arange(spec.users * FACTORS)).reshape(-1, FACTORS),
        price_sensitivity=0.7 * stream.normal("price_sensitivity", ids),
        rating_bias=0.28 * stream.normal("rating_bias", ids),
        discount_share=np.clip(0.25 + 0.22 * stream.normal("discount_share", ids), 0.02, 0.95),
        return_share=np.clip(0.12 + 0.10 * stream.normal("return_share", ids), 0.01, 0.5),
        prefers_app=Stream(spec.seed, "sessions").uniform("app_customer", ids) < _PREFER_APP,
    )


def cluster_scores(people: People, catalogue: Catalogue, users: npt.NDArray[np.integer]) -> F64:
    """Log preference of users for clusters, not normalised, (n, CLUSTERS); -inf where a cluster has no products."""
    with np.errstate(divide="ignore"):
        scores: F64 = np.log(catalogue.cluster_share)[None, :] - (
            _PRICE_WEIGHT * people.price_sensitivity[users][:, None] * (BAND_OF - 1.0)[None, :]
        )
    # Factor by factor: a matrix product may add up in another order with another number of threads.
    for factor in range(FACTORS):
        scores += TASTE_WEIGHT * people.taste[users, factor][:, None] * catalogue.cluster_vector[:, factor][None, :]
    return scores


def choose_clusters(people: People, catalogue: Catalogue, users: npt.NDArray[np.integer], uniform: F64) -> I64:
    """A cluster for each of some occasions, by the taste of its user.

    Args:
        people: The users.
        catalogue: The products.
        users: User index of each occasion, (n,).
        uniform: Numbers in [0, 1), (n,).
    """
    order = np.argsort(users, kind="stable")
    chosen = np.empty(len(users), dtype=np.int64)
    distinct, counts = np.unique(users, return_counts=True)
    ends = np.cumsum(counts)
    for start in range(0, len(distinct), _CHUNK):
        stop = min(start + _CHUNK, len(distinct))
        scores = cluster_scores(people, catalogue, distinct[start:stop])
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        # One search in the running sums of all rows, each shifted by its row number.
        cumulative = np.cumsum(weights, axis=1)
        cumulative /= cumulative[:, -1:]
        rows = np.repeat(np.arange(stop - start), counts[start:stop])
        occasions = order[ends[start] - counts[start] : ends[stop - 1]]
        shifted = (cumulative + np.arange(stop - start)[:, None]).ravel()
        place = np.searchsorted(shifted, rows + uniform[occasions], side="right") - rows * CLUSTERS
        chosen[occasions] = np.clip(place, 0, CLUSTERS - 1)
    return np.where(catalogue.cluster_share[chosen] > 0, chosen, int(np.argmax(catalogue.cluster_share)))
