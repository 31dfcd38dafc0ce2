"""How long generation takes at scale 1, and how much faster it is than a call of Faker a value.

Run `python tests/bench/bench_generators.py [--scale 1]`; prints a table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from faker import Faker
from rich.console import Console
from rich.table import Table

from generators import product_rows, user_rows
from generators.generation import generate
from generators.transaction_rows import SCHEMA

_FAKER_ROWS = 2_000
# Values of an event that vary from one to the next: ids, time, type, page, product, device, place.
_EVENT_VALUES = 12
_MOST_SECONDS, _LEAST_RATIO = 30.0, 50.0


def faker_seconds_a_value() -> float:
    """Seconds that Faker takes for a value of a user's row, on average."""
    fake = Faker("en_US")
    makers = (
        fake.email,
        fake.first_name,
        fake.last_name,
        fake.street_address,
        fake.city,
        fake.postcode,
        fake.date_time,
    )
    started = time.perf_counter()
    for _ in range(_FAKER_ROWS):
        for make in makers:
            make()
    return (time.perf_counter() - started) / (_FAKER_ROWS * len(makers))


def main() -> int:
    """Measure, print, and hold against what is promised for scale 1 on two cores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        summary = generate(Path(directory), args.scale, args.seed)
    widths = {
        "users": user_rows.COLUMNS.count(",") + 1,
        "products": product_rows.COLUMNS.count(",") + 1,
        "transactions": len(SCHEMA),
        "clickstream": _EVENT_VALUES,
    }
    values = sum(count * widths[name] for name, count in summary.rows.items())
    faker = faker_seconds_a_value() * values
    table = Table("figure", "value")
    for name, count in summary.rows.items():
        table.add_row(name, f"{count:,} rows")
    table.add_row("size", f"{summary.bytes / 1e6:,.0f} MB")
    table.add_row("time", f"{summary.seconds:.1f} s")
    table.add_row("values", f"{values:,}")
    table.add_row("one Faker call a value", f"{faker:,.0f} s (extrapolated)")
    table.add_row("ratio", f"{faker / summary.seconds:,.0f}x")
    Console().print(table)
    return int(args.scale == 1 and (summary.seconds > _MOST_SECONDS or faker / summary.seconds < _LEAST_RATIO))


if __name__ == "__main__":
    sys.exit(main())
