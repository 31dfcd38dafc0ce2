"""publish_hive: the lake's tables as Hive-format Parquet in immutable directories, for every engine to read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import InputError
from common.job import Stage, StageContext, StageResult
from common.layout import PUBLISHED_TABLES
from common.quality.accounting import Account, expect_equal
from common.storage import delta, hive
from common.storage.contents import contents_of, recorded_contents
from common.storage.delta_files import DataFile, data_files
from common.storage.local_frames import local_frame
from common.storage.published import (
    PublishedPartition,
    PublishedTable,
    kept_locations,
    read_published,
    write_published,
)

PARTITION_COLUMNS = {"fact_transactions": ("transaction_month",), "fact_clickstream": ("event_month",)}
_GATE_SCHEMA = "table_name string, lake_rows bigint, published_rows bigint"


def run(context: StageContext) -> StageResult:
    """Publish what changed in the lake since the last publish, or has gone since then; all tables at once.

    Raises:
        InputError: If a table of the lake is not there yet.
    """
    spark, layout = context.spark, context.layout
    before = read_published(layout)
    versions = {name: _lake_version(context, name) for name in PUBLISHED_TABLES}
    metastore_is_there = layout.local("warehouse", "metastore_db").exists()
    unchanged = {
        name
        for name, table in before.items()
        if table.lake_version == versions[name] and all(map(_is_there, table.parts))
    }
    if metastore_is_there and unchanged == set(PUBLISHED_TABLES) and not context.rebuild:
        return StageResult("skipped", Account(0, 0), notes=("the lake has not changed",))
    number = _next_number(context)
    tables = [
        before[name] if name in unchanged else _publish(context, name, versions[name], before.get(name), number)
        for name in PUBLISHED_TABLES
    ]
    rows = {table.name: (delta.recorded_rows(spark, layout.lake(table.name)), _footer_rows(table)) for table in tables}
    _gate(context, rows)
    fresh = [ends for name, ends in rows.items() if name not in unchanged]
    hive.register(spark, context.settings.database, layout.path("warehouse", "hive"), tables)
    write_published(layout, context.settings.database, tables)
    _remove_outdated(context)
    changed = [table.name for table in tables if table.version == number]
    notes = (f"{len(changed)} of {len(tables)} tables have new content",)
    account = Account(sum(read for read, _ in fresh), sum(written for _, written in fresh)).check("publish_hive")
    return StageResult(
        "ok", account, {table.name: (_version(before, table.name), table.version) for table in tables}, notes
    )


def _version(tables: dict[str, PublishedTable], name: str) -> int | None:
    return tables[name].version if name in tables else None


def _lake_version(context: StageContext, name: str) -> int:
    version = delta.version_of(context.spark, context.layout.lake(name))
    if version is None:
        raise InputError(
            f"the lake has no {name}", where=context.layout.lake(name), remedy="run the stages before publish_hive"
        )
    return version


def _next_number(context: StageContext) -> int:
    """One more than any directory's, so that what an interrupted publish left is never written into."""
    directories = context.layout.local("warehouse", "hive").glob("*/v*")
    return 1 + max((int(path.name[1:]) for path in directories), default=0)


def _publish(
    context: StageContext, name: str, lake_version: int, before: PublishedTable | None, number: int
) -> PublishedTable:
    """Lay out the partitions of a table whose content changed; the others stay where they are."""
    lake = delta.read(context.spark, context.layout.lake(name), lake_version)
    by = PARTITION_COLUMNS.get(name, ())
    columns = [(field.name, field.dataType.simpleString()) for field in lake.schema.fields if field.name not in by]
    columns += [(field.name, field.dataType.simpleString()) for field in lake.schema.fields if field.name in by]
    target = context.layout.local("warehouse", "hive", name, f"v{number:06d}")
    contents = recorded_contents(context.spark, context.layout.lake(name), lake_version)
    if contents is None:
        contents, _ = contents_of(lake, by)
    old = (
        {tuple(part.values.values()): part for part in before.parts if _is_there(part)}
        if before and before.columns == tuple(columns)
        else {}
    )
    changed = {values for values, content in contents.items() if values not in old or old[values].content != content}
    if changed:
        files = data_files(context.spark, context.layout.lake(name), lake_version)
        _lay_out(files, target, by, changed)
    parts = [
        _fresh_part(target, by, values, contents[values]) if values in changed else old[values]
        for values in sorted(contents)
    ]
    is_new = before is None or bool(changed) or set(old) != set(contents)
    table = PublishedTable(
        name=name,
        version=number if before is None or is_new else before.version,
        lake_version=lake_version,
        location=str(target) if before is None or changed else before.location,
        partition_columns=by,
        columns=tuple(columns),
        parts=tuple(parts),
    )
    _verify(context, table, {values: contents[values] for values in changed}, target)
    return table


def _fresh_part(
    target: Path, by: tuple[str, ...], values: tuple[str, ...], content: tuple[int, int]
) -> PublishedPartition:
    named = dict(zip(by, values, strict=True))
    location = target.joinpath(*[f"{column}={value}" for column, value in named.items()])
    return PublishedPartition(named, str(location), *content)


def _lay_out(
    files: Iterable[DataFile], target: Path, by: tuple[str, ...], wanted: Collection[tuple[str | None, ...]]
) -> None:
    """Put the lake's own Parquet files into the new directory.

    A file of the lake is plain Parquet, sorted and partitioned as readers want it, and never changes: a second name
    for it costs nothing, and Delta's removing its own name leaves this one.
    """

    def directory(values: Iterable[str | None]) -> Path:
        return target.joinpath(*[f"{column}={value}" for column, value in zip(by, values, strict=True)])

    for values in wanted:
        directory(values).mkdir(parents=True)
    for file in files:
        values = tuple(file.partition[column] for column in by)
        if values in wanted:
            source = Path(file.path)
            _link(source, directory(values) / source.name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _verify(
    context: StageContext, table: PublishedTable, expected: dict[tuple[str, ...], tuple[int, int]], target: Path
) -> None:
    """Read what was laid out as any reader would, and see that it is what was gated when the lake was written."""
    if not expected:
        return
    schema = ", ".join(f"`{name}` {kind}" for name, kind in table.columns)
    published = context.spark.read.schema(schema).option("basePath", str(target)).parquet(str(target))
    found, _ = contents_of(published, table.partition_columns)
    expect_equal(f"content of published {table.name}", expected, found, where=str(target))


def _gate(context: StageContext, rows: Mapping[str, tuple[int, int]]) -> None:
    """Each table's rows by the lake's log and by the footers of the published files."""
    listed = [(name, *ends) for name, ends in rows.items()]
    context.gate("publish_hive", local_frame(context.spark, listed, _GATE_SCHEMA), tables=list(PUBLISHED_TABLES))


def _footer_rows(table: PublishedTable) -> int:
    """Rows of a published table as the footers of its files say."""
    return sum(map(_part_rows, table.parts))


def _part_rows(part: PublishedPartition) -> int:
    return sum(int(pq.read_metadata(path).num_rows) for path in Path(part.location).glob("*.parquet"))


def _is_there(part: PublishedPartition) -> bool:
    """Whether the files of a partition still have its rows."""
    try:
        return _part_rows(part) == part.rows
    except (OSError, pa.ArrowInvalid):
        return False


def _remove_outdated(context: StageContext) -> None:
    """Remove directories that none of the last publishes refers to."""
    kept = {Path(location) for location in kept_locations(context.layout, context.settings.publish.keep_versions)}
    for version in context.layout.local("warehouse", "hive").glob("*/v*"):
        if not any(location == version or version in location.parents for location in kept):
            shutil.rmtree(version)


PUBLISH_HIVE = Stage(
    name="publish_hive",
    title="publish the warehouse as Hive tables",
    inputs=tuple(f"warehouse/lake/{name}" for name in PUBLISHED_TABLES),
    outputs=("warehouse/hive", "ops/tables"),
    run=run,
    suites=("publish_hive",),
)
