"""A later day: new customers and products, sales, visits, and news about what was delivered before.

It is a function of seed, scale and date: it refers to the first load and to itself, never to another increment.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from generators import product_rows, transaction_rows, user_rows
from generators.base import event_lines
from generators.behaviour import calendar, rates
from generators.changes import DELETE, UPSERT, Feed, change_users
from generators.clock import time_of_day
from generators.dimension_files import write_changes
from generators.event_defects import EventDefects
from generators.event_rows import EventRows
from generators.identifiers import (
    INCREMENT_LINES,
    LINES_A_DAY,
    NEW_PRODUCTS,
    NEW_PRODUCTS_A_DAY,
    NEW_USERS,
    NEW_USERS_A_DAY,
)
from generators.ledger import Planted, to_table
from generators.line_defects import LinePlanter
from generators.names import draw_names, list_prices
from generators.plan import Plan
from generators.product_rows import ProductStates, join_products
from generators.purchases import basket_sizes, make_returns, make_sales, status_at
from generators.randomness import I64
from generators.sales import DELIVERED, RETURNED, Lines, Purchases, join_lines
from generators.sessions import assemble, keys_of_lines
from generators.spec import DAY_MS, DAYS, EVENTS, LINES, MEAN_BASKET, START_MS, day_of
from generators.transaction_defects import COPIES, make_copies, note, with_orphans
from generators.truth import session_table, sums
from generators.user_rows import UserStates, join_users
from generators.visits import anonymous_draft, bot_draft, power_draft, purchase_draft, visit_draft
from generators.writing import Written, partition_path, write_lines, write_table

_EVENTS_A_LINE = EVENTS / LINES
_LATE_SHARE, _MAX_LATE_DAYS, _RETURN_RATE = 0.03, 3, 0.0025
_NEW_USERS_A_DAY, _NEW_PRODUCTS_A_DAY, _CHANGES_A_DAY = 0.0005, 0.0008, 0.002
_FIRST_KEYS = {"users": 98_000_000, "products": 999_000}


class Increment:
    """A later day of a planned data set.

    Args:
        plan: The first load.
        date: The day, after the window.
    """

    def __init__(self, plan: Plan, date: dt.date) -> None:
        """Plan what the class gives; see there for the arguments."""
        self.plan, self.date, self.day = plan, date, day_of(date)
        self.space = self.day - DAYS + 1
        self.stream = plan.stream(f"increment/{date.isoformat()}")
        self.now_ms = START_MS + (self.day + 1) * DAY_MS

    def write(self, root: Path) -> tuple[dict[str, Written], list[Planted]]:
        """Write the day's files below a directory.

        Returns:
            What was written by data set, and what was planted.
        """
        purchases, sales = self._sales()
        news = self._news()
        rows, sessions_table = self._sessions(purchases, sales)
        writers: dict[str, Callable[[Planted], Written]] = {
            "users": partial(self._write_users, root),
            "products": partial(self._write_products, root),
            "transactions": partial(self._write_transactions, root, sales, news, rows),
            "clickstream": partial(self._write_events, root, rows),
        }
        written, planted = {}, []
        for dataset, writer in writers.items():
            part = Planted()
            written[dataset] = writer(part)
            planted.append(part)
        truth = root / f"truth/increments/date={self.date.isoformat()}"
        truth.mkdir(parents=True, exist_ok=True)
        pq.write_table(to_table(planted), truth / "defects.parquet")
        expected = {
            "new_lines": len(sales.user) + len(news[2].user),
            "newer_states": len(news[1].user),
            "planted": Planted([row for part in planted for row in part.rows]).counts(),
            "sums_of_new_lines": sums(join_lines(sales, news[2])),
        }
        (truth / "expected.json").write_text(json.dumps(expected, indent=2) + "\n", encoding="utf-8")
        pq.write_table(sessions_table, truth / "sessions.parquet")
        return written, planted

    def _sales(self) -> tuple[Purchases, Lines]:
        """The day's purchases; a few of earlier days are heard of only now."""
        plan, stream = self.plan, self.stream.child("purchases")
        spec, people = plan.spec, plan.people
        lines = max(12, round(LINES * spec.scale / DAYS * calendar(self.day)[0]))
        count = max(3, round(lines / MEAN_BASKET))
        # The users with the smallest waiting times buy, each with the rate that the first load leaves them with.
        rate = rates(people, plan.behaviour.state, DAYS, 1.0, spec.users)
        waits = -np.log1p(-stream.uniform("wait", np.arange(spec.users))) / rate
        buyer = np.sort(np.argsort(waits, kind="stable")[:count])
        late = stream.sample("late", len(buyer), max(2, round(_LATE_SHARE * len(buyer))))
        days = np.full(len(buyer), self.day)
        days[late] -= 1 + stream.below("late_by", late, _MAX_LATE_DAYS)
        # Nobody buys before the day after signing up.
        days = np.maximum(days, np.minimum(people.signup_day[buyer] + 1, self.day))
        ts = START_MS + days * DAY_MS + time_of_day(stream, "time", buyer, people.country[buyer])
        order = np.argsort(ts, kind="stable")
        size = basket_sizes(stream, buyer, lines)[order]
        purchases = Purchases(buyer[order], ts[order], size, np.cumsum(size) - size, buyer[order])
        repeats = np.zeros(len(buyer), dtype=bool)
        return purchases, make_sales(stream, people, plan.catalogue, purchases, repeats, self.now_ms)

    def _news(self) -> tuple[I64, Lines, Lines]:
        """What became of lines of the first load on this day: their rows, their new states, and lines sent back."""
        plan, stream = self.plan, self.plan.stream("purchases")
        # In the form in which the first load has delivered them.
        delivered, _ = with_orphans(plan.spec, plan.stream("defects/transactions"), plan.lines, plan.spec.products)
        rows = np.flatnonzero((delivered.purchase >= 0) & (delivered.ts_ms > self.now_ms - 40 * DAY_MS))
        lines = delivered.take(rows)
        keys = plan.purchases.key[lines.purchase]
        now = status_at(stream, keys, lines.ts_ms, self.now_ms)
        before = status_at(stream, keys, lines.ts_ms, self.now_ms - DAY_MS)
        moved = (now != before) & (now > lines.status)
        changed = replace(lines.take(np.flatnonzero(moved)), status=now[moved])
        known = (delivered.user == plan.lines.user) & (delivered.product == plan.lines.product)
        candidates = np.flatnonzero(known & (plan.lines.status == DELIVERED) & ~plan.lines.twin & ~plan.lines.repeat)
        taken = stream.child("increments").uniform("sent_back", candidates * 8192 + self.day)
        # What the first load has taken back already cannot come back again.
        returned = plan.lines.user[plan.lines.status == RETURNED]
        back = candidates[(taken < _RETURN_RATE) & ~np.isin(plan.lines.user[candidates], returned)]
        back = back[plan.lines.ts_ms[back] > START_MS + (DAYS - 30) * DAY_MS]
        returns = make_returns(
            self.stream.child("returns"), plan.lines, back, np.full(len(back), self.day), plan.people
        )
        return rows[moved], changed, returns

    def _sessions(self, purchases: Purchases, sales: Lines) -> tuple[EventRows, pa.Table]:
        plan, stream, spec = self.plan, self.stream.child("sessions"), self.plan.spec
        today = np.array([self.day])
        visits = np.arange(spec.users)
        share = len(plan.behaviour.visitor) / spec.users / DAYS
        visitor = visits[stream.uniform("visits", visits) < share]
        drafts = [
            purchase_draft(stream, plan.people, plan.catalogue, purchases, sales),
            visit_draft(stream, plan.people, visitor, np.full(len(visitor), self.day)),
            power_draft(stream, plan.people, today, 1),
        ]
        events = round(_EVENTS_A_LINE * len(sales.user)) - sum(int(draft.steps.sum()) for draft in drafts)
        drafts.append(anonymous_draft(stream, spec, max(events, 20), today))
        drafts.append(bot_draft(stream, spec, today, 1, int(drafts[-1].visitor.max()) + 1))
        sessions = assemble(stream, plan.people, plan.catalogue, sales, purchases, drafts, self.now_ms)
        rows = EventRows(stream, sessions, plan.catalogue, (purchases, sales), self.space, plan.stream("sessions"))
        return rows, session_table(sessions, plan, self.space)

    def _write_transactions(
        self, root: Path, sales: Lines, news: tuple[I64, Lines, Lines], rows: EventRows, planted: Planted
    ) -> Written:
        path = partition_path("transactions", self.date)
        old_rows, changed, returns = news
        fresh = join_lines(sales, returns)
        line_keys = keys_of_lines(rows.sessions, fresh)
        first = INCREMENT_LINES + self.space * LINES_A_DAY
        stream = self.plan.stream("sessions")
        numbers = first + np.arange(len(fresh.user))
        table = transaction_rows.to_table(fresh, numbers, line_keys, stream, self.space)
        twins = np.flatnonzero(fresh.twin)
        note(planted, path, ["twin_line"] * len(twins), table.take(pa.array(twins)))
        newer = transaction_rows.to_table(changed, old_rows, self.plan.session_keys[old_rows], stream)
        day = START_MS // DAY_MS + self.day
        defects = self.stream.child("defects/transactions")
        copies = make_copies(self.plan.spec, fresh, line_keys, (defects, stream), (day, day), first, self.space)
        note(planted, path, [COPIES[name] for name in copies.name], copies.table)
        return write_table(root, path, pa.concat_tables([table, newer, copies.table]).combine_chunks())

    def _write_events(self, root: Path, rows: EventRows, planted: Planted) -> Written:
        path = partition_path("clickstream", self.date)
        day = START_MS // DAY_MS + self.day
        defects = EventDefects(self.plan.spec, rows, self.stream.child("defects/clickstream"), (day, day))
        return write_lines(root, path, event_lines(rows, defects, day, path, planted, all_days=True))

    def _write_users(self, root: Path, planted: Planted) -> Written:
        plan, stream = self.plan, self.stream.child("users")
        base = plan.stream("users")
        states = user_rows.first_states(base, plan.people, plan.first_seen_ms)
        count = max(4, round(_CHANGES_A_DAY * plan.spec.users))
        old = states.take(stream.sample("changed", plan.spec.users, count))
        start = START_MS + self.day * DAY_MS
        ids = np.arange(count)
        at = start + stream.below("at", ids, DAY_MS)
        at[: max(1, count // 20)] -= 2 * DAY_MS
        changed = change_users(stream, old, "changed", at)
        fresh = max(2, round(_NEW_USERS_A_DAY * plan.spec.users))
        numbers = NEW_USERS + self.space * NEW_USERS_A_DAY + np.arange(min(fresh, NEW_USERS_A_DAY))
        new_ids = np.arange(len(numbers))
        signup = start + stream.below("signup", new_ids, DAY_MS)
        pattern = states.take(stream.sample("alike", plan.spec.users, len(numbers)))
        new = pattern.updated(user=numbers, draw=numbers, name_draw=numbers, signup_ms=signup, updated_ms=signup)
        feed = self._feed(join_users(changed, new), count)
        path = partition_path("users", self.date)
        planter = self._planter("users", user_rows.COLUMNS, len(feed.op))
        to_lines = partial(user_rows.to_lines, base)
        rows = np.arange(len(feed.op))
        return write_changes(root, path, "users", feed, rows, to_lines, (planter, 0), planted)

    def _feed(self, states: UserStates | ProductStates, changed: int) -> Feed:  # type: ignore[type-arg]
        """Changes and new rows: the first changes are late, the last of them are deletes, and two come twice."""
        rows = np.arange(len(states.updated_ms))
        op = np.full(len(rows), UPSERT)
        op[changed - max(1, changed // 50) : changed] = DELETE
        label = np.full(len(rows), "", dtype="U16")
        label[: max(1, changed // 20)] = "out_of_order"
        again = rows[max(1, changed // 20) :][:2]
        repeated = np.full(len(again), "repeated_change")
        order = np.concatenate([rows, again])
        return Feed(states.take(order), op[order], np.zeros(len(order), np.int64), np.concatenate([label, repeated]))

    def _write_products(self, root: Path, planted: Planted) -> Written:
        plan, stream = self.plan, self.stream.child("products")
        base = plan.stream("products")
        states = product_rows.first_states(base, plan.catalogue)
        count = min(max(4, round(_CHANGES_A_DAY * 5 * plan.spec.products)), plan.spec.products)
        old = states.take(stream.sample("changed", plan.spec.products, count))
        start, ids = START_MS + self.day * DAY_MS, np.arange(count)
        at = start + stream.below("at", ids, DAY_MS)
        at[: max(1, count // 20)] -= 2 * DAY_MS
        price = plan.catalogue.price_cents(old.product, np.full(count, self.day))
        stock = (old.stock * (0.2 + 1.3 * stream.uniform("stock", ids))).astype(np.int64)
        changed = old.updated(list_cents=price, stock=stock, updated_ms=at)
        fresh = min(max(2, round(_NEW_PRODUCTS_A_DAY * plan.spec.products)), NEW_PRODUCTS_A_DAY)
        numbers = NEW_PRODUCTS + self.space % 800 * NEW_PRODUCTS_A_DAY + np.arange(fresh)
        created = start + stream.below("created", np.arange(fresh), DAY_MS)
        pattern = states.take(stream.sample("alike", plan.spec.products, fresh))
        cluster = plan.catalogue.cluster[pattern.product]
        name = draw_names(base, cluster, numbers)
        price_now = list_prices(base, name, cluster)
        new = pattern.updated(
            product=numbers,
            name=name,
            list_cents=price_now,
            cost_cents=price_now * pattern.cost_cents // pattern.list_cents,
            created_ms=created,
            updated_ms=created,
        )
        feed = self._feed(join_products(changed, new), count)
        path = partition_path("products", self.date)
        planter = self._planter("products", product_rows.COLUMNS, len(feed.op))
        to_lines = partial(product_rows.to_lines, base)
        return write_changes(root, path, "products", feed, np.arange(len(feed.op)), to_lines, (planter, 0), planted)

    def _planter(self, dataset: str, header: str, rows: int) -> LinePlanter:
        name = f"increment/{self.date.isoformat()}"
        return LinePlanter(self.plan.spec, dataset, f"{header},op", True, [rows], name, _FIRST_KEYS[dataset])
