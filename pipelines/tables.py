"""The platform's tables in DuckDB, without Spark.

The published ones are found as ops/tables.json names them, the others by Delta's log. A reader holds one state of
everything: files that a later run publishes or replaces do not change under it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from common.errors import InputError, UsageError
from common.layout import DATASETS, Layout
from common.storage.published import PublishedTable, read_published

_DUCKDB_TYPES = {"string": "VARCHAR", "timestamp": "TIMESTAMPTZ"}
_QUARANTINE = "quarantine"
_ASKS_WHAT_THERE_IS = r"\bshow\s+all\b|\binformation_schema\b|\bduckdb_(schemas|tables|views|columns)\b"


def connect(layout: Layout, database: str, query: str = "") -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with the tables as views.

    The published tables are in the schema named by `database` and can be named without it. The schemas `lake`,
    `clean` and `quarantine` hold the Delta tables; a schema of these is opened only when its name is in the query,
    in whatever form, or when the query asks what there is.

    Args:
        layout: A local root.
        database: The name of the published database.
        query: What is going to be asked.

    Raises:
        InputError: If nothing is published and the query names no other schema that has tables, or if published
            files have gone.
    """
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_name(database)}")
    published = read_published(layout)
    every = re.search(_ASKS_WHAT_THERE_IS, query, re.IGNORECASE)
    wanted = {
        schema: paths
        for schema, paths in _delta_schemas(layout).items()
        if every or re.search(rf"\b{schema}\b", query, re.IGNORECASE)
    }
    if not published and not any(wanted.values()):
        raise _nothing_published(layout)
    for table in published.values():
        connection.execute(f"CREATE VIEW {_name(database)}.{_name(table.name)} AS {_published_select(table)}")
    for schema, paths in wanted.items():
        connection.execute(f"CREATE SCHEMA {_name(schema)}")
        for path in paths:
            select = _delta_select(path) if schema != _QUARANTINE else _with_text(_delta_select(path))
            connection.execute(f"CREATE VIEW {_name(schema)}.{_name(path.name)} AS {select}")
    connection.execute(f"SET search_path = '{database}'")
    return connection


def delta_relation(connection: duckdb.DuckDBPyConnection, path: Path) -> duckdb.DuckDBPyRelation:
    """A Delta table as DuckDB sees it."""
    return connection.sql(_delta_select(path))


def require_published(layout: Layout) -> None:
    """See that there are published tables, with all their files: a reader of the metastore takes none for no rows.

    Raises:
        InputError: If not. On another file system than a local one this is left to the reader.
    """
    if not layout.is_local:
        return
    published = read_published(layout)
    if not published:
        raise _nothing_published(layout)
    for table in published.values():
        _files(table)


def no_question(layout: Layout) -> UsageError:
    """The failure of a statement that would do something."""
    return UsageError(
        "that is neither one query nor SHOW, DESCRIBE or EXPLAIN", where=layout.root, remedy="give a SELECT"
    )


def _nothing_published(layout: Layout) -> InputError:
    return InputError(
        "nothing is published", where=layout.ops("tables.json"), remedy="run ./build.sh run, or name its --root"
    )


def _delta_schemas(layout: Layout) -> dict[str, list[Path]]:
    lake = layout.local("warehouse", "lake")
    tables = sorted(path for path in lake.iterdir() if (path / "_delta_log").is_dir()) if lake.is_dir() else []
    zones = {
        zone: [layout.local(zone, name) for name in DATASETS if layout.local(zone, name, "_delta_log").is_dir()]
        for zone in ("clean", _QUARANTINE)
    }
    return {"lake": tables, **zones}


def _published_select(table: PublishedTable) -> str:
    files = _files(table)
    if not files:
        return _empty_select(table.columns)
    return _files_select(files, table.partition_columns)


def _files(table: PublishedTable) -> list[str]:
    files: list[str] = []
    for part in table.parts:
        found = [str(path) for path in sorted(Path(part.location).glob("*.parquet"))]
        if part.rows and not found:
            raise InputError(
                f"the files of {table.name} have gone",
                where=part.location,
                remedy="ask again; if it stays so, ./build.sh run --only publish_hive puts them back",
            )
        files += found
    return files


def _empty_select(columns: Sequence[tuple[str, str]]) -> str:
    typed = ", ".join(f"CAST(NULL AS {_duckdb_type(kind)}) AS {_name(name)}" for name, kind in columns)
    return f"SELECT {typed} WHERE false"


def _duckdb_type(kind: str) -> str:
    array = re.fullmatch(r"array<(.+)>", kind)
    return f"{_duckdb_type(array[1])}[]" if array else _DUCKDB_TYPES.get(kind, kind.upper())


def _delta_select(path: Path) -> str:
    table = DeltaTable(str(path))
    files = table.file_uris()
    if not files:
        return "SELECT " + ", ".join(f"NULL AS {_name(field.name)}" for field in table.schema().fields) + " WHERE false"
    return _files_select(files, tuple(table.metadata().partition_columns))


def _with_text(select: str) -> str:
    """A quarantine table whose payload, the bytes as they came, is text; escaped where they are none."""
    return f"SELECT * REPLACE (coalesce(TRY(decode(payload)), CAST(payload AS VARCHAR)) AS payload) FROM ({select})"


def _files_select(files: Sequence[str], partition_columns: Sequence[str]) -> str:
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    if not partition_columns:
        return f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false)"
    types = ", ".join(f"'{column}': VARCHAR" for column in partition_columns)
    return f"SELECT * FROM read_parquet([{listed}], hive_partitioning = true, hive_types = {{{types}}})"


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
