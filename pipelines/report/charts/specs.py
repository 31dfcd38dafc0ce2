"""What is drawn for a query: declared by its name, otherwise guessed from its columns."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipelines.report.results import Column, Query

Row = dict[str, Any]
Kind = Literal["line", "columns", "stacked", "bars", "heatmap", "funnel", "drops", "scatter", "table"]
_FEW = 4
_UNITS_BY_WORTH = ("money", "share", "count", "seconds", "days", None)


@dataclass(frozen=True)
class ChartSpec:
    """What is drawn for a query.

    Attributes:
        kind: line and columns over time or an ordered category; stacked columns by series; bars for a ranking;
            heatmap of two categories; funnel of ordered steps; drops for what is lost from step to step in each group;
            scatter of two numbers; table for no chart.
        x: The column along the horizontal axis; of bars and funnels the label.
        y: The columns of values, all of one unit; of a heatmap the vertical category; of drops the steps in order.
        series: The column that tells lines or stacks apart; bars have a panel for each of its values.
        value: The value of a heatmap; of drops what comes of all steps together.
        label: The name of a point of a scatter, or a second name of a bar.
        trend: A line over columns.
        guides: Lines that are no data but show what would be, by their names in the series.
        below: Columns over the same time, each in a panel of its own below.
        beside: Columns whose values stand as figures to the right of bars.
        ranked: The end from which the rows of a ranking were taken, highest or lowest; None where there are all.
        leave_out: A column and the value of rows that are not drawn.
        limit: How many bars are drawn at most; with a series, of each.
        wide: Whether it takes the whole width of a page.
    """

    kind: Kind
    x: str | None = None
    y: tuple[str, ...] = ()
    series: str | None = None
    value: str | None = None
    label: str | None = None
    trend: str | None = None
    guides: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    ranked: Literal["highest", "lowest"] | None = None
    leave_out: tuple[str, object] | None = None
    limit: int = 15
    wide: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns without which it cannot be drawn."""
        named = (self.x, *self.y, self.series, self.value, self.label, self.trend)
        return tuple(name for name in named if name)

    def fitted(self, known: Set[str]) -> ChartSpec:
        """Without the columns beside and below that are not there."""
        below, beside = (tuple(name for name in names if name in known) for names in (self.below, self.beside))
        return replace(self, below=below, beside=beside)

    def drawn(self, query: Query) -> Query:
        """A query with the rows that are drawn."""
        if self.leave_out is None:
            return query
        column, value = self.leave_out
        return replace(query, rows=tuple(row for row in query.rows if row.get(column) != value))

    def limited(self, rows: Sequence[Row]) -> list[Row]:
        """The bars of some rows: as many as the limit says, with a series as many of each; none without a figure."""
        drawn: list[Row] = []
        counts: dict[str, int] = {}
        for row in rows:
            group = str(row[self.series]) if self.series else ""
            has_figure = any(row[name] is not None for name in (*self.y, *self.beside))
            if has_figure and counts.get(group, 0) < self.limit:
                counts[group] = counts.get(group, 0) + 1
                drawn.append(row)
        return drawn

    def left_out(self, query: Query) -> Sequence[Row]:
        """The rows of a query that are not drawn."""
        drawn = self.drawn(query).rows
        return [row for row in query.rows if row not in drawn] if len(drawn) < len(query.rows) else []


TABLE = ChartSpec("table")
_NET = ("net_revenue",)
CHARTS: dict[str, ChartSpec] = {
    # revenue
    "revenue_summary": TABLE,
    "daily_revenue": ChartSpec(
        "columns", "sales_date", _NET, trend="net_revenue_7_day_average", below=("margin", "orders"), wide=True
    ),
    "hourly_revenue": ChartSpec("columns", "hour", ("revenue",), wide=True),
    "weekly_revenue": ChartSpec("columns", "week_start", _NET, below=("net_revenue_growth",)),
    "monthly_margin": ChartSpec(
        "columns", "month_start", ("gross_revenue", "net_revenue", "margin"), below=("margin_share",)
    ),
    "revenue_by_category": ChartSpec("bars", "category", _NET, beside=("margin", "net_revenue_growth")),
    "revenue_by_country": ChartSpec("bars", "country", _NET, beside=("net_revenue_growth",)),
    "revenue_by_payment": ChartSpec("bars", "payment_method", _NET, beside=("return_share",)),
    "revenue_by_weekday_hour": ChartSpec("heatmap", "hour_of_day", ("weekday",), value="net_revenue", wide=True),
    # product_performance
    "top_products": ChartSpec("bars", "product_name", _NET, ranked="highest"),
    "bottom_products": ChartSpec("bars", "product_name", _NET, ranked="lowest"),
    "top_products_by_units": ChartSpec("bars", "product_name", ("units",), ranked="highest"),
    "products_by_margin": ChartSpec("bars", "product_name", ("margin",), series="ranking", limit=8),
    "view_to_purchase": ChartSpec("scatter", "viewing_sessions", ("conversion",), label="product_name"),
    # Lines without a discount have no margin per discount, and are what the others are held against.
    "discount_return": ChartSpec("bars", "discount_band", ("margin_per_discount",), beside=("units_per_line",)),
    "stock_cover": ChartSpec("bars", "product_name", ("days_of_cover",), ranked="lowest"),
    # customer_segmentation
    # Most of those who signed up never buy; beside them the others would be too short to compare.
    "rfm_segments": ChartSpec(
        "bars", "segment", ("customer_share", "net_revenue_share"), leave_out=("segment", "never bought")
    ),
    "rfm_matrix": ChartSpec("heatmap", "frequency_score", ("recency_score",), value="customers"),
    # In the month of the first purchase everybody bought: 100 % would wash out the rest of the colours.
    "cohort_retention": ChartSpec(
        "heatmap", "months_since", ("cohort_month",), value="retention", leave_out=("months_since", 0)
    ),
    "cohort_value": ChartSpec("line", "months_since", ("revenue_per_customer_to_date",), series="cohort_month"),
    "lifetime_value": ChartSpec("columns", "tenth", ("net_revenue_share",)),
    "new_and_returning": ChartSpec("stacked", "week_start", ("gross_revenue",), series="customer_kind", wide=True),
    "loyalty_tiers": ChartSpec("bars", "loyalty_tier", ("net_revenue_per_customer",), beside=("buyer_share",)),
    # conversion_funnel
    "funnel_steps": ChartSpec("funnel", "step_name", ("sessions",), beside=("lost_sessions",), wide=True),
    "funnel_by_device": ChartSpec(
        "drops", "device_type", ("visits", "viewed", "added_to_cart", "began_checkout", "purchased"), value="conversion"
    ),
    "funnel_by_source": ChartSpec("bars", "entry_source", ("conversion",), label="entry_medium", beside=("visits",)),
    "daily_funnel": ChartSpec("line", "session_date", ("visits",), below=("conversion",), wide=True),
    "step_times": ChartSpec("bars", "step_name", ("median_seconds", "ninth_tenth_seconds")),
    # abandoned_carts
    "abandonment_summary": TABLE,
    "abandonment_by_day": ChartSpec(
        "line",
        "session_date",
        ("abandoned_sessions",),
        below=("abandonment_rate", "abandoned_value"),
        wide=True,
    ),
    "abandonment_by_hour": ChartSpec("columns", "hour_of_day", ("abandonment_rate",), below=("abandoned_sessions",)),
    "abandonment_by_device": ChartSpec("bars", "device_type", ("abandonment_rate",), beside=("abandoned_sessions",)),
    "abandonment_by_category": ChartSpec("bars", "category", ("left_value",), beside=("left_share",)),
    "cart_recovery": ChartSpec("bars", "outcome", ("abandoned_sessions",), beside=("session_share", "share_of_known")),
    "top_left_behind": ChartSpec("bars", "product_name", ("left_value",), ranked="highest"),
}


def chart_for(query: Query) -> ChartSpec:
    """The declared chart of a query; a guess for one that nobody declared, or whose columns are not there any more."""
    declared = CHARTS.get(query.name)
    known = {column.name for column in query.columns}
    if declared is not None and set(declared.columns) <= known:
        return declared.fitted(known)
    return guess(query)


def guess(query: Query) -> ChartSpec:
    """A chart by what the columns are: a line over time, bars for categories, a table when neither fits."""
    numbers = [column for column in query.columns if column.is_number and not _is_position(column)]
    words = [column for column in query.columns if not column.is_number and not column.is_time]
    time = query.time_column
    if not numbers or len(query.rows) == 1:
        return TABLE
    worthiest = min(numbers, key=lambda column: _UNITS_BY_WORTH.index(_known_unit(column)))
    alike = tuple(column.name for column in numbers if _known_unit(column) == _known_unit(worthiest))[:_FEW]
    if time is not None and not words:
        return ChartSpec("line", time.name, alike, wide=True)
    if time is not None and len(words) == 1:
        return ChartSpec("line", time.name, (worthiest.name,), series=words[0].name, wide=True)
    if words and time is None:
        second = words[1].name if len(words) > 1 else None
        return ChartSpec("bars", words[0].name, (worthiest.name,), label=second)
    return TABLE


def _known_unit(column: Column) -> str | None:
    return column.unit if column.unit in _UNITS_BY_WORTH else None


def _is_position(column: Column) -> bool:
    """A number that says where a row stands, such as a step or an hour of the day, and is no figure."""
    return column.unit in {"number", "score"} or column.name in {"rank", "position"} or column.name.endswith("_rank")
