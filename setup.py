"""Builds the wheel `common`; metadata and tool settings are in pyproject.toml."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PROJECT = Path(__file__).resolve().parent


class BuildWithConfiguration(build_py):
    """Puts conf/ into the package as common/_conf, where a job finds it that has no checkout beside it."""

    def run(self) -> None:
        """Builds the modules, then copies the configuration."""
        super().run()
        target = Path(self.build_lib, "common", "_conf")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(PROJECT / "conf", target)


setup(cmdclass={"build_py": BuildWithConfiguration})
