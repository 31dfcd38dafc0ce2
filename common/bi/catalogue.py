"""The catalogue of the dashboards: the annotated SQL file, read into frozen models."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from common.bi.periods import Span
from common.errors import ConfigurationError
from common.settings import conf_root

UNITS = (
    "money",
    "count",
    "share",
    "growth",
    "ratio",
    "number",
    "score",
    "seconds",
    "days",
    "date",
    "time",
    "text",
    "flag",
)
NEEDS = ("sales", "clickstream", "costs", "stock")
_FILE = ("sql", "impala", "impala_bi_queries.sql")
_MARK = re.compile(r"^-- @(dashboard|query) (\w+)$")
_FIELD = re.compile(r"^-- (\w+): (.+)$")
_CONTINUED = re.compile(r"^--   (\S.*)$")
_LIMIT = re.compile(r"\bLIMIT (\d+)$")
_AGREEMENT = re.compile(r"(\w+) = (\w+)\.(\w+)")
_DASHBOARD_FIELDS = {"title", "summary"}
_QUERY_FIELDS = {"title", "question", "grain", "key", "period", "needs", "columns"}
_OPTIONAL_FIELDS = {"agrees"}


@dataclass(frozen=True)
class ColumnSpec:
    """A column of an answer.

    Attributes:
        name: Its name.
        unit: One of UNITS.
        is_signed: Whether it may be below zero; of a share, whether it may lie outside 0 to 1.
    """

    name: str
    unit: str
    is_signed: bool = False


@dataclass(frozen=True)
class Agreement:
    """A sum over all rows of one query that is the same as that of another one of the dashboard."""

    column: str
    query: str
    other_column: str


@dataclass(frozen=True)
class Query:
    """A question with its SQL.

    Attributes:
        name: Unique among the queries.
        title: For a heading.
        question: What it answers.
        grain: What a row is.
        key: The columns that tell one row from another.
        span: Of which days it asks.
        needs: What the answer is made of; one of NEEDS.
        columns: In the order of the SELECT.
        agreements: Sums that another query must confirm.
        limit: At most so many rows; where there are as many, some may have been cut.
        sql: One SELECT in Impala's dialect, without the semicolon.
    """

    name: str
    title: str
    question: str
    grain: str
    key: tuple[str, ...]
    span: Span
    needs: str
    columns: tuple[ColumnSpec, ...]
    agreements: tuple[Agreement, ...]
    limit: int
    sql: str


@dataclass(frozen=True)
class Dashboard:
    """Queries that belong together."""

    name: str
    title: str
    summary: str
    queries: tuple[Query, ...]


@dataclass
class _Block:
    kind: str
    name: str
    line: int
    fields: dict[str, str]
    sql: list[str]


def read_catalogue(directory: Traversable | None = None) -> str:
    """The text of the SQL file.

    Args:
        directory: The directory conf; default where the package is.

    Raises:
        ConfigurationError: If there is no such file.
    """
    path = (directory or conf_root()).joinpath(*_FILE)
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError("the dashboards' SQL is missing", where=str(path), remedy="restore it") from error


def parse_catalogue(text: str) -> tuple[Dashboard, ...]:
    """The dashboards of an annotated SQL file, in its order.

    Raises:
        ConfigurationError: An annotation that is unknown, missing or not understood, by query and line; a name that
            occurs twice; an agreement with a query that is not there.
    """
    blocks = list(_blocks(text))
    dashboards: list[Dashboard] = []
    for block in blocks:
        if block.kind == "dashboard":
            _require(block, _DASHBOARD_FIELDS, set())
            dashboards.append(Dashboard(block.name, block.fields["title"], block.fields["summary"], ()))
            continue
        if not dashboards:
            raise _error(block, "a query before the first dashboard")
        last = dashboards[-1]
        dashboards[-1] = Dashboard(last.name, last.title, last.summary, (*last.queries, _query(block)))
    _reject_repeated(blocks)
    for dashboard in dashboards:
        _check_agreements(dashboard)
    return tuple(dashboards)


def _blocks(text: str) -> Iterator[_Block]:
    """The annotations and the SQL that follows them; comments before the first mark are for the reader."""
    block: _Block | None = None
    field = ""
    for number, line in enumerate(text.splitlines(), start=1):
        mark = _MARK.match(line)
        if mark:
            if block:
                yield block
            block, field = _Block(mark[1], mark[2], number, {}, []), ""
        elif block is None or (not line.strip() and not block.sql):
            continue
        elif line.startswith("--") and not block.sql:
            field = _annotate(block, field, line, number)
        else:
            block.sql.append(line)
    if block:
        yield block


def _annotate(block: _Block, field: str, line: str, number: int) -> str:
    """Take an annotation over; gives the field that a next line may go on with."""
    continued = _CONTINUED.match(line)
    if continued and field:
        block.fields[field] += f" {continued[1]}"
        return field
    found = _FIELD.match(line)
    if not found:
        raise _error(block, f"line {number} is no annotation: {line}")
    if found[1] in block.fields:
        raise _error(block, f"'{found[1]}' occurs twice")
    block.fields[found[1]] = found[2].strip()
    return found[1]


def _query(block: _Block) -> Query:
    _require(block, _QUERY_FIELDS, _OPTIONAL_FIELDS)
    fields = block.fields
    columns = tuple(_column(block, text) for text in _listed(fields["columns"]))
    names = [column.name for column in columns]
    key = tuple(_listed(fields["key"]))
    unknown = sorted(set(key) - set(names))
    if unknown:
        raise _error(block, f"key columns that are not among the columns: {', '.join(unknown)}")
    if fields["needs"] not in NEEDS:
        raise _error(block, f"needs '{fields['needs']}', which is none of {', '.join(NEEDS)}")
    try:
        span = Span.parse(fields["period"])
    except ValueError as error:
        raise _error(block, str(error)) from error
    sql = "\n".join(block.sql).strip()
    if not sql.endswith(";"):
        raise _error(block, "the statement does not end with a semicolon")
    sql = sql.removesuffix(";").strip()
    limit = _LIMIT.search(sql)
    if not limit:
        raise _error(block, "the statement does not end with a LIMIT")
    return Query(
        name=block.name,
        title=fields["title"],
        question=fields["question"],
        grain=fields["grain"],
        key=key,
        span=span,
        needs=fields["needs"],
        columns=columns,
        agreements=tuple(_agreements(block, names)),
        limit=int(limit[1]),
        sql=sql,
    )


def _column(block: _Block, text: str) -> ColumnSpec:
    name, *words = text.split()
    unit, *rest = words or [""]
    if unit not in UNITS or rest not in ([], ["signed"]):
        raise _error(block, f"column '{text}': give a name, a unit of {', '.join(UNITS)}, and perhaps signed")
    return ColumnSpec(name, unit, bool(rest))


def _agreements(block: _Block, names: Sequence[str]) -> Iterator[Agreement]:
    for text in _listed(block.fields.get("agrees", "")):
        found = _AGREEMENT.fullmatch(text)
        if not found or found[1] not in names:
            raise _error(block, f"agrees '{text}': give column = query.column")
        yield Agreement(found[1], found[2], found[3])


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _require(block: _Block, wanted: Iterable[str], optional: Iterable[str]) -> None:
    missing = sorted(set(wanted) - set(block.fields))
    unknown = sorted(set(block.fields) - set(wanted) - set(optional))
    if missing:
        raise _error(block, f"missing: {', '.join(missing)}")
    if unknown:
        raise _error(block, f"unknown: {', '.join(unknown)}")


def _reject_repeated(blocks: Sequence[_Block]) -> None:
    counts: Mapping[tuple[str, str], int] = Counter((block.kind, block.name) for block in blocks)
    for block in blocks:
        if counts[block.kind, block.name] > 1:
            raise _error(block, "the name occurs twice")


def _check_agreements(dashboard: Dashboard) -> None:
    columns = {query.name: {column.name for column in query.columns} for query in dashboard.queries}
    for query in dashboard.queries:
        for agreement in query.agreements:
            if agreement.other_column not in columns.get(agreement.query, set()):
                raise ConfigurationError(
                    f"{query.name} agrees with {agreement.query}.{agreement.other_column}, which {dashboard.name} "
                    "does not have",
                    where="/".join(_FILE),
                    remedy="name a query and column of the same dashboard",
                )


def _error(block: _Block, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{block.kind} {block.name}: {what}",
        where=f"{'/'.join(_FILE)}, line {block.line}",
        remedy="mend the annotation; the top of the file says what there is",
    )
