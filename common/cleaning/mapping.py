"""Somebody else's files read in the form of the contracts: one Spark SQL SELECT for each data set.

A column of the result that is called `reject_<reason>` or `flag_<reason>` is a rule of the source: where it is true the
row is quarantined or flagged for that reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from common.cleaning.mapped_reading import SOURCE_FLAGS, SOURCE_REASONS, is_looked_up, read_file
from common.cleaning.reading import DELIVERED_ON, LINE_REASON, PAYLOAD, RAW, SOURCE_FILE
from common.contracts.model import Contract
from common.errors import ConfigurationError
from common.settings import MappedDataset, SourceSettings

REJECT, FLAG = "reject_", "flag_"
_NO_CHARACTER, _UNDECODABLE = "\ufffd", "undecodable_text"  # what Java puts in place of bytes that are none


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
        _found(_named(rows, REJECT)).alias(SOURCE_REASONS),
        _found([*_named(rows, FLAG), _undecodable(rows, columns)]).alias(SOURCE_FLAGS),
    )
    for lines in broken:
        unread = lines.withColumn(RAW, F.lit(None).cast(read.schema[RAW].dataType))
        read = read.unionByName(unread)
    return read


def source_reasons(raw: DataFrame) -> Column:
    """The reasons that the source's own rules give; none for data in the raw layout."""
    return F.col(SOURCE_REASONS) if SOURCE_REASONS in raw.columns else F.array().cast("array<string>")


def source_flags(raw: DataFrame) -> Column:
    """The flags that the source's own rules give; none for data in the raw layout."""
    return F.col(SOURCE_FLAGS) if SOURCE_FLAGS in raw.columns else F.array().cast("array<string>")


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
            rows, lines = read_file(session, source, name)
            rows.createOrReplaceTempView(name)
            if lines is not None and not is_looked_up(mapped, name):
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


def _line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
