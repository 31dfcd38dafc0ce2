"""The index of Data Docs: a link to each page under ops/gx/data_docs, whichever run made it.

Great Expectations keeps a validation as `validations/<suite>/<run>/<time>/<batch>.json` under ops/gx, each part of the
suite's name a directory, and its page in the same way under data_docs. Its own index builder reads every validation
into objects, has a template make each cell, and removes the pages of suites that the run does not know.
"""

from __future__ import annotations

import html
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from great_expectations.render.renderer.site_index_page_renderer import SiteIndexPageRenderer
from great_expectations.render.view.view import DefaultJinjaIndexPageView

from common.layout import Layout
from common.storage.files import write_atomically

SITE = "local_site"


def write_index(layout: Layout) -> None:
    """Write the index of the pages that are there; a validation whose result is gone or unreadable has no link."""
    results = layout.local("ops", "gx")
    site = results / "data_docs"
    suites = [_suite_link(page.relative_to(site)) for page in sorted(site.glob("expectations/**/*.html"))]
    found = (_validation_link(results, page.relative_to(site)) for page in site.glob("validations/**/*.html"))
    validations = sorted((link for link in found if link), key=lambda link: (link["run_time"], link["filepath"]))
    links = {"site_name": SITE, "validations_links": validations[::-1], "expectations_links": suites}
    content = _IndexRenderer.render(links)  # type: ignore[no-untyped-call]  # the library's
    page = DefaultJinjaIndexPageView().render(content)  # type: ignore[no-untyped-call]  # the library's
    write_atomically(site / "index.html", page)


def _suite_link(page: Path) -> dict[str, Any]:
    return {"expectation_suite_name": ".".join(page.with_suffix("").parts[1:]), "filepath": quote(page.as_posix())}


def _validation_link(results: Path, page: Path) -> dict[str, Any] | None:
    """A row of the index, of what the page's path says and the result beside it."""
    _, *suite, run_id, when, _ = page.parts
    try:
        said = json.loads((results / page.with_suffix(".json")).read_bytes())
    except (OSError, ValueError):
        return None
    return {
        "expectation_suite_name": ".".join(suite),
        "expectation_suite_filepath": quote(f"expectations/{'/'.join(suite)}.html"),
        "filepath": quote(page.as_posix()),
        "run_name": run_id,
        "run_time": datetime.strptime(when, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC),
        "batch_identifier": page.stem,
        "asset_name": said["meta"]["active_batch_definition"]["data_asset_name"],
        "validation_success": said["success"],
    }


class _IndexRenderer(SiteIndexPageRenderer):
    """The library's index, with cells that are HTML already."""

    @classmethod
    def _render_validation_success_cell(cls, validation_success: bool) -> str:
        failed, met = "fa-times text-danger ge-failed-icon", "fa-check-circle text-success ge-success-icon"
        icon = met if validation_success else failed
        return f'<span class="ge-index-page-table-validation-links-item"><i class="fas {icon}"></i></span>'

    @classmethod
    def _render_batch_id_cell(cls, batch_id: str, batch_kwargs: object = None, batch_spec: object = None) -> str:
        return html.escape(batch_id)

    @classmethod
    def _render_expectation_suite_cell(cls, expectation_suite_name: str, expectation_suite_path: str) -> str:
        name = html.escape(expectation_suite_name)
        return f'<a class="ge-index-page-table-expectation-suite-link" href="{expectation_suite_path}">{name}</a>'
