"""The first load: every file of raw/, samples/ and truth/."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from generators import product_rows, transaction_rows, user_rows
from generators.plan import Plan
from generators.progress import GenerationProgress
from generators.spec import DAY_MS, DAYS, START_MS, date_of
from generators.text import contents
from generators.writing import Written, base_path, partition_path, write_lines, write_table

SAMPLE_ROWS = 20
Built = dict[str, tuple[int, int]]


def write_all(plan: Plan, root: Path, pool: ThreadPoolExecutor, progress: GenerationProgress) -> Built:
    """Write everything below a directory.

    Returns:
        For each data set its raw rows and bytes.
    """
    (root / "samples").mkdir(parents=True, exist_ok=True)
    (root / "truth").mkdir(parents=True, exist_ok=True)
    built: Built = {}
    for dataset, tasks in (
        ("users", [lambda: _write_users(plan, root)]),
        ("products", [lambda: _write_products(plan, root)]),
        ("transactions", _transaction_tasks(plan, root)),
        ("clickstream", _clickstream_tasks(plan, root)),
    ):
        progress.start(dataset, len(tasks))

        def run(task: Callable[[], Written], dataset: str = dataset) -> Written:
            written = task()
            progress.advance(dataset)
            return written

        files = list(pool.map(run, tasks))
        built[dataset] = sum(file.rows for file in files), sum(file.bytes for file in files)
    rows = {name: count for name, (count, _) in built.items()}
    (root / "truth/expected.json").write_text(json.dumps({"surviving": rows}, indent=2) + "\n", encoding="utf-8")
    return built


def _write_users(plan: Plan, root: Path) -> Written:
    stream = plan.stream("users")
    lines = user_rows.to_lines(stream, user_rows.first_states(stream, plan.people))
    sample = lines.slice(0, SAMPLE_ROWS)
    write_lines(root, "samples/users.csv", sample, user_rows.COLUMNS)
    return write_lines(root, base_path("users"), lines, user_rows.COLUMNS)


def _write_products(plan: Plan, root: Path) -> Written:
    stream = plan.stream("products")
    lines = product_rows.to_lines(stream, product_rows.first_states(stream, plan.catalogue))
    write_lines(root, "samples/products.csv", lines.slice(0, SAMPLE_ROWS), product_rows.COLUMNS)
    return write_lines(root, base_path("products"), lines, product_rows.COLUMNS)


def _transaction_tasks(plan: Plan, root: Path) -> list[Callable[[], Written]]:
    day = (plan.lines.ts_ms - START_MS) // DAY_MS
    numbers, keys, stream = np.arange(len(day)), plan.session_keys, plan.stream("sessions")

    def write(number: int) -> Written:
        rows = np.flatnonzero(day == number)
        rows = rows[np.argsort(plan.lines.ts_ms[rows], kind="stable")]
        table = transaction_rows.to_table(plan.lines.take(rows), numbers[rows], keys[rows], stream)
        if number == DAYS - 1:
            pa.csv.write_csv(table.slice(0, SAMPLE_ROWS), root / "samples/transactions.csv")
        return write_table(root, partition_path("transactions", date_of(number)), table)

    return [lambda number=number: write(number) for number in range(DAYS)]


def _clickstream_tasks(plan: Plan, root: Path) -> list[Callable[[], Written]]:
    rows = plan.event_rows()

    def write(number: int) -> Written:
        events = rows.of_day(START_MS + number * DAY_MS, DAY_MS)
        lines = rows.lines_of(events.take(np.argsort(events.ts_ms, kind="stable")))
        if number == DAYS - 1:
            (root / "samples/clickstream.json").write_bytes(bytes(contents(lines.slice(0, SAMPLE_ROWS))))
        return write_lines(root, partition_path("clickstream", date_of(number)), lines)

    return [lambda number=number: write(number) for number in range(DAYS)]
