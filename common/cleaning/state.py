"""Which files a clean table was made of: known from the table's own last commit, so that a kill cannot part the two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import SparkSession

from common.layout import Layout
from common.storage import delta
from common.storage.files import read_json, write_json
from common.storage.inventory import RawFile

_FILES, _BASIS = "files", "basis"


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


def processed_files(spark: SparkSession, layout: Layout, dataset: str) -> tuple[tuple[RawFile, ...], str | None]:
    """The files that a clean table was made of, and the basis (code and settings) on which."""
    metadata = delta.recorded_metadata(spark, layout.clean(dataset))
    if _FILES not in metadata:
        return (), None
    listed = read_json(layout.local("ops", "manifest", metadata[_FILES]))
    return tuple(RawFile.from_json(entry) for entry in listed), str(metadata[_BASIS])


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


def commit_metadata(layout: Layout, run_id: str, basis: str, files: Sequence[RawFile]) -> dict[str, str]:
    """What a commit keeps with itself: the name of a manifest, written first, which lists all files it rests on."""
    listed = [file.as_json() for file in sorted(files, key=lambda file: file.path)]
    name = f"{hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:32]}.json"
    write_json(layout.local("ops", "manifest", name), listed)
    return {"run_id": run_id, _BASIS: basis, _FILES: name}
