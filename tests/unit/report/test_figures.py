"""Figures as text, flows as drawings: formats, summaries, changes, sparklines, places of nodes and ribbons."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from pipelines.report import formats
from pipelines.report.charts.buckets import missing_days
from pipelines.report.charts.figures import draw
from pipelines.report.charts.flow import Extent, Link, Node, lay_out
from pipelines.report.charts.sparkline import sparkline
from pipelines.report.charts.specs import CHARTS, ChartSpec, chart_for, guess
from pipelines.report.charts.summaries import summary
from pipelines.report.kpis import KPIS, change
from pipelines.report.pages.model import made_query
from pipelines.report.results import Column, Query

SPACE = "\u00a0"


@pytest.mark.parametrize(
    ("value", "unit", "cell", "compact"),
    [
        (1234567, "count", "1,234,567", f"1.23{SPACE}M"),
        (24416, "count", "24,416", "24,416"),
        (Decimal("48025.04"), "money", "48,025.04", f"48.0{SPACE}k{SPACE}USD"),
        (Decimal("-0.50"), "money", "-0.50", f"-0.50{SPACE}USD"),
        (Decimal("0.2660"), "share", "26.6%", "26.6%"),
        (0.0133, "share", "1.33%", "1.33%"),
        (Decimal("-0.0090"), "growth", "-0.9%", "-0.9%"),
        (330.2, "seconds", "5 min 30 s", "5 min 30 s"),
        (7380, "seconds", "2 h 03 min", "2 h 03 min"),
        (Decimal("7.9829"), "ratio", "7.98", "7.98"),
        (Decimal("12.0"), "days", "12", "12"),
        (None, "money", "–", "–"),  # noqa: RUF001 - as pages have it
    ],
)
def test_values_are_written_plainly(value: Any, unit: str, cell: str, compact: str) -> None:
    assert formats.cell(value, unit) == cell
    assert formats.compact(value, unit, "USD") == compact


@pytest.mark.parametrize(
    ("value", "column", "name"),
    [
        (1, "weekday", "Mon"), (18, "hour_of_day", "18:00"), (date(2025, 6, 1), "cohort_month", "Jun 2025"),
        (date(2025, 6, 2), "week_start", "2025-06-02"), ("credit_card", "payment_method", "credit card"),
        (None, "country", "unknown"), (True, "is_whole", "yes"),
    ],
)  # fmt: skip
def test_groups_are_named_as_people_name_them(value: Any, column: str, name: str) -> None:
    assert formats.category(value, column) == name


@pytest.mark.parametrize(
    ("now", "before", "unit", "better", "size", "verdict"),
    [
        (120, 100, "count", "up", "▲ 20.0%", "good"),
        (80, 100, "count", "up", "▼ 20.0%", "bad"),
        (Decimal("0.39"), Decimal("0.40"), "share", "down", "▼ 1.0 points", "good"),
        (100, 100, "money", "up", "unchanged", "neutral"),
        (5, 4, "count", None, "▲ 25.0%", "neutral"),
    ],
)
def test_changes_say_how_much_and_whether_that_is_good(  # noqa: PLR0917 - a table of cases
    now: Any, before: Any, unit: str, better: Any, size: str, verdict: str
) -> None:
    found = change(now, before, unit, better, "30 days before")
    assert found is not None
    assert (found.size, found.verdict) == (size, verdict)


@pytest.mark.parametrize(("now", "before"), [(1, None), (None, 1), (1, 0)])
def test_no_change_without_something_to_hold_against(now: Any, before: Any) -> None:
    assert change(now, before, "count", "up", "then") is None


def rows_by_day(*days: date) -> Query:
    columns = [Column("day", "date", "date"), Column("net", "decimal(18,2)", "money")]
    return made_query("q", "t", "?", columns, [(day, Decimal(day.day)) for day in days])


def test_a_course_is_summed_up_with_its_extremes() -> None:
    query = rows_by_day(date(2025, 11, 1), date(2025, 11, 3), date(2025, 11, 2))
    said = summary(query, ChartSpec("line", "day", ("net",)), "EUR")
    assert (
        said == f"Net: 6.00{SPACE}EUR in all, highest 3.00{SPACE}EUR (3 Nov 2025), lowest 1.00{SPACE}EUR (1 Nov 2025)."
    )


def test_customers_of_two_days_are_not_added_up() -> None:
    columns = [Column("day", "date", "date"), Column("customers", "bigint", "count")]
    query = made_query("q", "t", "?", columns, [(date(2025, 11, 1), 5), (date(2025, 11, 2), 5)])
    assert "in all" not in summary(query, ChartSpec("line", "day", ("customers",)), None)


def test_gaps_are_found_by_day_and_by_hour_and_not_by_week() -> None:
    first, last = date(2025, 11, 1), date(2025, 11, 4)
    days = [date(2025, 11, 1), date(2025, 11, 2)]
    assert missing_days(rows_by_day(*days), first, last) == [date(2025, 11, 3), date(2025, 11, 4)]
    columns = [Column("hour", "timestamp", "time"), Column("net", "double", "money")]
    hours = [(datetime(2025, 11, day, hour), 1.0) for day in (1, 2, 4) for hour in (3, 9)]
    assert missing_days(made_query("q", "t", "?", columns, hours), first, last) == [date(2025, 11, 3)]
    assert missing_days(rows_by_day(date(2025, 11, 3), date(2025, 11, 10)), first, date(2025, 11, 16)) == []


@pytest.mark.parametrize(
    ("columns", "kind", "y"),
    [
        ([("day", "date", "date"), ("net", "decimal(18,2)", "money"), ("orders", "bigint", "count")], "line", ("net",)),
        ([("day", "date", "date"), ("kind", "string", "text"), ("n", "bigint", "count")], "line", ("n",)),
        ([("shop", "string", "text"), ("rank", "int", "number"), ("rate", "double", "share")], "bars", ("rate",)),
        ([("shop", "string", "text"), ("note", "string", "text")], "table", ()),
        ([("hour", "int", "number"), ("weekday", "int", "number")], "table", ()),
    ],
)
def test_a_chart_is_guessed_from_the_columns(
    columns: list[tuple[str, str, str]], kind: str, y: tuple[str, ...]
) -> None:
    query = made_query("own", "t", "?", [Column(*each) for each in columns], [[None] * len(columns)] * 2)
    spec = guess(query)
    assert (spec.kind, spec.y) == (kind, y)


def test_a_declared_chart_whose_columns_are_gone_is_guessed_anew() -> None:
    query = made_query("top_products", "t", "?", [Column("name", "string", "text"), Column("n", "bigint", "count")],
                       [("a", 1), ("b", 2)])  # fmt: skip
    assert chart_for(query) == ChartSpec("bars", "name", ("n",))


def test_each_declared_chart_and_figure_is_of_a_query_that_there_is() -> None:
    from common.bi.catalogue import parse_catalogue, read_catalogue  # noqa: PLC0415 - for this test alone

    columns = {
        (dashboard.name, query.name): {column.name for column in query.columns}
        for dashboard in parse_catalogue(read_catalogue())
        for query in dashboard.queries
    }
    by_query = {query: names for (_, query), names in columns.items()}
    assert set(CHARTS) == set(by_query)
    for name, spec in CHARTS.items():
        assert {*spec.columns, *spec.below, *spec.beside} <= by_query[name], name
    for dashboard, kpis in KPIS.items():
        for kpi in kpis:
            wanted = {kpi.column, kpi.before, kpi.note, kpi.where[0] if kpi.where else None} - {None}
            assert wanted <= columns[dashboard, kpi.query], kpi.label
            assert kpi.course is None or kpi.course[1] in columns[dashboard, kpi.course[0]], kpi.label


def test_names_at_the_ends_of_lines_stay_apart_and_inside() -> None:
    columns = [Column("day", "date", "date"), Column("kind", "string", "text"), Column("net", "double", "money")]
    values = {"a": 10.0, "b": 10.0, "c": 9.9, "d": -2.0}
    rows = [(date(2025, 11, day), kind, value) for kind, value in values.items() for day in (1, 2)]
    drawing = draw(
        made_query("q", "t", "?", columns, rows), ChartSpec("line", "day", ("net",), series="kind"), "USD", None
    )
    assert drawing is not None
    layout = drawing.figure["layout"]
    low, high = layout["yaxis"]["range"]
    assert low == -2.0
    scale = (drawing.height - 60) / (high - low)
    pixels = sorted((each["y"] - low) * scale + each["yshift"] for each in layout["annotations"])
    assert pixels[0] == pytest.approx(8.0), "half a line above the axis"
    assert pixels[-1] <= drawing.height - 60
    assert all(upper - lower >= 15 - 1e-9 for lower, upper in pairwise(pixels))


@pytest.mark.parametrize(("values", "line"), [([], False), ([1.0], False), ([1.0, 1.0], True), ([1.0, 3.0, 2.0], True)])
def test_a_sparkline_needs_two_points(values: list[float], line: bool) -> None:
    found = sparkline(values)
    assert (found is not None) == line
    if found is not None:
        assert found.path.count("L") == len(values) - 1


def test_a_flow_keeps_proportions_and_stays_within_its_bars() -> None:
    nodes = [Node("a", 0, "a", 90), Node("b", 0, "b", 10), Node("c", 1, "c", 99), Node("d", 1, "d", 1, "quarantined")]
    links = [Link("a", "c", 89), Link("a", "d", 1), Link("b", "c", 10)]
    flow = lay_out(nodes, links, ("from", "to"), Extent(500.0, 200.0, 20.0))
    placed = {each.node.key: each for each in flow.nodes}
    assert placed["a"].height == pytest.approx(180.0)
    assert placed["d"].height == pytest.approx(2.0)
    assert placed["b"].y == pytest.approx(placed["a"].y + 180.0 + 20.0)
    assert [each.kind for each in flow.links] == ["data", "quarantined", "data"]
    assert max(each.y + each.height for each in flow.nodes) < flow.height
    assert {each.anchor for each in flow.nodes if each.node.column == 1} == {"end"}


def test_names_of_the_outer_columns_stand_beside_the_ribbons() -> None:
    nodes = [Node("a", 0, "a", 90), Node("b", 1, "b", 90), Node("c", 2, "c", 90)]
    flow = lay_out(
        nodes, [Link("a", "b", 90), Link("b", "c", 90)], ("1", "2", "3"), Extent(500.0, 100.0, 20.0, outside=80.0)
    )
    first, middle, last = flow.nodes
    assert (first.anchor, first.label_x < first.x) == ("end", True)
    assert middle.anchor == "start"
    assert middle.x == pytest.approx(245.0)
    assert (last.anchor, last.label_x > last.x + flow.node_width) == ("start", True)
    assert last.x + flow.node_width == pytest.approx(420.0)
