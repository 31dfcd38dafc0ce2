"""The browser of the tests: which is taken, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import ConfigurationError
from pipelines.setup import browser


def put_browser(directory: Path, name: str, script: str) -> Path:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_one_on_the_path_is_taken(tmp_path: Path) -> None:
    made = put_browser(tmp_path, "chromium", "echo Chromium 140")
    assert browser.find({"PATH": str(tmp_path)}, ()) == made


def test_one_that_only_says_how_to_install_it_is_none(tmp_path: Path) -> None:
    put_browser(tmp_path, "chromium-browser", "echo 'install the snap'; exit 1")
    usual = put_browser(tmp_path, "somewhere", "echo Google Chrome 140")
    assert browser.find({"PATH": str(tmp_path)}, ()) is None
    assert browser.find({"PATH": str(tmp_path)}, (str(usual),)) == usual


def test_without_one_the_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "find", lambda environment: None)
    with pytest.raises(ConfigurationError, match=r"Chromium is needed .* -> install chromium"):
        browser.require({"PATH": str(tmp_path)})


def test_nobody_but_root_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert browser.install({}) is None
