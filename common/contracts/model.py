"""What a data set promises: its columns, its key, and the rules that decide the fate of a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructField, StructType

from common.settings import SourceSettings


class Fate(StrEnum):
    """What becomes of a row; each row has one."""

    WRITTEN = "written"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Field:
    """A column of a data set.

    Attributes:
        name: The column's name in the clean table.
        type: Its type there, as Spark DDL.
        required: A row without it is quarantined as `missing_<name>`.
        raw: Where it stands in the raw row, a dotted path; default its name.
    """

    name: str
    type: str
    required: bool = False
    raw: str = ""

    @property
    def raw_path(self) -> str:
        """Where the value stands in the raw row."""
        return self.raw or self.name


@dataclass(frozen=True)
class Rule:
    """A named test of a typed row.

    Attributes:
        reason: The code that a row in violation carries.
        violated: From the settings of a source, the column that says so; null counts as no violation. It may use the
            columns of the contract and `_delivered_on`, the day in the path of the row's file.
        fate: Whether the row is turned away or kept with a flag.
    """

    reason: str
    violated: Callable[[SourceSettings], Column]
    fate: Literal["quarantine", "flag"] = "quarantine"


Annotate = Callable[[DataFrame, SourceSettings, Column], DataFrame]
Related = Callable[[DataFrame, DataFrame], DataFrame]


@dataclass(frozen=True)
class Contract:
    """A raw data set and the clean table that it becomes.

    Attributes:
        name: The data set.
        form: How raw files are written.
        fields: The columns, in the order of a raw CSV file's header.
        key: The natural key.
        history: Whether each distinct version of a key is kept (and told apart by `version` and content) or one only.
        version: Columns that say which of two rows with one key is newer, the most telling first; a tie goes to the
            higher hash of the content.
        delivered: The name of the directory level that carries the day of delivery.
        rules: What else a row must satisfy.
        annotate: Adds the columns that depend on other rows, for example whether an actor is a bot; the third argument
            says which rows count.
        annotations: Name and type of those columns.
        related: From new rows and the clean table, those rows of it that the annotations of the new ones concern, with
            `_context`: true for rows that are only looked at, as their own annotations cannot change.
    """

    name: str
    form: Literal["csv", "json", "parquet"]
    fields: tuple[Field, ...]
    key: str
    history: bool
    version: Callable[[SourceSettings], tuple[Column, ...]]
    delivered: str
    rules: tuple[Rule, ...] = ()
    annotate: Annotate | None = None
    annotations: tuple[tuple[str, str], ...] = ()
    related: Related | None = None

    @property
    def required(self) -> tuple[str, ...]:
        """The raw columns that a file cannot do without."""
        return tuple(field.raw_path for field in self.fields if field.required)

    @property
    def clock(self) -> str:
        """The column of the time that a row is of: the first timestamp that every row has."""
        return next(field.name for field in self.fields if field.required and field.type == "timestamp")

    @property
    def clean_columns(self) -> tuple[tuple[str, str], ...]:
        """Name and type of each column of the clean table; those that start with an underscore are for audit."""
        return (
            *((field.name, field.type) for field in self.fields),
            ("flags", "array<string>"),
            *self.annotations,
            ("_payload_hash", "bigint"),
            ("_source_file", "string"),
            ("_delivered_on", "date"),
        )

    @property
    def clean_schema(self) -> StructType:
        """The columns of the clean table as Spark has them."""
        return StructType([StructField(name, DataType.fromDDL(kind)) for name, kind in self.clean_columns])

    @property
    def raw_columns(self) -> tuple[str, ...]:
        """The top-level columns of a raw row, in order."""
        return tuple(dict.fromkeys(field.raw_path.split(".")[0] for field in self.fields))


def key_pattern_rule(column: str) -> Rule:
    """An id that does not match the pattern of its source."""

    def violated(source: SourceSettings) -> Column:
        pattern = getattr(source.key_patterns, column)
        return F.lit(False) if pattern is None else ~F.col(column).rlike(pattern)

    return Rule(f"malformed_{column}", violated)


def time_rules(column: str) -> tuple[Rule, Rule]:
    """A business time before the shop's first day, or well after the day on which the row was delivered."""

    def impossible(source: SourceSettings) -> Column:
        return F.col(column) < F.lit(source.limits.earliest_date).cast("timestamp")

    return Rule(f"impossible_{column}", impossible), future_rule(column)


def future_rule(column: str) -> Rule:
    """A time well after the day on which the row was delivered; a first load says of no row when it was."""

    def future(source: SourceSettings) -> Column:
        latest = F.date_add(F.col("_delivered_on"), source.limits.future_tolerance_days + 1)
        return F.col(column) >= latest.cast("timestamp")

    return Rule(f"future_{column}", future)
