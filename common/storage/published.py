"""ops/tables.json: which files make up each published table.

It is replaced whole, so that its readers see all seven tables change at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from common.layout import Layout
from common.storage.files import read_json, write_json


@dataclass(frozen=True)
class PublishedPartition:
    """The files of one partition, or of an unpartitioned table.

    Attributes:
        values: Partition column to value; empty for an unpartitioned table.
        location: An absolute directory; its files never change.
        rows: Rows in it.
        hash_sum: The second number of its fingerprint.
    """

    values: Mapping[str, str]
    location: str
    rows: int
    hash_sum: int

    @property
    def content(self) -> tuple[int, int]:
        """What tells one content from another."""
        return self.rows, self.hash_sum


@dataclass(frozen=True)
class PublishedTable:
    """A table as its readers find it.

    Attributes:
        name: Its name in the database.
        version: The number of the publish that changed it last.
        lake_version: The version of the lake's table that it was made of.
        location: An absolute directory.
        partition_columns: Empty for an unpartitioned table, which then has one entry in `parts`.
        columns: Name and type of the columns, the partition columns last.
        parts: Its partitions.
    """

    name: str
    version: int
    lake_version: int
    location: str
    partition_columns: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    parts: tuple[PublishedPartition, ...]

    @property
    def rows(self) -> int:
        """Rows in all partitions."""
        return sum(part.rows for part in self.parts)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of all rows: sums of those of the partitions."""
        return f"{self.rows}:{sum(part.hash_sum for part in self.parts)}"

    def as_json(self, database: str) -> dict[str, Any]:
        """The table's entry in tables.json."""
        return {
            "database": database,
            "name": self.name,
            "format": "parquet",
            "version": self.version,
            "lake_version": self.lake_version,
            "location": self.location,
            "partitions": [asdict(part) for part in self.parts] if self.partition_columns else None,
            "partition_columns": list(self.partition_columns),
            "columns": [{"name": name, "type": kind} for name, kind in self.columns],
            "rows": self.rows,
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> PublishedTable:
        """From tables.json."""
        rows, _, hash_sum = entry["fingerprint"].partition(":")
        whole = [{"values": {}, "location": entry["location"], "rows": int(rows), "hash_sum": int(hash_sum)}]
        parts = entry["partitions"] if entry["partitions"] is not None else whole
        return cls(
            name=entry["name"],
            version=entry["version"],
            lake_version=entry["lake_version"],
            location=entry["location"],
            partition_columns=tuple(entry["partition_columns"]),
            columns=tuple((column["name"], column["type"]) for column in entry["columns"]),
            parts=tuple(PublishedPartition(**part) for part in parts),
        )


def read_published(layout: Layout) -> dict[str, PublishedTable]:
    """The published tables by name; none before the first publish.

    Raises:
        InputError: If tables.json cannot be read.
    """
    path = layout.local("ops", "tables.json")
    if not path.exists():
        return {}
    return {entry["name"]: PublishedTable.from_json(entry) for entry in read_json(path)["tables"]}


def write_published(layout: Layout, database: str, tables: Sequence[PublishedTable]) -> None:
    """Show the readers of tables.json other files, all at once. The list of this publish is kept beside."""
    content = {"tables": [table.as_json(database) for table in sorted(tables, key=lambda table: table.name)]}
    newest = max(table.version for table in tables)
    write_json(layout.local("ops", "published", f"{newest:06d}.json"), content)
    write_json(layout.local("ops", "tables.json"), content)


def kept_locations(layout: Layout, keep: int) -> set[str]:
    """The directories that the last few publishes refer to, and tables.json; lists of older ones are removed."""
    lists = sorted(layout.local("ops", "published").glob("*.json"), reverse=True)
    for outdated in lists[keep:]:
        outdated.unlink()
    locations = {part.location for table in read_published(layout).values() for part in table.parts}
    for path in lists[:keep]:
        for entry in read_json(path)["tables"]:
            locations |= {part.location for part in PublishedTable.from_json(entry).parts}
    return locations
