"""How much a day's deliveries are of a usual day's."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from common.cleaning.landing import percent_of_usual
from common.storage.inventory import RawFile

DAY = date(2025, 11, 30)


def _delivered(rows, days_before=0, part=0):
    day = (DAY - timedelta(days=days_before)).isoformat()
    return RawFile(f"raw/transactions/dt={day}/part-{part}.parquet", 1, 1, day, rows)


USUAL = [_delivered(1000 + 10 * n, n) for n in range(1, 8)]


@pytest.mark.parametrize(
    ("files", "percent"),
    [
        ([*USUAL, _delivered(520)], 50),
        ([*USUAL, _delivered(260), _delivered(260, part=1)], 50),
        ([*USUAL, _delivered(519)], 49),
        (USUAL, 0),
        # What came long before, comes later, or has no day does not count.
        ([*USUAL, _delivered(5, 8), _delivered(5, -1), RawFile("raw/a.parquet", 1, 1, None, 9), _delivered(1040)], 100),
        # A day without deliveries is passed over, one that was unusual too does not move the median.
        ([*USUAL[1:], _delivered(90_000, 9), _delivered(1050)], 100),
        ([*USUAL[1:], _delivered(1040)], None),
        ([*[_delivered(199, n) for n in range(1, 8)], _delivered(1)], None),
        ([*[_delivered(200, n) for n in range(1, 8)], _delivered(1)], 0),
    ],
    ids=["half", "in two files", "less", "nothing", "other days", "gaps", "few days", "few rows", "enough rows"],
)
def test_percent_of_usual(files, percent):
    assert percent_of_usual(files, DAY) == percent
