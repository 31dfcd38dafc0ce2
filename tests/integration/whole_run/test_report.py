"""The report in headless Chromium: each page as people see it, from the file system and with nothing else."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from common.errors import ConfigurationError
from common.layout import Layout
from pipelines.report.site import write_report
from pipelines.setup import browser as browser_setup
from tests.first_run import Finished
from tests.unit.report.answers import DASHBOARDS, daily, empty_query, put_dashboards
from tests.unit.report.roots import OLD, put_published, put_quality, put_run, put_whole

Look = tuple[int, Literal["light", "dark"]]
# A phone and a laptop: what fits depends on the width alone, and what can be told apart on the theme alone.
PHONE: Look = (390, "dark")
LAPTOP: Look = (1440, "light")
LOOKS = (PHONE, LAPTOP)
HEIGHT = 900
SERIOUS = {"serious", "critical"}
DRAWN = "() => document.documentElement.dataset.charts === 'drawn'"
# A chart has marks when Plotly drew a bar, a point, a line or a cell of a heatmap for each of its traces.
MARKS = """() => [...document.querySelectorAll('.plot')].map((plot) => [
  plot.getAttribute('aria-label'),
  plot.data.length,
  plot.querySelectorAll('.barlayer .point path, .scatterlayer path, .heatmaplayer image, .heatmaplayer path').length,
])"""
# Texts of charts that cannot be read: cut by the edge of the drawing, or printed over each other.
UNREADABLE = """() => {
  const found = [];
  const boxes = (plot, selector) => [...plot.querySelectorAll(selector)]
    .filter((text) => text.textContent.trim())
    .map((text) => [text.textContent, text.getBoundingClientRect()]);
  const overlap = (one, other) => one.left < other.right - 1 && other.left < one.right - 1
    && one.top < other.bottom - 1 && other.top < one.bottom - 1;
  for (const plot of document.querySelectorAll('.plot')) {
    const chart = plot.getAttribute('aria-label').slice(0, 40);
    const edge = plot.querySelector('.main-svg').getBoundingClientRect();
    const values = boxes(plot, '.bartext');
    const names = boxes(plot, '[class*=yaxislayer] text');
    const ticks = boxes(plot, '[class*=xaxislayer] text');
    const notes = boxes(plot, '.annotation-text');
    for (const [text, box] of [...values, ...names, ...ticks, ...notes]) {
      const outside = box.left < edge.left - 1 || box.right > edge.right + 1 || box.top < edge.top - 1
        || box.bottom > edge.bottom + 1;
      if (outside) found.push(`${chart}: ${text} is cut`);
    }
    const pairs = [[values, names], [values, notes], [names, notes], [ticks, notes]];
    for (const [left, right] of pairs) for (const [one, box] of left) for (const [other, beside] of right) {
      if (overlap(box, beside)) found.push(`${chart}: ${one} is over ${other}`);
    }
    for (const own of [ticks, notes, names]) own.forEach(([one, box], index) => {
      for (const [other, beside] of own.slice(index + 1)) {
        if (overlap(box, beside)) found.push(`${chart}: ${one} is over ${other}`);
      }
    });
  }
  return found;
}"""
PAGES = (
    "index",
    "quality",
    "dashboard-revenue",
    "dashboard-product_performance",
    "dashboard-customer_segmentation",
    "dashboard-conversion_funnel",
    "model-recommendations",
    "model-churn",
    "glossary",
)


@dataclass
class Seen:
    """What a page did that it should not: asked for something beyond files, or complained."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; without one the tests fail and say what to install."""
    try:
        executable = browser_setup.require(os.environ)
    except ConfigurationError as error:
        pytest.fail(str(error), pytrace=False)
    # Without a graphics card it emulates one. And its sandbox refuses to work for root.
    arguments = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(executable), args=arguments)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a root with everything."""
    layout = Layout.at(tmp_path_factory.mktemp("report") / "root")
    put_whole(layout)
    return write_report(layout).parent


@pytest.fixture(scope="module")
def tabs(chromium: Browser) -> Iterator[dict[Look, Page]]:
    """A tab for each look, for page after page: in a new one the charts library compiles anew, which takes seconds."""
    with ExitStack() as opened:
        made = {}
        for width, theme in LOOKS:
            context = chromium.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=theme)
            made[width, theme] = opened.enter_context(context).new_page()
        yield made


@pytest.fixture
def page(tabs: dict[Look, Page]) -> Iterator[Page]:
    """The tab of a laptop, which keeps nothing of what a test did."""
    tab = tabs[LAPTOP]
    yield tab
    tab.evaluate("localStorage.clear()")
    tab.set_viewport_size({"width": LAPTOP[0], "height": HEIGHT})
    tab.goto("about:blank")


def open_page(page: Page, path: Path) -> Seen:
    """Open a page and wait for its charts."""
    seen = Seen()
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda said: seen.complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_function(DRAWN)
    return seen


def expect_sound(page: Page, seen: Seen) -> None:
    """No request but for files, no complaint, nothing wider than the window, each chart with marks and readable."""
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith(("file://", "data:", "blob:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("window.innerWidth")
    assert [label for label, traces, marks in page.evaluate(MARKS) if marks < traces] == []
    assert page.evaluate(UNREADABLE) == []


def expect_navigation(page: Page, name: str) -> None:
    """Every page is in the navigation, and the own one is marked."""
    named = page.locator("#pages a").evaluate_all("(all) => all.map((each) => each.getAttribute('href'))")
    assert named == [f"{each}.html" for each in PAGES]
    assert page.locator("#pages a[aria-current=page]").get_attribute("href") == f"{name}.html"


def expect_links(page: Page) -> None:
    """Every link leads to a file, and to a place that is there."""
    targets = [urlparse(link) for link in links(page) if not link.startswith("data:")]
    assert len(targets) > 11, "nine pages of the navigation, and what a page loads"
    for target in targets:
        path = Path(unquote(target.path))
        assert target.scheme == "file" and path.is_file(), target.geturl()
        if target.fragment:
            assert f'id="{target.fragment}"' in path.read_text(encoding="utf-8"), target.geturl()


def links(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('a[href], link[href], script[src]')].map((e) => e.href || e.src)"
    )
    return found


class TestEveryPage:
    @pytest.mark.parametrize("name", PAGES)
    @pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look)))
    def test_is_sound_and_accessible(self, tabs: dict[Look, Page], site: Path, name: str, look: Look) -> None:
        page = tabs[look]
        seen = open_page(page, site / f"{name}.html")
        expect_sound(page, seen)
        expect_navigation(page, name)
        expect_links(page)
        for details in page.locator("main details").all():
            details.evaluate("(element) => { element.open = true; }")
        expect_sound(page, seen)
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in SERIOUS] == []

    def test_nothing_personal_and_no_path_of_the_machine_gets_in(self, site: Path) -> None:
        texts = [path.read_text(encoding="utf-8") for path in site.rglob("*") if path.suffix in {".html", ".csv"}]
        assert len(texts) > 20
        assert not any("ada@example.org" in text or str(site.parents[2]) in text for text in texts)


class TestCharts:
    def test_each_chart_has_a_sentence_and_a_table(self, page: Page, site: Path) -> None:
        open_page(page, site / "dashboard-revenue.html")
        cards = page.locator(".card:has(.plot)")
        assert cards.count() == 3
        for card in cards.all():
            label = card.locator(".plot").get_attribute("aria-label")
            assert label is not None and label.startswith("Chart: ")
            assert card.locator("figcaption").inner_text() in label
            assert card.locator("table.data tbody tr").count() > 0

    def test_they_follow_the_theme(self, page: Page, site: Path) -> None:
        open_page(page, site / "dashboard-revenue.html")
        colour = "() => getComputedStyle(document.querySelector('#revenue_by_category .barlayer path')).fill"
        light = page.evaluate(colour)
        page.locator("#theme").click()
        page.wait_for_function(f"(before) => ({colour})() !== before", arg=light)

    def test_they_take_the_width_of_a_card_that_opens(self, page: Page, site: Path) -> None:
        open_page(page, site / "dashboard-conversion_funnel.html")
        page.set_viewport_size({"width": 900, "height": 900})
        drawn = "() => document.querySelector('#funnel_steps .main-svg').clientWidth"
        room = "document.querySelector('#funnel_steps .plot').clientWidth"
        page.wait_for_function(f"() => ({drawn})() === {room}")
        before = page.evaluate(drawn)
        page.set_viewport_size({"width": 1200, "height": 900})
        page.wait_for_function(f"(before) => ({drawn})() > before && ({drawn})() === {room}", arg=before)

    def test_a_name_of_the_data_is_text_and_no_markup(self, page: Page, site: Path) -> None:
        open_page(page, site / "dashboard-revenue.html")
        page.locator("#revenue_by_category details").first.evaluate("(element) => { element.open = true; }")
        assert page.locator("#revenue_by_category b").count() == 0
        assert "Home & </script>" in page.locator("#table-revenue_by_category tbody").inner_text()


class TestTheme:
    def test_the_choice_is_remembered(self, page: Page, site: Path) -> None:
        open_page(page, site / "index.html")
        before = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert page.locator("#theme").inner_text() == "Dark theme"
        page.locator("#theme").click()
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert dark != before
        assert page.locator("#theme").inner_text() == "Light theme"
        open_page(page, site / "glossary.html")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


class TestTables:
    def column(self, page: Page, table: str, number: int) -> list[str]:
        return page.locator(f"#table-{table} tbody tr td:nth-child({number})").all_inner_texts()

    def test_a_click_sorts_numbers_from_the_largest_and_back(self, page: Page, site: Path) -> None:
        open_page(page, site / "index.html")
        head = page.locator("#table-published th:nth-child(2)")
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == "descending"
        assert self.column(page, "published", 2) == ["979", "489", "98", "60", "19"]
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == "ascending"
        assert self.column(page, "published", 2) == ["19", "60", "98", "489", "979"]
        assert page.locator("#said").inner_text() == "Sorted by rows, ascending"

    def test_the_keyboard_sorts_too(self, page: Page, site: Path) -> None:
        open_page(page, site / "index.html")
        page.locator("#table-published th:nth-child(1) button").focus()
        page.keyboard.press("Enter")
        names = ["agg_daily_sales", "dim_products", "dim_users", "fact_clickstream", "fact_transactions"]
        assert self.column(page, "published", 1) == names
        page.keyboard.press("Space")
        assert self.column(page, "published", 1) == names[::-1]

    def test_what_is_not_known_comes_last_either_way(self, page: Page, site: Path) -> None:
        open_page(page, site / "dashboard-revenue.html")
        page.locator("#revenue_by_category details").first.evaluate("(element) => { element.open = true; }")
        button = page.locator("#table-revenue_by_category th:nth-child(1) button")
        for _ in range(2):
            button.click()
            assert self.column(page, "revenue_by_category", 1)[-1] == "–"  # noqa: RUF001 - as the page has it

    def test_a_long_table_shows_its_rest_when_asked(self, page: Page, site: Path) -> None:
        open_page(page, site / "dashboard-revenue.html")
        page.locator("#own_shelves details").first.evaluate("(element) => { element.open = true; }")
        rows = page.locator("#table-own_shelves tbody tr:visible")
        assert rows.count() == 12
        page.locator("#own_shelves .show-all").click()
        assert rows.count() == 30

    def test_the_csv_file_has_the_answer(self, page: Page, site: Path) -> None:
        open_page(page, site / "dashboard-revenue.html")
        page.locator("#revenue_by_category details").first.evaluate("(element) => { element.open = true; }")
        with page.expect_download() as waiting:
            page.locator("#revenue_by_category a.csv").click()
        assert waiting.value.suggested_filename == "revenue_by_category.csv"
        rows = list(csv.DictReader(waiting.value.path().read_text(encoding="utf-8").splitlines()))
        assert [row["net_revenue"] for row in rows] == ["30000.00", "3000.50", "1349.50"]

    def test_the_csv_file_of_the_account_has_all_stages(self, page: Page, site: Path) -> None:
        open_page(page, site / "index.html")
        page.locator("#stages details").evaluate("(element) => { element.open = true; }")
        with page.expect_download() as waiting:
            page.locator("#stages a.csv").click()
        rows = list(csv.DictReader(waiting.value.path().read_text(encoding="utf-8").splitlines()))
        assert rows[0]["stage"] == "land_raw"
        assert sum(int(row["read"]) for row in rows if row["stage"].startswith("clean_")) == 1620


class TestKeyboard:
    def test_the_first_stop_skips_to_the_content(self, page: Page, site: Path) -> None:
        open_page(page, site / "index.html")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"

    def test_the_menu_of_a_phone_opens_and_closes(self, tabs: dict[Look, Page], site: Path) -> None:
        page = tabs[PHONE]
        open_page(page, site / "index.html")
        assert not page.locator("#pages").is_visible()
        page.locator("#menu").focus()
        page.keyboard.press("Enter")
        assert page.locator("#pages").is_visible()
        page.keyboard.press("Escape")
        assert not page.locator("#pages").is_visible()


class TestStates:
    """Roots in which something is missing: pages that say so, and are as sound as the others."""

    def show(self, page: Page, layout: Layout, name: str) -> str:
        seen = open_page(page, write_report(layout).parent / f"{name}.html")
        expect_sound(page, seen)
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in SERIOUS] == []
        return page.locator("main").inner_text()

    def test_a_run_that_failed(self, page: Page, layout: Layout) -> None:
        put_run(layout, OLD)
        put_dashboards(layout, run_id=OLD)
        put_published(layout)
        put_run(layout, fails="load_facts")
        said = self.show(page, layout, "index")
        assert "This run failed in load_facts" in said
        assert "sums differ" in said
        assert "not reached" in said
        assert "These figures are of an earlier run" in self.show(page, layout, "dashboard-revenue")

    def test_a_run_without_a_clickstream(self, page: Page, layout: Layout) -> None:
        put_run(layout, without=["clean_clickstream"])
        put_quality(layout, datasets=["users", "products", "transactions"])
        empty = [empty_query(name, "the source has no clickstream") for name in ("funnel_steps", "daily_funnel")]
        put_dashboards(layout, {**DASHBOARDS, "conversion_funnel": ("Conversion funnel", empty)})
        said = self.show(page, layout, "dashboard-conversion_funnel")
        assert "This dashboard has no data" in said
        assert said.count("No data: the source has no clickstream.") == 2
        assert page.locator(".plot").count() == 0
        self.show(page, layout, "index")
        self.show(page, layout, "quality")

    def test_a_run_with_an_empty_day(self, page: Page, layout: Layout) -> None:
        put_run(layout)
        put_dashboards(layout, {"revenue": ("Revenue", [daily(missing=[0])])})
        assert "No rows for 1 day: 30 Nov 2025." in self.show(page, layout, "dashboard-revenue")

    def test_no_dashboards_and_no_models(self, page: Page, layout: Layout) -> None:
        put_run(layout, without=["bi_dashboards"])
        assert "There are no dashboards yet" in self.show(page, layout, "dashboards")
        assert "No model has been evaluated yet" in self.show(page, layout, "model-churn")

    def test_no_run(self, page: Page, layout: Layout) -> None:
        layout.local("ops").mkdir(parents=True)
        assert "No run yet" in self.show(page, layout, "index")


@pytest.mark.slow
def test_the_report_of_a_whole_run(tabs: dict[Look, Page], finished: Finished) -> None:
    """What the run itself left, each page in one of the looks: all five dashboards with charts, each link a file."""
    directory = finished.layout.local("ops", "report")
    names = sorted(path.stem for path in directory.glob("*.html"))
    assert len([name for name in names if name.startswith("dashboard-")]) == 5
    charts = 0
    for name, page in zip(names, cycle(tabs.values()), strict=False):
        seen = open_page(page, directory / f"{name}.html")
        expect_sound(page, seen)
        charts += page.locator(".plot[data-drawn=true]").count()
        missing = [link for link in links(page) if not Path(unquote(urlparse(link).path)).exists()]
        assert [link for link in missing if not link.startswith("data:")] == []
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in SERIOUS] == []
    assert charts > 25


@pytest.mark.slow
def test_the_index_of_data_docs_needs_nothing_but_files(page: Page, finished: Finished) -> None:
    directory = finished.layout.local("ops", "gx", "data_docs")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((directory / "index.html").as_uri())
    assert [url for url in asked if not url.startswith("file://")] == []
    rows = page.locator("tbody tr")
    assert rows.count() == len(list(directory.glob("validations/**/*.html"))) > 15
    assert all(row.is_visible() for row in rows.all())
    assert {urlparse(link).scheme for link in links(page)} == {"file"}
    assert all(Path(unquote(urlparse(link).path)).is_file() for link in links(page))
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in SERIOUS] == []
