"""Somebody else's files as frames: their rows, and the lines that the reader cannot take."""

from __future__ import annotations

from py4j.protocol import Py4JJavaError
from pyspark.errors import IllegalArgumentException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from common.cleaning.mapped_files import resolve_paths
from common.cleaning.reading import DELIVERED_ON, LINE_REASON, PAYLOAD, SOURCE_FILE
from common.errors import ConfigurationError
from common.settings import MappedDataset, SourceSettings

SOURCE_REASONS, SOURCE_FLAGS = "_source_reasons", "_source_flags"
_LINE = "_broken_line"
_DEALS_WITH_THEM = {"mode", "columnnameofcorruptrecord"}
_LEAST_HASH = -(2**31)
_REASONS = {"csv": "malformed_line", "json": "malformed_json"}


def read_file(session: SparkSession, source: SourceSettings, name: str) -> tuple[DataFrame, DataFrame | None]:
    """The rows of the files behind a name, and their broken lines, in the form of `read_mapped`.

    Whoever declares how Spark is to deal with such lines has it do so.
    """
    declared = source.files[name]
    _check_encoding(session, source, name)
    defaults = {
        # Where columns are left out, lines are split no further than the last of the others.
        "csv": {"header": "true", "columnNameOfCorruptRecord": _LINE, "columnPruning": "false"},
        "json": {"columnNameOfCorruptRecord": _LINE},
        "parquet": {},
    }
    reader = session.read.format(declared.format).options(**{**defaults[declared.format], **declared.options})
    paths = [str(path) for path in resolve_paths(source, name)]
    rows = reader.load(paths)
    if declared.format not in _REASONS or _DEALS_WITH_THEM & {option.lower() for option in declared.options}:
        return rows, None
    fields = [field for field in rows.schema.fields if field.name != _LINE]
    if not fields:
        return rows, None
    columns = [_quoted(field.name) for field in fields]
    lines = reader.schema(StructType([*fields, StructField(_LINE, StringType())])).load(paths)
    # Spark refuses to look at this column alone: the hash of another one, which is never less, goes along.
    lines = lines.where(F.hash(columns[0]) >= _LEAST_HASH)
    return lines.where(F.col(_LINE).isNull()).select(*columns), _broken(lines, source, name)


def lines_left_out(spark: SparkSession, source: SourceSettings, dataset: str) -> dict[str, int]:
    """How many lines the reader cannot take of the files that a data set looks things up in, where there are any.

    They have no place in its account, which is that of the file whose rows it has.
    """
    mapped = source.datasets[dataset]  # type: ignore[index]
    counts = {}
    for name in mapped.files:
        if not is_looked_up(mapped, name):
            continue
        _, lines = read_file(spark, source, name)
        if lines is not None and (count := lines.count()):
            counts[name] = count
    return counts


def is_looked_up(mapped: MappedDataset, name: str) -> bool:
    """Whether a file is there beside the one whose rows a data set has."""
    return mapped.rows_of not in {None, name}


def _broken(lines: DataFrame, source: SourceSettings, name: str) -> DataFrame:
    nothing = F.array().cast("array<string>")
    file = F.substring_index(_file_path(), "/", -1)
    return lines.where(F.col(_LINE).isNotNull()).select(
        F.col(_LINE).cast("binary").alias(PAYLOAD),
        F.lit(_REASONS[source.files[name].format]).alias(LINE_REASON),
        F.concat(F.lit(f"{source.name}:{name}:"), file).alias(SOURCE_FILE),
        F.lit(None).cast("date").alias(DELIVERED_ON),
        nothing.alias(SOURCE_REASONS),
        nothing.alias(SOURCE_FLAGS),
    )


def _file_path() -> Column:
    """The path of a row's file, which Spark writes as an encoded URI."""
    return F.url_decode(F.replace(F.col("_metadata.file_path"), F.lit("+"), F.lit("%2B")))


def _quoted(column: str) -> Column:
    return F.col("`" + column.replace("`", "``") + "`")


def _check_encoding(session: SparkSession, source: SourceSettings, name: str) -> None:
    options = {option.lower(): value for option, value in source.files[name].options.items()}
    encoding = options.get("encoding", options.get("charset"))
    if encoding is None:
        return
    try:
        known = session._jvm.java.nio.charset.Charset.isSupported(encoding)  # type: ignore[union-attr]
    except (IllegalArgumentException, Py4JJavaError):  # the name is none that an encoding could have
        known = False
    if not known:
        raise ConfigurationError(
            f"the encoding {encoding} is not known",
            where=f"source {source.name}: files.{name}.options",
            remedy="give one that Java has, such as UTF-8, windows-1252 or ISO-8859-15",
        )
