"""Reads a root, makes all pages, writes the site."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from common.bi.catalogue import parse_catalogue, read_catalogue
from common.errors import InputError
from common.layout import Layout
from common.storage.locks import hold
from common.storage.published import read_published
from pipelines.report.evaluations import CHURN, RECOMMENDATIONS, read_evaluation
from pipelines.report.pages.dashboard import dashboard_pages
from pipelines.report.pages.data_quality import quality_page
from pipelines.report.pages.glossary import glossary_page
from pipelines.report.pages.model import Page
from pipelines.report.pages.models import model_pages
from pipelines.report.pages.overview import overview_page
from pipelines.report.pages.run_tables import Published
from pipelines.report.quality import read_quality
from pipelines.report.rendering import write_site
from pipelines.report.results import read_dashboards
from pipelines.report.runs import read_runs


def write_report(layout: Layout) -> Path:
    """Make the report of a root.

    Args:
        layout: A local root.

    Returns:
        Its first page.

    Raises:
        InputError: If there is no such root, or something in it cannot be read.
        UnwritableRootError: If ops/report cannot be written.
        LockedError: If another process is making it.
    """
    if not layout.local("ops").is_dir():
        raise InputError("nothing has run here", where=layout.root, remedy="run ./build.sh run, or name its --root")
    directory = layout.local("ops", "report")
    with hold(layout, ("report",)):
        write_site(make_pages(layout), directory, datetime.now(UTC))
    return directory / "index.html"


def make_pages(layout: Layout) -> list[Page]:
    """The pages of a root, in the order of the navigation."""
    runs = read_runs(layout)
    newest = runs[0] if runs else None
    published = [
        Published(table.name, table.rows, len(table.columns), table.version, table.fingerprint)
        for table in read_published(layout).values()
    ]
    return [
        overview_page(layout, runs, published),
        quality_page(runs, read_quality(layout, [run.run_id for run in runs])),
        *dashboard_pages(read_dashboards(layout, _texts()), newest),
        *model_pages({name: read_evaluation(layout, name) for name in (RECOMMENDATIONS, CHURN)}),
        glossary_page(),
    ]


def _texts() -> dict[str, str]:
    """The SQL of each query."""
    return {query.name: query.sql for dashboard in parse_catalogue(read_catalogue()) for query in dashboard.queries}
