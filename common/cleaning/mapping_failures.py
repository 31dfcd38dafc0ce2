"""What a mapping's functions say when they cannot take a value, in a line that does not tell the value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, IllegalArgumentException, PySparkException

from common.errors import ConfigurationError
from common.quality.masking import shorten
from common.settings import SourceSettings

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
