"""Charts: panels, figures beside bars, weeks and months that are not whole, losses, what is lost from step to step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar

import pytest

from pipelines.report.charts.canvas import Drawing
from pipelines.report.charts.figures import draw
from pipelines.report.charts.specs import ChartSpec, chart_for
from pipelines.report.pages.glance import glance_table, is_glance
from pipelines.report.pages.model import made_query
from pipelines.report.results import Column, Period, Query

UNITS = {"money": "decimal(18,2)", "count": "bigint", "date": "date", "flag": "boolean", "text": "string"}


def query_of(columns: dict[str, str], rows: Sequence[Sequence[Any]], name: str = "own") -> Query:
    """A query of columns name → unit."""
    return made_query(
        name, "t", "?", [Column(key, UNITS.get(unit, "double"), unit) for key, unit in columns.items()], rows
    )


def drawn(query: Query, spec: ChartSpec) -> Drawing:
    period = (query.period.start, query.period.end) if query.period else None
    drawing = draw(spec.drawn(query), spec, "USD", period)
    assert drawing is not None
    return drawing


def weeks(first: date, count: int) -> Query:
    """Revenue by week with its growth; a period that begins in the first week."""
    rows = [(first + timedelta(weeks=index), 100.0 + index, 0.1 if index else None) for index in range(count)]
    query = query_of({"week_start": "date", "net_revenue": "money", "net_revenue_growth": "growth"}, rows)
    last = first + timedelta(weeks=count) - timedelta(days=1)
    return replace(query, period=Period(first + timedelta(days=2), last))


def test_weeks_end_with_the_last_one_and_are_named_by_their_first_days() -> None:
    query = weeks(date(2025, 12, 15), 4)
    axis = drawn(query, ChartSpec("columns", "week_start", ("net_revenue",))).figure["layout"]["xaxis"]
    assert axis["range"] == ["2025-12-11T12:00:00", "2026-01-08T12:00:00"]
    assert axis["ticktext"] == ["15 Dec<br>2025", "22 Dec", "29 Dec", "5 Jan<br>2026"]
    assert axis["tickvals"][0] == "2025-12-15"


def test_a_week_that_is_not_whole_is_hatched() -> None:
    query = weeks(date(2025, 11, 3), 3)
    [trace] = drawn(query, ChartSpec("columns", "week_start", ("net_revenue",))).figure["data"]
    assert trace["marker"]["pattern"]["shape"] == ["/", "", ""]


def test_the_flag_of_a_query_goes_before_its_period() -> None:
    rows = [(date(2025, 10, 1), True, 5.0), (date(2025, 11, 1), False, 1.0)]
    query = query_of({"month_start": "date", "is_whole_month": "flag", "net_revenue": "money"}, rows)
    [trace] = drawn(query, ChartSpec("columns", "month_start", ("net_revenue",))).figure["data"]
    assert trace["marker"]["pattern"]["shape"] == ["", "/"]


def test_a_panel_below_has_an_axis_of_its_own() -> None:
    query = weeks(date(2025, 11, 3), 3)
    drawing = drawn(query, ChartSpec("columns", "week_start", ("net_revenue",), below=("net_revenue_growth",)))
    above, below = drawing.figure["data"]
    assert (above.get("yaxis", "y"), below["yaxis"]) == ("y", "y2")
    assert below["marker"]["color"] == ["@good", "@good"], "growth is known from the second week on"
    layout = drawing.figure["layout"]
    assert layout["yaxis2"]["domain"][1] < layout["yaxis"]["domain"][0]
    assert [each["text"] for each in layout["annotations"]] == ["net revenue growth"]


def test_figures_beside_bars_keep_rows_without_a_bar() -> None:
    rows = [("none", None, 1.25), ("up to 5 %", 8.0, 1.5), ("unknown", None, None)]
    query = query_of({"band": "text", "margin_per_discount": "ratio", "units_per_line": "ratio"}, rows)
    figure = drawn(query, ChartSpec("bars", "band", ("margin_per_discount",), beside=("units_per_line",))).figure
    assert figure["layout"]["yaxis"]["ticktext"] == ["none", "up to 5 %"]
    assert figure["data"][0]["text"] == ["–", "8.00"]  # noqa: RUF001 - as pages have it
    [beside] = figure["layout"]["meta"]["beside"]
    assert (beside["head"], beside["texts"]) == ("units per line", ["1.25", "1.50"])


def test_growth_beside_bars_is_coloured() -> None:
    rows = [("a", 3.0, 0.2), ("b", 2.0, -0.1), ("c", 1.0, None)]
    query = query_of({"shop": "text", "net": "money", "net_growth": "growth"}, rows)
    figure = drawn(query, ChartSpec("bars", "shop", ("net",), beside=("net_growth",))).figure
    [beside] = figure["layout"]["meta"]["beside"]
    assert beside["texts"] == ["+20.0%", "-10.0%", "–"]  # noqa: RUF001 - as pages have it
    assert beside["colours"] == ["@good", "@bad", "@muted"]


def test_each_ranking_has_bars_of_its_own_length() -> None:
    rows = [("highest", "a", 39000.0), ("highest", "b", 20000.0), ("lowest", "c", -7.0)]
    query = query_of({"ranking": "text", "product": "text", "margin": "money"}, rows)
    figure = drawn(query, ChartSpec("bars", "product", ("margin",), series="ranking")).figure
    assert [(trace["xaxis"], trace["yaxis"], trace["x"]) for trace in figure["data"]] == [
        ("x", "y", [39000.0, 20000.0]),
        ("x2", "y2", [-7.0]),
    ]
    upper, lower = (figure["layout"][axis]["domain"] for axis in ("yaxis", "yaxis2"))
    assert lower[1] < upper[0]


def test_what_is_lost_is_part_of_the_step_before() -> None:
    query = query_of(
        {"device": "text", "visits": "count", "carts": "count", "bought": "count", "conversion": "share"},
        [("mobile", 100, 50, 40, 0.4), ("watch", 10, 0, 0, 0.0)],
    )
    [trace] = drawn(query, ChartSpec("drops", "device", ("visits", "carts", "bought"), value="conversion")).figure[
        "data"
    ]
    assert trace["z"] == [[0.5, pytest.approx(0.2)], [1.0, None]]
    assert trace["y"] == ["mobile<br>40.0%", "watch<br>0.00%"]


def test_a_chart_is_drawn_without_the_columns_beside_it_that_are_gone() -> None:
    query = query_of({"country": "text", "net_revenue": "money"}, [("DE", 1.0), ("FR", 2.0)], "revenue_by_country")
    assert chart_for(query) == ChartSpec("bars", "country", ("net_revenue",))


class TestGlance:
    columns: ClassVar = {
        "from_date": "date", "net_revenue": "money", "net_revenue_before": "money", "net_revenue_growth": "growth",
        "orders": "count", "orders_before": "count", "margin_share": "share",
    }  # fmt: skip

    def test_each_figure_has_a_row(self) -> None:
        query = query_of(self.columns, [(date(2025, 11, 1), 4710170.06, 3756995.12, 0.2537, 90, 100, 0.41)])
        assert is_glance(query)
        table = glance_table(query, "x.csv", "USD")
        assert [[cell.text for cell in row] for row in table.rows] == [
            ["net revenue, USD", "4,710,170", "3,756,995", "▲ 25.4%"],
            ["orders", "90", "100", "▼ 10.0%"],
            ["margin share", "41.0%", "–", "–"],  # noqa: RUF001 - as pages have it
        ]
        assert table.rows[0][1].value == "4710170.06", "sorting has all digits"

    def test_two_rows_are_no_glance(self) -> None:
        row = (date(2025, 11, 1), 1.0, 1.0, 0.0, 1, 1, 0.1)
        assert not is_glance(query_of(self.columns, [row, row]))
