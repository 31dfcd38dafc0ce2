"""Writes pages: templates, assets, CSV files; beside the report that is there, which they then replace."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from common.errors import ConfigurationError
from common.storage.files import unwritable
from pipelines.report import formats
from pipelines.report.pages.model import GROUPS, Page
from pipelines.report.tables import csv_text

_ASSETS = Path(__file__).parent / "assets"
_PLOTLY = "plotly.min.js"


def write_site(pages: Sequence[Page], directory: Path, made_at: datetime) -> None:
    """Write a site whole, then put it in the place of the one before. One process at a time: callers hold a lock.

    Args:
        pages: All pages.
        directory: Where the site is to be.
        made_at: Shown at the foot of each page.

    Raises:
        UnwritableRootError: If the directory cannot be written.
    """
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        for left_by_a_kill in directory.parent.glob(f".{directory.name}.*"):
            shutil.rmtree(left_by_a_kill, ignore_errors=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    except OSError as error:
        raise unwritable(directory.parent, error) from error
    try:
        _fill(beside, pages, made_at)
        beside.chmod(0o755)
        _replace(directory, beside)
    except OSError as error:
        raise unwritable(directory, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _fill(directory: Path, pages: Sequence[Page], made_at: datetime) -> None:
    environment = _environment()
    navigation = [(group, [page for page in pages if page.group == group]) for group in GROUPS]
    for page in pages:
        html = environment.get_template(page.template).render(
            page=page, navigation=[(group, own) for group, own in navigation if own], made_at=made_at, **page.context
        )
        (directory / page.file).write_text(html, encoding="utf-8")
        for table in page.tables:
            _place(directory / table.csv).write_text(csv_text(table), encoding="utf-8")
        for place, source in page.copies.items():
            shutil.copyfile(source, _place(directory / place))
    shutil.copytree(_ASSETS, directory / "assets")
    shutil.copyfile(plotly_script(), directory / "assets" / _PLOTLY)


def _place(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _replace(directory: Path, beside: Path) -> None:
    """A directory cannot be renamed over another: the old one makes way first, and is gone for an instant."""
    old = beside.with_name(beside.name + ".old")
    if directory.exists():
        directory.rename(old)
    beside.rename(directory)
    shutil.rmtree(old, ignore_errors=True)


def plotly_script() -> Path:
    """Plotly's JavaScript in its Python package, found without importing it.

    Raises:
        ConfigurationError: If the package is not installed.
    """
    spec = importlib.util.find_spec("plotly")
    places = [Path(place, "package_data", _PLOTLY) for place in (spec.submodule_search_locations or ())] if spec else []
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise ConfigurationError("plotly is not installed", where="package plotly", remedy="run ./build.sh setup")
    return found


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pipelines.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": formats.count, "moment": formats.moment}
    return environment
