"""What is to be made: counts by scale, the window of days, and the rates of behaviour and defects."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

END = dt.date(2025, 11, 30)
DAYS = 180
START = END - dt.timedelta(days=DAYS - 1)
EPOCH = dt.date(1970, 1, 1)
DAY_MS = 86_400_000
START_MS = (START - EPOCH).days * DAY_MS
FIRST_SIGNUP = dt.date(2021, 1, 4)

MIN_SCALE, MAX_SCALE = 0.001, 100.0
USERS, PRODUCTS, LINES, EVENTS = 100_000, 10_000, 500_000, 1_320_000
# Product ids have six digits; the upper ones are for products of later days and for ids that no file knows.
MAX_PRODUCTS = 880_000
RETURN_SHARE = 0.045
MEAN_BASKET = 3.7
MAX_BASKET = 15


@dataclass(frozen=True)
class Spec:
    """A data set.

    Attributes:
        scale: Size, 1 for 100,000 users.
        seed: Same seed, same bytes.
    """

    scale: float
    seed: int

    @property
    def users(self) -> int:
        """Users that survive cleaning."""
        return max(20, round(USERS * self.scale))

    @property
    def products(self) -> int:
        """Products that survive cleaning."""
        return min(MAX_PRODUCTS, max(10, round(PRODUCTS * self.scale)))

    @property
    def lines(self) -> int:
        """Transaction lines that survive cleaning, returns included."""
        return max(100, round(LINES * self.scale))

    @property
    def events(self) -> int:
        """Events of people to aim at; a few more come out."""
        return max(1_320, round(EVENTS * self.scale))

    def planted(self, rate: float, rows: int) -> int:
        """How many rows of a defect to plant: at least two."""
        return max(2, round(rate * rows))


def day_of(date: dt.date) -> int:
    """The number of a day, 0 for the first of the window."""
    return (date - START).days


def date_of(day: int) -> dt.date:
    """The date of a day's number."""
    return START + dt.timedelta(days=day)
