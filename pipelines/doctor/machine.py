"""What the checks look at, read once from the machine."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.setup import jars, spark_files, token_key
from pipelines.setup.java import Java, find, probe

_REMOTE = re.compile(r"^(?!file:)[a-z][a-z0-9+.-]*://")


@dataclass(frozen=True)
class Machine:
    """A machine as the checks see it.

    Attributes:
        python: Version of the Python that runs this.
        java: The Java that the environment uses, or the one that set-up would choose; None without one that fits.
        unfit_java: Other Java versions that were found.
        packages: Installed distributions of those in `pins`, name → version.
        pins: requirements.txt, name → version.
        jar_pins: Connector jars, file name → sha256.
        jars: Jars in pyspark/jars of the pinned artifacts, in any version, file name → sha256.
        spark_files: What set-up writes, name → whether it is there and as it should be.
        memory: Bytes of the machine, or of its container.
        root: The root of the zones as given.
        is_remote_root: Whether the root is on another file system than this machine's.
        disk_free: Bytes free under the root; None when the root is remote.
        is_root_writable: Whether the root, or the nearest directory above it that exists, can be written.
        key_file: Where the token key is or would be.
        key_mode: The permission bits of the token key; None when there is none.
        hadoop_conf_dir: The value of HADOOP_CONF_DIR, if set.
        hadoop_conf_files: The names in that directory.
    """

    python: tuple[int, int, int]
    java: Java | None
    unfit_java: tuple[Java, ...]
    packages: Mapping[str, str]
    pins: Mapping[str, str]
    jar_pins: Mapping[str, str]
    jars: Mapping[str, str]
    spark_files: Mapping[str, bool]
    memory: int
    root: str
    is_remote_root: bool
    disk_free: int | None
    is_root_writable: bool
    key_file: Path
    key_mode: int | None
    hadoop_conf_dir: str | None
    hadoop_conf_files: frozenset[str]


def read_machine(project: Path, root: str, environment: Mapping[str, str]) -> Machine:
    """Looks at everything that the checks need; changes nothing."""
    venv = project / ".venv"
    conf = project / "conf" / "spark"
    pins = read_requirements(project / "requirements.txt")
    jar_pins = jars.read_pins(conf / "jars.sha256")
    spark_home = _spark_home()
    recorded = _recorded_java(venv / "platform.env")
    found, unfit = find(environment)
    memory = spark_files.total_memory()
    is_remote = bool(_REMOTE.match(root))
    existing = _nearest_existing(Path(root.removeprefix("file://")))
    hadoop = environment.get("HADOOP_CONF_DIR")
    key_file = token_key.key_path(environment, venv)
    return Machine(
        python=sys.version_info[:3],
        java=recorded or found,
        unfit_java=tuple(unfit),
        packages=_installed(pins, without=() if spark_home else ("pyspark",)),
        pins=pins,
        jar_pins=jar_pins,
        jars=_jars(jar_pins, spark_home),
        spark_files=_spark_files(conf, venv, spark_home, memory),
        memory=memory,
        root=root,
        is_remote_root=is_remote,
        disk_free=None if is_remote else shutil.disk_usage(existing).free,
        is_root_writable=is_remote or (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)),
        key_file=key_file,
        key_mode=key_file.stat().st_mode & 0o777 if key_file.is_file() else None,
        hadoop_conf_dir=hadoop,
        hadoop_conf_files=frozenset(os.listdir(hadoop)) if hadoop and Path(hadoop).is_dir() else frozenset(),
    )


def read_requirements(path: Path) -> dict[str, str]:
    """The pins of a requirements file, name → version."""
    pin = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;#]+)", re.MULTILINE)
    return dict(pin.findall(path.read_text(encoding="utf-8")))


def _installed(pins: Mapping[str, str], without: Collection[str]) -> dict[str, str]:
    # `without` are packages of which only the metadata is left.
    versions: dict[str, str] = {}
    for name in pins.keys() - without:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _spark_home() -> Path | None:
    spec = importlib.util.find_spec("pyspark")
    return Path(spec.origin).parent if spec and spec.origin else None


def _recorded_java(environment_file: Path) -> Java | None:
    if not environment_file.is_file():
        return None
    home = re.search(r"^export JAVA_HOME='?([^'\n]+)'?$", environment_file.read_text(encoding="utf-8"), re.MULTILINE)
    return probe(Path(home.group(1))) if home else None


def _jars(pins: Mapping[str, str], spark_home: Path | None) -> dict[str, str]:
    if spark_home is None:
        return {}
    artifacts = {jars.artifact_of(name) for name in pins}
    ours = (jar for jar in (spark_home / "jars").glob("*.jar") if jars.artifact_of(jar.name) in artifacts)
    return {jar.name: jars.sha256_of(jar) for jar in ours}


def _spark_files(conf: Path, venv: Path, spark_home: Path | None, memory: int) -> dict[str, bool]:
    launcher = venv / "bin" / "spark-submit"
    state = {
        "platform.env": (venv / "platform.env").is_file(),
        "spark-submit": launcher.is_file() and str(venv / "platform.env") in launcher.read_text(errors="replace"),
    }
    for name in ("spark-defaults.conf", "log4j2.properties"):
        wanted = spark_files.render((conf / name).read_text(encoding="utf-8"), memory)
        written = spark_home / "conf" / name if spark_home else None
        state[name] = bool(written and written.is_file() and written.read_text(encoding="utf-8") == wanted)
    return state


def _nearest_existing(path: Path) -> Path:
    absolute = path.expanduser().absolute()
    return next(candidate for candidate in (absolute, *absolute.parents) if candidate.exists())
