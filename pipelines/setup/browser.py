"""Finds a Chromium for the tests of the report, or installs one. `python -m pipelines.setup.browser` says which."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from common.errors import ConfigurationError, PlatformError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_USUAL_PLACES = (
    "/usr/lib/chromium/chromium",
    "/usr/lib64/chromium-browser/chromium-browser",
    "/snap/bin/chromium",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_INSTALLERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "apt-get": (("apt-get", "-q", "update"), ("apt-get", "-q", "-y", "install", "chromium")),
    "dnf": (("dnf", "-q", "-y", "install", "chromium"),),
    "zypper": (("zypper", "-q", "-n", "install", "chromium"),),
    "apk": (("apk", "add", "-q", "chromium"),),
}
_TIMEOUT = 60


def find(environment: Mapping[str, str], places: tuple[str, ...] = _USUAL_PLACES) -> Path | None:
    """The first Chromium on PATH or in the usual places that runs, or None."""
    on_path = (shutil.which(name, path=environment.get("PATH", os.defpath)) for name in _NAMES)
    for candidate in (*on_path, *places):
        if candidate and Path(candidate).is_file() and _runs(candidate):
            return Path(candidate)
    return None


def _runs(executable: str) -> bool:
    """Whether it says its version: the chromium-browser of some systems only says how to install it."""
    try:
        shown = subprocess.run([executable, "--version"], capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return shown.returncode == 0 and ("Chromium" in shown.stdout or "Chrome" in shown.stdout)


def install(environment: Mapping[str, str]) -> str | None:
    """Install Chromium with the system's package manager, for root alone.

    Returns:
        The name of the package manager that did it, or None where none may or can.
    """
    if os.geteuid() != 0:
        return None
    for manager, commands in _INSTALLERS.items():
        if not shutil.which(manager):
            continue
        quiet = {**environment, "DEBIAN_FRONTEND": "noninteractive"}
        for command in commands:
            done = subprocess.run(command, capture_output=True, env=quiet, check=False)
        return manager if done.returncode == 0 else None
    return None


def require(environment: Mapping[str, str]) -> Path:
    """A Chromium that runs.

    Raises:
        ConfigurationError: If there is none, with what to install.
    """
    found = find(environment)
    if found is None:
        raise ConfigurationError(
            "Chromium is needed to test the report, found none",
            where="PATH and the usual places",
            remedy="install chromium (Debian, Fedora: package chromium; Ubuntu: snap chromium) and repeat",
        )
    return found


def find_or_install(environment: Mapping[str, str]) -> Path:
    """A Chromium that runs, installing one when it has to and may.

    Raises:
        ConfigurationError: If there is none, with what to install.
    """
    if find(environment) is None:
        install(environment)
    return require(environment)


def main() -> int:
    """Find or install a Chromium. Returns the exit code."""
    try:
        sys.stderr.write(f"set-up: Chromium in {find_or_install(os.environ)}\n")
    except PlatformError as error:
        sys.stderr.write(f"set-up: {error}\n")
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
