"""As-of dates and the demand that lies ahead."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from common.errors import InputError
from common.ml.dates import Period, churn_dates, promotion_days
from common.ml.demand import exposures, promotion_lift
from common.settings import Promotion

FIRST, LAST = date(2025, 6, 4), date(2025, 11, 30)
SALE = Promotion(first=date(2025, 7, 15), last=date(2025, 7, 18))
NEXT = Promotion(first=date(2025, 11, 24), last=date(2025, 12, 1))
USUAL = {FIRST + timedelta(days=day): 100 for day in range(180)}


def test_no_horizon_overlaps_the_next_ones() -> None:
    dates = churn_dates(FIRST, LAST, 30, 15, 30)
    assert (dates.validation, dates.test, dates.scoring) == (date(2025, 10, 2), date(2025, 11, 1), date(2025, 12, 1))
    assert dates.training == (
        date(2025, 7, 4), date(2025, 7, 19), date(2025, 8, 3), date(2025, 8, 18), date(2025, 9, 2),
    )  # fmt: skip
    horizon = timedelta(days=30)
    assert dates.training[-1] + horizon <= dates.validation
    assert dates.validation + horizon <= dates.test
    assert dates.test + horizon == dates.scoring


def test_too_short_a_history_is_refused() -> None:
    with pytest.raises(InputError, match=r"89 days of sales are too few .*120 days are needed"):
        churn_dates(FIRST, FIRST + timedelta(days=88), 30, 15, 30)


def test_the_shortest_history_has_one_training_date() -> None:
    assert len(churn_dates(FIRST, FIRST + timedelta(days=119), 30, 15, 30).training) == 1


def test_a_period_before() -> None:
    period = Period(date(2025, 11, 1), date(2025, 12, 1))
    assert period.before(30) == Period(date(2025, 10, 2), date(2025, 11, 1))


def test_days_of_promotions_are_counted_once() -> None:
    assert promotion_days([SALE, SALE], date(2025, 7, 18), 30) == 1
    assert promotion_days([SALE, NEXT], date(2025, 11, 1), 30) == 7
    assert promotion_days([], FIRST, 30) == 0


def test_lift_is_the_first_day_against_the_same_weekday_around() -> None:
    orders = {**USUAL, date(2025, 7, 15): 180, date(2025, 7, 16): 500, date(2025, 7, 8): 80, date(2025, 7, 22): 120}
    assert promotion_lift(orders, [SALE], date(2025, 9, 1)) == pytest.approx(1.8)


def test_lift_is_none_where_no_promotion_is_past() -> None:
    orders = {**USUAL, NEXT.first: 400}
    assert promotion_lift(orders, [NEXT], date(2025, 11, 1)) == 1.0
    assert promotion_lift({}, [SALE], date(2025, 11, 1)) == 1.0


def test_what_comes_later_changes_nothing() -> None:
    orders = {**USUAL, date(2025, 7, 15): 180}
    later = {day: count for day, count in orders.items() if day < date(2025, 7, 20)}
    wild = {**later, **{day: 9_999 for day in orders if day >= date(2025, 7, 20)}}
    assert promotion_lift(wild, [SALE, NEXT], date(2025, 7, 20)) == promotion_lift(later, [SALE], date(2025, 7, 20))


def test_a_lift_below_a_usual_day_counts_as_none() -> None:
    assert promotion_lift({**USUAL, SALE.first: 10}, [SALE], date(2025, 9, 1)) == 1.0


def test_exposure_weighs_the_days_of_promotions() -> None:
    orders = {**USUAL, date(2025, 7, 15): 180}
    found = exposures(orders, [SALE, NEXT], [date(2025, 10, 2), date(2025, 11, 1)], 30)
    assert found[date(2025, 10, 2)] == 1.0
    assert found[date(2025, 11, 1)] == pytest.approx(1 + 7 / 30 * 0.8)
