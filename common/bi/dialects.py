"""Impala's SQL, checked and written anew for the engine that runs it.

sqlglot has no dialect of Impala. What it does not understand it may pass through as a Command, as it was: nothing of
that kind is let in. Statements are read as Spark's dialect, which is nearest; read as Hive's, DATE_TRUNC would become a
TRUNC that gives null for hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from common.errors import ConfigurationError

_READ_AS = "spark"
_PARAMETER = re.compile(r"\$\{var:(\w+)\}")
# Of all functions these alone occur. Each is in Impala's documentation, has the same meaning in Spark, and is in Hive 4
# or rewritten below.
_FUNCTIONS = {
    *("ABS", "CAST", "COALESCE", "COUNT", "LAG", "MAX", "MIN", "NULLIF", "PMOD", "RANK", "ROW_NUMBER", "SUBSTR", "SUM"),
    *("DATE_ADD", "DATE_SUB", "DATE_TRUNC", "DATEDIFF", "DAYOFWEEK", "FROM_UTC_TIMESTAMP", "HOUR", "LAST_DAY", "MONTH"),
    *("UNIX_TIMESTAMP", "YEAR"),
}
_TIMESTAMPS = (exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPTZ)
_CALL = re.compile(r"\b([A-Za-z_]+)\s*\(")
_KEYWORDS = {
    "AND",
    "AS",
    "BETWEEN",
    "DECIMAL",
    "FROM",
    "IN",
    "NOT",
    "ON",
    "OR",
    "OVER",
    "SELECT",
    "THEN",
    "WHEN",
    "WHERE",
}
_MAINTENANCE = (
    (re.compile(r"REFRESH (\w+)\.(\w+)"), "refresh"),
    (re.compile(r"INVALIDATE METADATA (\w+)\.(\w+)"), "invalidate"),
    (re.compile(r"COMPUTE STATS (\w+)\.(\w+)"), "statistics"),
)


@dataclass(frozen=True)
class Maintenance:
    """A statement that tells an engine about a table: refresh, invalidate or statistics."""

    kind: str
    database: str
    table: str


def parse_select(sql: str, where: str) -> exp.Select:
    """One SELECT of Impala's dialect.

    Args:
        sql: The statement.
        where: Its name, for errors.

    Raises:
        ConfigurationError: If it is not understood, is anything but one SELECT with ORDER BY and LIMIT, or calls a
            function that is not known to mean the same everywhere.
    """
    try:
        statements = sqlglot.parse(sql, read=_READ_AS)
    except SqlglotError as error:
        raise _error(f"cannot be parsed: {' '.join(str(error).split())}", where) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        kinds = ", ".join(type(statement).__name__ for statement in statements)
        raise _error(f"is {kinds or 'empty'} instead of one SELECT", where)
    statement = statements[0]
    if statement.find(exp.Command):
        raise _error("has a part that is not understood", where)
    if not statement.args.get("order") or not statement.args.get("limit"):
        raise _error("lacks ORDER BY or LIMIT: an answer is bounded and in order", where)
    unknown = sorted(_calls(sql) - _FUNCTIONS)
    if unknown:
        raise _error(f"calls {', '.join(unknown)}, not known to mean the same in every engine", where)
    return statement


def parse_maintenance(text: str, where: str) -> tuple[Maintenance, ...]:
    """The statements of a file of maintenance; sqlglot knows none of them.

    Raises:
        ConfigurationError: If one is of another kind.
    """
    found = []
    for statement in _statements(text):
        for pattern, kind in _MAINTENANCE:
            match = pattern.fullmatch(statement)
            if match:
                found.append(Maintenance(kind, match[1], match[2]))
                break
        else:
            raise _error(f"is none of REFRESH, INVALIDATE METADATA, COMPUTE STATS: {statement}", where)
    return tuple(found)


def to_spark(
    statement: exp.Select, parameters: Mapping[str, str], databases: Mapping[str, str], views: Mapping[str, str]
) -> str:
    """The statement for Spark.

    Args:
        statement: What `parse_select` gives; it stays as it is.
        parameters: A value for each `${var:NAME}`.
        databases: Other names for databases.
        views: Temporary views, for tables such as `lake.sessions`.

    Raises:
        ConfigurationError: If a parameter has no value.
    """

    def rewritten(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Table) and node.db:
            view = views.get(f"{node.db}.{node.name}")
            renamed = node.copy()
            renamed.set("db", None if view else exp.to_identifier(databases.get(node.db, node.db)))
            renamed.set("this", exp.to_identifier(view or node.name, quoted=True))
            return renamed
        return _bound(node, parameters)

    return statement.transform(rewritten).sql(dialect=_READ_AS)


def to_hive(statement: exp.Select, parameters: Mapping[str, str]) -> str:
    """The statement for Hive 4, which has no DATE_TRUNC.

    Args:
        statement: What `parse_select` gives; it stays as it is.
        parameters: A value for each `${var:NAME}`; with `{"NAME": "${hivevar:NAME}"}` beeline puts it in.

    Raises:
        ConfigurationError: If a parameter has no value, or a unit is truncated to that has no counterpart.
    """

    def rewritten(node: exp.Expression) -> exp.Expression:
        if isinstance(node, (exp.TimestampTrunc, exp.DateTrunc)):
            return _truncated_in_hive(node)
        if isinstance(node, exp.AtTimeZone):
            zone = _bound(node.args["zone"], parameters)
            return exp.Anonymous(this="FROM_UTC_TIMESTAMP", expressions=[_uncast(node.this), zone])
        return _bound(node, parameters)

    spelled_out = statement.copy()
    for select in spelled_out.find_all(exp.Select):
        _spell_out_groups(select)
    return spelled_out.transform(rewritten).sql(dialect="hive")


def maintenance_for_spark(step: Maintenance) -> str:
    """The counterpart in Spark: its metadata is refreshed, its statistics are computed by ANALYZE."""
    table = exp.table_(step.table, db=step.database, quoted=True).sql(dialect=_READ_AS)
    if step.kind == "statistics":
        return f"ANALYZE TABLE {table} COMPUTE STATISTICS FOR ALL COLUMNS"
    return f"REFRESH TABLE {table}"


def maintenance_for_hive(step: Maintenance) -> str | None:
    """The counterpart in Hive; None for a refresh, since Hive asks the metastore each time."""
    if step.kind != "statistics":
        return None
    table = exp.table_(step.table, db=step.database, quoted=True).sql(dialect="hive")
    return f"ANALYZE TABLE {table} COMPUTE STATISTICS FOR COLUMNS"


def _bound(node: exp.Expression, parameters: Mapping[str, str]) -> exp.Expression:
    """A text with its parameters put in, as a literal of the tree, so that quotes in a value stay a value."""
    if not (isinstance(node, exp.Literal) and node.is_string and _PARAMETER.search(node.this)):
        return node

    def value(match: re.Match[str]) -> str:
        if match[1] not in parameters:
            raise _error(f"has no value for its parameter {match[1]}", "parameters")
        return parameters[match[1]]

    return exp.Literal.string(_PARAMETER.sub(value, node.this))


def _spell_out_groups(select: exp.Select) -> None:
    """Group by what the numbers stand for: Hive takes `GROUP BY 1` for the constant."""
    group = select.args.get("group")
    for position in list(group.expressions) if group else []:
        if isinstance(position, exp.Literal) and position.is_int:
            position.replace(select.expressions[int(position.this) - 1].unalias().copy())


def _truncated_in_hive(node: exp.Expression) -> exp.Expression:
    """DATE_TRUNC by what Hive 4 has.

    2001-01-01 was a Monday; PMOD is never negative.
    """
    unit = str(node.args["unit"].name).upper()
    sql = _uncast(node.this).sql(dialect="hive")
    templates = {
        "HOUR": f"CAST(DATE_FORMAT({sql}, 'yyyy-MM-dd HH:00:00') AS TIMESTAMP)",
        "WEEK": f"DATE_SUB({sql}, PMOD(DATEDIFF({sql}, '2001-01-01'), 7))",
        "MONTH": f"TRUNC({sql}, 'MM')",
    }
    if unit not in templates:
        raise _error(f"truncates to {unit}, which has no counterpart in Hive", "DATE_TRUNC")
    # Through an opaque node: sqlglot would read TRUNC back as one of its own functions and write it as DATE_TRUNC.
    return exp.Var(this=templates[unit])


def _uncast(node: exp.Expression) -> exp.Expression:
    """A value without the cast to a timestamp that reading as Spark's dialect adds."""
    is_added = isinstance(node, exp.Cast) and node.to.this in _TIMESTAMPS
    return node.this if is_added else node


def _calls(sql: str) -> set[str]:
    """What the text calls; from the text, since the tree knows several spellings by one name."""
    text = re.sub(r"'[^']*'|--[^\n]*", "", sql)
    return {name.upper() for name in _CALL.findall(text)} - _KEYWORDS


def _statements(text: str) -> Iterator[str]:
    for part in re.sub(r"--[^\n]*", "", text).split(";"):
        if part.strip():
            yield " ".join(part.split())


def _error(what: str, where: str) -> ConfigurationError:
    return ConfigurationError(f"the SQL {what}", where=where, remedy="mend the statement")
