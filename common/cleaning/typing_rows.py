"""Raw values to typed columns, and the rules that a typed row is held against."""

from __future__ import annotations

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
    typed = {field.name: _typed(*values[field.name], field) for field in contract.fields}
    form_reasons = [
        reason for field in contract.fields for reason in _form_reasons(values[field.name][0], typed[field.name], field)
    ]
    names = [field.name for field in contract.fields]
    rows = raw.select(
        *[typed[name].alias(name) for name in names],
        F.when(F.col(LINE_REASON).isNull(), F.array_compact(F.array(*form_reasons))).alias("_form_reasons"),
        source_reasons(raw).alias("_source_reasons"),
        source_flags(raw).alias("_source_flags"),
        LINE_REASON,
        PAYLOAD,
        SOURCE_FILE,
        DELIVERED_ON,
    )
    # A line that is no row has one reason, and not every column missing besides.
    reasons = F.coalesce(
        F.when(F.col(LINE_REASON).isNotNull(), F.array(LINE_REASON)),
        F.concat("_form_reasons", _violated(contract, source, "quarantine"), "_source_reasons"),
    )
    judged = rows.select(
        *names,
        F.sort_array(F.concat(_violated(contract, source, "flag"), "_source_flags")).alias(FLAGS),
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
    if is_text and field.type in {"date", "timestamp"}:
        return F.when(value.rlike(_DAY_FIRST) & value.try_cast("timestamp").isNotNull(), typed)
    return typed


def _form_reasons(value: Column, typed: Column, field: Field) -> list[Column]:
    reasons = []
    if field.required:
        reasons.append(F.when(value.isNull(), F.lit(f"missing_{field.name}")))
    if field.type != "string":
        reasons.append(F.when(value.isNotNull() & typed.isNull(), F.lit(f"invalid_{field.name}")))
    return reasons


def _violated(contract: Contract, source: SourceSettings, fate: str) -> Column:
    codes = [F.when(rule.violated(source), F.lit(rule.reason)) for rule in contract.rules if rule.fate == fate]
    if not codes:
        return F.array().cast("array<string>")
    return F.array_compact(F.array(*codes))
