"""Page models: what is said of a run, of its rows and of the dashboards, and what is said when something is missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from common.errors import InputError
from common.layout import Layout
from pipelines.report.pages.model import Page
from pipelines.report.site import make_pages
from tests.unit.report.answers import DASHBOARDS, NEW, daily, empty_query, put_churn, put_dashboards, query
from tests.unit.report.roots import FAILURE, OLD, put_published, put_quality, put_run, put_whole


def pages(layout: Layout) -> dict[str, Page]:
    return {page.file: page for page in make_pages(layout)}


def said(page: Page) -> list[tuple[str, str, str]]:
    return [(notice.kind, notice.title, notice.text) for notice in page.notices]


class TestOverview:
    def test_the_headline_is_that_of_the_newest_run(self, layout: Layout) -> None:
        put_whole(layout)
        assert (
            pages(layout)["index.html"].lead
            == "1,620 rows read, 32 turned away (1.98%), 5 tables published, 10 of 10 gates passed."
        )

    def test_tiles_hold_a_run_against_the_one_before(self, layout: Layout) -> None:
        put_whole(layout)
        tiles = {tile.label: tile for tile in pages(layout)["index.html"].context["tiles"]}
        assert tiles["Rows read"].value == "1,620"
        change = tiles["Rows read"].change
        assert (change.size, change.verdict) == ("▼ 50.0%", "neutral")
        assert change.against == "on the last run of these stages"
        assert tiles["Duration"].change.size == "unchanged"
        assert tiles["Gates passed"].value == "10 of 10"

    def test_the_first_run_has_nothing_to_be_held_against(self, layout: Layout) -> None:
        put_run(layout)
        tiles = pages(layout)["index.html"].context["tiles"]
        assert [tile.change for tile in tiles] == [None] * 5
        assert [tile.spark for tile in tiles] == [None] * 5

    def test_a_run_of_other_stages_is_not_held_against_it(self, layout: Layout) -> None:
        put_run(layout, OLD)
        put_run(layout, NEW, without=["publish_hive", "bi_dashboards"])
        assert [tile.change for tile in pages(layout)["index.html"].context["tiles"]] == [None] * 5

    def test_lanes_follow_each_other(self, layout: Layout) -> None:
        put_run(layout)
        lanes = pages(layout)["index.html"].context["lanes"]
        assert [(lane.start, lane.width, lane.gates) for lane in lanes[:3]] == [
            (0.0, 10.0, 20.0),
            (10.0, 10.0, 20.0),
            (20.0, 10.0, 20.0),
        ]

    def test_a_failed_run_says_where_and_why_and_what_was_not_reached(self, layout: Layout) -> None:
        put_run(layout, OLD)
        put_run(layout, NEW, fails="load_facts")
        page = pages(layout)["index.html"]
        [(kind, title, text)] = said(page)
        assert (kind, title) == ("bad", "This run failed in load_facts")
        assert text == f"{FAILURE}. Not reached: etl_warehouse, publish_hive, bi_dashboards."
        assert page.notices[0].href == f"../logs/{NEW}.log"
        assert [lane.status for lane in page.context["lanes"][-4:]] == ["failed"] + ["not reached"] * 3
        gates = {row[0].text: row[1].text for row in page.context["tables"]["gates"].rows}
        assert gates["load_facts"] == "failed"
        flow = page.context["flow"].wide
        assert [head for _, _, head in flow.heads] == ["Raw", "Clean", "Warehouse"]

    def test_a_run_that_failed_outside_its_stages_says_why(self, layout: Layout) -> None:
        put_run(layout)
        path = layout.local("ops", "run.json")
        run = json.loads(path.read_text())
        path.write_text(json.dumps({**run, "status": "failed", "error": "raw/users has no file -> deliver it"}))
        assert said(pages(layout)["index.html"]) == [("bad", "This run failed", "raw/users has no file -> deliver it")]

    def test_a_run_that_was_killed_has_not_ended(self, layout: Layout) -> None:
        put_run(layout, without=["publish_hive", "bi_dashboards"], status="running")
        [(kind, title, _)] = said(pages(layout)["index.html"])
        assert (kind, title) == ("warn", "This run has not ended")

    def test_a_root_without_a_run_says_that(self, layout: Layout) -> None:
        layout.local("ops").mkdir(parents=True)
        made = pages(layout)
        assert said(made["index.html"])[0][1] == "No run yet"
        assert said(made["quality.html"])[0][1] == "Nothing has been cleaned yet"
        assert said(made["dashboards.html"])[0][1] == "There are no dashboards yet"

    def test_each_gate_has_its_page_in_data_docs(self, layout: Layout) -> None:
        put_run(layout)
        rows = pages(layout)["index.html"].context["tables"]["gates"].rows
        links = [row[0].href for row in rows]
        assert len(links) == 10
        for link in links:
            assert layout.local("ops", "report", link).resolve().is_file()

    def test_rows_flow_as_the_account_says(self, layout: Layout) -> None:
        put_whole(layout)
        flow = pages(layout)["index.html"].context["flow"].wide
        values = {placed.node.key: placed.node.value for placed in flow.nodes}
        assert values["raw clickstream"] == 1000
        assert values["clean clickstream"] == 979
        assert values["all quarantined"] == 32
        assert values["all duplicates"] == 4
        assert values["published fact_"] == 489 + 979
        for name in ("users", "products", "transactions", "clickstream"):
            out = sum(each.link.value for each in flow.links if each.link.source == f"raw {name}")
            assert out == values[f"raw {name}"], "what flows out of a source is what it delivered"

    def test_a_source_without_clickstream_has_no_flow_of_it(self, layout: Layout) -> None:
        put_run(layout, without=["clean_clickstream"])
        put_published(layout)
        keys = {placed.node.key for placed in pages(layout)["index.html"].context["flow"].wide.nodes}
        assert "raw transactions" in keys
        assert "raw clickstream" not in keys


class TestQuality:
    def test_examples_of_rows_stay_out(self, layout: Layout) -> None:
        put_whole(layout)
        assert "ada@example.org" not in repr(pages(layout)["quality.html"])

    def test_reasons_are_counted(self, layout: Layout) -> None:
        put_whole(layout)
        users = pages(layout)["quality.html"].context["reasons"][0]
        assert [[cell.text for cell in row] for row in users.table.rows] == [
            ["malformed line", "1"],
            ["missing key", "1"],
        ]

    def test_one_run_makes_no_comparison(self, layout: Layout) -> None:
        put_run(layout)
        put_quality(layout)
        assert pages(layout)["quality.html"].context["history"] == []

    def test_runs_are_compared_oldest_first(self, layout: Layout) -> None:
        put_whole(layout)
        history = {card.key: card for card in pages(layout)["quality.html"].context["history"]}
        read = json.loads(history["rows_over_runs"].figure)
        clicks = next(trace for trace in read["data"] if trace["name"] == "clickstream")
        assert clicks["y"] == [2000, 1000]
        assert clicks["x"] == ["29 Nov 09:00", "30 Nov 09:00"]


class TestDashboards:
    def test_tiles_hold_the_period_against_the_one_before(self, layout: Layout) -> None:
        put_whole(layout)
        tiles = {tile.label: tile for tile in pages(layout)["dashboard-revenue.html"].context["tiles"]}
        assert (tiles["Net revenue"].value, tiles["Net revenue"].change.size) == ("34.4\u00a0k\u00a0USD", "▲ 14.5%")
        assert tiles["Orders"].change.verdict == "bad"
        assert tiles["Net revenue"].spark_label.startswith("net revenue over the last 30 days, from ")

    def test_figures_of_an_earlier_run_are_named_so(self, layout: Layout) -> None:
        put_run(layout, OLD)
        put_dashboards(layout, run_id=OLD)
        put_run(layout, NEW, fails="load_facts")
        [(kind, title, text), *_] = said(pages(layout)["dashboard-revenue.html"])
        assert (kind, title) == ("warn", "These figures are of an earlier run")
        assert text == f"They were made by run {OLD}; the newest run, {NEW}, failed."

    def test_a_source_without_clickstream_says_so(self, layout: Layout) -> None:
        put_run(layout)
        because = "the source has no clickstream"
        funnel = ("Conversion funnel", [empty_query("funnel_steps", because), empty_query("daily_funnel", because)])
        put_dashboards(layout, {**DASHBOARDS, "conversion_funnel": funnel})
        page = pages(layout)["dashboard-conversion_funnel.html"]
        assert said(page) == [("warn", "This dashboard has no data", "The source has no clickstream.")]
        assert [(card.empty, card.figure) for card in page.context["cards"]] == [(because, None)] * 2
        assert page.context["tiles"] == []

    @pytest.mark.parametrize(
        ("missing", "sentence"),
        [
            ([], None),
            ([0], "No rows for 1 day: 30 Nov 2025."),
            ([0, 12], "No rows for 2 days: 18 Nov 2025, 30 Nov 2025."),
        ],
    )
    def test_days_without_rows_are_named(self, layout: Layout, missing: list[int], sentence: str | None) -> None:
        put_run(layout)
        put_dashboards(layout, {"revenue": ("Revenue", [daily(missing=missing)])})
        [card] = pages(layout)["dashboard-revenue.html"].context["cards"]
        assert (card.notes[0] if len(card.notes) > 1 else None) == sentence
        figure = json.loads(card.figure)
        assert figure["layout"]["xaxis"]["range"] == ["2025-10-31T12:00:00", "2025-11-30T12:00:00"], "the whole period"
        assert figure["data"][0]["y"].count(None) == len(missing), "a gap, no line across it"

    def test_a_query_that_nobody_drew_gets_a_chart_by_its_columns(self, layout: Layout) -> None:
        put_whole(layout)
        cards = {card.key: card for card in pages(layout)["dashboard-revenue.html"].context["cards"]}
        figure = json.loads(cards["own_shelves"].figure)
        assert (figure["data"][0]["type"], figure["data"][0]["orientation"]) == ("bar", "h")
        assert figure["data"][0]["x"] == list(range(99, 84, -1)), "orders and not the rank, the first fifteen"

    @pytest.mark.parametrize("kind", [pa.timestamp("us", tz="UTC"), pa.timestamp("ns"), pa.timestamp("ms", tz="UTC")])
    def test_instants_are_read_in_utc_whatever_their_precision(self, layout: Layout, kind: pa.DataType) -> None:
        put_run(layout)
        columns = {"hour": (kind, "timestamp", "time"), "revenue": (pa.float64(), "double", "money")}
        rows = [(datetime(2025, 11, 30, 23, tzinfo=UTC), 5.0), (None, 1.0)]
        put_dashboards(layout, {"revenue": ("Revenue", [query("hourly_revenue", "By hour", columns, rows, 1)])})
        [card] = pages(layout)["dashboard-revenue.html"].context["cards"]
        assert [row[0].text for row in card.table.rows] == ["2025-11-30 23:00", "–"]  # noqa: RUF001 - as the page has it
        assert json.loads(card.figure)["data"][0]["x"][0] == "2025-11-30T23:00:00"

    def test_no_text_of_the_data_can_end_a_script(self, layout: Layout) -> None:
        put_whole(layout)
        cards = {card.key: card for card in pages(layout)["dashboard-revenue.html"].context["cards"]}
        assert "<" not in cards["revenue_by_category"].figure
        assert "Home & </script><b>Kitchen" in json.loads(cards["revenue_by_category"].figure)["data"][0]["customdata"]

    def test_cards_leave_no_gap(self, layout: Layout) -> None:
        put_whole(layout)
        for page in make_pages(layout):
            narrow = 0
            for card in page.context.get("cards", ()):
                assert not (card.wide and narrow % 2), card.key
                narrow += not card.wide
            assert narrow % 2 == 0

    def test_an_answer_that_is_missing_is_one_line(self, layout: Layout) -> None:
        put_run(layout)
        put_dashboards(layout)
        path = layout.local("analytics", "bi", "revenue", "daily_revenue", "data.parquet")
        path.unlink()
        with pytest.raises(InputError, match=r"a result is missing \[.*daily_revenue/data.parquet\] -> run"):
            make_pages(layout)
        path.write_bytes(b"no parquet")
        with pytest.raises(InputError, match="a result cannot be read"):
            make_pages(layout)

    def test_an_index_of_another_shape_is_one_line(self, layout: Layout) -> None:
        put_run(layout)
        layout.local("analytics", "bi").mkdir(parents=True)
        layout.local("analytics", "bi", "dashboards.json").write_text('{"dashboards": [{"name": "revenue"}]}')
        with pytest.raises(InputError, match=r"dashboards\.json is not as expected: KeyError 'queries'"):
            make_pages(layout)


class TestModels:
    def test_baselines_stand_beside_the_figures(self, layout: Layout) -> None:
        put_whole(layout)
        churn = {tile.label: tile for tile in pages(layout)["model-churn.html"].context["tiles"]}
        assert (churn["AUC"].value, churn["AUC"].note) == ("0.880", "recency alone 0.780")
        assert churn["Accuracy"].note == "always the majority: 54.0%"
        ranked = {tile.label: tile for tile in pages(layout)["model-recommendations.html"].context["tiles"]}
        assert ranked["NDCG at 10"].note == "popularity 0.050, item to item 0.150, ceiling 0.300"

    def test_empty_bins_are_left_out_of_the_calibration(self, layout: Layout) -> None:
        put_run(layout)
        put_churn(layout)
        cards = {card.key: card for card in pages(layout)["model-churn.html"].context["cards"]}
        figure = json.loads(cards["churn_calibration"].figure)
        assert {trace["name"]: len(trace["x"]) for trace in figure["data"]} == {"model": 9, "perfect": 9}

    def test_a_model_that_was_not_promoted_is_named(self, layout: Layout) -> None:
        put_whole(layout)
        assert said(pages(layout)["model-recommendations.html"])[0][1] == "The newest model was not promoted"

    def test_without_training_the_page_says_so(self, layout: Layout) -> None:
        put_run(layout)
        for name in ("recommendations", "churn"):
            [(_, title, text)] = said(pages(layout)[f"model-{name}.html"])
            assert title == "No model has been evaluated yet"
            assert f"--from train_{name}" in text


def test_the_newest_run_may_be_one_that_only_the_ledger_knows(layout: Layout) -> None:
    put_run(layout, OLD)
    kept = layout.local("ops", "run.json").read_text()
    put_run(layout, NEW, without=["bi_dashboards"])
    layout.local("ops", "run.json").write_text(kept)
    facts = dict(pages(layout)["index.html"].facts)
    assert facts["Run"] == NEW


def test_pages_are_named_once(layout: Layout) -> None:
    put_whole(layout)
    made = make_pages(layout)
    assert len({page.file for page in made}) == len(made) == 9
    tables = [table.csv for page in made for table in page.tables]
    assert len(set(tables)) == len(tables)
