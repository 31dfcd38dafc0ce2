"""Raw values to typed columns, and the rules that a typed row is held against."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructType

from common.cleaning.mapping import source_flags, source_reasons
from common.cleaning.reading import DELIVERED_ON, LINE_REASON, PAYLOAD, RAW, SOURCE_FILE
from common.contracts.model import Contract, Field
from common.settings import SourceSettings
from common.storage.fingerprint import row_hash

REASONS, FLAGS, PAYLOAD_HASH = "_reasons", "flags", "_payload_hash"
_MAX_EXACT = "decimal(38,10)"
# Spark also takes a time of day, to which it adds today's date, a year alone, and a date with anything behind its T.
_DAY_FIRST = r"^\d{4}-\d{1,2}-\d{1,2}(?:[ T].*)?$"


def type_rows(raw: DataFrame, contract: Contract, source: SourceSettings) -> DataFrame:
    """Typed rows with everything that is wrong with each.

    Args:
        raw: What `read_raw` gives.
        contract: Columns and rules.
        source: The limits that the rules are held to.

    Returns:
        The columns of the contract, `flags` (array<string>, sorted), `_reasons` (array<string>, empty for a good row),
        `_payload` (binary, null for a good row), `_payload_hash` (bigint, over the typed columns), `_source_file`,
        `_delivered_on`.
    """
    raw_types = raw.schema[RAW].dataType
    if not isinstance(raw_types, StructType):
        raise TypeError(f"{RAW} is not a struct but {raw_types}")
    values = {field.name: _raw_value(field, raw_types) for field in contract.fields}
    names = [field.name for field in contract.fields]
    parsed = [field for field in contract.fields if field.type != "string"]
    # Each value is parsed here alone: an expression that stands in conditions as well is computed in each of them.
    rows = raw.select(
        *[_typed(*values[field.name], field).alias(field.name) for field in contract.fields],
        *[values[field.name][0].isNotNull().alias(_given(field)) for field in parsed],
        source_reasons(raw).alias("_source_reasons"),
        source_flags(raw).alias("_source_flags"),
        LINE_REASON,
        PAYLOAD,
        SOURCE_FILE,
        DELIVERED_ON,
    )
    form_reasons = [found for field in contract.fields for found in _form_reasons(field)]
    # A line that is no row has one reason, and not every column missing besides.
    reasons = F.coalesce(
        F.when(F.col(LINE_REASON).isNotNull(), F.array(LINE_REASON)),
        F.concat(_codes([*form_reasons, *_violated(contract, source, "quarantine")]), "_source_reasons"),
    )
    judged = rows.select(
        *names,
        F.sort_array(F.concat(_codes(_violated(contract, source, "flag")), "_source_flags")).alias(FLAGS),
        reasons.alias(REASONS),
        PAYLOAD,
        row_hash(names).alias(PAYLOAD_HASH),
        SOURCE_FILE,
        DELIVERED_ON,
    )
    return judged.withColumn(PAYLOAD, F.when(F.size(REASONS) > 0, F.col(PAYLOAD)))


def _raw_value(field: Field, raw_types: StructType) -> tuple[Column, bool]:
    """The raw value, and whether it is text; text is trimmed and an empty one is null.

    A mapping gives nested columns flat, or not at all.
    """
    names = raw_types.fieldNames()
    top = field.raw_path.partition(".")[0]
    if field.name in names:
        value, kind = F.col(f"{RAW}.{field.name}"), raw_types[field.name].dataType
    elif top in names:
        value, kind = F.col(f"{RAW}.{field.raw_path}"), StringType()
    else:
        return F.lit(None).cast("string"), False
    is_text = isinstance(kind, StringType)
    return (F.nullif(F.trim(value), F.lit("")) if is_text else value), is_text


def _typed(value: Column, is_text: bool, field: Field) -> Column:
    """The value in its type, or null where it has none. An amount with more decimals than it keeps is no value."""
    if field.name == "op":
        return F.coalesce(value, F.lit("upsert"))
    typed = value.try_cast(field.type)
    if field.type.startswith("decimal"):
        return F.when(value.try_cast(_MAX_EXACT) == typed, typed)
    if is_text and field.type == "timestamp":
        return F.when(value.rlike(_DAY_FIRST), typed)
    if is_text and field.type == "date":
        # A cast to a date takes anything for a time of day; one to a timestamp looks at it.
        return F.when(value.rlike(_DAY_FIRST) & value.try_cast("timestamp").isNotNull(), typed)
    return typed


def _given(field: Field) -> str:
    """The column that says whether there was a value to parse."""
    return f"_given_{field.name}"


def _form_reasons(field: Field) -> list[tuple[str, Column]]:
    typed = F.col(field.name)
    given = typed.isNotNull() if field.type == "string" else F.col(_given(field))
    reasons = []
    if field.required:
        reasons.append((f"missing_{field.name}", ~given))
    if field.type != "string":
        reasons.append((f"invalid_{field.name}", given & typed.isNull()))
    return reasons


def _violated(contract: Contract, source: SourceSettings, fate: str) -> list[tuple[str, Column]]:
    return [(rule.reason, rule.violated(source)) for rule in contract.rules if rule.fate == fate]


def _codes(tests: Sequence[tuple[str, Column]]) -> Column:
    """The codes whose condition holds, in their order; a condition that is null does not.

    A list is put together only where there is something to put in: few rows have any code, and functions over arrays
    are interpreted where everything else is compiled.
    """
    none = F.array().cast("array<string>")
    if not tests:
        return none
    any_holds = reduce(or_, [F.coalesce(condition, F.lit(False)) for _, condition in tests])
    found = F.array_compact(F.array(*[F.when(condition, F.lit(code)) for code, condition in tests]))
    return F.coalesce(F.when(any_holds, found), none)
