"""Somebody else's files, cleaned in process."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pyspark.sql import SparkSession

from common.layout import Layout
from jobs import clean_users


@pytest.fixture
def clean(spark: SparkSession, layout: Layout, capsys: pytest.CaptureFixture[str]) -> Callable[[str], tuple[int, str]]:
    """Cleans a source's users; the exit code and the line on standard error."""

    def run(source: str, main: Callable[[list[str]], int] = clean_users.main) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["--root", layout.root, "--source", source])
        errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
        assert len(errors) == bool(code), errors
        return code, "".join(errors)

    return run
