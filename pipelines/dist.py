"""Makes the bundle under dist/: the wheel, common.zip, jobs, configuration, and a manifest with checksums.

The same commit gives the same bytes on any machine: entries are sorted and stored uncompressed (compressed bytes differ
between zlib builds), with the commit's date and fixed modes. No network is used.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from common.arguments import Parser
from common.errors import ConfigurationError, PlatformError

PROJECT = Path(__file__).resolve().parents[1]
PRODUCT = "ecommerce-platform"
_SOURCES = ("common", "conf", "jobs", "setup.py", "pyproject.toml", "LICENSE", "requirements.txt")
_EARLIEST = 315_532_800  # 1980-01-01, the first moment that a zip can hold
_FILE_MODE = 0o100644
_UNIX = 3


@dataclass(frozen=True)
class Revision:
    """What the sources are a state of: commit, its time in seconds since 1970, and whether files differ from it."""

    commit: str | None
    seconds: int
    dirty: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Makes the bundle. Returns the exit code."""
    parser = Parser(prog="./build.sh dist", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, default=PROJECT / "dist", help="where to (default: dist in the project)")
    parser.add_argument("--quiet", action="store_true", help="say nothing when all is well")
    try:
        arguments = parser.parse_args(argv)
        with (PROJECT / ".dist.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            made = build(PROJECT, arguments.output)
    except PlatformError as error:
        sys.stderr.write(f"dist: {error}\n")
        return int(error.exit_code)
    if not arguments.quiet:
        sys.stdout.write(f"dist: {'made' if made else 'unchanged'} in {arguments.output}\n")
    return 0


def build(project: Path, output: Path) -> bool:
    """Makes the bundle of a project.

    Args:
        project: The checkout.
        output: The directory that then holds the bundle and nothing else.

    Returns:
        Whether anything had to be made.

    Raises:
        ConfigurationError: If a source is missing, the output holds other files or the wheel cannot be built.
    """
    if output.is_dir() and any(output.iterdir()) and not (output / "manifest.json").is_file():
        raise ConfigurationError(
            "holds something else than a bundle", where=str(output), remedy="name an empty or a new directory"
        )
    names = source_files(project)
    revision = read_revision(project)
    contents = {name: (project / name).read_bytes() for name in names}
    fingerprint = _fingerprint(contents, revision)
    if _is_current(output, fingerprint):
        return False
    version = read_version(contents)
    files = _bundle(contents, version, revision)
    manifest = {
        "product": PRODUCT,
        "version": version,
        "commit": revision.commit,
        "dirty": revision.dirty,
        "date": datetime.fromtimestamp(revision.seconds, UTC).isoformat(),
        "inputs": fingerprint,
        "files": [
            {"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(files.items())
        ],
    }
    files["manifest.json"] = (json.dumps(manifest, indent=2) + "\n").encode()
    archive = f"{PRODUCT}-{version}"
    packed = _zip({f"{archive}/{name}": data for name, data in files.items()}, revision)
    files[f"{archive}.zip"] = packed
    files[f"{archive}.zip.sha256"] = f"{hashlib.sha256(packed).hexdigest()}  {archive}.zip\n".encode()
    _put(files, output)
    return True


def source_files(project: Path) -> list[str]:
    """The files that a bundle is made of, as sorted paths relative to the project; what git ignores is left out."""
    listed = _git(project, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *_SOURCES)
    if listed is not None:
        names = {name for name in listed.split("\0") if name and (project / name).is_file()}
    else:
        found = (path for source in _SOURCES for path in (project / source, *(project / source).rglob("*")))
        names = {path.relative_to(project).as_posix() for path in found if path.is_file()}
    missing = sorted(source for source in _SOURCES if not any(PurePosixPath(name).parts[0] == source for name in names))
    if missing:
        raise ConfigurationError(
            f"nothing to bundle in {', '.join(missing)}", where=str(project), remedy="restore it from the repository"
        )
    return sorted(name for name in names if "__pycache__" not in name)


def read_revision(project: Path) -> Revision:
    """Commit, commit time and cleanliness of the sources; without git the earliest time, and dirty."""
    shown = _git(project, "log", "-1", "--format=%H %ct")
    if not shown:
        return Revision(None, _EARLIEST, dirty=True)
    commit, seconds = shown.split()
    changed = _git(project, "status", "--porcelain", "--", *_SOURCES)
    return Revision(commit, max(int(seconds), _EARLIEST), dirty=bool(changed))


def read_version(contents: Mapping[str, bytes]) -> str:
    """The version that common/__init__.py states."""
    found = re.search(r'^__version__ = "([^"]+)"', contents.get("common/__init__.py", b"").decode(), re.MULTILINE)
    if not found:
        raise ConfigurationError("no __version__", where="common/__init__.py", remedy="state it as a string")
    return found.group(1)


def _bundle(contents: Mapping[str, bytes], version: str, revision: Revision) -> dict[str, bytes]:
    package = {name: data for name, data in contents.items() if name.startswith("common/")}
    configuration = {name: data for name, data in contents.items() if name.startswith("conf/")}
    # Inside the zip the configuration lies in the package, where a job on a cluster finds it.
    inside = {f"common/_{name}": data for name, data in configuration.items()}
    jobs = {
        name: data
        for name, data in contents.items()
        if name.startswith("jobs/") and name.endswith(".py") and not name.endswith("__init__.py")
    }
    return {
        **configuration,
        **jobs,
        "LICENSE": contents["LICENSE"],
        "requirements.txt": contents["requirements.txt"],
        "common.zip": _zip({**package, **inside}, revision),
        f"common-{version}-py3-none-any.whl": _wheel(contents, version, revision),
    }


def _wheel(contents: Mapping[str, bytes], version: str, revision: Revision) -> bytes:
    with tempfile.TemporaryDirectory() as work:
        for name, data in contents.items():
            target = Path(work, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        environment = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "PYTHONSAFEPATH"}}
        done = subprocess.run(
            [sys.executable, "setup.py", "--quiet", "bdist_wheel"],
            cwd=work,
            env={**environment, "SOURCE_DATE_EPOCH": str(revision.seconds)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        made = Path(work, "dist", f"common-{version}-py3-none-any.whl")
        if done.returncode != 0 or not made.is_file():
            told = done.stdout.strip().splitlines()
            raise ConfigurationError(
                f"the wheel could not be built: {told[-1] if told else 'no message'}",
                where="setup.py, pyproject.toml",
                remedy="run ./build.sh setup, then python setup.py bdist_wheel to see all of it",
            )
        with zipfile.ZipFile(made) as wheel:
            return _zip({entry: wheel.read(entry) for entry in wheel.namelist()}, revision)


def _zip(files: Mapping[str, bytes], revision: Revision) -> bytes:
    moment = datetime.fromtimestamp(revision.seconds, UTC).timetuple()[:6]
    with tempfile.TemporaryFile() as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name, data in sorted(files.items()):
                entry = zipfile.ZipInfo(name, moment)
                entry.external_attr = _FILE_MODE << 16
                entry.create_system = _UNIX
                archive.writestr(entry, data)
        stream.seek(0)
        return stream.read()


def _put(files: Mapping[str, bytes], output: Path) -> None:
    # Each file is renamed into place, so that a job which starts meanwhile reads an old or a new one, never half.
    for name, data in files.items():
        target = output / name
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        beside.write_bytes(data)
        beside.replace(target)
    for path in sorted(output.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                shutil.rmtree(path)
        elif path.relative_to(output).as_posix() not in files:
            path.unlink()


def _fingerprint(contents: Mapping[str, bytes], revision: Revision) -> str:
    digest = hashlib.sha256(repr(revision).encode())
    for name, data in sorted(contents.items()):
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def _is_current(output: Path, fingerprint: str) -> bool:
    try:
        manifest = json.loads((output / "manifest.json").read_bytes())
        archive = output / f"{PRODUCT}-{manifest['version']}.zip"
        whole = all((output / entry["path"]).stat().st_size == entry["bytes"] for entry in manifest["files"])
    except (OSError, ValueError, KeyError):
        return False
    return bool(manifest["inputs"] == fingerprint) and whole and archive.is_file()


def _git(project: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", project, *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
