"""Spark's answer to a question, handed to DuckDB batch by batch for writing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import duckdb
import pyarrow as pa
from py4j.java_gateway import is_instance_of
from py4j.protocol import Py4JError
from pyspark import RDD, SparkContext
from pyspark.errors import AnalysisException, ParseException, PySparkException
from pyspark.serializers import NoOpSerializer
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructField, StructType

from common.errors import ExitCode, InputError, PlatformError, UsageError
from common.job import as_platform_error
from common.layout import Layout
from common.session import start_session
from common.settings import load_settings
from pipelines.tables import no_question, require_published

# What may follow a query, and is no part of it for Spark's grammar of queries.
_END = re.compile(r";(?:[;\s]|--[^\n]*|/\*.*?\*/)*\Z", re.DOTALL)
# Classes of SQLSTATE for what a query itself does wrong: what is not supported, too many rows, values that do not fit,
# syntax and names, and what it raises.
_OF_THE_QUERY = ("0A", "21", "22", "42", "P0")


@contextmanager
def ask_spark(statement: str, layout: Layout, rows: int | None) -> Iterator[duckdb.DuckDBPyRelation]:
    """The answer as a relation that can be read once, while the session is there.

    No more than a partition of the answer is in memory at a time.

    Args:
        statement: A query, or SHOW, DESCRIBE or EXPLAIN.
        layout: The root.
        rows: How many rows are wanted at most; None for all.

    Raises:
        UsageError: If the statement is something else, or has a mistake.
        InputError: If nothing is published, or files have gone.
        LockedError: If another process has the metastore.
        PlatformError: If Spark fails in any other way, also while the answer is being read.
    """
    require_published(layout)
    batches = None
    try:
        with _session(layout) as spark, closing(duckdb.connect()) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET threads = 1")  # with more it reads on while what it read is waited for
            frame = spark.sql(_question(spark, statement, layout))
            with closing(_Batches(frame if rows is None else frame.limit(rows), layout)) as batches:
                yield batches.relation(connection)
    except (PySparkException, Py4JError) as error:
        raise _failure(error, layout) from error
    except duckdb.Error as error:
        if batches is None or batches.failure is None:
            raise
        raise _failure(batches.failure, layout) from error


@contextmanager
def _session(layout: Layout) -> Iterator[SparkSession]:
    settings = load_settings()
    spark = start_session(settings, layout, "sql")
    try:
        spark.catalog.setCurrentDatabase(settings.database)
        yield spark
    finally:
        spark.stop()


def _question(spark: SparkSession, statement: str, layout: Layout) -> str:
    """A statement that only asks, by Spark's own grammar.

    Commands are carried out as soon as they are handed over, and some while they are analyzed: so a query is what the
    grammar of queries takes, and no list of commands needs to be complete.

    Raises:
        UsageError: If it is none.
        ParseException: If it is no statement at all.
    """
    parser = spark._jsparkSession.sessionState().sqlParser()
    for text in (statement, _END.sub("", statement)):
        if _is_query(parser, text):
            return text
    if not _only_tells(parser.parsePlan(statement)):
        raise no_question(layout)
    return statement


def _is_query(parser: Any, text: str) -> bool:  # noqa: ANN401 - a Java object
    try:
        parser.parseQuery(text)
    except ParseException:
        return False
    return True


def _only_tells(plan: Any) -> bool:  # noqa: ANN401 - a Java object
    """Whether a plan is that of SHOW, DESCRIBE or EXPLAIN; what EXECUTE IMMEDIATE holds is done to be explained."""
    kind = explained = str(plan.getClass().getSimpleName())
    while explained == "ExplainCommand":
        plan = plan.logicalPlan()
        explained = str(plan.getClass().getSimpleName())
    return kind.startswith(("Show", "Describe", "ExplainCommand")) and explained != "UnresolvedExecuteImmediate"


class _Batches:
    """The batches of an answer, and the failure that ended them, of which DuckDB passes on no more than the text."""

    def __init__(self, frame: DataFrame, layout: Layout) -> None:
        self.failure: Exception | None = None
        self._names = frame.columns
        self._schema = _schema(frame, layout)
        batches = frame._jdf.toArrowBatchRdd().toJavaRDD()
        rdd: RDD[bytes] = RDD(batches, frame.sparkSession.sparkContext, NoOpSerializer())
        self._payloads = rdd.toLocalIterator()

    def relation(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        """What DuckDB reads, through Arrow's C interface: what it does with a reader of Python's reads far ahead."""
        stream = pa.RecordBatchReader.from_batches(self._schema, iter(self)).__arrow_c_stream__()
        names = [name.replace('"', '""') for name in self._names]
        return connection.from_arrow(stream).project(", ".join(f'#{n} AS "{name}"' for n, name in enumerate(names, 1)))

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            while (payload := next(self._payloads, None)) is not None:
                yield pa.ipc.read_record_batch(pa.py_buffer(payload), self._schema)
        except Exception as error:
            self.failure = error
            raise

    def close(self) -> None:
        """Ask for no more: Spark has to be told so before it ends."""
        self._payloads = iter(())


def _schema(frame: DataFrame, layout: Layout) -> pa.Schema:
    """What the batches hold; columns are called by their position, since a query may give two one name.

    Raises:
        UsageError: If a column is of a type that Arrow does not have.
    """
    fields = [StructField(str(position), field.dataType) for position, field in enumerate(frame.schema.fields)]
    try:
        return to_arrow_schema(StructType(fields), error_on_duplicated_field_names_in_struct=True, timezone="UTC")
    except PySparkException as error:
        raise UsageError(_first_line(str(error)), where=layout.root, remedy="cast it to a string") from error


def _failure(error: Exception, layout: Layout) -> PlatformError:
    """What to say of a failure: the query's own, that of a file or of the metastore, or one that nobody foresaw."""
    failure = as_platform_error(error)
    if isinstance(failure, InputError):
        remedy = "ask again; if it stays so, ./build.sh run --only publish_hive puts it back"
        return InputError(failure.what, where=failure.where, remedy=remedy)
    if failure.exit_code != ExitCode.UNEXPECTED:
        return failure
    state, message = _said(error)
    if isinstance(error, AnalysisException) or state.startswith(_OF_THE_QUERY):
        remedy = "mend the query, or run ./build.sh run first"
        return UsageError(_first_line(message), where=layout.root, remedy=remedy)
    return PlatformError(failure.what, where=layout.root, remedy="ask again, or with DuckDB")


def _said(error: Exception) -> tuple[str, str]:
    """The SQLSTATE of a failure, and its message; where Java wrapped it, those of the first cause that has both."""
    cause = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while cause is not None:
        if is_instance_of(SparkContext._gateway, cause, "org.apache.spark.SparkThrowable") and cause.getSqlState():
            return str(cause.getSqlState()), str(cause.getMessage())
        cause = cause.getCause()
    return "", str(error)


def _first_line(message: str) -> str:
    return next((line.strip() for line in message.splitlines() if line.strip()), "")
