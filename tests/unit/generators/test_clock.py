"""The hours of a shop: quiet nights and busy evenings by the customers' own clocks, in times of day and in sales."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from generators.clock import time_of_day
from generators.places import COUNTRIES
from generators.randomness import Stream

DAY_HOURS, HOUR_MS = 24, 3_600_000
NIGHT, EVENING = range(1, 5), range(18, 22)


def shares(hours: np.ndarray) -> tuple[float, float]:
    return float(np.isin(hours, NIGHT).mean()), float(np.isin(hours, EVENING).mean())


@pytest.mark.parametrize("place", range(len(COUNTRIES)), ids=[country.code for country in COUNTRIES])
def test_people_sleep_at_night_by_their_own_clock(place: int) -> None:
    ids = np.arange(20_000)
    utc = time_of_day(Stream(7, "clock"), "at", ids, np.full(len(ids), place))
    assert ((utc >= 0) & (utc < DAY_HOURS * HOUR_MS)).all()
    night, evening = shares((utc // HOUR_MS + COUNTRIES[place].utc_offset) % DAY_HOURS)
    assert 0.02 < night < 0.04
    assert 0.24 < evening < 0.32


def test_a_shop_sells_in_the_evening(generated: Path) -> None:
    """By the clocks of three in five of its customers, who live five hours behind UTC; the others sleep meanwhile."""
    files = f"{generated}/raw/transactions/**/*.parquet"
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        found = db.execute(f"SELECT hour(transaction_ts - INTERVAL 5 HOUR) FROM read_parquet('{files}')").fetchall()
    night, evening = shares(np.array([hour for (hour,) in found]))
    assert len(found) > 2_000
    assert evening > 1.4 * night
