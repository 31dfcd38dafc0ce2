"""What the tables of the lake were made from, and so whether making one again would give anything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from common.job import StageContext
from common.storage import delta
from common.storage.files import read_json, write_json


@dataclass(frozen=True)
class Origin:
    """What a table was made from; kept with its commit.

    Attributes:
        basis: Code and settings.
        inputs: The version of each table that it was computed from; None for one that was not there.
    """

    basis: str
    inputs: Mapping[str, int | None]

    def as_metadata(self, run_id: str) -> dict[str, Any]:
        """For the commit."""
        return {"run_id": run_id, "basis": self.basis, "inputs": dict(self.inputs)}


def origin_of(context: StageContext, inputs: Iterable[str], basis: str | None = None) -> Origin:
    """What a table made now would be made from.

    Args:
        context: The stage's.
        inputs: The tables that it reads, as the graph names them.
        basis: Default the context's.
    """
    versions = {name: delta.version_of(context.spark, context.layout.path(name)) for name in inputs}
    return Origin(basis or context.basis, versions)


def recorded_origin(context: StageContext, table: str) -> Origin | None:
    """The newest origin that is known to give what the table holds.

    That is the one of its last commit, or a later one that gave the same rows and was noted by `note_same`. None where
    there is no table or its last commit does not say.
    """
    commit = _commit_of(context, table)
    if commit is None:
        return None
    path = context.layout.local(*_noted(table))
    noted = read_json(path) if context.layout.is_local and path.exists() else {}
    found = noted["same"] if noted.get("commit") == commit else commit
    return Origin(str(found["basis"]), dict(found["inputs"]))


def is_up_to_date(context: StageContext, table: str, origin: Origin) -> bool:
    """Whether a table was made from the same, so that making it again would give the same."""
    return not context.rebuild and recorded_origin(context, table) == origin


def note_same(context: StageContext, table: str, origin: Origin) -> None:
    """Note that another origin gave what the table holds, so that the next run need not compute it to find that out.

    There is no commit for it: a new version would have everything made anew that is made from the table. The note names
    the commit that it belongs to and says nothing of any other. A remote root has no notes, and computes.

    Args:
        context: The stage's.
        table: As the graph names it.
        origin: What would have given the same.
    """
    commit = _commit_of(context, table)
    if context.layout.is_local and commit is not None:
        same = origin.as_metadata(context.run_id)
        write_json(context.layout.local(*_noted(table)), {"commit": commit, "same": same})


def _commit_of(context: StageContext, table: str) -> dict[str, Any] | None:
    """Run, basis and inputs of the table's last commit."""
    metadata = delta.recorded_metadata(context.spark, context.layout.path(table))
    if "inputs" not in metadata or "basis" not in metadata:
        return None
    return {name: metadata.get(name) for name in ("run_id", "basis", "inputs")}


def _noted(table: str) -> tuple[str, ...]:
    return "ops", "manifest", f"{table.replace('/', '_')}_same.json"
