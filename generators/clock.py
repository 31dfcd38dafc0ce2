"""Times of day: shops are quiet at night and busy in the evening, by the customer's own clock."""

from __future__ import annotations

import numpy as np

from generators.places import COUNTRIES
from generators.randomness import I64, Stream

_HOURS = np.array(
    [
        2.2,
        1.2,
        0.7,
        0.5,
        0.5,
        0.8,
        1.7,
        2.9,
        4.0,
        4.9,
        5.4,
        5.6,
        6.0,
        5.7,
        5.2,
        5.1,
        5.2,
        5.6,
        6.2,
        7.1,
        7.6,
        7.2,
        5.6,
        3.7,
    ]
)
_HOUR_MS = 3_600_000


def time_of_day(stream: Stream, column: str, ids: I64, country: I64) -> I64:
    """Milliseconds since midnight UTC at which something happens, given the country's index."""
    cumulative = np.concatenate([[0.0], np.cumsum(_HOURS) / _HOURS.sum()])
    local = np.interp(stream.uniform(column, ids), cumulative, np.arange(25)) * _HOUR_MS
    offset = np.array([entry.utc_offset for entry in COUNTRIES])[country] * _HOUR_MS
    values: I64 = (local.astype(np.int64) - offset) % (24 * _HOUR_MS)
    return values
