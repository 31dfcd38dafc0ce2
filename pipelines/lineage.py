"""Lineage: what each stage of a run read and wrote, as OpenLineage events. A view of the ledger, like run.json."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from common import __version__
from common.layout import DATASETS, PUBLISHED_TABLES
from common.quality.ledger import LedgerEntry
from pipelines.generation import STAGE as GENERATE
from pipelines.graph import StageGraph

NAMESPACE = "ecommerce-platform"
_PRODUCER = f"urn:{NAMESPACE}:{__version__}"
_SPEC = "https://openlineage.io/spec"
_RUN_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = {
    "DatasetVersionDatasetFacet": "1-0-1",
    "DocumentationJobFacet": "1-1-0",
    "ErrorMessageRunFacet": "1-0-1",
    "OutputStatisticsOutputDatasetFacet": "1-0-2",
    "ParentRunFacet": "1-2-0",
    "SchemaDatasetFacet": "1-2-0",
    "TagsRunFacet": "1-0-0",
}
HIVE, LAKE, BOOKKEEPING = "warehouse/hive", "warehouse/lake", "ops/"
RAW = tuple(f"raw/{name}" for name in DATASETS)
_ENDS = {"ok": "COMPLETE", "failed": "FAIL"}

Event = dict[str, Any]


@dataclass(frozen=True)
class TableFacts:
    """What a table says of one of its versions.

    Attributes:
        columns: Name and type of each.
        written: rowCount, size and fileCount of what made the version, as far as they are known.
        inputs: The tables that it was made of, by path below the root, with their versions.
    """

    columns: tuple[tuple[str, str], ...] = ()
    written: Mapping[str, int] = field(default_factory=dict)
    inputs: Mapping[str, int] = field(default_factory=dict)


FactsOf = Callable[[str, int], TableFacts]


def events(  # noqa: PLR0913 - each is a source of its own
    run: Mapping[str, Any],
    ended: Iterable[LedgerEntry],
    graph: StageGraph,
    root: str,
    *,
    known: Mapping[str, int] | None = None,
    files: Mapping[str, Sequence[str]] | None = None,
    facts_of: FactsOf = lambda _path, _version: TableFacts(),
) -> list[Event]:
    """A START and a COMPLETE or FAIL for the run and for each stage that had something to do, by time.

    Args:
        run: What run.json says; while the run goes on it has no end.
        ended: The run's entries in the ledger. A skipped one gives no event, but tells the versions of its tables.
        graph: The stages, with what they read and write.
        root: The root, as in `Layout`.
        known: Versions of tables before the run, by path below the root.
        files: Paths that are read in place of a path below the root.
        facts_of: Asked with a path below the root and a version.
    """
    entries_by_start = sorted(ended, key=lambda each: (each.started_at, each.stage))
    writer = _Writer(run, graph, root, dict(known or {}), files or {}, facts_of)
    began, *over = writer.of_run(entries_by_start)
    made = [began]
    for entry in entries_by_start:
        writer.versions |= versions_of(entry)
        if entry.status != "skipped":
            made += writer.of_stage(entry)
    return sorted([*made, *over], key=lambda event: str(event["eventTime"]))


def versions_of(entry: LedgerEntry) -> dict[str, int]:
    """The tables of an entry with their versions after it, by path below the root."""
    after = {name: table["after"] for name, table in entry.tables.items()}
    return {_path(name): version for name, version in after.items() if version is not None}


def _path(name: str) -> str:
    """Published tables are in the ledger by their names."""
    return f"{HIVE}/{name}" if name in PUBLISHED_TABLES else name


def run_uuid(run_id: str, stage: str = "") -> str:
    """The run, or a stage's part in it, by the kind of identifier that OpenLineage asks for; always the same."""
    return str(uuid5(NAMESPACE_URL, "/".join(part for part in (NAMESPACE, run_id, stage) if part)))


@dataclass
class _Writer:
    run: Mapping[str, Any]
    graph: StageGraph
    root: str
    versions: dict[str, int]
    files: Mapping[str, Sequence[str]]
    facts_of: FactsOf

    @property
    def job(self) -> str:
        """Another shop's data are another job's."""
        return str(self.run["source"])

    def of_run(self, ended: Sequence[LedgerEntry]) -> list[Event]:
        job, identity = {"namespace": NAMESPACE, "name": self.job}, run_uuid(self.run["run_id"])
        began = min((entry.started_at for entry in ended), default=self.run["updated_at"])
        found = [_event("START", began, run={"runId": identity}, job=job)]
        if self.run["status"] in _ENDS:
            error = self.run["error"] or next((f"{each.stage}: {each.error}" for each in ended if each.error), None)
            run = {"runId": identity, "facets": {**self._tags(), **_error(error)}}
            last = max((_end(entry) for entry in ended), default=self.run["updated_at"])
            found.append(_event(_ENDS[self.run["status"]], last, run=run, job=job))
        return found

    def of_stage(self, entry: LedgerEntry) -> list[Event]:
        title, inputs, outputs = declared(self.graph, entry.stage)
        parent = {
            "run": {"runId": run_uuid(entry.run_id)},
            "job": {"namespace": NAMESPACE, "name": self.job},
        }
        facets = {**_facet("parent", "ParentRunFacet", parent), **self._tags(entry)}
        identity = run_uuid(entry.run_id, entry.stage)
        job = {
            "namespace": NAMESPACE,
            "name": f"{self.job}.{entry.stage}",
            "facets": _facet("documentation", "DocumentationJobFacet", {"description": title}),
        }
        read = [self._dataset(path) for each in inputs for path in self._expanded(each, self.versions)]
        written = [self._output(path, entry) for each in outputs for path in self._expanded(each, versions_of(entry))]
        start = _event("START", entry.started_at, run={"runId": identity, "facets": facets}, job=job)
        run = {"runId": identity, "facets": {**facets, **_error(entry.error)}}
        end = _event(_ENDS[entry.status], _end(entry), run=run, job=job, inputs=read, outputs=written)
        return [start, end]

    def _expanded(self, declared: str, versions: Mapping[str, int]) -> Sequence[str]:
        """The data sets behind a path that a stage declares: tables below it, or files in its place."""
        if declared in self.files:
            return self.files[declared]
        if declared.startswith(BOOKKEEPING):
            return ()
        return sorted(path for path in versions if path.startswith(f"{declared}/")) or (declared,)

    def _dataset(self, path: str) -> Event:
        facets: Event = {}
        version = self.versions.get(path)
        if version is not None:
            columns = [{"name": name, "type": kind} for name, kind in self.facts_of(path, version).columns]
            facets |= _facet("version", "DatasetVersionDatasetFacet", {"datasetVersion": str(version)})
            if columns:
                facets |= _facet("schema", "SchemaDatasetFacet", {"fields": columns})
        return {**dataset_name(self.root, path), "facets": facets}

    def _output(self, path: str, entry: LedgerEntry) -> Event:
        if entry.status == "failed":
            return {**dataset_name(self.root, path), "facets": {}}
        return {**self._dataset(path), "outputFacets": self._statistics(path, entry)}

    def _statistics(self, path: str, entry: LedgerEntry) -> Event:
        """What was written; nothing is said of a table that stayed as it was or took several commits."""
        written: Mapping[str, int | None] = {}
        if path.startswith("quarantine/"):
            written = {"rowCount": (entry.rows or {}).get("quarantined")}
        for name, table in entry.tables.items():
            before, after = table["before"], table["after"]
            is_one_commit = after == (0 if before is None else before + 1)
            is_new = after != before and path.startswith(HIVE)
            if _path(name) == path and after is not None and (is_one_commit or is_new):
                written = self.facts_of(path, after).written
        said = {name: value for name, value in written.items() if value is not None}
        return _facet("outputStatistics", "OutputStatisticsOutputDatasetFacet", said) if said else {}

    def _tags(self, entry: LedgerEntry | None = None) -> Event:
        tags = {"run_id": self.run["run_id"], "date": entry.date if entry else self.run["date"]}
        if entry:
            tags |= {"code_version": entry.code_version, "configuration": entry.configuration}
        listed = [{"key": key, "value": value, "source": NAMESPACE} for key, value in tags.items() if value]
        return _facet("tags", "TagsRunFacet", {"tags": listed})


def declared(graph: StageGraph, name: str) -> tuple[str, Sequence[str], Sequence[str]]:
    """Title, inputs and outputs; the generator is no stage of the graph."""
    if name == GENERATE:
        return "make a shop's data", (), RAW
    stage = next(each for each in graph.stages if each.name == name)
    return stage.title, stage.inputs, stage.outputs


def _event(  # noqa: PLR0913 - the parts of an event, by name
    kind: str, time: str, *, run: Event, job: Event, inputs: Sequence[Event] = (), outputs: Sequence[Event] = ()
) -> Event:
    return {
        "eventType": kind,
        "eventTime": time,
        "run": run,
        "job": job,
        "inputs": list(inputs),
        "outputs": list(outputs),
        "producer": _PRODUCER,
        "schemaURL": _RUN_EVENT,
    }


def _facet(key: str, name: str, content: Mapping[str, Any]) -> Event:
    schema = f"{_SPEC}/facets/{_FACETS[name]}/{name}.json#/$defs/{name}"
    return {key: {"_producer": _PRODUCER, "_schemaURL": schema, **content}}


def _error(line: str | None) -> Event:
    if not line:
        return {}
    return _facet("errorMessage", "ErrorMessageRunFacet", {"message": line, "programmingLanguage": "PYTHON"})


def _end(entry: LedgerEntry) -> str:
    ended = datetime.fromisoformat(entry.started_at) + timedelta(seconds=entry.seconds)
    return ended.isoformat(timespec="milliseconds")


def dataset_name(root: str, path: str) -> dict[str, str]:
    """Namespace and name by OpenLineage's rules: the file system, and the absolute path on it.

    Args:
        root: A directory or a URI.
        path: Below the root, or absolute.
    """
    where = urlsplit(root)
    if path.startswith("/") or not where.netloc:
        return {"namespace": "file", "name": path if path.startswith("/") else f"{root}/{path}"}
    return {"namespace": f"{where.scheme}://{where.netloc}", "name": f"{where.path}/{path}"}
