"""The ceilings: the best that a model can reach on the generated data, computed from what generated it.

`churn_probabilities` and `preferences` need only scale and seed, as in truth/generation.json, and work for any date and
any users; truth/churn.parquet holds the former for some dates.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from generators.behaviour import silence_probabilities
from generators.choices import EXPLORE_SHARE, whim_weights
from generators.people import cluster_scores
from generators.plan import Plan, make_plan
from generators.randomness import F64, I64
from generators.spec import DAYS, Spec, day_of

# Mondays among these, and the last days that leave a month or a month and a half to look at.
CEILING_DAYS = (90, 104, 118, 120, 125, 130, 132, 134, 135, 139, 143, 146, 149, 150)
HORIZONS = (30, 45, 60)


def churn_ceiling(plan: Plan, day: int, horizons: Sequence[int]) -> dict[int, tuple[I64, F64]]:
    """The chance that users buy nothing on some days from a day on, given all that happened before it.

    Args:
        plan: The plan.
        day: Number of the first day looked at; 0 is the first of the window.
        horizons: How many days to look at.

    Returns:
        By horizon the indices of the users who have bought before, and their probabilities.
    """
    state = plan.behaviour.state_before(day)
    users = np.flatnonzero(state.count > 0)
    inside = [horizon for horizon in horizons if day + horizon <= DAYS]
    found = silence_probabilities(plan.people.take(users), state.take(users), plan.behaviour.level, day, inside)
    return {horizon: (users, probability) for horizon, probability in found.items()}


def churn_probabilities(scale: float, seed: int, as_of: dt.date, horizon_days: int) -> dict[str, float]:
    """The best reachable churn probability of each user who has bought before a date.

    Args:
        scale: The data set's scale.
        seed: Its seed.
        as_of: Purchases before this date (UTC) are known, those from it on are not.
        horizon_days: Churned is who buys nothing on so many days from that date on.

    Returns:
        Probability by user_id.
    """
    plan = make_plan(Spec(scale, seed))
    day = day_of(as_of)
    users, probability = churn_ceiling(plan, day, [horizon_days])[horizon_days]
    return {f"U{user:08d}": float(value) for user, value in zip(users, probability, strict=True)}


def preferences(plan: Plan, users: I64) -> F64:
    """The chance that a line of a user is of a product, whims included and staples left out.

    Args:
        plan: The plan.
        users: Indices of users, (n,).

    Returns:
        Probabilities, (n, P); each row sums to 1.
    """
    catalogue = plan.catalogue
    scores = cluster_scores(plan.people, catalogue, users)
    own = np.exp(scores - scores.max(axis=1, keepdims=True))
    own /= own.sum(axis=1, keepdims=True)
    whims = whim_weights(catalogue)
    cluster = (1 - EXPLORE_SHARE) * own + EXPLORE_SHARE * (whims / whims.sum())[None, :]
    within = catalogue.popularity / catalogue.cluster_share[catalogue.cluster]
    values: F64 = cluster[:, catalogue.cluster] * within[None, :]
    return values
