"""The files that a mapping names: where they are, and how many rows they hold."""

from __future__ import annotations

import glob
from importlib import util
from pathlib import Path

import pyarrow.parquet as pq
from pyarrow import ArrowException

from common.cleaning.compression import check_compression, open_text
from common.errors import ConfigurationError, InputError
from common.settings import MappedFile, SourceSettings
from common.storage.inventory import RawFile, count_lines

_PACKAGE = "package:"


def mapped_files(source: SourceSettings, dataset: str) -> tuple[RawFile, ...]:
    """The files behind a data set, with the rows of those that its rows come from.

    Raises:
        ConfigurationError: If a declared file is not there.
        InputError: If one cannot be read.
    """
    mapped = source.datasets.get(dataset)  # type: ignore[call-overload]
    if mapped is None:
        return ()
    found = []
    for name in mapped.files:
        declared = source.files[name]
        for path in resolve_paths(source, name):
            status = path.stat()
            rows = _rows(path, declared) if name == mapped.rows_of else 0
            found.append(RawFile(str(path), status.st_size, status.st_mtime_ns, None, rows))
    return tuple(sorted(found, key=lambda file: file.path))


def check_paths(source: SourceSettings, dataset: str) -> None:
    """See that the files of a data set are there.

    Raises:
        ConfigurationError: If one is not, or is packed otherwise than declared.
    """
    mapped = source.datasets.get(dataset)  # type: ignore[call-overload]
    for name in mapped.files if mapped else ():
        resolve_paths(source, name)


def resolve_paths(source: SourceSettings, name: str) -> list[Path]:
    """The paths that a declared file stands for.

    Raises:
        ConfigurationError: If there are none, or one is packed otherwise than declared.
    """
    declared, where = source.files[name].path, f"source {source.name}: files.{name}"
    pattern = declared
    if declared.startswith(_PACKAGE):
        package, _, inside = declared.removeprefix(_PACKAGE).partition("/")
        spec = util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ConfigurationError(
                f"the package {package} is not installed",
                where=where,
                remedy="./build.sh setup --extras installs the example data",
            )
        pattern = str(Path(spec.submodule_search_locations[0]) / inside)
    paths = [Path(path).resolve() for path in sorted(glob.glob(pattern, recursive=True)) if Path(path).is_file()]
    if not paths:
        raise ConfigurationError(f"no such file: {declared}", where=where, remedy="mend its path")
    check_compression(paths, source.files[name], where)
    return paths


def _rows(path: Path, declared: MappedFile) -> int:
    """Rows of a file, counted in the file itself."""
    try:
        if declared.format == "parquet":
            return int(pq.read_metadata(path).num_rows)
        with open_text(path) as file:
            lines = count_lines(file)
    except (OSError, ArrowException) as error:
        raise InputError(f"cannot read: {error}", where=str(path), remedy="mend or remove the file") from error
    has_header = declared.format == "csv" and declared.options.get("header", "true").lower() == "true"
    return max(lines - has_header, 0)
