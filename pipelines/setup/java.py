"""Finds a Java that Spark and Hadoop run on, or installs one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from common.errors import ConfigurationError

# Hadoop does not run on 24 and later, Spark 4 not below 17; 17 is what the rest of the ecosystem is tested with.
SUPPORTED_MAJORS = (17, 21)
_USUAL_PLACES = (
    "/usr/lib/jvm/*",
    "/usr/java/*",
    "/opt/java/*",
    "/opt/*jdk*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "/opt/homebrew/opt/openjdk@*",
    "/usr/local/opt/openjdk@*",
    "~/.sdkman/candidates/java/*",
    "~/.jdks/*",
)
_INSTALLERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "apt-get": (("apt-get", "-q", "update"), ("apt-get", "-q", "-y", "install", "openjdk-17-jre-headless")),
    "dnf": (("dnf", "-q", "-y", "install", "java-17-openjdk-headless"),),
    "yum": (("yum", "-q", "-y", "install", "java-17-openjdk-headless"),),
    "zypper": (("zypper", "-q", "-n", "install", "java-17-openjdk-headless"),),
    "apk": (("apk", "add", "-q", "openjdk17-jre-headless"),),
}


@dataclass(frozen=True)
class Java:
    """An installed Java: its home directory and major version."""

    home: Path
    major: int


def candidate_homes(environment: Mapping[str, str], places: Iterable[str] = _USUAL_PLACES) -> Iterator[Path]:
    """Java homes to look at: JAVA_HOME, the `java` on PATH, then the usual places."""
    if environment.get("JAVA_HOME"):
        yield Path(environment["JAVA_HOME"])
    on_path = shutil.which("java", path=environment.get("PATH"))
    if on_path:
        yield Path(on_path).resolve().parents[1]
    for place in places:
        pattern = Path(place).expanduser() if environment.get("HOME") or not place.startswith("~") else None
        if pattern is not None:
            yield from sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))


def probe(home: Path) -> Java | None:
    """The Java in a home directory, or None when there is none that runs."""
    try:
        # JAVA_TOOL_OPTIONS would put a line of its own before the version.
        shown = subprocess.run(
            [home / "bin" / "java", "-XshowSettings:properties", "-version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env={key: value for key, value in os.environ.items() if key != "JAVA_TOOL_OPTIONS"},
        ).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"java\.specification\.version = (?:1\.)?(\d+)", shown)
    real_home = re.search(r"java\.home = (.+)", shown)
    # On a Mac /usr/bin/java only forwards: java.home is where it really lives.
    return Java(Path(real_home.group(1).strip()), int(version.group(1))) if version and real_home else None


def find(environment: Mapping[str, str], places: Iterable[str] = _USUAL_PLACES) -> tuple[Java | None, list[Java]]:
    """The Java to use, and those that were found and do not fit.

    A fitting JAVA_HOME wins; otherwise 17 goes before 21, in the order of `candidate_homes`.
    """
    seen: dict[Path, Java] = {}
    for home in candidate_homes(environment, places):
        java = probe(home)
        if java is None:
            continue
        seen.setdefault(java.home, java)
        chosen_by_user = environment.get("JAVA_HOME") and home == Path(environment["JAVA_HOME"])
        if java.major == SUPPORTED_MAJORS[0] or (chosen_by_user and java.major in SUPPORTED_MAJORS):
            return java, [other for other in seen.values() if other.major not in SUPPORTED_MAJORS]
    fitting = [java for java in seen.values() if java.major in SUPPORTED_MAJORS]
    unfit = [java for java in seen.values() if java.major not in SUPPORTED_MAJORS]
    return (fitting[0] if fitting else None), unfit


def install(environment: Mapping[str, str]) -> str | None:
    """Installs Java 17 with the system's package manager where that needs no password.

    Returns:
        The name of the package manager that did it, or None where none may or can.
    """
    prefix: tuple[str, ...] = ()
    if os.geteuid() != 0:
        prefix = ("sudo", "-n")
        allowed = shutil.which("sudo") and subprocess.run([*prefix, "true"], capture_output=True, check=False)
        if not allowed or allowed.returncode != 0:
            return None
    for manager, commands in _INSTALLERS.items():
        if not shutil.which(manager):
            continue
        quiet = {**environment, "DEBIAN_FRONTEND": "noninteractive"}
        for command in commands:
            done = subprocess.run([*prefix, *command], capture_output=True, env=quiet, check=False)
        return manager if done.returncode == 0 else None
    return None


def find_or_install(environment: Mapping[str, str]) -> Java:
    """A Java that fits, installing one when it has to and may.

    Raises:
        ConfigurationError: If there is none, with what to install.
    """
    java, unfit = find(environment)
    if java is None and install(environment):
        java, unfit = find({key: value for key, value in environment.items() if key != "JAVA_HOME"})
    if java is not None:
        return java
    found = ", ".join(f"Java {other.major} in {other.home}" for other in unfit) or "no Java"
    raise ConfigurationError(
        f"Java 17 or 21 is needed, found {found}",
        where="JAVA_HOME, PATH and the usual places",
        remedy="install openjdk-17-jre-headless (Debian, Ubuntu), java-17-openjdk-headless (Fedora, RHEL) "
        "or openjdk@17 (Homebrew) and repeat",
    )
