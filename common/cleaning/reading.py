"""Raw files to rows: one for each line or Parquet row, none lost and none split.

Text is read as lines, because Spark's own JSON and CSV readers drop blank lines, make two rows of a line that holds an
array, and replace invalid bytes. What cannot be parsed keeps its bytes and gets a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import reduce
from itertools import groupby
from operator import or_
from urllib.parse import unquote, urlsplit

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, StringType, StructField, StructType

from common.contracts.model import Contract
from common.layout import Layout
from common.storage.inventory import RawFile
from common.storage.local_frames import local_frame

RAW, PAYLOAD, LINE_REASON = "_raw", "_payload", "_line_reason"
SOURCE_FILE, DELIVERED_ON = "_source_file", "_delivered_on"
_CORRUPT = "_corrupt"
_BOM = "\ufeff"
_BLANKS = " \t\r"


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
    return _with_origin(spark, lines, layout, files)


def _with_origin(spark: SparkSession, frame: DataFrame, layout: Layout, files: Sequence[RawFile]) -> DataFrame:
    """Rows of files with where they come from.

    A row's file is one of those that were listed. To look its URI up costs a row less than to take it apart.
    """
    root = layout.root if layout.is_local else urlsplit(layout.root).path
    listed = {f"{root}/{file.path}": file for file in files}
    origins = []
    for uri in frame.inputFiles():
        file = listed[unquote(urlsplit(uri).path)]
        day = None if file.delivered_on is None else date.fromisoformat(file.delivered_on)
        origins.append((uri, file.path, day))
    known = local_frame(spark, origins, f"_uri string, {SOURCE_FILE} string, {DELIVERED_ON} date")
    return frame.withColumn("_uri", F.input_file_name()).join(F.broadcast(known), "_uri").drop("_uri")


def _strings(columns: Sequence[str]) -> list[StructField]:
    return [StructField(column, StringType()) for column in columns]


def _rows_of_lines(lines: DataFrame, parsed: Column) -> DataFrame:
    """Lines that have their reason, with the parsed struct where that is null."""
    return lines.select(
        F.when(F.col(LINE_REASON).isNull(), parsed).alias(RAW),
        F.col("value").cast("binary").alias(PAYLOAD),
        LINE_REASON,
        SOURCE_FILE,
        DELIVERED_ON,
    )


def _bare() -> Column:
    """The line without a carriage return at its end."""
    value = F.col("value")
    return F.when(value.endswith("\r"), F.expr(r"trim(TRAILING '\r' FROM value)")).otherwise(value)


def _trimmed() -> Column:
    """The line without blanks around it. To trim is to look at every character, and few lines have any there."""
    value = F.col("value")
    touched = reduce(or_, [value.startswith(blank) | value.endswith(blank) for blank in _BLANKS])
    return F.when(touched, F.btrim(value, F.lit(_BLANKS))).otherwise(value)


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
        ("blank_line", _trimmed() == ""),
        ("malformed_line", F.col("_parsed").isNull() | F.col(f"_parsed.{_CORRUPT}").isNotNull()),
    )
    whole = StructType(_strings(contract.raw_columns))
    columns = [
        (F.col(f"_parsed.{name}") if name in header else F.lit(None).cast("string")).alias(name)
        for name in contract.raw_columns
    ]
    return _rows_of_lines(body.withColumn(LINE_REASON, reason), F.struct(*columns)).unionByName(
        _rows_of_lines(headers.withColumn(LINE_REASON, F.lit("repeated_header")), F.lit(None).cast(whole))
    )


def raw_json_schema(contract: Contract) -> StructType:
    """The shape of a raw JSON object, every leaf as text so that a wrong type is a finding and not a null."""
    top: dict[str, DataType] = {}
    for column in contract.raw_columns:
        nested = [field.raw_path.split(".")[1] for field in contract.fields if field.raw_path.startswith(f"{column}.")]
        top[column] = StructType(_strings(nested)) if nested else StringType()
    return StructType([StructField(name, kind) for name, kind in top.items()])


def _parse_json(lines: DataFrame, contract: Contract) -> DataFrame:
    """Lines that hold one object each.

    The parser stops where a value ends and would lose what follows. So that nothing can follow, the line is parsed as
    the one element of an array in an object: a second object makes a second element, anything else breaks the whole.
    """
    row = raw_json_schema(contract)
    schema = StructType([StructField("x", ArrayType(row)), StructField(_CORRUPT, StringType())])
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": _CORRUPT}
    wrapped = F.concat(F.lit('{"x":['), F.col("_text"), F.lit("]}"))
    parsed = F.from_json(F.when(F.col("_valid") & F.col("_text").startswith("{"), wrapped), schema, options)
    is_one = F.col(f"_parsed.{_CORRUPT}").isNull() & (F.size("_parsed.x") == 1)
    reason = _first_reason(
        ("invalid_utf8", ~F.col("_valid")),
        ("blank_line", F.col("_text") == ""),
        ("not_an_object", F.col("_text").startswith("[") | F.col("_text").startswith('"')),
        ("malformed_json", ~F.coalesce(is_one, F.lit(False)) | _leaves_the_array(F.col("_text"))),
    )
    rows = (
        lines.withColumns({"_valid": F.is_valid_utf8("value"), "_text": _trimmed()})
        .withColumn("_parsed", parsed)
        .withColumn(LINE_REASON, reason)
    )
    return _rows_of_lines(rows, F.col("_parsed.x")[0])


def _leaves_the_array(text: Column) -> Column:
    """Whether a closing bracket in the text ends the array that was put around it; few lines have one at all."""
    keys = F.size(F.json_object_keys(F.concat(F.lit('{"x":'), text, F.lit("}"))))
    return F.coalesce(F.when(text.contains("]"), F.coalesce(keys != 1, F.lit(True))), F.lit(False))


def _read_parquet(spark: SparkSession, layout: Layout, contract: Contract, files: Sequence[RawFile]) -> DataFrame:
    paths = [layout.path(file.path) for file in files]
    frame = _with_origin(spark, spark.read.schema(_parquet_schema(contract)).parquet(*paths), layout, files)
    raw = F.struct(*contract.raw_columns)
    return frame.select(
        raw.alias(RAW),
        F.to_json(raw, {"ignoreNullFields": "false", "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSX"})
        .cast("binary")
        .alias(PAYLOAD),
        F.lit(None).cast("string").alias(LINE_REASON),
        SOURCE_FILE,
        DELIVERED_ON,
    )


def _parquet_schema(contract: Contract) -> StructType:
    return StructType([StructField(field.name, DataType.fromDDL(field.type)) for field in contract.fields])
