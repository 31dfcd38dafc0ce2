"""The first load: every file of raw/, samples/ and truth/."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from generators import transaction_rows
from generators.dimension_files import product_tasks, user_tasks
from generators.event_defects import EventDefects, note_crowds
from generators.event_rows import EventRows
from generators.ledger import Planted
from generators.line_defects import merge
from generators.plan import Plan
from generators.progress import GenerationProgress
from generators.sessions import BOT, LONG
from generators.spec import DAY_MS, DAYS, START_MS, date_of
from generators.text import contents
from generators.transaction_defects import COPIES, make_copies, note, with_orphans
from generators.truth import write_truth
from generators.writing import SAMPLE_ROWS, Task, Written, partition_path, write_lines, write_table

START_DAY = START_MS // DAY_MS
Built = dict[str, tuple[int, int]]


def write_all(plan: Plan, root: Path, pool: ThreadPoolExecutor, progress: GenerationProgress) -> Built:
    """Write everything below a directory.

    Returns:
        For each data set its raw rows and bytes.
    """
    (root / "samples").mkdir(parents=True, exist_ok=True)
    built: Built = {}
    planted: list[Planted] = []
    surviving: dict[str, int] = {}
    for dataset, make_tasks in (
        ("users", user_tasks),
        ("products", product_tasks),
        ("transactions", transaction_tasks),
        ("clickstream", clickstream_tasks),
    ):
        tasks = make_tasks(plan, root)
        progress.start(dataset, len(tasks))
        files = list(pool.map(partial(_run, progress=progress, dataset=dataset), tasks))
        built[dataset] = sum(file.rows for file, _ in files), sum(file.bytes for file, _ in files)
        planted += [each for _, each in files]
        turned_away = sum(
            row[2] in {"quarantined", "duplicate", "superseded"} for _, each in files for row in each.rows
        )
        surviving[dataset] = built[dataset][0] - turned_away
    progress.start("truth", 1)
    write_truth(plan, root, planted, surviving)
    progress.advance("truth")
    return built


def _run(task: Task, progress: GenerationProgress, dataset: str) -> tuple[Written, Planted]:
    planted = Planted()
    written = task(planted)
    progress.advance(dataset)
    return written, planted


def transaction_tasks(plan: Plan, root: Path) -> list[Task]:
    """A task for each day's transactions."""
    stream, sessions = plan.stream("defects/transactions"), plan.stream("sessions")
    lines, orphans = with_orphans(plan.spec, stream, plan.lines, plan.spec.products)
    copies = make_copies(
        plan.spec, lines, plan.session_keys, (stream, sessions), (START_DAY, START_DAY + DAYS - 1), 0, 0
    )
    marks = {**orphans, "twin_line": np.flatnonzero(lines.twin), "repeat_purchase": np.flatnonzero(lines.repeat)}
    marked = np.full(len(lines.user), -1)
    for index, rows in enumerate(marks.values()):
        marked[rows] = index
    names = list(marks)
    order = np.argsort(lines.ts_ms, kind="stable")
    starts = np.searchsorted(lines.ts_ms[order], START_MS + np.arange(DAYS + 1) * DAY_MS)

    def write(day: int, planted: Planted) -> Written:
        path = partition_path("transactions", date_of(day))
        rows = order[starts[day] : starts[day + 1]]
        table = transaction_rows.to_table(lines.take(rows), rows, plan.session_keys[rows], sessions)
        special = np.flatnonzero(marked[rows] >= 0)
        note(planted, path, [names[mark] for mark in marked[rows[special]]], table.take(pa.array(special)))
        if day == DAYS - 1:
            pa.csv.write_csv(table.slice(0, SAMPLE_ROWS), root / "samples/transactions.csv")
        chosen = np.flatnonzero(copies.day == START_DAY + day)
        extra = copies.table.take(pa.array(chosen))
        note(planted, path, [COPIES[name] for name in copies.name[chosen]], extra)
        return write_table(root, path, _scattered(table, extra))

    return [partial(write, day) for day in range(DAYS)]


def _scattered(table: pa.Table, extra: pa.Table) -> pa.Table:
    """Further rows spread evenly among the others."""
    places = np.linspace(0, max(table.num_rows - 1, 0), num=extra.num_rows).astype(np.int64)
    order = np.argsort(np.concatenate([np.arange(table.num_rows), places]), kind="stable")
    return pa.concat_tables([table, extra]).take(pa.array(order)).combine_chunks()


def clickstream_tasks(plan: Plan, root: Path) -> list[Task]:
    """A task for each day's events."""
    rows = plan.event_rows()
    defects = EventDefects(plan.spec, rows, plan.stream("defects/clickstream"), (START_DAY, START_DAY + DAYS - 1))

    def write(day: int, planted: Planted) -> Written:
        path = partition_path("clickstream", date_of(day))
        lines = event_lines(rows, defects, START_DAY + day, path, planted)
        if day == DAYS - 1:
            good = rows.lines_of(rows.of_day(START_MS + day * DAY_MS, DAY_MS)).slice(0, SAMPLE_ROWS)
            (root / "samples/clickstream.json").write_bytes(bytes(contents(good)))
        return write_lines(root, path, lines)

    return [partial(write, day) for day in range(DAYS)]


def event_lines(  # noqa: PLR0913, PLR0917 - each is a different input
    rows: EventRows, defects: EventDefects, day: int, path: str, planted: Planted, all_days: bool = False
) -> pa.Array:
    """All lines that are delivered on a day, in order of time.

    Args:
        rows: What makes the events.
        defects: Which of them are copied or come late.
        day: Days since 1970.
        path: The file, relative to the root.
        planted: Takes down what is planted.
        all_days: Whether the planned events of all days are delivered, instead of those of that day.
    """
    events = defects.on_time(rows.all_events() if all_days else rows.of_day(day * DAY_MS, DAY_MS))
    events = events.take(np.argsort(events.ts_ms, kind="stable"))
    lines = rows.lines_of(events)
    crowd = np.flatnonzero((rows.size[events.session] > LONG) | (rows.sessions.kind[events.session] == BOT))
    note_crowds(rows, events.take(crowd), lines.take(pa.array(crowd)).to_pylist(), path, planted)
    late, late_ms = defects.late_on(day, path, planted)
    copies, copies_ms = defects.copies_on(day, path, planted)
    places = np.searchsorted(events.ts_ms, np.concatenate([late_ms, copies_ms]))
    return merge(lines, late + copies, places)
