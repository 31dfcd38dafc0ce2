"""Raw files to rows: one for each line or Parquet row, none lost and none split.

Text is read as lines, because Spark's own JSON and CSV readers drop blank lines, make two rows of a line that holds an
array, and replace invalid bytes. What cannot be parsed keeps its bytes and gets a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import groupby

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StringType, StructField, StructType

from common.contracts.model import Contract
from common.layout import Layout
from common.storage.inventory import RawFile

RAW, PAYLOAD, LINE_REASON = "_raw", "_payload", "_line_reason"
SOURCE_FILE, DELIVERED_ON = "_source_file", "_delivered_on"
_CORRUPT = "_corrupt"
_BOM = "\ufeff"


def read_raw(spark: SparkSession, layout: Layout, contract: Contract, files: Sequence[RawFile]) -> DataFrame:
    """The rows of some raw files.

    Args:
        spark: The session.
        layout: The root.
        contract: What the files should hold.
        files: Which files, at least one.

    Returns:
        `_raw` (a struct with the raw columns, null where the line has a reason), `_payload` (binary: the line's bytes,
        or a Parquet row as JSON), `_line_reason` (why the line is no row, or null), `_source_file` (relative to the
        root), `_delivered_on` (date or null).
    """
    if contract.form == "parquet":
        return _read_parquet(spark, layout, contract, files)
    if contract.form == "json":
        return _parse_json(_read_lines(spark, layout, contract, files), contract)
    by_header = groupby(sorted(files, key=lambda file: file.header or ()), key=lambda file: file.header or ())
    frames = [
        _parse_csv(_read_lines(spark, layout, contract, list(group)), contract, header) for header, group in by_header
    ]
    return reduce(DataFrame.unionByName, frames)


def _read_lines(spark: SparkSession, layout: Layout, contract: Contract, files: Sequence[RawFile]) -> DataFrame:
    paths = [layout.path(file.path) for file in files]
    lines = spark.read.option("lineSep", "\n").schema("value string").text(paths)
    return lines.select("value", *_origin(layout, contract))


def _origin(layout: Layout, contract: Contract) -> tuple[Column, Column]:
    """Where a row comes from. Spark writes a path as an encoded URI."""
    path = F.url_decode(F.replace(F.col("_metadata.file_path"), F.lit("+"), F.lit("%2B")))
    relative = F.substring_index(path, f"{layout.root}/", -1)
    day = F.regexp_extract(relative, rf"/{contract.delivered}=(\d{{4}}-\d{{2}}-\d{{2}})/", 1)
    return relative.alias(SOURCE_FILE), F.try_to_date(F.nullif(day, F.lit(""))).alias(DELIVERED_ON)


def _strings(columns: Sequence[str]) -> list[StructField]:
    return [StructField(column, StringType()) for column in columns]


def _rows_of_lines(lines: DataFrame, reason: Column, parsed: Column) -> DataFrame:
    """Lines with their reason, and the parsed struct where there is none."""
    return lines.select(
        F.when(reason.isNull(), parsed).alias(RAW),
        F.col("value").cast("binary").alias(PAYLOAD),
        reason.alias(LINE_REASON),
        SOURCE_FILE,
        DELIVERED_ON,
    )


def _bare() -> Column:
    """The line without a carriage return at its end."""
    return F.rtrim("value", F.lit("\r"))


def _first_reason(*tests: tuple[str, Column]) -> Column:
    return F.coalesce(*[F.when(condition, F.lit(reason)) for reason, condition in tests])


def _parse_csv(lines: DataFrame, contract: Contract, header: tuple[str, ...]) -> DataFrame:
    """Lines of files that share a header. The header line itself leaves one row in each file out."""
    header_line = ",".join(header)
    is_header = _bare().isin(header_line, _BOM + header_line)
    repeated = Window.partitionBy(SOURCE_FILE).orderBy("value")
    headers = lines.where(is_header).withColumn("_n", F.row_number().over(repeated)).where("_n > 1").drop("_n")
    schema = ", ".join(f"{name} string" for name in (*header, _CORRUPT))
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": _CORRUPT, "escape": '"', "maxCharsPerColumn": "-1"}
    parsed = F.from_csv(F.when(F.is_valid_utf8("value"), _bare()), schema, options)
    body = lines.where(~is_header).withColumn("_parsed", parsed)
    reason = _first_reason(
        ("invalid_utf8", ~F.is_valid_utf8("value")),
        ("blank_line", F.btrim("value", F.lit(" \t\r")) == ""),
        ("malformed_line", F.col("_parsed").isNull() | F.col(f"_parsed.{_CORRUPT}").isNotNull()),
    )
    whole = StructType(_strings(contract.raw_columns))
    columns = [
        (F.col(f"_parsed.{name}") if name in header else F.lit(None).cast("string")).alias(name)
        for name in contract.raw_columns
    ]
    return _rows_of_lines(body, reason, F.struct(*columns)).unionByName(
        _rows_of_lines(headers, F.lit("repeated_header"), F.lit(None).cast(whole))
    )


def raw_json_schema(contract: Contract) -> StructType:
    """The shape of a raw JSON object, every leaf as text so that a wrong type is a finding and not a null."""
    top: dict[str, DataType] = {}
    for column in contract.raw_columns:
        nested = [field.raw_path.split(".")[1] for field in contract.fields if field.raw_path.startswith(f"{column}.")]
        top[column] = StructType(_strings(nested)) if nested else StringType()
    return StructType([StructField(name, kind) for name, kind in top.items()])


def _parse_json(lines: DataFrame, contract: Contract) -> DataFrame:
    schema = raw_json_schema(contract).add(StructField(_CORRUPT, StringType()))
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": _CORRUPT}
    text = F.btrim("value", F.lit(" \t\r"))
    is_object = F.is_valid_utf8("value") & text.startswith("{")
    rows = lines.withColumn("_parsed", F.from_json(F.when(is_object, text), schema, options))
    reason = _first_reason(
        ("invalid_utf8", ~F.is_valid_utf8("value")),
        ("blank_line", text == ""),
        ("not_an_object", text.startswith("[") | text.startswith('"')),
        ("malformed_json", F.col("_parsed").isNull() | F.col(f"_parsed.{_CORRUPT}").isNotNull()),
        ("malformed_json", ~_is_one_value(text)),
    )
    columns = [F.col(f"_parsed.{name}").alias(name) for name in contract.raw_columns]
    return _rows_of_lines(rows, reason, F.struct(*columns))


def _is_one_value(text: Column) -> Column:
    """Whether a text that starts as an object ends with it: the parser stops at the object's end and loses the rest.

    Within an array the text is one element only if nothing but a closing bracket follows the object, and as a field of
    an object only if nothing but a closing brace does.
    """
    alone_in_array = F.json_array_length(F.concat(F.lit("["), text, F.lit("]"))) == 1
    alone_in_object = F.size(F.json_object_keys(F.concat(F.lit('{"x":'), text, F.lit("}")))) == 1
    return F.coalesce(alone_in_array, F.lit(False)) & F.coalesce(
        F.when(text.contains("]"), alone_in_object), ~text.contains("]")
    )


def _read_parquet(spark: SparkSession, layout: Layout, contract: Contract, files: Sequence[RawFile]) -> DataFrame:
    paths = [layout.path(file.path) for file in files]
    frame = spark.read.schema(_parquet_schema(contract)).parquet(*paths)
    raw = F.struct(*contract.raw_columns)
    return frame.select(
        raw.alias(RAW),
        F.to_json(raw, {"ignoreNullFields": "false", "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSX"})
        .cast("binary")
        .alias(PAYLOAD),
        F.lit(None).cast("string").alias(LINE_REASON),
        *_origin(layout, contract),
    )


def _parquet_schema(contract: Contract) -> StructType:
    return StructType([StructField(field.name, DataType.fromDDL(field.type)) for field in contract.fields])
