"""etl_warehouse: sessions, carts and aggregates, each computed whole from the facts in the lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.job import Stage, StageContext, StageResult
from common.stages.dimensions import DIM_PRODUCTS, DIM_USERS
from common.stages.facts import FACT_CLICKSTREAM, FACT_TRANSACTIONS
from common.stages.origins import Origin, is_up_to_date, origin_of
from common.stages.tables import Saved, read_lake, recorded_rows, save
from common.storage import delta
from common.storage.persisting import adding_up_sorted, persisted
from common.transforms import aggregates
from common.transforms.scd2 import UNKNOWN_SK
from common.transforms.sessions import FUNNEL, VISIT, cart_items, is_counted_event, sessions

SESSIONS, CART_ITEMS = "warehouse/lake/sessions", "warehouse/lake/cart_items"
DAILY_SALES, USER_METRICS = "warehouse/lake/agg_daily_sales", "warehouse/lake/agg_user_metrics"
CATEGORY_REVENUE = "warehouse/lake/mv_daily_revenue_by_category"

_INPUTS = (FACT_TRANSACTIONS, FACT_CLICKSTREAM, DIM_USERS, DIM_PRODUCTS)
_OUTPUTS = (CART_ITEMS, SESSIONS, DAILY_SALES, CATEGORY_REVENUE, USER_METRICS)
_ORDER = {
    CART_ITEMS: ("session_id", "product_id"),
    SESSIONS: ("session_date", "started_at", "session_id"),
    DAILY_SALES: ("sales_date", "country"),
    CATEGORY_REVENUE: ("sales_date", "category"),
    USER_METRICS: ("user_id",),
}
_AMOUNTS = ("gross_amount", "return_amount", "net_amount")


@dataclass(frozen=True)
class _Lake:
    """What the stage reads, at the versions that its commits name."""

    lines: DataFrame
    events: DataFrame
    users: DataFrame
    products: DataFrame


def run(context: StageContext) -> StageResult:
    """Compute the five tables and commit those that came out differently.

    Rows, amounts and quantities are conserved: the lines of all days, of all categories and of the fact are as many,
    and so are their amounts and units; each counted event is in one session; each current customer has one row.
    There is no account of rows, as an aggregate keeps none.
    """
    origin = origin_of(context, _INPUTS)
    if all(is_up_to_date(context, table, origin) for table in _OUTPUTS):
        tables = {table: (_version(context, table),) * 2 for table in _OUTPUTS}
        return StageResult("skipped", tables=tables, notes=("the facts have not changed",))
    lake = _read(context, origin)
    with ExitStack() as kept:
        saved = _sessions_and_carts(context, lake, origin, kept)
        saved += _aggregates(context, lake, origin, kept, saved)
    is_skipped = not any(each.is_new for each in saved)
    tables = {each.table: (each.before, each.after) for each in saved}
    notes = tuple(f"{_name(each.table)}: {each.rows:,} rows{'' if each.is_new else ', unchanged'}" for each in saved)
    return StageResult("skipped" if is_skipped else "ok", tables=tables, notes=notes)


def _read(context: StageContext, origin: Origin) -> _Lake:
    frames = []
    for table in _INPUTS:
        version = origin.inputs[table]
        if version is None:
            frames.append(read_lake(context, _name(table)))
        else:
            frames.append(delta.read(context.spark, context.layout.path(table), version))
    return _Lake(*frames)


def _name(table: str) -> str:
    return table.rpartition("/")[2]


def _version(context: StageContext, table: str) -> int | None:
    return delta.version_of(context.spark, context.layout.path(table))


def _save(
    context: StageContext,
    table: str,
    frame: DataFrame,
    origin: Origin,
    totals: Mapping[str, Any] | None = None,
    **parameters: Any,  # noqa: ANN401 - as GX takes them
) -> Saved:
    return save(
        context,
        table,
        frame,
        origin,
        suite=f"etl_warehouse.{_name(table)}",
        order=_ORDER[table],
        totals=totals,
        checks=_checks(table),
        parameters=parameters,
    )


def _checks(table: str) -> dict[str, Column]:
    """What must hold between the columns of a table."""
    conditions = {
        SESSIONS: {"is_interval": F.col("started_at") <= F.col("ended_at")},
        DAILY_SALES: {
            "is_within_lines": F.greatest("sale_lines", "return_lines") <= F.col("lines"),
            "is_within_orders": F.col("customers") <= F.col("orders"),
        },
        CATEGORY_REVENUE: {
            "is_within_lines": F.greatest("sale_lines", "orders") <= F.col("lines"),
        },
        USER_METRICS: {
            "is_interval": F.coalesce(F.col("first_purchase_date") <= F.col("last_purchase_date"), F.lit(True))
        },
    }
    return conditions.get(table, {})


def _sessions_and_carts(context: StageContext, lake: _Lake, origin: Origin, kept: ExitStack) -> list[Saved]:
    carts = kept.enter_context(persisted(cart_items(lake.events, lake.products, lake.lines)))
    with adding_up_sorted(context.spark):
        visits = kept.enter_context(persisted(sessions(lake.events, carts, lake.lines, context.source.time_zone)))
    counted = lake.events.where(is_counted_event()).count()
    return [
        _save(context, CART_ITEMS, carts, origin),
        _save(context, SESSIONS, visits, origin, {"events": counted}, steps=[VISIT, *FUNNEL]),
    ]


def _aggregates(
    context: StageContext, lake: _Lake, origin: Origin, kept: ExitStack, before: Sequence[Saved]
) -> list[Saved]:
    sales = kept.enter_context(persisted(aggregates.sales(lake.lines, lake.users, lake.products)))
    visits = delta.read(context.spark, context.layout.path(SESSIONS), before[-1].after)
    totals = {"lines": recorded_rows(context, FACT_TRANSACTIONS), **_totals(lake.lines)}
    is_customer = F.col("is_current") & (F.col("user_sk") != UNKNOWN_SK)
    customers = lake.users.where(is_customer).count()
    saved = []
    for table, frame, conserved in (
        (DAILY_SALES, aggregates.daily_sales(sales), totals),
        (CATEGORY_REVENUE, aggregates.daily_revenue_by_category(sales), totals),
        (USER_METRICS, aggregates.user_metrics(lake.users, sales, visits), {}),
    ):
        with persisted(frame) as computed:
            saved.append(_save(context, table, computed, origin, conserved, customers=customers))
    return saved


def _totals(lines: DataFrame) -> dict[str, Any]:
    """What the aggregates must add up to: amounts, and the units that were sold and that came back."""
    units = {
        "units": F.when(F.col("is_sale"), F.col("quantity")),
        "returned_units": F.when(F.col("is_return"), F.abs("quantity")),
    }
    parts = {**{name: F.col(name) for name in _AMOUNTS}, **units}
    row = lines.agg(*[F.coalesce(F.sum(part), F.lit(0)).alias(name) for name, part in parts.items()]).first()
    return row.asDict() if row else {}


ETL_WAREHOUSE = Stage(
    name="etl_warehouse",
    title="sessions, carts and aggregates",
    inputs=_INPUTS,
    outputs=_OUTPUTS,
    run=run,
    suites=tuple(f"etl_warehouse.{_name(table)}" for table in _OUTPUTS),
)
