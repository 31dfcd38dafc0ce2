"""The files of users and products: the first load, and the weekly changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from generators import product_rows, user_rows
from generators.changes import DELIVERY_DAYS, OPS, Feed, States, product_feed, user_feed
from generators.ledger import Planted
from generators.line_defects import LinePlanter
from generators.people import twins
from generators.plan import Plan
from generators.randomness import I64
from generators.spec import Spec, date_of
from generators.text import join, pool, take
from generators.writing import SAMPLE_ROWS, Task, Written, base_path, partition_path, write_lines

_FIRST_KEYS = {"users": (96_000_000, 97_000_000), "products": (995_000, 997_500)}
_MALFORMED_EMAIL_RATE = 0.001


def key_of(line: bytes) -> str:
    """The key at the start of a line of CSV."""
    return line[: line.index(b",")].decode()


def user_tasks(plan: Plan, root: Path) -> list[Task]:
    """A task for each file of users."""
    spec, stream = plan.spec, plan.stream("users")
    states = user_rows.first_states(stream, plan.people, plan.first_seen_ms)
    header = user_rows.COLUMNS
    originals, others = twins(stream, spec.users)
    chosen = stream.sample("malformed_email", spec.users, spec.planted(_MALFORMED_EMAIL_RATE, spec.users))
    bad = np.setdiff1d(chosen, np.concatenate([originals, others]))
    special = np.concatenate([bad, originals, others])
    planter = LinePlanter(spec, "users", header, False, [spec.users], "base", _FIRST_KEYS["users"][0], special)

    def first_load(planted: Planted) -> Written:
        path = base_path("users")
        lines = user_rows.to_lines(stream, states)
        write_lines(root, "samples/users.csv", lines.slice(0, SAMPLE_ROWS), header)
        lines = _in_place(lines, bad, path, planted)
        for line in lines.take(pa.array(others)).to_pylist():
            planted.add("users", "twins", path, line, key_of(line))
        return write_lines(root, path, planter.plant(0, path, lines, planted), header)

    feed = user_feed(plan, states)
    return [first_load, *_change_tasks(spec, "users", root, header, feed, partial(user_rows.to_lines, stream))]


def _in_place(lines: pa.Array, rows: I64, path: str, planted: Planted) -> pa.Array:
    """Take the @ out of the e-mail addresses of some rows, which stay the only ones of their users."""
    changed = [line.replace(b"@", b".at.", 1) for line in lines.take(pa.array(rows)).to_pylist()]
    for line in changed:
        planted.add("users", "malformed_email", path, line, key_of(line))
    place = np.arange(len(lines))
    place[rows] = len(lines) + np.arange(len(rows))
    return pa.concat_arrays([lines, pa.array(changed, pa.binary())]).take(pa.array(place))


def product_tasks(plan: Plan, root: Path) -> list[Task]:
    """A task for each file of products."""
    spec, stream = plan.spec, plan.stream("products")
    states = product_rows.first_states(stream, plan.catalogue)
    header = product_rows.COLUMNS
    planter = LinePlanter(spec, "products", header, False, [spec.products], "base", _FIRST_KEYS["products"][0])

    def first_load(planted: Planted) -> Written:
        path = base_path("products")
        lines = product_rows.to_lines(stream, states)
        write_lines(root, "samples/products.csv", lines.slice(0, SAMPLE_ROWS), header)
        return write_lines(root, path, planter.plant(0, path, lines, planted), header)

    feed = product_feed(plan, states)
    return [first_load, *_change_tasks(spec, "products", root, header, feed, partial(product_rows.to_lines, stream))]


def _change_tasks(  # noqa: PLR0913, PLR0917 - each is a different input
    spec: Spec, dataset: str, root: Path, header: str, feed: Feed[States], to_lines: Callable[[States], pa.Array]
) -> list[Task]:
    files = [np.flatnonzero(feed.file == number) for number in range(len(DELIVERY_DAYS))]
    files = [rows[np.argsort(feed.states.updated_ms[rows], kind="stable")] for rows in files]
    sizes = [len(rows) for rows in files]
    planter = LinePlanter(spec, dataset, f"{header},op", True, sizes, "changes", _FIRST_KEYS[dataset][1])

    def write(number: int, planted: Planted) -> Written:
        rows = files[number]
        path = partition_path(dataset, date_of(int(DELIVERY_DAYS[number])))
        return write_changes(root, path, dataset, feed, rows, to_lines, (planter, number), planted)

    return [partial(write, number) for number in range(len(files)) if sizes[number]]


def write_changes(  # noqa: PLR0913, PLR0917 - each is a different input
    root: Path,
    path: str,
    dataset: str,
    feed: Feed[States],
    rows: Sequence[int] | I64,
    to_lines: Callable[[States], pa.Array],
    plants: tuple[LinePlanter, int],
    planted: Planted,
) -> Written:
    """Write one file of changes.

    Args:
        root: Where to write.
        path: The file, relative to the root.
        dataset: users or products.
        feed: All changes.
        rows: Those of this file, in its order.
        to_lines: What makes lines of states, without the operation.
        plants: What plants defects, and the file's number in it.
        planted: Takes down what is planted.
    """
    index = np.asarray(rows)
    lines = join(to_lines(feed.states.take(index)), take(pool(OPS), feed.op[index]), separator=b",")
    for place in np.flatnonzero(feed.label[index] != ""):
        line = lines[int(place)].as_py()
        planted.add(dataset, str(feed.label[index[place]]), path, line, key_of(line))
    planter, number = plants
    header = product_rows.COLUMNS if dataset == "products" else user_rows.COLUMNS
    return write_lines(root, path, planter.plant(number, path, lines, planted), f"{header},op")
