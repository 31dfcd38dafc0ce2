"""ops/lineage: the file with a run's OpenLineage events, and what these are made of besides the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from common.cleaning.mapped_files import resolve_paths
from common.errors import PlatformError
from common.layout import DATASETS, Layout
from common.quality.ledger import LedgerEntry, entries, run_ids
from common.settings import SourceSettings
from common.storage.files import write_atomically
from common.storage.published import read_published
from pipelines.graph import StageGraph
from pipelines.lineage import BOOKKEEPING, HIVE, LAKE, RAW, Event, TableFacts, declared, events, versions_of


def write_lineage(
    layout: Layout,
    run: Mapping[str, Any],
    ended: Sequence[LedgerEntry],
    graph: StageGraph,
    files: Mapping[str, Sequence[str]],
) -> list[Event]:
    """Write ops/lineage/<run id>.jsonl, an event a line.

    Args:
        layout: A local root.
        run: What run.json says.
        ended: The run's entries in the ledger.
        graph: The stages, with what they read and write.
        files: What is read in place of raw; see `raw_files`.

    Raises:
        PlatformError: If the file cannot be written or what it is made of cannot be read.
    """
    found = events(
        run, ended, graph, layout.root,
        known=_versions_before(layout, ended, graph),
        files=files,
        facts_of=lambda path, version: table_facts(layout, path, version),
    )  # fmt: skip
    lines = (json.dumps(event, ensure_ascii=False) + "\n" for event in found)
    write_atomically(layout.local("ops", "lineage", f"{run['run_id']}.jsonl"), "".join(lines))
    return found


def table_facts(layout: Layout, path: str, version: int) -> TableFacts:
    """What the log of a Delta table, or tables.json, keeps about a version; nothing where it has gone."""
    if path.startswith(f"{HIVE}/"):
        table = read_published(layout).get(path.rpartition("/")[2])
        if table is None or table.version != version:
            return TableFacts()
        return TableFacts(table.columns, {"rowCount": table.rows}, {f"{LAKE}/{table.name}": table.lake_version})
    try:
        return _delta_facts(layout.path(path), version)
    except (DeltaError, OSError):
        return TableFacts()


@lru_cache(maxsize=256)
def _delta_facts(path: str, version: int) -> TableFacts:
    table = DeltaTable(path, version=version)
    columns = tuple((each["name"], _type(each["type"])) for each in json.loads(table.schema().to_json())["fields"])
    commit = _commit_info(Path(path, "_delta_log", f"{version:020d}.json"))
    kept = json.loads(commit.get("userMetadata") or "null")
    inputs = kept.get("inputs") if isinstance(kept, dict) else None
    made_of = {name: each for name, each in (inputs or {}).items() if each is not None}
    return TableFacts(columns, _written(commit.get("operationMetrics") or {}), made_of)


def _commit_info(log: Path) -> dict[str, Any]:
    """What a commit says of itself; empty where its file has been cleaned away."""
    if not log.exists():
        return {}
    actions = (json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
    return next((dict(action["commitInfo"]) for action in actions if "commitInfo" in action), {})


def _type(kind: Any) -> str:  # noqa: ANN401 - a name, or an object for what has parts
    if isinstance(kind, str):
        return kind
    return f"array<{_type(kind['elementType'])}>" if kind["type"] == "array" else str(kind["type"])


def _written(metrics: Mapping[str, Any]) -> dict[str, int]:
    """Of a commit's metrics; rows that were only copied along are not among them, as in `common.storage.delta`."""
    figures = {name: int(value) for name, value in metrics.items() if str(value).isdecimal()}
    if "numTargetRowsInserted" in figures:
        rows = figures["numTargetRowsInserted"] + figures.get("numTargetRowsUpdated", 0)
        found = {"rowCount": rows, **_named(figures, size="numTargetBytesAdded", fileCount="numTargetFilesAdded")}
    elif "numOutputRows" in figures:
        rows = figures["numOutputRows"] - figures.get("numCopiedRows", 0)
        found = {"rowCount": rows, **_named(figures, size="numOutputBytes", fileCount="numFiles")}
    else:
        found = {}
    return found


def _named(figures: Mapping[str, int], **names: str) -> dict[str, int]:
    return {name: figures[metric] for name, metric in names.items() if metric in figures}


def raw_files(source: SourceSettings) -> dict[str, tuple[str, ...]]:
    """The files that a mapped shop's data sets are read from, by the path in raw in whose place they stand."""
    found: dict[str, tuple[str, ...]] = {}
    for dataset in DATASETS if source.is_mapped else ():
        mapped = source.datasets.get(dataset)  # type: ignore[call-overload]
        names = mapped.files if mapped else ()
        try:
            found[f"raw/{dataset}"] = tuple(str(path) for name in names for path in resolve_paths(source, name))
        except PlatformError:  # files that are gone, in a run that need not read them
            found[f"raw/{dataset}"] = ()
    return found


def _versions_before(layout: Layout, ended: Sequence[LedgerEntry], graph: StageGraph) -> dict[str, int]:
    """Versions of tables that the run reads and did not come by itself, as runs before it left them."""
    if not ended:
        return {}
    began = min(entry.started_at for entry in ended)
    own = {path for entry in ended for path in versions_of(entry)}
    missing = {path for entry in ended for path in declared(graph, entry.stage)[1] if not _is_in(path, own)}
    missing -= {path for path in missing if path in RAW or path.startswith(BOOKKEEPING)}
    found: dict[str, int] = {}
    for run_id in run_ids(layout):
        if not missing:
            break
        for entry in reversed(list(entries(layout, run_id))):
            if entry.started_at < began:
                found = versions_of(entry) | found
        missing = {path for path in missing if not _is_in(path, found)}
    return found


def _is_in(path: str, tables: Iterable[str]) -> bool:
    return any(table == path or table.startswith(f"{path}/") for table in tables)
