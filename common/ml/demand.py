"""How much promotions lift demand, measured on those that are past.

The chance of silence over a horizon is exp(-rate x exposure). In a horizon with promotions the exposure is larger than
in a usual one: each of their days counts as many usual days as the lift says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from common.ml.dates import promotion_days
from common.settings import Promotion

_WEEKS_AROUND = 4
_MAX_LIFT = 5.0


def promotion_lift(orders: Mapping[date, int], promotions: Sequence[Promotion], as_of: date) -> float:
    """Demand on a day of promotion against a usual one; 1 where no promotion is past.

    The first day is compared with the same weekday of the weeks around it: later days of a promotion find fewer
    customers who have not been served yet, and would understate what the promotion does to each.

    Args:
        orders: Orders by day; a day without orders may be missing.
        promotions: All that are known.
        as_of: Only days before it are looked at.
    """
    known = [day for day in orders if day < as_of]
    if not known:
        return 1.0
    first = min(known)
    on, usual = 0.0, 0.0
    for promotion in promotions:
        around = [promotion.first + timedelta(weeks=week) for week in range(-_WEEKS_AROUND, _WEEKS_AROUND + 1) if week]
        quiet = [day for day in around if first <= day < as_of and not promotion_days(promotions, day, 1)]
        if first <= promotion.first < as_of and quiet:
            on += orders.get(promotion.first, 0)
            usual += sum(orders.get(day, 0) for day in quiet) / len(quiet)
    if not usual:
        return 1.0
    return min(max(on / usual, 1.0), _MAX_LIFT)


def exposures(
    orders: Mapping[date, int], promotions: Sequence[Promotion], as_of: Sequence[date], horizon_days: int
) -> dict[date, float]:
    """The exposure of the horizon of each date, 1 for one without promotions, from what was known on that date."""
    found = {}
    for day in as_of:
        share = promotion_days(promotions, day, horizon_days) / horizon_days
        found[day] = 1.0 + share * (promotion_lift(orders, promotions, day) - 1.0)
    return found
