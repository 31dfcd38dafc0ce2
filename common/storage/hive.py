"""The metastore: the seven tables as external Parquet tables. It holds nothing that tables.json does not say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from common.storage.published import PublishedPartition, PublishedTable


def register(spark: SparkSession, database: str, location: str, tables: Sequence[PublishedTable]) -> None:
    """Make the metastore show exactly these tables, at these locations.

    A table that is there already has its location changed in place: one statement for an unpartitioned table, one
    metastore call for all changed partitions of a partitioned one.

    Args:
        spark: A session with Hive support.
        database: The database; made when missing.
        location: Its directory.
        tables: All tables that the database is to hold.
    """
    catalog = spark._jsparkSession.sharedState().externalCatalog()
    if not catalog.databaseExists(database):  # IF NOT EXISTS asks the metastore to make it, and tells of its refusal
        spark.sql(f"CREATE DATABASE IF NOT EXISTS {_name(database)} LOCATION '{_text(location)}'")
    present = set(_python_list(catalog.listTables(database)))
    wanted = {table.name for table in tables}
    for name in sorted(present - wanted):
        spark.sql(f"DROP TABLE {_name(database)}.{_name(name)}")
    for table in tables:
        if table.name in present and not _same_schema(spark, database, table):
            spark.sql(f"DROP TABLE {_name(database)}.{_name(table.name)}")
            present.remove(table.name)
        if table.name not in present:
            _create(spark, database, table)
        if table.name in present or table.partition_columns:
            _point(spark, catalog, database, table)
            spark.catalog.refreshTable(f"{database}.{table.name}")


def _create(spark: SparkSession, database: str, table: PublishedTable) -> None:
    plain = [(name, kind) for name, kind in table.columns if name not in table.partition_columns]
    parts = [(name, kind) for name, kind in table.columns if name in table.partition_columns]
    statement = f"CREATE EXTERNAL TABLE {_name(database)}.{_name(table.name)} ({_ddl(plain)})"
    if parts:
        statement += f" PARTITIONED BY ({_ddl(parts)})"
    spark.sql(f"{statement} STORED AS PARQUET LOCATION '{_text(table.location)}'")


def _point(spark: SparkSession, catalog: Any, database: str, table: PublishedTable) -> None:  # noqa: ANN401 - a Java object
    qualified = f"{_name(database)}.{_name(table.name)}"
    if not table.partition_columns:
        spark.sql(f"ALTER TABLE {qualified} SET LOCATION '{_text(table.location)}'")
        return
    jvm: Any = spark.sparkContext._jvm
    none = jvm.scala.Option.empty()
    registered = {_spec(part): part for part in _python_list(catalog.listPartitions(database, table.name, none))}
    wanted = {tuple(sorted(part.values.items())): part for part in table.parts}
    gone = [spec for spec in registered if spec not in wanted]
    fresh = [part for spec, part in wanted.items() if spec not in registered]
    moved = [
        (registered[spec], part)
        for spec, part in wanted.items()
        if spec in registered and _location(registered[spec]) != part.location
    ]
    if gone:
        specs = ", ".join(f"PARTITION ({_spec_sql(dict(spec))})" for spec in gone)
        spark.sql(f"ALTER TABLE {qualified} DROP {specs}")
    if fresh:
        specs = " ".join(f"PARTITION ({_spec_sql(part.values)}) LOCATION '{_text(part.location)}'" for part in fresh)
        spark.sql(f"ALTER TABLE {qualified} ADD {specs}")
    if moved:
        _move(spark, catalog, database, table.name, moved)


def _move(
    spark: SparkSession,
    catalog: Any,  # noqa: ANN401 - a Java object
    database: str,
    table: str,
    moved: Sequence[tuple[Any, PublishedPartition]],
) -> None:
    """Change the location of several partitions in one call of the metastore."""
    jvm: Any = spark.sparkContext._jvm
    altered = jvm.java.util.ArrayList()
    for registered, part in moved:
        storage = _copy(
            registered.storage(),
            {
                "locationUri": jvm.scala.Option.apply(
                    jvm.java.net.URI(Path(part.location).as_uri() if part.location.startswith("/") else part.location)
                )
            },
        )
        altered.add(_copy(registered, {"storage": storage}))
    sequence = jvm.scala.jdk.javaapi.CollectionConverters.asScala(altered).toSeq()
    catalog.alterPartitions(database, table, sequence)


def _copy(case_class: Any, changes: dict[str, Any]) -> Any:  # noqa: ANN401 - a Scala case class
    """A copy of a Scala case class with some fields changed, whatever further fields it has."""
    names = _python_list(case_class.productElementNames().toSeq())
    return case_class.copy(*[changes[name] if name in changes else getattr(case_class, name)() for name in names])


def _spec(partition: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - a Java object
    entries = _python_list(partition.spec().toSeq())
    return tuple(sorted((str(entry._1()), str(entry._2())) for entry in entries))


def _location(partition: Any) -> str:  # noqa: ANN401 - a Java object
    uri = partition.location()
    return str(uri.getPath()) if uri.getScheme() in (None, "file") else str(uri)


def _python_list(sequence: Any) -> list[Any]:  # noqa: ANN401 - a Scala sequence
    return [sequence.apply(index) for index in range(sequence.size())]


def _same_schema(spark: SparkSession, database: str, table: PublishedTable) -> bool:
    fields = spark.table(f"{database}.{table.name}").schema.fields
    return [(field.name, field.dataType.simpleString()) for field in fields] == list(table.columns)


def _ddl(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{_name(name)} {kind}" for name, kind in columns)


def _spec_sql(values: Any) -> str:  # noqa: ANN401 - a mapping of strings
    return ", ".join(f"{_name(name)}='{_text(value)}'" for name, value in values.items())


def _name(identifier: str) -> str:
    return "`" + identifier.replace("`", "``") + "`"


def _text(literal: str) -> str:
    return literal.replace("\\", "\\\\").replace("'", "\\'")
