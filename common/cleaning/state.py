"""Which files a clean table was made of: known from the table's own last commit, so that a kill cannot part the two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession

from common.layout import Layout
from common.storage import delta
from common.storage.files import read_json, write_json
from common.storage.inventory import RawFile

DROPPED = "dropped"
_FILES, _BASIS = "files", "basis"


@dataclass(frozen=True)
class MadeOf:
    """What a clean table was made of, as its last commit says.

    Attributes:
        files: The raw files.
        basis: Code version and settings; None where there is no table.
        dropped: The runs that read the files, whose logs in ops/dropped name the rows of them that were dropped; None
            where the commit does not say.
    """

    files: tuple[RawFile, ...] = ()
    basis: str | None = None
    dropped: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Pending:
    """What a cleaning job has to do.

    Attributes:
        files: The files to be read.
        rebuild: Whether the table is made from nothing; `files` are then all that it is to be made of.
        why: In a few words.
    """

    files: tuple[RawFile, ...]
    rebuild: bool
    why: str


def made_of(spark: SparkSession, layout: Layout, dataset: str) -> MadeOf:
    """What the clean table of a data set was made of; nothing where there is none."""
    metadata = delta.recorded_metadata(spark, layout.clean(dataset))
    if _FILES not in metadata:
        return MadeOf()
    listed = read_json(layout.local("ops", "manifest", metadata[_FILES]))
    dropped = tuple(metadata[DROPPED]) if DROPPED in metadata else None
    return MadeOf(tuple(RawFile.from_json(entry) for entry in listed), str(metadata[_BASIS]), dropped)


def after(made: MadeOf, pending: Pending, basis: str, run_id: str) -> MadeOf:
    """What a table is made of once a run has cleaned what was pending."""
    if pending.rebuild:
        return MadeOf(pending.files, basis, (run_id,))
    dropped = None if made.dropped is None else tuple(dict.fromkeys((*made.dropped, run_id)))
    return MadeOf((*made.files, *pending.files), basis, dropped)


def decide(
    present: Sequence[RawFile], processed: Sequence[RawFile], basis: str, processed_basis: str | None, *, rebuild: bool
) -> Pending:
    """What is to be read, given what is there and what was read before.

    A new file is an increment. A file that changed means that the table is made anew from all files, since the rows
    that it once gave cannot be told from those that others gave as well. A file that went away changes nothing: its
    rows stay, until a rebuild asks for it again and fails where it is still missing.

    Args:
        present: The inventory up to the date of the run.
        processed: The files of the table's last commit.
        basis: Code version and settings now.
        processed_basis: Those of the last commit; None where there is no table.
        rebuild: Whether the caller wants everything anew.
    """
    known = {file.identity for file in processed}
    fresh = tuple(file for file in present if file.identity not in known)
    if processed_basis is None:
        return Pending(tuple(present), True, "first load")
    if rebuild:
        return Pending(_union(present, processed), True, "asked for")
    if basis != processed_basis:
        return Pending(_union(present, processed), True, "code or settings changed")
    by_path = {file.path for file in processed}
    if any(file.path in by_path for file in fresh):
        return Pending(_union(present, processed), True, "a raw file changed")
    return Pending(fresh, False, "new files" if fresh else "no new files")


def _union(present: Sequence[RawFile], processed: Sequence[RawFile]) -> tuple[RawFile, ...]:
    """A rebuild covers at least what the table covered, even when the run's date is an earlier one."""
    by_path = {file.path: file for file in processed} | {file.path: file for file in present}
    return tuple(by_path[path] for path in sorted(by_path))


def commit_metadata(layout: Layout, run_id: str, made: MadeOf) -> dict[str, Any]:
    """What a commit keeps with itself: the name of a manifest, written first, which lists all files it rests on.

    Args:
        layout: The root.
        run_id: The run that commits.
        made: What the table is made of once it is committed.
    """
    listed = [file.as_json() for file in sorted(made.files, key=lambda file: file.path)]
    name = f"{hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:32]}.json"
    write_json(layout.local("ops", "manifest", name), listed)
    logs = {} if made.dropped is None else {DROPPED: made.dropped}
    return {"run_id": run_id, _BASIS: made.basis, _FILES: name, **logs}
