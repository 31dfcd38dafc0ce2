"""The plan of the sales: purchases in their baskets, line by line, with prices, states, ratings and returns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from generators.behaviour import Behaviour, calendar
from generators.catalogue import Catalogue
from generators.choices import choose_products, true_rating, without_repeats
from generators.clock import time_of_day
from generators.people import People
from generators.places import COUNTRIES
from generators.randomness import F64, I64, Stream
from generators.sales import (
    CANCELLED,
    DELIVERED,
    PAID,
    PENDING,
    RETURNED,
    SHIPPED,
    Lines,
    Purchases,
    join_lines,
)
from generators.spec import DAY_MS, DAYS, MAX_BASKET, START_MS, Spec

_PAYMENT_SHARES = (0.46, 0.21, 0.22, 0.05, 0.06)
_KEYS_A_BASKET = 6
_CANCELLED_SHARE, _RATED_SHARE = 0.025, 0.63
_TWIN_RATE, _REPEAT_RATE = 0.001, 0.002
_FREE_SHIPPING_CENTS = 4_900
_RATING_NOISE = 0.30


def line_keys(keys: I64, purchase: I64, position: I64) -> I64:
    """What random values of a line hang on."""
    first, further = keys[purchase] * _KEYS_A_BASKET + position, (1 << 50) + keys[purchase] * MAX_BASKET + position
    return np.where(position < _KEYS_A_BASKET, first, further)


def _basket_shares(mean: float) -> F64:
    """Shares of baskets of 1 to MAX_BASKET lines, each the same part of the share before, that have the given mean."""
    sizes, low, high = np.arange(1.0, MAX_BASKET + 1.0), 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        weights = middle ** (sizes - 1)
        low, high = (middle, high) if (sizes * weights).sum() < mean * weights.sum() else (low, middle)
    shares: F64 = np.power(low, sizes - 1).astype(np.float64)
    return shares


def basket_sizes(stream: Stream, keys: I64, wanted: int) -> I64:
    """Sizes of baskets that add up to `wanted` as far as 1 to MAX_BASKET lines each allow."""
    sizes = 1 + stream.pick("size", keys, _basket_shares(wanted / max(len(keys), 1)))
    order = np.argsort(stream.bits("size_order", keys), kind="stable")
    while (missing := wanted - int(sizes.sum())) != 0:
        room = order[sizes[order] < MAX_BASKET] if missing > 0 else order[sizes[order] > 1]
        if not len(room):
            break
        sizes[room[: abs(missing)]] += 1 if missing > 0 else -1
    return sizes


def _amounts(  # noqa: PLR0913, PLR0917 - each is a different input
    stream: Stream, people: People, catalogue: Catalogue, lines: tuple[I64, I64, I64, I64], day: I64, first: I64
) -> tuple[I64, I64, I64, I64]:
    """Unit price, discount, tax and shipping in cents of sales, given users, products, quantities and keys."""
    users, products, quantity, keys = lines
    unit = catalogue.price_cents(products, day)
    sale = np.array([calendar(int(each))[1] for each in range(int(day.min()), int(day.max()) + 1)])[day - day.min()]
    chance = people.discount_share[users] * np.where(sale, 1.8, 1.0)
    percent = np.array([5, 10, 15, 20, 25, 30, 40])[
        np.minimum(stream.pick("percent", keys, (8, 30, 20, 20, 10, 8, 4)) + sale, 6)
    ]
    gross = unit * quantity
    discount = np.where(stream.uniform("discounted", keys) < chance, gross * percent // 100, 0)
    tax_rate = np.array([round(country.tax * 100) for country in COUNTRIES])[people.country[users]]
    tax = ((gross - discount) * tax_rate + 50) // 100
    starts = np.flatnonzero(first)
    basket = np.add.reduceat(gross - discount, starts)
    fee = np.array([499, 599, 799, 999])[stream.pick("fee", keys[starts], (40, 35, 15, 10))]
    shipping = np.zeros_like(gross)
    shipping[starts] = np.where(basket >= _FREE_SHIPPING_CENTS, 0, fee)
    return unit, discount, tax, shipping


def status_at(stream: Stream, keys: I64, ts_ms: I64, now_ms: int) -> I64:
    """Where in its life a sale is at some time.

    Args:
        stream: The purchases' stream.
        keys: Keys of the purchases or lines; lines of one purchase go together.
        ts_ms: Time of buying.
        now_ms: The time asked for.
    """
    age = (now_ms - ts_ms) / DAY_MS
    paid_after = 0.02 + 0.6 * stream.uniform("paid_after", keys) ** 3
    shipped_after = paid_after + 0.3 + 1.5 * stream.uniform("shipped_after", keys)
    delivered_after = shipped_after + 1.0 + 3.5 * stream.uniform("delivered_after", keys)
    status = np.where(age >= paid_after, PAID, PENDING)
    status = np.where(age >= shipped_after, SHIPPED, status)
    status = np.where(age >= delivered_after, DELIVERED, status)
    cancelled = (stream.uniform("cancelled", keys) < _CANCELLED_SHARE) & (age >= paid_after + 0.1)
    return np.where(cancelled, CANCELLED, status).astype(np.int64)


def make_sales(  # noqa: PLR0913, PLR0917 - each is a different input
    stream: Stream,
    people: People,
    catalogue: Catalogue,
    purchases: Purchases,
    repeats: npt.NDArray[np.bool_],
    now_ms: int,
) -> Lines:
    """The lines of purchases.

    Args:
        stream: Where random values come from.
        people: The users.
        catalogue: The products.
        purchases: The purchases in order, their `first_line` counted from 0.
        repeats: Which purchases repeat the first line of the purchase before them, (B,).
        now_ms: As of when states hold.
    """
    purchase = np.repeat(np.arange(len(purchases.user)), purchases.size)
    position = np.arange(len(purchase)) - purchases.first_line[purchase]
    keys, users = line_keys(purchases.key, purchase, position), purchases.user[purchase]
    product = choose_products(stream, people, catalogue, users, keys)
    quantity = np.where(
        catalogue.replenishable[product],
        1 + stream.pick("many", keys, (62, 24, 9, 5)),
        1 + stream.pick("few", keys, (93, 6, 1)),
    )
    product = without_repeats(stream, catalogue, purchases, product, keys)
    candidates = np.flatnonzero(position > 0)
    twin = np.zeros(len(purchase), dtype=bool)
    count = min(len(candidates), max(2, round(_TWIN_RATE * len(purchase))))
    twin[candidates[stream.sample("twins", len(candidates), count)]] = True
    twin[np.flatnonzero(twin[1:] & twin[:-1]) + 1] = False
    again = np.flatnonzero(repeats)
    for rows, origin in (
        (np.flatnonzero(twin), np.flatnonzero(twin) - 1),
        (purchases.first_line[again], purchases.first_line[again - 1]),
    ):
        product[rows], quantity[rows] = product[origin], quantity[origin]
    day = (purchases.ts_ms[purchase] - START_MS) // DAY_MS
    unit, discount, tax, shipping = _amounts(
        stream, people, catalogue, (users, product, quantity, keys), day, position == 0
    )
    status = status_at(stream, purchases.key[purchase], purchases.ts_ms[purchase], now_ms)
    stars = true_rating(people, catalogue, users, product) + _RATING_NOISE * stream.normal("rating", keys)
    rated = (status == DELIVERED) & (stream.uniform("rated", keys) < _RATED_SHARE)
    repeat_line = np.zeros(len(purchase), dtype=bool)
    repeat_line[purchases.first_line[again]] = True
    return Lines(
        purchase=purchase,
        user=users,
        product=product,
        quantity=quantity,
        unit_cents=unit,
        discount_cents=discount,
        tax_cents=tax,
        shipping_cents=shipping,
        payment=stream.pick("payment", purchases.key, _PAYMENT_SHARES)[purchase],
        status=status,
        rating=np.where(rated, np.clip(np.rint(stars), 1, 5), 0).astype(np.int64),
        ts_ms=purchases.ts_ms[purchase],
        twin=twin,
        repeat=repeat_line,
    )


def make_returns(stream: Stream, sales: Lines, rows: I64, day: I64, people: People) -> Lines:
    """Lines that take the given sales off again, on the given days."""
    ids = rows
    local = time_of_day(stream, "return_time", ids, people.country[sales.user[rows]])
    back = sales.take(rows)
    return Lines(
        purchase=np.full(len(rows), -1),
        user=back.user,
        product=back.product,
        quantity=-back.quantity,
        unit_cents=back.unit_cents,
        discount_cents=-back.discount_cents,
        tax_cents=-back.tax_cents,
        shipping_cents=-back.shipping_cents,
        payment=back.payment,
        status=np.full(len(rows), RETURNED),
        rating=np.zeros(len(rows), dtype=np.int64),
        ts_ms=START_MS + day * DAY_MS + local,
        twin=np.zeros(len(rows), dtype=bool),
        repeat=np.zeros(len(rows), dtype=bool),
    )


def make_purchases(spec: Spec, people: People, catalogue: Catalogue, behaviour: Behaviour) -> tuple[Purchases, Lines]:
    """The sales of the window, returns at the end, exactly `spec.lines` lines."""
    stream = Stream(spec.seed, "purchases")
    now_ms = START_MS + DAYS * DAY_MS
    count = len(behaviour.buyer)
    key = (behaviour.buyer * 4096 + behaviour.buy_day) * 2
    ts = START_MS + behaviour.buy_day * DAY_MS
    ts = ts + time_of_day(stream, "time", key, people.country[behaviour.buyer])
    ts = np.where(behaviour.buy_day == 0, np.maximum(ts, START_MS + 3_600_000 + key % 3_600_000), ts)
    repeated = stream.sample("repeats", count, min(count, max(2, round(_REPEAT_RATE * count))))
    later = ts[repeated] + 240_000 + stream.below("repeat_after", repeated, 1_200_000)
    same_day = later // DAY_MS == ts[repeated] // DAY_MS
    repeated, later = repeated[same_day], later[same_day]
    # One return line at least for each purchase of which something comes back within the window.
    returned = (behaviour.return_day >= 0) & (behaviour.return_day < DAYS)
    returned &= status_at(stream, key, ts, now_ms) == DELIVERED
    returns = int(returned.sum())
    sizes = basket_sizes(stream, key, spec.lines - returns - len(repeated))
    order_ts = np.concatenate([ts, later])
    origin = np.concatenate([np.arange(count), repeated])
    is_repeat = np.arange(len(origin)) >= count
    # By user, a repeat comes right after its purchase, which is how it finds the line that it repeats.
    order = np.lexsort((is_repeat, origin))
    size = np.where(is_repeat, 1, sizes[origin])[order]
    purchases = Purchases(
        user=behaviour.buyer[origin][order],
        ts_ms=order_ts[order],
        size=size,
        first_line=np.cumsum(size) - size,
        key=(key[origin] + is_repeat)[order],
    )
    sales = make_sales(stream, people, catalogue, purchases, is_repeat[order], now_ms)
    source = np.flatnonzero(returned[origin][order] & ~is_repeat[order])
    pick = purchases.first_line[source] + stream.below("returned_line", purchases.key[source], purchases.size[source])
    delivered = sales.status[pick] == DELIVERED
    pick, source = pick[delivered], source[delivered]
    day = behaviour.return_day[origin][order][source]
    back = make_returns(stream, sales, pick, day, people)
    purchases, sales = _by_time(purchases, sales)
    order = np.argsort(back.ts_ms, kind="stable")
    return purchases, join_lines(sales, back.take(order))


def _by_time(purchases: Purchases, sales: Lines) -> tuple[Purchases, Lines]:
    order = np.argsort(purchases.ts_ms, kind="stable")
    place = np.argsort(order, kind="stable")
    rows = np.argsort(place[sales.purchase], kind="stable")
    lines = sales.take(rows)
    size = purchases.size[order]
    moved = Purchases(purchases.user[order], purchases.ts_ms[order], size, np.cumsum(size) - size, purchases.key[order])
    return moved, Lines(**{**lines.__dict__, "purchase": place[lines.purchase]})
