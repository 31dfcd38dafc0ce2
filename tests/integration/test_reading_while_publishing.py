"""A reader of tables.json sees all seven tables change at once while another process publishes again and again.

The publisher lays files out, removes outdated directories and replaces tables.json with the functions that publish_hive
uses; only the making of the rows is left out. Every row of every table carries the number of its publish.
"""

from __future__ import annotations

import csv
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from types import SimpleNamespace
from typing import IO, Any, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from common.layout import PUBLISHED_TABLES, Layout
from common.settings import Settings, load_settings
from common.stages import publishing
from common.storage.delta_files import DataFile
from common.storage.published import PublishedPartition, PublishedTable, write_published
from pipelines import sql
from pipelines.tables import connect
from tests.runs import PROJECT, environment

PUBLISHES = 12
COLUMNS = (("publish", "bigint"), ("n", "bigint"))
QUERY = " UNION ALL ".join(
    f"SELECT '{name}' AS name, min(publish) AS oldest, max(publish) AS newest, count(*) AS n FROM {name}"
    for name in PUBLISHED_TABLES
)


def main() -> None:
    """Publish once for each line of standard input, and say so."""
    layout, settings = Layout.at(sys.argv[1]), load_settings()
    for number, _ in enumerate(sys.stdin, start=1):
        publish(layout, settings, number)
        print(number, flush=True)  # noqa: T201 - the answer to the test


def publish(layout: Layout, settings: Settings, number: int) -> None:
    tables = [lay_out(layout, name, number) for name in PUBLISHED_TABLES]
    write_published(layout, settings.database, tables)
    context = SimpleNamespace(layout=layout, settings=settings)
    publishing._remove_outdated(cast(Any, context))


def lay_out(layout: Layout, name: str, number: int) -> PublishedTable:
    """A table of as many rows as there were publishes, facts in two partitions."""
    by = publishing.PARTITION_COLUMNS.get(name, ())
    months: tuple[tuple[str, ...], ...] = (("2025-10",), ("2025-11",)) if by else ((),)
    target = layout.local("warehouse", "hive", name, f"v{number:06d}")
    files, parts = [], []
    for values in months:
        named = dict(zip(by, values, strict=True))
        below = [f"{column}={value}" for column, value in named.items()]
        source = layout.local("warehouse", "lake", name, *below, f"part-{number}.parquet")
        source.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"publish": [number] * number, "n": list(range(number))}), source)
        files.append(DataFile(str(source), named, number))
        parts.append(PublishedPartition(named, str(target.joinpath(*below)), number, number))
    publishing._lay_out(files, target, by, months)
    columns = (*COLUMNS, *[(column, "string") for column in by])
    return PublishedTable(name, number, number, str(target), by, columns, tuple(parts))


class Publisher:
    """The other process, which publishes once whenever it is told to."""

    def __init__(self, layout: Layout, requests: IO[str], answers: IO[str]) -> None:
        self.layout, self._requests, self._answers = layout, requests, answers
        self.published = 0

    def start(self) -> None:
        self._requests.write("\n")
        self._requests.flush()

    def has_ended(self) -> bool:
        return bool(select.select([self._answers], [], [], 0)[0])

    def finish(self) -> None:
        self.published += 1
        assert self._answers.readline() == f"{self.published}\n"

    def publish(self) -> None:
        self.start()
        self.finish()


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    """A publisher that has published once."""
    layout = Layout.at(tmp_path_factory.mktemp("published") / "root")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.test_reading_while_publishing", layout.root],
        cwd=PROJECT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        started = Publisher(layout, process.stdin, process.stdout)
        started.publish()
        yield started
        process.stdin.close()
        assert process.wait() == 0


def seen(rows: list[tuple[Any, ...]]) -> int:
    """The publish that all seven tables are of."""
    assert sorted(row[0] for row in rows) == sorted(PUBLISHED_TABLES)
    numbers = {int(number) for row in rows for number in row[1:3]}
    assert len(numbers) == 1, rows
    (number,) = numbers
    for name, _, _, count in rows:
        assert int(count) == number * (2 if name in publishing.PARTITION_COLUMNS else 1), rows
    return number


def by_connection(layout: Layout) -> int:
    return seen(connect(layout, load_settings().database, QUERY).sql(QUERY).fetchall())


def by_command(layout: Layout) -> int:
    with redirect_stdout(StringIO()) as out:
        assert sql.main([QUERY, "--root", layout.root, "--format", "csv"]) == 0
    _, *rows = csv.reader(StringIO(out.getvalue()))
    return seen([tuple(row) for row in rows])


@pytest.mark.parametrize("read", [by_connection, by_command])
def test_a_reader_sees_one_publish_of_all_tables(publisher: Publisher, read: Callable[[Layout], int]) -> None:
    for _ in range(PUBLISHES):
        publisher.start()
        found = [read(publisher.layout)]
        while not publisher.has_ended():
            found.append(read(publisher.layout))
        before = publisher.published
        publisher.finish()
        assert found == sorted(found)
        assert set(found) <= {before, before + 1}
        assert read(publisher.layout) == before + 1


def test_a_reader_that_began_before_goes_on_for_as_long_as_its_directories_are_kept(publisher: Publisher) -> None:
    settings = load_settings()
    began = publisher.published
    connection = connect(publisher.layout, settings.database, QUERY)
    for _ in range(settings.publish.keep_versions - 1):
        publisher.publish()
        assert seen(connection.sql(QUERY).fetchall()) == began
    publisher.publish()
    with pytest.raises(duckdb.IOException):
        connection.sql(QUERY).fetchall()
    assert by_connection(publisher.layout) == publisher.published


def test_directories_of_older_publishes_are_removed(publisher: Publisher) -> None:
    kept = load_settings().publish.keep_versions
    for _ in range(kept):
        publisher.publish()
    expected = {f"v{publisher.published - age:06d}" for age in range(kept)}
    assert {path.name for path in publisher.layout.local("warehouse", "hive").glob("*/v*")} == expected


if __name__ == "__main__":
    main()
