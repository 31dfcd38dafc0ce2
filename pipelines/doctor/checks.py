"""The checks: each looks at a `Machine` and returns findings; none touches the machine itself."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pipelines.doctor.machine import Machine
from pipelines.setup.jars import artifact_of
from pipelines.setup.java import SUPPORTED_MAJORS

GIB = 1024**3
_SETUP = "run ./build.sh setup"
_OLDEST_PYTHON = (3, 11)
_MEMORY_GIB = (3, 6)
_DISK_GIB = (2, 10)


class State(StrEnum):
    """How bad a finding is; only a problem makes doctor fail."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """What one check saw, and what to do about it when it is not fine."""

    check: str
    state: State
    says: str
    remedy: str = ""

    def __str__(self) -> str:
        """The finding in a line."""
        return f"{self.state.value:<8} {self.check:<18} {self.says}" + (f" -> {self.remedy}" if self.remedy else "")


def check_python(machine: Machine) -> list[Finding]:
    """Python 3.11 or newer."""
    version = ".".join(str(part) for part in machine.python)
    if machine.python[:2] < _OLDEST_PYTHON:
        return [_problem("Python", f"{version} is too old", "install python3.11, remove .venv and " + _SETUP)]
    return [_ok("Python", version)]


def check_java(machine: Machine) -> list[Finding]:
    """A Java that Spark and Hadoop run on."""
    if machine.java is None:
        others = ", ".join(f"Java {java.major} in {java.home}" for java in machine.unfit_java) or "no Java"
        remedy = "install openjdk-17-jre-headless (or your system's Java 17) and " + _SETUP
        return [_problem("Java", f"17 or 21 is needed, found {others}", remedy)]
    if machine.java.major not in SUPPORTED_MAJORS:
        says = f"{machine.java.major} in {machine.java.home}; Spark needs 17 or 21"
        return [_problem("Java", says, "install openjdk-17-jre-headless (or your system's Java 17) and " + _SETUP)]
    return [_ok("Java", f"{machine.java.major} in {machine.java.home}")]


def check_packages(machine: Machine) -> list[Finding]:
    """Each pinned package in its pinned version; the ones that must fit together by name."""
    findings = []
    wrong = {name: version for name, version in machine.pins.items() if machine.packages.get(name) != version}
    for name in ("pyspark", "delta-spark", "great-expectations", "pandas", "pyarrow"):
        if name not in wrong:
            findings.append(_ok(name, machine.pins.get(name, "not pinned")))
    for name, version in wrong.items():
        found = machine.packages.get(name)
        says = f"{found} is installed, pinned is {version}" if found else f"not installed, pinned is {version}"
        # A package of which only a part is left counts as installed: set-up would not see that anything is missing.
        findings.append(
            _problem(name, says, _SETUP if found else f"{_SETUP}; if that does not help, remove .venv first")
        )
    return findings


def check_delta(machine: Machine) -> list[Finding]:
    """The Python half of Delta and its jar in the same version."""
    package = machine.packages.get("delta-spark")
    versions = sorted(_version_of(jar) for jar in machine.jars if artifact_of(jar) == "delta-spark")
    if package is None or not versions or package in versions:
        return []  # a missing half, or a second jar, has a finding of its own
    return [_problem("Delta", f"package {package}, jar {' and '.join(versions)}", _SETUP)]


def check_jars(machine: Machine) -> list[Finding]:
    """Each connector jar once, with the pinned bytes."""
    if "pyspark" not in machine.packages:
        return []  # they live in it
    findings = []
    for name, checksum in machine.jar_pins.items():
        if name not in machine.jars:
            findings.append(_problem("connector jars", f"{name} is missing", _SETUP))
        elif machine.jars[name] != checksum:
            findings.append(_problem("connector jars", f"{name} has not the pinned bytes", _SETUP))
    findings.extend(
        _problem("connector jars", f"{name} beside the pinned version: two on one class path", _SETUP)
        for name in sorted(set(machine.jars) - set(machine.jar_pins))
    )
    return findings or [_ok("connector jars", f"{len(machine.jar_pins)} in place, checksums right")]


def check_spark_files(machine: Machine) -> list[Finding]:
    """What set-up writes for Spark."""
    wrong = sorted(name for name, is_right in machine.spark_files.items() if not is_right)
    if wrong:
        return [_problem("Spark's files", f"missing or changed: {', '.join(wrong)}", _SETUP)]
    return [_ok("Spark's files", "in place")]


def check_memory(machine: Machine) -> list[Finding]:
    """Enough memory for Spark's driver beside Python."""
    return [_by_level("memory", machine.memory, _MEMORY_GIB, "", "use a larger machine or a smaller --scale")]


def check_disk(machine: Machine) -> list[Finding]:
    """Enough room under the root."""
    if machine.disk_free is None:
        return [_ok("disk", f"{machine.root} is remote, not looked at")]
    return [_by_level("disk", machine.disk_free, _DISK_GIB, f" free under {machine.root}", "free some, or give --root")]


def check_root(machine: Machine) -> list[Finding]:
    """A root that can be written."""
    if machine.is_remote_root:
        return []
    if not machine.is_root_writable:
        return [_problem("root", f"{machine.root} cannot be written", "change its permissions, or give another --root")]
    return [_ok("root", f"{machine.root} can be written")]


def check_token_key(machine: Machine) -> list[Finding]:
    """A token key that only its owner reads."""
    if machine.key_mode is None:
        return [_problem("token key", f"none in {machine.key_file}", _SETUP)]
    if machine.key_mode & (stat.S_IRWXG | stat.S_IRWXO):
        says = f"{machine.key_file} is open to others ({machine.key_mode:04o})"
        return [_problem("token key", says, f"chmod 600 {machine.key_file}")]
    return [_ok("token key", f"{machine.key_file}, for its owner only")]


def check_hadoop(machine: Machine) -> list[Finding]:
    """A Hadoop configuration, where one is named."""
    if machine.hadoop_conf_dir is None:
        return []
    if "core-site.xml" not in machine.hadoop_conf_files:
        says = f"HADOOP_CONF_DIR={machine.hadoop_conf_dir} has no core-site.xml"
        return [_problem("Hadoop", says, "unset it, or name the directory of the cluster's configuration")]
    says = f"HADOOP_CONF_DIR={machine.hadoop_conf_dir}: its default file system also holds for local runs"
    return [Finding("Hadoop", State.WARNING, says, "unset it unless you mean the cluster")]


CHECKS: tuple[Callable[[Machine], list[Finding]], ...] = (
    check_python,
    check_java,
    check_packages,
    check_delta,
    check_jars,
    check_spark_files,
    check_memory,
    check_disk,
    check_root,
    check_token_key,
    check_hadoop,
)


def examine(machine: Machine) -> list[Finding]:
    """All findings, in the order of the checks."""
    return [finding for check in CHECKS for finding in check(machine)]


def _ok(check: str, says: str) -> Finding:
    return Finding(check, State.OK, says)


def _problem(check: str, says: str, remedy: str) -> Finding:
    return Finding(check, State.PROBLEM, says, remedy)


def _by_level(check: str, found: int, levels: tuple[int, int], what: str, remedy: str) -> Finding:
    least, comfortable = levels
    says = f"{found / GIB:.1f} GiB{what}"
    if found < least * GIB:
        return _problem(check, f"{says}, at least {least} are needed", remedy)
    if found < comfortable * GIB:
        return Finding(check, State.WARNING, f"{says}, {comfortable} are comfortable at scale 1", remedy)
    return _ok(check, says)


def _version_of(jar_name: str) -> str:
    return jar_name.removesuffix(".jar").rpartition("-")[2]
