"""What a shop decides: a file in conf/sources."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationInfo, field_validator

from common.settings.types import (
    Amount,
    AtLeastOne,
    CurrencyCode,
    Days,
    Identifier,
    Model,
    NotNegative,
    Option,
    Text,
    Weight,
    without_repetition,
)


class KeyPatterns(Model):
    """Regular expressions that ids match; None accepts any text."""

    user_id: str | None
    product_id: str | None
    transaction_id: str | None
    event_id: str | None

    @field_validator("*")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                # Spark's expressions are Java's, which know more escapes and kinds of groups than Python's.
                if not error.msg.startswith(("bad escape", "unknown extension")):
                    raise ValueError(f"not a regular expression: {error}") from error
        return pattern


class Statuses(Model):
    """The states of a transaction line, and which of them count in revenue."""

    lifecycle: tuple[Text, ...] = Field(min_length=1)
    gross: tuple[Text, ...]
    returned: tuple[Text, ...]

    @field_validator("lifecycle", "gross", "returned")
    @classmethod
    def _each_once(cls, statuses: tuple[str, ...]) -> tuple[str, ...]:
        return without_repetition(statuses)

    @field_validator("gross", "returned")
    @classmethod
    def _in_lifecycle(cls, statuses: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        lifecycle = info.data.get("lifecycle", statuses)
        strange = [status for status in statuses if status not in lifecycle]
        if strange:
            raise ValueError(f"not in lifecycle, which is {', '.join(lifecycle)}: {', '.join(strange)}")
        return statuses


class Limits(Model):
    """What a value can possibly be."""

    earliest_date: date
    earliest_birth_date: date
    future_tolerance_days: Days
    total_tolerance: Amount
    max_quantity: AtLeastOne | None
    min_total_amount: Amount | None
    check_total: bool


class BotThresholds(Model):
    """When an actor's day is a machine's."""

    min_events: AtLeastOne
    max_median_gap_seconds: Weight


class NearDuplicates(Model):
    """How soon a repeated event is the same event sent twice."""

    window_milliseconds: NotNegative


class MappedFile(Model):
    """A file, or files by a glob, of somebody else's data.

    `path` may start with `package:NAME/`, which stands for the directory of an installed Python package. `compression`
    is that of text files; None is whatever their suffix says, which is what Spark goes by.
    """

    path: Text
    format: Literal["csv", "json", "parquet"]
    compression: Literal["none", "gzip", "bzip2", "zstd"] | None = None
    options: dict[str, Option] = Field(default_factory=dict)

    @field_validator("compression")
    @classmethod
    def _of_text(cls, compression: str | None, info: ValidationInfo) -> str | None:
        if compression is not None and info.data.get("format") == "parquet":
            raise ValueError("a Parquet file says itself how it is packed; leave it out")
        return compression

    @field_validator("options")
    @classmethod
    def _without_compression(cls, options: dict[str, str]) -> dict[str, str]:
        if {name.lower() for name in options} & {"codec", "compression"}:
            raise ValueError("Spark does not read by a compression given here; declare it beside `format`")
        return options


class MappedDataset(Model):
    """How one data set of the contracts is made from somebody else's files.

    `select` is one Spark SQL SELECT over the named files. `rows_of` names the file of which each row becomes one row,
    so that the account can be opened with what the file itself says it holds; without it the rows are derived.
    `absent` names the optional columns that the shop does not have, so that a forgotten one is told from a missing one.
    """

    files: tuple[Identifier, ...] = Field(min_length=1)
    select: Text
    rows_of: str | None = None
    absent: tuple[str, ...] = ()


class Promotion(Model):
    """Days on which the shop sells for less, as planned: first and last."""

    first: date
    last: date

    @field_validator("last")
    @classmethod
    def _not_before_first(cls, last: date, info: ValidationInfo) -> date:
        first = info.data.get("first", last)
        if last < first:
            raise ValueError(f"{last} is before first, {first}")
        return last


class SourceMlSettings(Model):
    """What a shop's own course of business says to the models.

    Attributes:
        churn_horizon_days: A customer who buys nothing for so many days is lost.
        loyalty_tiers: From the lowest to the highest.
        promotions: Past ones and planned ones.
        replenishable: Categories and subcategories of what people buy again and again; `*` is all.
    """

    churn_horizon_days: AtLeastOne = 30
    loyalty_tiers: tuple[Text, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    replenishable: tuple[Text, ...] = ()

    @field_validator("loyalty_tiers")
    @classmethod
    def _each_once(cls, tiers: tuple[str, ...]) -> tuple[str, ...]:
        return without_repetition(tiers)


class SourceSettings(Model):
    """One shop: its keys, statuses, limits, and where its data differs in form how to map it."""

    name: Text
    description: str
    time_zone: str
    currency: CurrencyCode
    key_patterns: KeyPatterns
    statuses: Statuses
    limits: Limits
    bots: BotThresholds
    near_duplicates: NearDuplicates
    ml: SourceMlSettings = SourceMlSettings()
    files: dict[str, MappedFile] = Field(default_factory=dict)
    datasets: dict[Literal["users", "products", "transactions", "clickstream"], MappedDataset] = Field(
        {}, validate_default=True
    )

    @property
    def is_mapped(self) -> bool:
        """Whether the data comes from files of its own form instead of the raw zone."""
        return bool(self.files)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no such time zone: {name}") from error
        return name

    @field_validator("datasets")
    @classmethod
    def _mapped_when_files_are(
        cls, datasets: dict[str, MappedDataset], info: ValidationInfo
    ) -> dict[str, MappedDataset]:
        if info.data.get("files") and not datasets:
            raise ValueError("files are declared, and no data set is made of them")
        return datasets
