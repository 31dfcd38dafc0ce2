"""The figures at the head of each dashboard: which column of which query, held against the period before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pipelines.report import formats
from pipelines.report.charts.sparkline import Sparkline, sparkline
from pipelines.report.results import Column, Dashboard, Query

_SPARK_POINTS = 30
_FLAT = 0.0005


@dataclass(frozen=True)
class Change:
    """How a figure moved: by how much, on what, and whether that is good, bad or neither."""

    size: str
    against: str
    verdict: Literal["good", "bad", "neutral"]


@dataclass(frozen=True)
class Tile:
    """A figure at the head of a page.

    Attributes:
        label: What it is.
        value: As text.
        change: Against the period before or an earlier run; None where there is none.
        note: A few words below it.
        spark: Its course.
        spark_label: What the course shows, in words.
        href: Where more is said.
    """

    label: str
    value: str
    change: Change | None = None
    note: str | None = None
    spark: Sparkline | None = None
    spark_label: str = ""
    href: str | None = None


@dataclass(frozen=True)
class Kpi:
    """Where a tile's figure comes from.

    Attributes:
        label: What it is.
        query: The query.
        column: The column.
        where: A column and its value, of the row to take; None takes the first row.
        total: Whether to add up all rows instead.
        before: The column with the figure of the period before.
        note: The column whose value stands below.
        course: Query and column of its course over time.
        better: Whether more is better, less is better, or neither.
    """

    label: str
    query: str
    column: str
    where: tuple[str, object] | None = None
    total: bool = False
    before: str | None = None
    note: str | None = None
    course: tuple[str, str] | None = None
    better: Literal["up", "down"] | None = "up"


_REVENUE, _CARTS = "revenue_summary", "abandonment_summary"
KPIS: dict[str, tuple[Kpi, ...]] = {
    "revenue": (
        Kpi(
            "Net revenue", _REVENUE, "net_revenue", before="net_revenue_before", course=("daily_revenue", "net_revenue")
        ),
        Kpi(
            "Gross revenue",
            _REVENUE,
            "gross_revenue",
            before="gross_revenue_before",
            course=("daily_revenue", "gross_revenue"),
        ),
        Kpi("Margin", _REVENUE, "margin", before="margin_before", course=("daily_revenue", "margin")),
        Kpi("Orders", _REVENUE, "orders", before="orders_before", course=("daily_revenue", "orders")),
        Kpi("Buyers", _REVENUE, "customers", before="customers_before"),
        Kpi(
            "Average order",
            _REVENUE,
            "average_order_value",
            before="average_order_value_before",
            course=("daily_revenue", "average_order_value"),
        ),
    ),
    "product_performance": (
        Kpi("Highest revenue", "top_products", "net_revenue", note="product_name"),
        Kpi("Most units sold", "top_products_by_units", "units", note="product_name"),
        Kpi("Highest margin", "products_by_margin", "margin", note="product_name"),
        Kpi("Least stock cover", "stock_cover", "days_of_cover", note="product_name"),
    ),
    "customer_segmentation": (
        Kpi("Customers", "rfm_segments", "customers", total=True),
        Kpi("Champions' part of revenue", "rfm_segments", "net_revenue_share", where=("segment", "champions")),
        Kpi("Best tenth's part of revenue", "lifetime_value", "net_revenue_share", where=("tenth", 1)),
        Kpi("A champion's revenue", "rfm_segments", "net_revenue_per_customer", where=("segment", "champions")),
    ),
    "conversion_funnel": (
        Kpi("Visits", "funnel_steps", "sessions", where=("step_name", "visit"), course=("daily_funnel", "visits")),
        Kpi(
            "Visits that buy",
            "funnel_steps",
            "share_of_visits",
            where=("step_name", "purchase"),
            course=("daily_funnel", "conversion"),
        ),
        Kpi("Visits with a cart", "funnel_steps", "share_of_visits", where=("step_name", "add to cart")),
        Kpi("Checkouts that buy", "funnel_steps", "share_of_step_before", where=("step_name", "purchase")),
    ),
    "abandoned_carts": (
        Kpi(
            "Abandonment rate",
            _CARTS,
            "abandonment_rate",
            before="abandonment_rate_before",
            course=("abandonment_by_day", "abandonment_rate"),
            better="down",
        ),
        Kpi(
            "Value left behind",
            _CARTS,
            "abandoned_value",
            before="abandoned_value_before",
            course=("abandonment_by_day", "abandoned_value"),
            better="down",
        ),
        Kpi(
            "Abandoned carts",
            _CARTS,
            "abandoned_sessions",
            before="abandoned_sessions_before",
            course=("abandonment_by_day", "abandoned_sessions"),
            better="down",
        ),
        Kpi("Average abandoned cart", _CARTS, "average_abandoned_value", better=None),
    ),
}


def tiles(dashboard: Dashboard, currency: str | None) -> list[Tile]:
    """The tiles of a dashboard; a figure without a query, or of an empty one, is left out."""
    made = (_tile(dashboard, kpi, currency) for kpi in KPIS.get(dashboard.name, ()))
    return [tile for tile in made if tile is not None]


def change(
    now: Any,  # noqa: ANN401 - int, float or Decimal
    before: Any,  # noqa: ANN401 - int, float, Decimal or None
    unit: str | None,
    better: Literal["up", "down"] | None,
    against: str,
) -> Change | None:
    """How a figure moved; a share in percentage points, anything else in per cent of what it was."""
    if now is None or before is None:
        return None
    if unit == "share":
        moved = float(now) - float(before)
        size = f"{abs(moved) * 100:.{1 if abs(moved) >= _FLAT * 2 else 2}f} points"
    elif not before:
        return None
    else:
        moved = float(now) / float(before) - 1
        size = f"{abs(moved) * 100:,.1f}%"
    if abs(moved) < _FLAT:
        return Change("unchanged", f"on {against}", "neutral")
    arrow = "▲" if moved > 0 else "▼"
    verdict: Literal["good", "bad", "neutral"] = (
        "neutral" if better is None else "good" if (moved > 0) == (better == "up") else "bad"
    )
    return Change(f"{arrow} {size}", f"on {against}", verdict)


def _tile(dashboard: Dashboard, kpi: Kpi, currency: str | None) -> Tile | None:
    query = dashboard.query(kpi.query)
    column = query.column(kpi.column) if query else None
    if query is None or column is None:
        return None
    row = _row(query, kpi)
    if row is None or row.get(kpi.column) is None:
        return None
    value = sum(each[kpi.column] or 0 for each in query.rows) if kpi.total else row[kpi.column]
    before = row.get(kpi.before) if kpi.before else None
    course = _course(dashboard, kpi)
    spoken = formats.compact(value, column.unit, currency)
    if column.unit == "days":
        spoken += " days"
    return Tile(
        label=kpi.label,
        value=spoken,
        change=change(value, before, column.unit, kpi.better, _against(query)),
        note=str(row[kpi.note]) if kpi.note and row.get(kpi.note) else None,
        spark=sparkline(course[0]) if course else None,
        spark_label=_spoken(course, currency) if course else "",
    )


def _row(query: Query, kpi: Kpi) -> dict[str, Any] | None:
    if kpi.where is None:
        return query.rows[0] if query.rows else None
    column, value = kpi.where
    return next((row for row in query.rows if row.get(column) == value), None)


def _against(query: Query) -> str:
    if query.period is None:
        return "the period before"
    days = (query.period.end - query.period.start).days + 1
    return f"{formats.plural(days, 'day')} before"


def _course(dashboard: Dashboard, kpi: Kpi) -> tuple[list[float], Column] | None:
    query = dashboard.query(kpi.course[0]) if kpi.course else None
    if query is None or kpi.course is None or query.time_column is None:
        return None
    column, time = query.column(kpi.course[1]), query.time_column.name
    if column is None:
        return None
    known = sorted((row[time], row[column.name]) for row in query.rows if row[column.name] is not None)
    values: Sequence[float | Decimal] = [value for _, value in known[-_SPARK_POINTS:]]
    return [float(value) for value in values], column


def _spoken(course: tuple[list[float], Column], currency: str | None) -> str:
    values, column = course
    if not values:
        return ""
    first, last = (formats.compact(value, column.unit, currency) for value in (values[0], values[-1]))
    return f"{column.label} over the last {len(values)} days, from {first} to {last}"
