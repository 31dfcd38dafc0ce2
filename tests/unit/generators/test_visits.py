"""Who is logged in when, and how long people take."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pytest

from generators.generation import generate, generate_increment
from generators.increments import Increment
from generators.plan import Plan, make_plan
from generators.sales import Purchases
from generators.sessions import BOT, DEVICES, LONG, PURCHASED, SOURCES, STEPS, timeline
from generators.spec import DAY_MS, START_MS, Spec

SCALE, SEED = 0.01, 11
_FUNNEL = ("view", "cart", "checkout", "purchase")
DAYS = (dt.date(2025, 12, 1), dt.date(2025, 12, 2))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """Sign-ups, events of known users and purchases of a first load and two later days."""
    root: Path = tmp_path_factory.mktemp("visits")
    generate(root, SCALE, SEED)
    for day in DAYS:
        generate_increment(root, SCALE, SEED, day)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        "CREATE TABLE signups AS SELECT user_id, min(TRY_CAST(signup_ts AS TIMESTAMPTZ)) AS signed_up "
        f"FROM read_csv('{root}/raw/users/users.csv', all_varchar = true, ignore_errors = true, strict_mode = false) "
        "GROUP BY ALL HAVING signed_up IS NOT NULL"
    )
    connection.execute(
        "CREATE TABLE seen AS SELECT user_id, TRY_CAST(event_ts AS TIMESTAMPTZ) AS at FROM "
        f"read_json('{root}/raw/clickstream/**/*.json', format = 'newline_delimited', ignore_errors = true, "
        "columns = {user_id: 'VARCHAR', event_ts: 'VARCHAR'}) WHERE event_ts >= '2025-06-01' UNION ALL "
        f"SELECT user_id, transaction_ts FROM read_parquet('{root}/raw/transactions/**/*.parquet') "
        "WHERE transaction_ts >= TIMESTAMPTZ '2025-06-01'"
    )
    return connection


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(Spec(SCALE, SEED))


@pytest.fixture(scope="module")
def large_plan() -> Plan:
    """Enough visits to tell shares apart."""
    return make_plan(Spec(0.2, SEED))


def test_nobody_is_logged_in_or_buys_before_signing_up(shop: duckdb.DuckDBPyConnection) -> None:
    counts = "count(*), count(*) FILTER (seen.at <= signups.signed_up)"
    found = shop.execute(f"SELECT {counts} FROM seen JOIN signups USING (user_id)").fetchone()
    assert found is not None
    assert found[0] > 10_000
    assert found[1] == 0


def test_people_sign_up_on_the_day_that_the_hazard_counts_from(plan: Plan) -> None:
    midnight = START_MS + plan.people.signup_day * DAY_MS
    assert (plan.first_seen_ms >= midnight).all()
    assert (plan.first_seen_ms < midnight + DAY_MS).all()


def test_the_funnel_narrows_as_that_of_a_shop_does(plan: Plan) -> None:
    people = plan.sessions.take(np.flatnonzero(plan.sessions.kind != BOT))
    viewed, carted, checked_out, bought = ((people.steps[:, STEPS.index(step)] > 0).mean() for step in _FUNNEL)
    assert 0.02 < bought < 0.08
    assert 0.15 < bought / carted < 0.4
    assert 0.4 < bought / checked_out < 0.8
    assert viewed > 2 * carted
    events = dict(zip(STEPS, people.steps.sum(axis=0), strict=True))
    assert events["view"] > 2 * events["cart"]


def test_desktops_and_newsletters_sell_better_than_phones_and_social_media(large_plan: Plan) -> None:
    people = large_plan.sessions.take(np.flatnonzero(large_plan.sessions.kind != BOT))

    def conversion(rows: np.ndarray) -> float:
        return float((people.kind[rows] == PURCHASED).mean())

    kinds, media = (np.array([entry[place] for entry in of]) for of, place in ((DEVICES, 0), (SOURCES, 1)))
    assert conversion(kinds[people.device] == "desktop") > 1.2 * conversion(kinds[people.device] == "mobile")
    desktops = [place for place, entry in enumerate(DEVICES) if entry[0] == "desktop" and entry[1] != "Linux"]
    by_browser = [conversion(people.device == place) for place in desktops]
    assert max(by_browser) < 2 * min(by_browser)
    assert conversion(media[people.source] == "email") > 1.5 * conversion(media[people.source] == "social")


def test_sales_without_a_session_are_as_many_as_the_plan_says(plan: Plan) -> None:
    sold = plan.lines.purchase >= 0
    assert 0.15 < (plan.session_keys[sold] >= 0).mean() < 0.4
    assert (plan.session_keys[~sold] == -1).all()


def test_who_prefers_the_app_is_seldom_tracked_on_any_day(large_plan: Plan) -> None:
    for number, day in enumerate((None, *DAYS)):
        later = Increment(large_plan, day) if day else None
        rows = later._sessions(*later._sales())[0] if later else large_plan.event_rows()
        buyers = rows.purchases.user
        is_tracked = np.zeros(len(buyers), dtype=bool)
        is_tracked[rows.sessions.purchase[rows.sessions.purchase >= 0]] = True
        in_app = large_plan.people.prefers_app[buyers]
        assert is_tracked[in_app].mean() < 0.2, number
        assert is_tracked[~in_app].mean() > 0.5, number


def test_people_take_their_time(plan: Plan) -> None:
    sessions = plan.sessions
    rows = np.flatnonzero((sessions.kind != BOT) & (sessions.size <= LONG))
    people = sessions.take(rows)
    row, position, elapsed = timeline(plan.stream("sessions"), people.key, people.kind, people.steps, people.room)
    pauses = np.diff(elapsed)[position[1:] > 0]
    assert pauses.min() > 1_000
    assert pauses.max() < 30 * 60_000
    last = np.append(row[1:] != row[:-1], True)
    checkout = (elapsed[last] - elapsed[np.flatnonzero(last) - 1])[people.kind == PURCHASED]
    assert (checkout < 10_000).mean() < 0.01
    assert ((checkout >= 30_000) & (checkout <= 180_000)).mean() > 0.7
    minutes = (people.end_ms - people.start_ms)[people.kind == PURCHASED] / 60_000
    assert 0.15 < (minutes > 10).mean() < 0.5


def test_a_purchase_starts_after_the_one_before(plan: Plan) -> None:
    purchases: Purchases = plan.purchases
    bought = plan.sessions.take(np.flatnonzero(plan.sessions.purchase >= 0))
    # What leaves no events has no session either, and begins when it is bought.
    start = purchases.ts_ms.copy()
    start[bought.purchase] = bought.start_ms
    order = np.lexsort((purchases.ts_ms, purchases.user))
    same = purchases.user[order][1:] == purchases.user[order][:-1]
    assert same.sum() > 100
    assert (start[order][1:] > purchases.ts_ms[order][:-1])[same].all()
