"""What stands at the head of pages: days, periods and runs, and notes on figures that do not explain themselves."""

from __future__ import annotations

import json

from common.layout import Layout
from pipelines.report.pages.model import Page
from pipelines.report.site import make_pages
from tests.unit.report.answers import DASHBOARDS, NEW, cohorts, daily, put_dashboards
from tests.unit.report.roots import put_published, put_quality, put_run, put_whole


def pages(layout: Layout) -> dict[str, Page]:
    return {page.file: page for page in make_pages(layout)}


def test_a_period_is_named_where_something_is_of_it(layout: Layout) -> None:
    put_run(layout)
    put_dashboards(layout, {"revenue": ("Revenue", [daily()]), "customer_segmentation": ("Customers", [cohorts()])})
    made = pages(layout)
    assert dict(made["dashboard-revenue.html"].facts)["Period"] == "1 Nov 2025 to 30 Nov 2025"
    assert (
        dict(made["dashboard-customer_segmentation.html"].facts)["Period"] == "all data, where a chart names no other"
    )


def test_data_quality_says_as_of_which_day(layout: Layout) -> None:
    put_run(layout)
    put_quality(layout)
    assert pages(layout)["quality.html"].facts == (("As of", "30 Nov 2025"), ("Run", NEW))


def test_rows_published_are_explained(layout: Layout) -> None:
    put_run(layout)
    put_published(layout)
    tiles = {tile.label: tile for tile in pages(layout)["index.html"].context["tiles"]}
    assert tiles["Rows read"].note == "from raw files, in this run"
    assert tiles["Rows published"].note == "tables as a whole, 60 of them aggregates"


def test_charts_of_models_say_what_their_own_figures_mean(layout: Layout) -> None:
    put_whole(layout)
    churn = {card.key: card for card in pages(layout)["model-churn.html"].context["cards"]}
    assert churn["churn_confusion"].summary == (
        "121 of 149 told right; 13 who left were missed, 15 who stayed were said to leave."
    )
    assert churn["churn_calibration"].summary.startswith("Furthest from the perfect line where ")
    assert churn["churn_calibration"].summary in churn["churn_calibration"].alt
    recommended = {card.key: card for card in pages(layout)["model-recommendations.html"].context["cards"]}
    assert recommended["recommendations_ndcg"].summary == (
        "The model reaches 0.200, of 0.300 at best; the best simpler rule, item to item, 0.150."
    )


def test_what_would_be_perfect_is_a_thin_line(layout: Layout) -> None:
    put_whole(layout)
    cards = {card.key: card for card in pages(layout)["model-churn.html"].context["cards"]}
    figure = json.loads(cards["churn_calibration"].figure)
    assert {trace["name"]: trace["line"].get("dash") for trace in figure["data"]} == {"model": None, "perfect": "dot"}
    assert [each["font"]["color"] for each in figure["layout"]["annotations"] if each["text"] == "perfect"] == [
        "@muted"
    ]


def test_a_glance_is_a_row_for_each_figure(layout: Layout) -> None:
    put_run(layout)
    put_dashboards(layout, {"revenue": DASHBOARDS["revenue"]})
    cards = {card.key: card for card in pages(layout)["dashboard-revenue.html"].context["cards"]}
    assert [row[0].text for row in cards["revenue_summary"].table.rows] == ["net revenue, USD", "orders"]
