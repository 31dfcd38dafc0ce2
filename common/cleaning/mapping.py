"""Somebody else's files read in the form of the contracts: one Spark SQL SELECT for each data set.

A column of the result that is called `reject_<reason>` or `flag_<reason>` is a rule of the source: where it is true the
row is quarantined or flagged for that reason.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from importlib import util
from operator import or_
from pathlib import Path

import pyarrow.parquet as pq
from py4j.protocol import Py4JJavaError
from pyarrow import ArrowException
from pyspark.errors import AnalysisException, IllegalArgumentException, ParseException, PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from common.cleaning.compression import check_compression, open_text
from common.cleaning.reading import DELIVERED_ON, LINE_REASON, PAYLOAD, RAW, SOURCE_FILE, file_path
from common.contracts.model import Contract
from common.errors import ConfigurationError, InputError
from common.quality.masking import shorten
from common.settings import MappedDataset, MappedFile, SourceSettings
from common.storage.inventory import RawFile, count_lines

REJECT, FLAG = "reject_", "flag_"
_PACKAGE = "package:"
# Classes of SQLSTATE: a subquery that gives several rows for one, a value that a function cannot take, a format that it
# does not have, and what raise_error and assert_true raise.
_OF_A_VALUE = ("21", "22", "42", "P0")
# What Java's own functions raise, which some of Spark's leave as it is: on numbers, places in a text, formats, patterns
# and times, and on what is no JSON or XML.
_OF_JAVA = re.compile(
    r"java\.lang\.(NumberFormat|Arithmetic|IllegalArgument|\w*IndexOutOfBounds)Exception"
    r"|java\.util\.\w*Format\w*|(java\.util\.regex|java\.time|com\.fasterxml\.jackson|org\.xml\.sax|[\w.]*\bwstx)\.[\w.$]+"
)
_MEND_VALUE = (
    "mend what it is given, or use the function that gives null instead, such as try_cast, "
    "try_to_timestamp or try_divide"
)
_FRAGMENT_LENGTH = 200
_LINE = "_broken_line"
_DEALS_WITH_THEM = {"mode", "columnnameofcorruptrecord"}
_LEAST_HASH = -(2**31)
_REASONS = {"csv": "malformed_line", "json": "malformed_json"}
_NO_CHARACTER, _UNDECODABLE = "\ufffd", "undecodable_text"  # what Java puts in place of bytes that are none
_SOURCE_REASONS, _SOURCE_FLAGS = "_source_reasons", "_source_flags"


def mapped_files(source: SourceSettings, dataset: str) -> tuple[RawFile, ...]:
    """The files behind a data set, with the rows of those that its rows come from.

    Raises:
        ConfigurationError: If a declared file is not there.
        InputError: If one cannot be read.
    """
    mapped = source.datasets.get(dataset)  # type: ignore[call-overload]
    if mapped is None:
        return ()
    found = []
    for name in mapped.files:
        declared = source.files[name]
        for path in resolve_paths(source, name):
            status = path.stat()
            rows = _rows(path, declared) if name == mapped.rows_of else 0
            found.append(RawFile(str(path), status.st_size, status.st_mtime_ns, None, rows))
    return tuple(sorted(found, key=lambda file: file.path))


def check_paths(source: SourceSettings, dataset: str) -> None:
    """See that the files of a data set are there.

    Raises:
        ConfigurationError: If one is not, or is packed otherwise than declared.
    """
    mapped = source.datasets.get(dataset)  # type: ignore[call-overload]
    for name in mapped.files if mapped else ():
        resolve_paths(source, name)


def resolve_paths(source: SourceSettings, name: str) -> list[Path]:
    """The paths that a declared file stands for.

    Raises:
        ConfigurationError: If there are none, or one is packed otherwise than declared.
    """
    declared, where = source.files[name].path, f"source {source.name}: files.{name}"
    pattern = declared
    if declared.startswith(_PACKAGE):
        package, _, inside = declared.removeprefix(_PACKAGE).partition("/")
        spec = util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ConfigurationError(
                f"the package {package} is not installed",
                where=where,
                remedy="./build.sh setup --extras installs the example data",
            )
        pattern = str(Path(spec.submodule_search_locations[0]) / inside)
    paths = [Path(path).resolve() for path in sorted(glob.glob(pattern, recursive=True)) if Path(path).is_file()]
    if not paths:
        raise ConfigurationError(f"no such file: {declared}", where=where, remedy="mend its path")
    check_compression(paths, source.files[name], where)
    return paths


def read_mapped(spark: SparkSession, contract: Contract, source: SourceSettings) -> DataFrame:
    """The rows of a data set, mapped.

    Returns:
        What `read_raw` gives, with `_source_reasons` and `_source_flags` (array<string>) by the source's own rules.
        A line of one of its text files that the reader cannot take is a row with a reason; the SELECT does not see it.

    Raises:
        ConfigurationError: If the mapping is not one query, names a column or a file that is not there, or does not
            give the columns of the contract.
    """
    mapped = source.datasets[contract.name]  # type: ignore[index]
    rows, broken = _select(spark, source, contract.name, mapped)
    _check_columns(rows, contract, source)
    columns = [name for name in rows.columns if not name.startswith((REJECT, FLAG))]
    raw = F.struct(*columns)
    read = rows.select(
        raw.alias(RAW),
        F.to_json(raw, {"ignoreNullFields": "false"}).cast("binary").alias(PAYLOAD),
        F.lit(None).cast("string").alias(LINE_REASON),
        F.lit(f"{source.name}:{mapped.rows_of or contract.name}").alias(SOURCE_FILE),
        F.lit(None).cast("date").alias(DELIVERED_ON),
        _found(_named(rows, REJECT)).alias(_SOURCE_REASONS),
        _found([*_named(rows, FLAG), _undecodable(rows, columns)]).alias(_SOURCE_FLAGS),
    )
    for lines in broken:
        unread = lines.withColumn(RAW, F.lit(None).cast(read.schema[RAW].dataType))
        read = read.unionByName(unread)
    return read


def lines_left_out(spark: SparkSession, source: SourceSettings, dataset: str) -> dict[str, int]:
    """How many lines the reader cannot take of the files that a data set looks things up in, where there are any.

    They have no place in its account, which is that of the file whose rows it has.
    """
    mapped = source.datasets[dataset]  # type: ignore[index]
    counts = {}
    for name in mapped.files:
        _, lines = _read_file(spark, source, name) if _is_looked_up(mapped, name) else (None, None)
        if lines is not None and (count := lines.count()):
            counts[name] = count
    return counts


def _is_looked_up(mapped: MappedDataset, name: str) -> bool:
    return mapped.rows_of not in {None, name}


@contextmanager
def evaluating(source: SourceSettings, dataset: str) -> Iterator[None]:
    """Around what first looks at mapped rows: only then Spark says that a function of the SELECT cannot take a value.

    Where there is no mapping it does nothing. The value itself is not told, as it may be personal.

    Raises:
        ConfigurationError: If a function fails.
    """
    mapped = source.datasets.get(dataset)  # type: ignore[call-overload]
    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        if mapped is None:
            raise
        failure = _java_failure(error) if isinstance(error, Py4JJavaError) else _spark_failure(error, mapped.select)
        if failure is None:
            raise
        raise ConfigurationError(
            failure,
            where=f"source {source.name}: datasets.{dataset}.select",
            remedy="mend its pattern, such as yyyy-MM-dd HH:mm:ss" if "DATETIME_PATTERN" in failure else _MEND_VALUE,
        ) from None


def _spark_failure(error: PySparkException, select: str) -> str | None:
    """Which function failed on a value and how, in Spark's words; None where it was something else."""
    if isinstance(error, AnalysisException):
        return None
    state = error.getSqlState()
    if state is None and isinstance(error, IllegalArgumentException):
        return _fails("", "IllegalArgumentException")
    if not (state or "").startswith(_OF_A_VALUE):
        return None
    parts = " ".join(" ".join(part.fragment().split()) for part in error.getQueryContext())
    return _fails(shorten(parts, _FRAGMENT_LENGTH), f"{error.getCondition()} {_as_written(error, select)}".strip())


def _as_written(error: PySparkException, select: str) -> str:
    """The zone or the pattern that Spark does not know, if the SELECT has it: one that a row holds is not told."""
    parameters = error.getMessageParameters() or {}
    given = (parameters.get("timeZone") or parameters.get("pattern") or "").strip("'")
    return given if f"'{given}'" in select else ""


def _java_failure(error: Py4JJavaError) -> str | None:
    """How a function failed on a value where Spark leaves Java's exception as it is; None for anything else."""
    if "FAILED_READ_FILE" in str(error):
        return None
    cause = error.java_exception
    while cause.getCause() is not None:
        cause = cause.getCause()
    name = cause.getClass().getName()
    return _fails("", name.rpartition(".")[2]) if _OF_JAVA.fullmatch(name) else None


def _fails(function: str, how: str) -> str:
    return f"{function or 'a function'} fails on a value: {how}"


def source_reasons(raw: DataFrame) -> Column:
    """The reasons that the source's own rules give; none for data in the raw layout."""
    return F.col(_SOURCE_REASONS) if _SOURCE_REASONS in raw.columns else F.array().cast("array<string>")


def source_flags(raw: DataFrame) -> Column:
    """The flags that the source's own rules give; none for data in the raw layout."""
    return F.col(_SOURCE_FLAGS) if _SOURCE_FLAGS in raw.columns else F.array().cast("array<string>")


def column_report(rows: DataFrame, contract: Contract) -> tuple[list[str], list[str]]:
    """Which columns of the contract a mapping gives and which it lacks."""
    given = [field.name for field in contract.fields if field.name in rows.columns]
    return given, [field.name for field in contract.fields if field.name not in rows.columns]


def _select(
    spark: SparkSession, source: SourceSettings, dataset: str, mapped: MappedDataset
) -> tuple[DataFrame, list[DataFrame]]:
    """The query over the named files, which are views of a session that nobody else sees, and their broken lines."""
    where = f"source {source.name}: datasets.{dataset}.select"
    session = spark.newSession()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        session._jsparkSession.sessionState().sqlParser().parseQuery(mapped.select)
        broken = []
        for name in mapped.files:
            rows, lines = _read_file(session, source, name)
            rows.createOrReplaceTempView(name)
            if lines is not None and not _is_looked_up(mapped, name):
                broken.append(lines)
        return session.sql(mapped.select), broken
    except ParseException as error:
        raise ConfigurationError(f"not one SELECT: {_line(error)}", where=where, remedy="mend the mapping") from error
    except AnalysisException as error:
        raise ConfigurationError(_line(error), where=where, remedy="mend the mapping") from error
    except Exception as error:
        if "ParseException" in str(error):
            raise ConfigurationError(
                f"not one SELECT: {_line(error)}", where=where, remedy="mend the mapping"
            ) from error
        raise


def _read_file(session: SparkSession, source: SourceSettings, name: str) -> tuple[DataFrame, DataFrame | None]:
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


def _broken(lines: DataFrame, source: SourceSettings, name: str) -> DataFrame:
    nothing = F.array().cast("array<string>")
    file = F.substring_index(file_path(), "/", -1)
    return lines.where(F.col(_LINE).isNotNull()).select(
        F.col(_LINE).cast("binary").alias(PAYLOAD),
        F.lit(_REASONS[source.files[name].format]).alias(LINE_REASON),
        F.concat(F.lit(f"{source.name}:{name}:"), file).alias(SOURCE_FILE),
        F.lit(None).cast("date").alias(DELIVERED_ON),
        nothing.alias(_SOURCE_REASONS),
        nothing.alias(_SOURCE_FLAGS),
    )


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


def _check_columns(rows: DataFrame, contract: Contract, source: SourceSettings) -> None:
    where = f"source {source.name}: datasets.{contract.name}.select"
    known = {field.name for field in contract.fields}
    unknown = sorted(name for name in rows.columns if name not in known and not name.startswith((REJECT, FLAG)))
    if unknown:
        raise ConfigurationError(
            f"columns that the contract of {contract.name} does not have: {', '.join(unknown)}",
            where=where,
            remedy=f"its columns are {', '.join(field.name for field in contract.fields)}",
        )
    missing = [field.name for field in contract.fields if field.required and field.name not in rows.columns]
    if missing:
        raise ConfigurationError(f"required columns are missing: {', '.join(missing)}", where=where, remedy="add them")
    repeated = sorted({name for name in rows.columns if rows.columns.count(name) > 1})
    if repeated:
        raise ConfigurationError(f"columns given twice: {', '.join(repeated)}", where=where, remedy="give each once")


def _named(rows: DataFrame, prefix: str) -> list[Column]:
    return [F.when(F.col(name), F.lit(name.removeprefix(prefix))) for name in rows.columns if name.startswith(prefix)]


def _undecodable(rows: DataFrame, columns: Sequence[str]) -> Column:
    texts = [F.col(name) for name in columns if isinstance(rows.schema[name].dataType, StringType)]
    return F.when(reduce(or_, [text.contains(_NO_CHARACTER) for text in texts], F.lit(False)), F.lit(_UNDECODABLE))


def _found(codes: Sequence[Column]) -> Column:
    return F.array_compact(F.array(*codes)) if codes else F.array().cast("array<string>")


def _rows(path: Path, declared: MappedFile) -> int:
    """Rows of a file, counted in the file itself."""
    try:
        if declared.format == "parquet":
            return int(pq.read_metadata(path).num_rows)
        with open_text(path) as file:
            lines = count_lines(file)
    except (OSError, ArrowException) as error:
        raise InputError(f"cannot read: {error}", where=str(path), remedy="mend or remove the file") from error
    has_header = declared.format == "csv" and declared.options.get("header", "true").lower() == "true"
    return max(lines - has_header, 0)


def _line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
