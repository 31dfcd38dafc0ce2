"""What old runs left in the operational zone is removed, as no stage depends on it."""

from __future__ import annotations

import logging
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from common.layout import DATASETS, Layout
from common.quality.documents import write_index
from pipelines.dropped import all_logs, logs_of_table

log = logging.getLogger("ecommerce")


def prune(layout: Layout, keep: int, run_id: str) -> int:
    """Remove ledgers, summaries, lineage, logs, quality reports and Data Docs of all but the newest runs.

    The newest quality report of each data set stays with its run, since the report shows it. A log of dropped rows
    stays for as long as the clean table is made of what its run read.

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
    for dataset in DATASETS:
        outdated += _outdated_drops(layout, dataset, keep, run_id)
    documents = _outdated_documents(layout, keep, shown)
    for path in [*outdated, *documents]:
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError as error:  # a run does not fail for what it could not tidy up
            log.warning("could not remove %s: %s", path, error)
    if documents:
        write_index(layout)
    return len(outdated) + len(documents)


def _outdated_drops(layout: Layout, dataset: str, keep: int, run_id: str) -> list[Path]:
    """Logs of runs from before the clean table was made anew, and of runs whose gate failed."""
    logs = all_logs(layout, dataset)
    found = _newest_first(logs.values())
    if len(found) <= keep:
        return []
    needed = {*logs_of_table(layout, dataset).values(), logs.get(run_id)}
    return [path for path in found[keep:] if path not in needed]


def _outdated_documents(layout: Layout, keep: int, shown: set[str]) -> list[Path]:
    """Directories of results and pages, `<suite>/<run>/<time>`, of all but the newest runs by those times."""
    directories: defaultdict[str, set[Path]] = defaultdict(set)
    newest: defaultdict[str, str] = defaultdict(str)
    for zone, kind in (("validations", "json"), ("data_docs/validations", "html")):
        for path in layout.local("ops", "gx", zone).glob(f"**/*.{kind}"):
            run = path.parents[1]
            directories[run.name].add(run)
            newest[run.name] = max(newest[run.name], path.parent.name)
    runs = sorted(newest, key=lambda name: (newest[name], name), reverse=True)
    return sorted(path for name in runs[keep:] if name not in shown for path in directories[name])


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
