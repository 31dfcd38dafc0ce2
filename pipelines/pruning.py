"""What old runs left in the operational zone is removed, as no stage depends on it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from common.layout import DATASETS, Layout

log = logging.getLogger("ecommerce")


def prune(layout: Layout, keep: int, run_id: str) -> int:
    """Remove ledgers, summaries, lineage, logs and quality reports of all but the newest runs.

    The newest quality report of each data set stays with its run, since the report shows it.

    Args:
        layout: The root.
        keep: How many of each stay.
        run_id: The run that does this; what it wrote stays.

    Returns:
        How many files and directories were removed.
    """
    shown = {run_id, *_runs_with_the_newest_quality(layout)}
    outdated: list[Path] = []
    for directory in ("ledger", "quality", "runs", "lineage", "logs"):
        found = _newest_first(layout.local("ops", directory).glob("*"))
        outdated += [path for path in found[keep:] if _run_of(path) not in shown]
    for path in outdated:
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError as error:  # a run does not fail for what it could not tidy up
            log.warning("could not remove %s: %s", path, error)
    return len(outdated)


def _run_of(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def _runs_with_the_newest_quality(layout: Layout) -> set[str]:
    newest = set()
    for dataset in DATASETS:
        reports = _newest_first(layout.local("ops", "quality").glob(f"*/clean_{dataset}.json"))
        newest |= {path.parent.name for path in reports[:1]}
    return newest


def _newest_first(paths: Iterable[Path]) -> list[Path]:
    """By the time of the last change, as a run that was submitted may have a name of its own."""
    return sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
