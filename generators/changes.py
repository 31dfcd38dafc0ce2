"""The feeds of changes: what happens to users and products within the window, and when it is heard of."""

# ruff: noqa: PLR2004 - shares and dates of made-up behaviour say more where they are used than under a name
from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from generators import product_rows, user_rows
from generators.people import TIERS
from generators.places import CITIES
from generators.plan import Plan
from generators.product_rows import ProductStates
from generators.randomness import I64, Stream
from generators.spec import DAY_MS, DAYS, START_MS
from generators.user_rows import UserStates

States = TypeVar("States", UserStates, ProductStates)
UPSERT, DELETE = 0, 1
OPS = ("upsert", "delete")
# The feed is delivered once a week, at the end of these days.
DELIVERY_DAYS = np.array([*range(6, DAYS - 3, 7), DAYS - 1])
_ONE_CHANGE, _TWO_CHANGES, _DELETED, _RESURRECTED, _DELETE_FIRST, _LATE, _REPEATED = (
    0.09, 0.02, 0.004, 0.001, 0.0005, 0.002, 0.002,
)  # fmt: skip
_LAST_CHANGE_DAY = DAYS - 15


@dataclass(frozen=True)
class Feed(Generic[States]):
    """Changes; one row each.

    Attributes:
        states: What the row then looks like.
        op: Index into OPS, (n,).
        file: Index into DELIVERY_DAYS, (n,).
        label: Class of the hard negative or repeated row, empty for an ordinary change, (n,).
    """

    states: States
    op: I64
    file: I64
    label: npt.NDArray[np.str_]


def _file_of(ms: I64) -> I64:
    return np.minimum(np.searchsorted(DELIVERY_DAYS, (ms - START_MS) // DAY_MS), len(DELIVERY_DAYS) - 1)


def change_users(stream: Stream, states: UserStates, column: str, at_ms: I64) -> UserStates:
    """People move within their country, climb or fall a tier, or change their mind about newsletters."""
    ids = states.draw
    kind = stream.pick(f"{column}_kind", ids, (0.4, 0.35, 0.25))
    country = np.array([city.country for city in CITIES])
    neighbours = np.argsort(country, kind="stable")
    first, size = np.searchsorted(country[neighbours], country[states.city]), np.bincount(country)[country[states.city]]
    moved = neighbours[first + stream.below(f"{column}_city", ids, size)]
    step = np.where(stream.uniform(f"{column}_step", ids) < 0.7, 1, -1)
    tier = states.tier + step
    tier = np.where((tier < 0) | (tier >= len(TIERS)), states.tier - step, tier)
    return states.updated(
        city=np.where(kind == 0, moved, states.city),
        draw=np.where(kind == 0, states.draw + 1_000_000_000, states.draw),
        tier=np.where(kind == 1, tier, states.tier),
        opt_in=np.where(kind == 2, 1 - states.opt_in, states.opt_in),
        updated_ms=at_ms,
    )


def user_feed(plan: Plan, states: UserStates) -> Feed[UserStates]:
    """What happens to the users."""
    spec, stream = plan.spec, plan.stream("user_changes")
    busy = np.zeros(spec.users, dtype=bool)
    busy[plan.behaviour.buyer] = busy[plan.behaviour.visitor] = True
    early = plan.people.signup_day < DAYS - 90
    rates = (_DELETED, _RESURRECTED, _DELETE_FIRST)
    quiet = np.flatnonzero(early & ~busy)
    quiet = quiet[stream.sample("quiet", len(quiet), len(quiet))]
    ends = np.cumsum([spec.planted(rate, spec.users) for rate in rates])
    deleted, resurrected, delete_first = np.split(quiet[: ends[-1]], ends[:-1])
    rest = np.setdiff1d(np.flatnonzero(early), quiet[: ends[-1]])
    rest = rest[stream.sample("rest", len(rest), len(rest))]
    twice, once = np.split(
        rest[: spec.planted(_TWO_CHANGES + _ONE_CHANGE, spec.users)], [spec.planted(_TWO_CHANGES, spec.users)]
    )

    def when(column: str, users: I64, low: int, high: int) -> I64:
        start = np.maximum(plan.people.signup_day[users] + 1, low)
        days = start + stream.uniform(f"{column}_day", users) * np.maximum(high - start, 1)
        values: I64 = START_MS + (days * DAY_MS).astype(np.int64)
        return values

    parts: list[tuple[UserStates, int, str]] = []
    middle = DAYS - 60
    for users, column in ((once, "once"), (twice, "first")):
        parts.append((change_users(stream, states.take(users), column, when(column, users, 0, middle)), UPSERT, ""))
    second = change_users(stream, parts[-1][0], "second", when("second", twice, middle + 1, _LAST_CHANGE_DAY))
    parts.append((second, UPSERT, ""))
    for users, again in ((deleted, False), (resurrected, True)):
        gone = states.take(users).updated(updated_ms=when("gone", users, 0, middle))
        parts.append((gone, DELETE, ""))
        if again:
            back = change_users(stream, gone, "back", when("back", users, middle + 1, _LAST_CHANGE_DAY))
            parts.append((back, UPSERT, ""))
    changed = change_users(stream, states.take(delete_first), "change", when("change", delete_first, 0, middle))
    gone = changed.updated(updated_ms=when("gone", delete_first, middle + 1, _LAST_CHANGE_DAY))
    parts += [(changed, UPSERT, "late"), (gone, DELETE, "delete_first")]
    late = twice[: spec.planted(_LATE, spec.users)]
    return _deliver(stream, user_rows.join_users(*[part for part, _, _ in parts]), parts, late, "user", spec.users)


def _deliver(  # noqa: PLR0913, PLR0917 - each is a different input
    stream: Stream, states: States, parts: list[tuple[States, int, str]], late: I64, key: str, population: int
) -> Feed[States]:
    """Decide in which file each change is delivered, and send some of them again.

    Args:
        stream: Where random values come from.
        states: All changes.
        parts: The same in parts, with operation and mark of each.
        late: Keys whose older change of two arrives after the newer one.
        key: The attribute with the key.
        population: Number of keys.
    """
    sizes = [len(getattr(part, key)) for part, _, _ in parts]
    op = np.repeat([op for _, op, _ in parts], sizes)
    mark = np.repeat([mark for _, _, mark in parts], sizes)
    keys, file = getattr(states, key), _file_of(states.updated_ms)
    last = np.zeros(int(keys.max()) + 1, dtype=np.int64)
    np.maximum.at(last, keys, file)
    is_late = (np.isin(keys, late) & (file < last[keys])) | (mark == "late")
    file = np.where(is_late, np.minimum(last[keys] + 1, len(DELIVERY_DAYS) - 1), file)
    label = np.where(is_late & (mark != "late"), "out_of_order", np.where(mark == "delete_first", mark, ""))
    plain = np.flatnonzero((label == "") & (mark == "") & (file < len(DELIVERY_DAYS) - 1))
    count = max(2, round(_REPEATED * population * 0.25))
    again = plain[stream.sample("repeated", len(plain), min(count, len(plain)))]
    room = len(DELIVERY_DAYS) - 1 - file[again]
    later = file[again] + 1 + stream.below("repeated_in", again, np.minimum(room, 3))
    rows = np.concatenate([np.arange(len(keys)), again])
    label = np.concatenate([label, np.full(len(again), "repeated_change")])
    return Feed(states.take(rows), op[rows], np.concatenate([file, later]), label)


def product_feed(plan: Plan, states: ProductStates) -> Feed[ProductStates]:
    """What happens to the products: new prices, new stock, and the end of some that nobody buys any more."""
    stream, catalogue, count = plan.stream("product_changes"), plan.catalogue, plan.spec.products
    last_sale = np.full(count, -1)
    np.maximum.at(last_sale, plan.lines.product, (plan.lines.ts_ms - START_MS) // DAY_MS)
    ids = np.arange(count)
    unsold = ids[np.argsort(last_sale, kind="stable")]
    planted = [plan.spec.planted(rate, count) for rate in (_DELETED, _RESURRECTED, _DELETE_FIRST, 0.01)]
    # Those that have been without a sale for longest; at small scales they may still be bought afterwards.
    ended = unsold[: min(sum(planted), count // 2)]
    deleted, resurrected, delete_first, inactive = np.split(ended, np.cumsum(planted)[:-1].clip(max=len(ended)))
    alive = np.setdiff1d(ids, ended)
    repriced = alive[catalogue.price_day[alive] < DAYS]
    stocked = alive[stream.uniform("restocked", alive) < 0.35]
    restocked = START_MS + (stream.uniform("restocked_day", stocked) * (DAYS - 2) * DAY_MS).astype(np.int64)
    parts: list[tuple[ProductStates, int, str]] = []

    def at(products: I64, ms: I64, op: int = UPSERT, mark: str = "", active: int = 1) -> None:
        day = (ms - START_MS) // DAY_MS
        draw = products * 1_000 + day
        parts.append(
            (
                states.take(products).updated(
                    list_cents=catalogue.price_cents(products, day),
                    stock=(states.stock[products] * (0.2 + 1.3 * stream.uniform("new_stock", draw))).astype(np.int64),
                    active=np.full(len(products), active),
                    updated_ms=ms,
                ),
                op,
                mark,
            )
        )

    def when(column: str, products: I64, low: int, high: int) -> I64:
        return START_MS + ((low + stream.uniform(column, products) * (high - low)) * DAY_MS).astype(np.int64)

    middle = DAYS - 40
    at(repriced, START_MS + catalogue.price_day[repriced] * DAY_MS)
    at(stocked, restocked)
    at(inactive, when("inactive", inactive, middle, _LAST_CHANGE_DAY), active=0)
    at(deleted, when("deleted", deleted, middle, _LAST_CHANGE_DAY), DELETE, active=0)
    at(resurrected, when("gone", resurrected, 20, middle), DELETE, active=0)
    at(resurrected, when("back", resurrected, middle, _LAST_CHANGE_DAY))
    at(delete_first, when("changed", delete_first, 20, middle), mark="late")
    at(delete_first, when("dropped", delete_first, middle, _LAST_CHANGE_DAY), DELETE, "delete_first", active=0)
    both = np.intersect1d(repriced, stocked)
    late = both[: plan.spec.planted(_LATE, count)]
    return _deliver(stream, product_rows.join_products(*[part for part, _, _ in parts]), parts, late, "product", count)
