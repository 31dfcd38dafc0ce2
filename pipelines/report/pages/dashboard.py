"""A page for each dashboard, or one that says that there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipelines.report import formats
from pipelines.report.charts.specs import chart_for
from pipelines.report.kpis import tiles
from pipelines.report.pages.model import Card, Notice, Page, card, days
from pipelines.report.results import Dashboard, Dashboards, Query
from pipelines.report.runs import Run

_GROUP = "Dashboards"


def dashboard_pages(dashboards: Dashboards | None, run: Run | None) -> list[Page]:
    """The pages of all dashboards.

    Args:
        dashboards: What bi_dashboards left; None when it has not run.
        run: The newest run, which need not be the one that made the dashboards.
    """
    if dashboards is None or not dashboards.dashboards:
        return [_absent(run)]
    return [_page(dashboard, dashboards, run) for dashboard in dashboards.dashboards]


def _absent(run: Run | None) -> Page:
    text = "The stage bi_dashboards has not run in this root. ./build.sh run --from bi_dashboards makes them."
    if run is not None and run.failed is not None:
        text = f"The newest run failed in {run.failed.name} before it came to the dashboards. Mend that and run again."
    return Page(
        file="dashboards.html",
        title="Dashboards",
        group=_GROUP,
        template="notices.html",
        lead="Revenue, products, customers, the funnel and abandoned carts.",
        notices=(Notice("plain", "There are no dashboards yet", text),),
    )


def _page(dashboard: Dashboard, dashboards: Dashboards, run: Run | None) -> Page:
    copies: dict[str, Path] = {}
    cards = []
    for query in dashboard.queries:
        path = f"data/{dashboard.key}/{query.name}.csv"
        if query.csv is not None:
            copies[path] = query.csv
        cards.append(_card(query, dashboards, path))
    facts = [("As of", formats.day(dashboards.as_of))]
    facts.append(("Period", _period(dashboard, dashboards)))
    if dashboards.currency:
        facts.append(("Currency", dashboards.currency))
    return Page(
        file=f"dashboard-{dashboard.key}.html",
        title=dashboard.title,
        group=_GROUP,
        template="dashboard.html",
        lead=dashboard.summary,
        facts=tuple(facts),
        notices=tuple(_notices(dashboard, dashboards, run)),
        context={"tiles": tiles(dashboard, dashboards.currency), "cards": arranged(cards)},
        # A result without a file of its own gets one made of its table.
        tables=tuple(each.table for each in cards if each.table and each.table.csv not in copies),
        copies=copies,
    )


def _period(dashboard: Dashboard, dashboards: Dashboards) -> str:
    """The days that most of a dashboard is about; all data where none of its queries is about the common period."""
    own = [query.period for query in dashboard.queries]
    if dashboards.period is None or dashboards.period not in own:
        return "all data, where a chart names no other"
    return days(dashboards.period.start, dashboards.period.end)


def arranged(cards: Sequence[Card]) -> list[Card]:
    """Cards without a gap in two columns: one that would stand alone is wide, and tables without a chart come last."""
    drawn = [each for each in cards if each.figure or each.empty]
    result: list[Card] = []
    waiting = False
    for each in drawn:
        if each.wide and waiting:
            result[-1] = replace(result[-1], wide=True)
        waiting = not each.wide and not waiting
        result.append(each)
    if waiting:
        result[-1] = replace(result[-1], wide=True)
    return result + [replace(each, wide=True) for each in cards if each not in drawn]


def _card(query: Query, dashboards: Dashboards, path: str) -> Card:
    covered = days(query.period.start, query.period.end) if query.period else "all data"
    meta = f"As of {formats.day(dashboards.as_of)}, {covered}"
    return card(query, chart_for(query), path, dashboards.currency, meta)


def _notices(dashboard: Dashboard, dashboards: Dashboards, run: Run | None) -> list[Notice]:
    found = []
    if run is not None and dashboards.run_id and dashboards.run_id != run.run_id:
        state = {"failed": "failed", "running": "has not ended"}.get(run.status, "did not make dashboards")
        found.append(
            Notice(
                "warn",
                "These figures are of an earlier run",
                f"They were made by run {dashboards.run_id}; the newest run, {run.run_id}, {state}.",
                "index.html",
                "See the newest run",
            )
        )
    empty = [query for query in dashboard.queries if not query.rows]
    reasons = sorted({query.empty_because for query in empty if query.empty_because})
    if empty and len(empty) == len(dashboard.queries):
        found.append(
            Notice(
                "warn", "This dashboard has no data", f"{_first_up('; '.join(reasons) or 'no rows in this period')}."
            )
        )
    elif reasons:
        titles = ", ".join(query.title for query in empty)
        found.append(Notice("plain", "Some questions have no answer", f"{_first_up('; '.join(reasons))}: {titles}."))
    return found


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]
