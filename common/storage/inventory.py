"""What lies in the raw zone, counted from the files themselves.

An inventory is the other end of the row account: lines are counted in the bytes of a file and rows in the footer of a
Parquet file, never in a frame that cleaning reads.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyarrow import ArrowException

from common.contracts.model import Contract
from common.errors import InputError
from common.layout import Layout

_CHUNK = 1 << 22
_HEADER_LIMIT = 1 << 16
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class RawFile:
    """A raw file and what it says it holds.

    Attributes:
        path: Relative to the root.
        size: Bytes.
        modified_ns: Time of the last change, nanoseconds since the epoch.
        delivered_on: The day in its path, ISO; None where the path has none.
        rows: Data rows: lines without the header, or the rows of a Parquet footer.
        header: The column names of a CSV file; None for other forms.
    """

    path: str
    size: int
    modified_ns: int
    delivered_on: str | None
    rows: int
    header: tuple[str, ...] | None = None

    @property
    def identity(self) -> tuple[str, int, int]:
        """What tells one state of a file from another."""
        return self.path, self.size, self.modified_ns

    def as_json(self) -> dict[str, Any]:
        """For a manifest."""
        return asdict(self)

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> RawFile:
        """From a manifest."""
        header = entry["header"]
        return cls(**{**entry, "header": tuple(header) if header is not None else None})


def take_inventory(layout: Layout, contract: Contract, known: Iterable[RawFile] = ()) -> tuple[RawFile, ...]:
    """The files of a raw data set, sorted by path.

    Args:
        layout: The root; a local one.
        contract: What the files should hold.
        known: Files of an earlier inventory; one that has not changed is not opened again.

    Raises:
        InputError: If the directory or any data is missing, a file cannot be read, or a header or schema is not the
            contract's.
    """
    directory = layout.local("raw", contract.name)
    if not directory.is_dir():
        raise InputError(
            f"no raw {contract.name}", where=str(directory), remedy="generate or copy data there, or name its --root"
        )
    root = layout.local()
    seen = {file.identity: file for file in known}
    files = []
    for path in sorted(_data_files(directory, contract)):
        status = path.stat()
        name = path.relative_to(root).as_posix()
        file = seen.get((name, status.st_size, status.st_mtime_ns))
        files.append(file or _open(path, name, contract))
    if not files:
        raise InputError(
            f"raw {contract.name} holds no {contract.form} file",
            where=str(directory),
            remedy="generate or copy data there, or name its --root",
        )
    return tuple(files)


def _data_files(directory: Path, contract: Contract) -> Iterable[Path]:
    endings = {"csv": (".csv",), "json": (".json", ".jsonl", ".ndjson"), "parquet": (".parquet",)}[contract.form]
    for path in directory.rglob("*"):
        parts = path.relative_to(directory).parts
        hidden = any(part.startswith((".", "_")) for part in parts)
        if not hidden and parts[0] != "streaming" and path.suffix in endings and path.is_file():
            yield path


def _open(path: Path, name: str, contract: Contract) -> RawFile:
    status = path.stat()
    header = None
    try:
        if contract.form == "parquet":
            rows = _parquet_rows(path, contract)
        else:
            with path.open("rb", buffering=0) as file:
                rows = count_lines(file)
            if contract.form == "csv":
                header = _header(path, contract)
                rows -= 1
    except OSError as error:
        raise InputError(
            f"cannot read: {error.strerror or error}", where=str(path), remedy="mend or remove the file"
        ) from error
    return RawFile(name, status.st_size, status.st_mtime_ns, _delivered_on(path, contract), rows, header)


def count_lines(file: io.BufferedIOBase | io.RawIOBase) -> int:
    """Lines as ended by a line feed; bytes after the last one are a line too."""
    lines, last = 0, b"\n"
    while chunk := file.read(_CHUNK):
        lines += chunk.count(b"\n")
        last = chunk[-1:]
    return lines + (last != b"\n")


def _parquet_rows(path: Path, contract: Contract) -> int:
    try:
        footer = pq.read_metadata(path)
    except ArrowException as error:
        raise InputError(
            "a Parquet file is truncated or damaged", where=str(path), remedy="deliver the file again, or remove it"
        ) from error
    names = set(footer.schema.to_arrow_schema().names)
    missing = [column for column in contract.required if column not in names]
    if missing:
        raise InputError(
            f"a Parquet file lacks {', '.join(missing)}", where=str(path), remedy="deliver the file with these columns"
        )
    return int(footer.num_rows)


def _header(path: Path, contract: Contract) -> tuple[str, ...]:
    with path.open("rb") as file:
        line = file.readline(_HEADER_LIMIT).removeprefix(_BOM)
    header = tuple(line.decode("utf-8", errors="replace").rstrip("\r\n").split(","))
    expected = contract.raw_columns
    wanted = tuple(column for column in expected if column in header)
    missing = [column for column in contract.required if column not in header]
    if header == wanted and not missing:
        return header
    unknown = [column for column in header if column not in expected]
    if missing:
        what = f"the header lacks {', '.join(missing)}"
    elif unknown:
        what = f"the header has unknown columns: {', '.join(unknown)[:200]}"
    else:
        what = "the header's columns are in another order, or repeated"
    raise InputError(
        what, where=str(path), remedy=f"the columns are {','.join(expected)}; optional ones may be left out"
    )


def _delivered_on(path: Path, contract: Contract) -> str | None:
    for part in reversed(path.parent.parts):
        match = re.fullmatch(rf"{contract.delivered}=(.+)", part)
        if match:
            try:
                return date.fromisoformat(match[1]).isoformat()
            except ValueError as error:
                raise InputError(
                    f"'{part}' is not a date", where=str(path), remedy="name the directory by a day, YYYY-MM-DD"
                ) from error
    return None
