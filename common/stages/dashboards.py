"""bi_dashboards: the questions of the five dashboards, asked of the published tables and of the lake's sessions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from pyspark import inheritable_thread_target
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.bi.catalogue import Query, parse_catalogue, read_catalogue
from common.bi.checks import FACTS_SCHEMA, facts_of, oddities
from common.bi.dialects import parse_select, to_spark
from common.bi.periods import Period, Span
from common.bi.results import Answer, Index, entry_of, has_all_files, read_index, write_answers
from common.errors import ConfigurationError, GateFailedError, InputError
from common.job import Stage, StageContext, StageResult
from common.session import stage_session
from common.settings import SourceSettings
from common.stages.warehouse import CART_ITEMS, SESSIONS
from common.storage import delta
from common.storage.local_frames import local_frame
from common.storage.published import read_published

_USUAL = Span("days", 30)
_PLANNED_AT_A_TIME = 2
_LAKE = {"lake.sessions": SESSIONS, "lake.cart_items": CART_ITEMS}
_VIEWS = {name: name.replace(".", "_") for name in _LAKE}


@dataclass(frozen=True)
class _Asked:
    """What all questions have in common.

    Attributes:
        data: The days that there are.
        lacking: Of what a question may need, what the data does not have, and why.
        databases: Names of databases other than those in the queries.
        time_zone: The shop's.
    """

    data: Period
    lacking: Mapping[str, str]
    databases: Mapping[str, str]
    time_zone: str

    def statement(self, query: Query) -> str:
        """A question in Spark's SQL."""
        days = query.span.resolve(self.data) or self.data
        parameters = {
            "from_date": days.first.isoformat(),
            "to_date": days.last.isoformat(),
            "time_zone": self.time_zone,
        }
        return to_spark(parse_select(query.sql, query.name), parameters, self.databases, _VIEWS)


def run(context: StageContext) -> StageResult:
    """Ask every question, hold the answers against the gate, and write them.

    The answers depend on the tables alone: periods end with the newest business day that has sales.

    Raises:
        InputError: If nothing is published, or there is no day to ask about.
        GateFailedError: If the gate is closed; then no answer is written.
    """
    text = read_catalogue()
    dashboards = parse_catalogue(text)
    versions = _versions(context)
    origin = _origin(context, text, versions)
    before = read_index(context.layout)
    if before and before.origin == origin and has_all_files(context.layout, before) and not context.rebuild:
        return StageResult("skipped", notes=("the published tables and the sessions have not changed",))
    asked = _asked(context, versions)
    queries = [query for dashboard in dashboards for query in dashboard.queries]
    session = query_session(context, versions)
    answer = inheritable_thread_target(session)(partial(_answer, session, asked))
    # While one query is planned, which keeps one core busy, another one is computed.
    with ThreadPoolExecutor(_PLANNED_AT_A_TIME, thread_name_prefix="query") as pool:
        answers = {each.query.name: each for each in pool.map(answer, queries)}
    facts = facts_of(queries, answers, set(asked.lacking))
    odd = gate_answers(context, [query.name for query in queries], facts)
    period = _USUAL.resolve(asked.data) or asked.data
    index = Index(
        as_of=asked.data.last.isoformat(),
        run_id=context.run_id,
        period=period.as_json(),
        currency=context.source.currency,
        time_zone=context.source.time_zone,
        origin=origin,
        dashboards=tuple(entry_of(dashboard, answers) for dashboard in dashboards),
    )
    write_answers(context.layout, index, answers)
    return StageResult("ok", notes=(*_notes(index, answers), *odd))


def _versions(context: StageContext) -> dict[str, int | None]:
    return {name: delta.version_of(context.spark, context.layout.path(path)) for name, path in _LAKE.items()}


def _origin(context: StageContext, text: str, versions: Mapping[str, int | None]) -> dict[str, Any]:
    published = read_published(context.layout)
    if not published:
        raise InputError("nothing is published", where=context.layout.ops("tables.json"), remedy="run publish_hive")
    missing = sorted(name for name, version in versions.items() if version is None)
    if missing:
        raise InputError(
            f"there is no {' and no '.join(missing)}",
            where=context.layout.path("warehouse", "lake"),
            remedy="run etl_warehouse",
        )
    tables = {name: table.fingerprint for name, table in sorted(published.items())}
    return {
        "basis": context.basis,
        "queries": hashlib.sha256(text.encode()).hexdigest()[:16],
        "tables": {**tables, **versions},
    }


def _asked(context: StageContext, versions: Mapping[str, int | None]) -> _Asked:
    """The days that the data has, by the sales or, where there are none, by the visits."""
    database = context.settings.database
    sales = _days(context.spark.table(f"`{database}`.agg_daily_sales"), "sales_date")
    sessions = delta.read(context.spark, context.layout.path(SESSIONS), versions["lake.sessions"])
    visits = _days(sessions, "session_date")
    data = sales or visits
    if data is None:
        raise InputError(
            "there are neither sales nor visits", where=context.layout.ops("tables.json"), remedy="load some data"
        )
    return _Asked(
        data=data,
        lacking=_lacking(context.source, has_sales=sales is not None, has_visits=visits is not None),
        databases={"ecommerce": database},
        time_zone=context.source.time_zone,
    )


def _lacking(source: SourceSettings, *, has_sales: bool, has_visits: bool) -> dict[str, str]:
    lacking = {}
    if not has_sales:
        lacking = dict.fromkeys(("sales", "costs", "stock"), "there are no sales in the data")
    if not has_visits:
        has_none = source.is_mapped and "clickstream" not in source.datasets
        lacking["clickstream"] = "the source has no clickstream" if has_none else "there are no visits in the data"
    products = source.datasets.get("products")
    for need, column in (("costs", "unit_cost"), ("stock", "stock_quantity")):
        if products and column in products.absent:
            lacking.setdefault(need, f"the source has no {column}")
    return lacking


def _days(table: DataFrame, column: str) -> Period | None:
    row = table.agg(F.min(column).alias("first"), F.max(column).alias("last")).first()
    if row is None or row["last"] is None:
        return None
    first: date = row["first"]
    last: date = row["last"]
    return Period(first, last)


def questions(context: StageContext) -> dict[str, str]:
    """Every question in Spark's SQL, by its name, about the newest days of the data.

    Raises:
        InputError: If nothing is published, or there is no day to ask about.
    """
    asked = _asked(context, _versions(context))
    dashboards = parse_catalogue(read_catalogue())
    return {query.name: asked.statement(query) for dashboard in dashboards for query in dashboard.queries}


def query_session(context: StageContext, versions: Mapping[str, int | None] | None = None) -> SparkSession:
    """A session that knows the lake's tables, as they are now or at some versions, by the names in `questions`.

    Its queries are planned anew when the sizes of their parts are known. The metastore does not know them, so that each
    join would be planned as one of two large tables.
    """
    session = stage_session(context.spark)
    session.conf.set("spark.sql.adaptive.enabled", "true")
    for name, table in _LAKE.items():
        version = versions[name] if versions else None
        delta.read(session, context.layout.path(table), version).createOrReplaceTempView(_VIEWS[name])
    return session


def _answer(session: SparkSession, asked: _Asked, query: Query) -> Answer:
    period = query.span.resolve(asked.data)
    frame = session.sql(asked.statement(query))
    _require_columns(query, frame.columns)
    types = tuple(kind for _, kind in frame.dtypes)
    if query.needs in asked.lacking:
        # Sums over nothing are a row of zeros; where there is nothing to ask, there is no answer.
        return Answer(query, period, frame.limit(0).toArrow(), types, asked.lacking[query.needs])
    rows = frame.toArrow()
    days = period or asked.data
    nothing = f"nothing between {days.first} and {days.last} answers this question"
    return Answer(query, period, rows, types, None if rows.num_rows else nothing)


def _require_columns(query: Query, columns: list[str]) -> None:
    declared = [column.name for column in query.columns]
    if columns != declared:
        raise ConfigurationError(
            f"{query.name} gives {', '.join(columns)} and declares {', '.join(declared)}",
            where="conf/sql/impala/impala_bi_queries.sql",
            remedy="mend its annotation `columns`",
        )


def gate_answers(context: StageContext, names: Sequence[str], facts: Sequence[tuple[Any, ...]]) -> tuple[str, ...]:
    """Hold what was found of the answers against the gate, and give what is odd and does not close it.

    Args:
        context: The stage's.
        names: The queries that were to be answered.
        facts: In the columns of FACTS_SCHEMA.

    Raises:
        GateFailedError: If the gate is closed; it names the queries.
    """
    odd = oddities(facts)
    try:
        context.gate("bi_dashboards", local_frame(context.spark, facts, FACTS_SCHEMA), queries=list(names))
    except GateFailedError as error:
        raise GateFailedError(error.what, where="; ".join((error.where, *odd)), remedy=error.remedy) from error
    return odd


def _notes(index: Index, answers: Mapping[str, Answer]) -> tuple[str, ...]:
    rows = sum(answer.rows.num_rows for answer in answers.values())
    empty: dict[str, list[str]] = {}
    for answer in answers.values():
        if answer.empty_because:
            empty.setdefault(answer.empty_because, []).append(answer.query.name)
    summary = f"{len(answers)} queries, {rows:,} rows, as of {index.as_of}"
    return (summary, *(f"empty, as {why}: {', '.join(names)}" for why, names in empty.items()))


BI_DASHBOARDS = Stage(
    name="bi_dashboards",
    title="answers for the five dashboards",
    inputs=("warehouse/hive", "ops/tables", SESSIONS, CART_ITEMS),
    outputs=("analytics/bi",),
    run=run,
    suites=("bi_dashboards",),
)
