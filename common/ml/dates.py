"""The days on which a churn model looks back and ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from common.errors import TooLittleDataError
from common.settings import Promotion


@dataclass(frozen=True)
class ChurnDates:
    """As-of dates: features come from before each, the label from the horizon that starts with it.

    Attributes:
        training: In order of time; the last horizon ends before that of validation begins.
        validation: For calibration and threshold.
        test: For the figures; its horizon ends with the data.
        scoring: The day after the data, whose horizon nobody knows yet.
    """

    training: tuple[date, ...]
    validation: date
    test: date
    scoring: date

    @property
    def labelled(self) -> tuple[date, ...]:
        """All dates whose horizon is known."""
        return (*self.training, self.validation, self.test)


@dataclass(frozen=True)
class Period:
    """Days in a row: the first, and the one after the last."""

    first: date
    end: date

    def before(self, days: int) -> Period:
        """The days that come right before these."""
        return Period(self.first - timedelta(days=days), self.first)


def churn_dates(first: date, last: date, horizon_days: int, step_days: int, min_history_days: int) -> ChurnDates:
    """Lay out as-of dates so that no horizon of training, validation and test overlaps the next one's.

    Args:
        first: The first day of the data.
        last: Its last day, whole.
        horizon_days: How far the label looks.
        step_days: Between the dates of training.
        min_history_days: What lies before the first date of training.

    Raises:
        TooLittleDataError: If the data is too short for one date of training.
    """
    horizon = timedelta(days=horizon_days)
    test = last + timedelta(days=1) - horizon
    validation = test - horizon
    earliest = first + timedelta(days=min_history_days)
    training, day = [], validation - horizon
    while day >= earliest:
        training.append(day)
        day -= timedelta(days=step_days)
    if not training:
        needed = min_history_days + 3 * horizon_days
        raise TooLittleDataError(
            f"{(last - first).days + 1} days of sales are too few to learn churn over {horizon_days} days",
            where=f"{first} to {last}",
            remedy=f"{needed} days are needed; wait, or set ml.churn_horizon_days of the source lower",
        )
    return ChurnDates(tuple(reversed(training)), validation, test, last + timedelta(days=1))


def promotion_days(promotions: Sequence[Promotion], start: date, days: int) -> int:
    """How many of some days are days of a promotion."""
    window = (start + timedelta(days=ahead) for ahead in range(days))
    return sum(any(each.first <= day <= each.last for each in promotions) for day in window)
