"""`python -m pipelines.doctor`: its lines and its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.doctor import __main__ as doctor
from pipelines.doctor.checks import GIB, Finding, State, examine
from pipelines.doctor.machine import Machine
from tests.unit.build.test_doctor import HEALTHY

NO_KEY = "problem  token key          none in /keys/token.key -> run ./build.sh setup"
LITTLE_MEMORY = (
    "warning  memory             5.0 GiB, 6 are comfortable at scale 1 -> use a larger machine or a smaller --scale"
)


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts doctor on a machine that differs from a healthy one; gives the roots that it looked at."""

    def machine(**changes: Any) -> list[str]:
        roots: list[str] = []

        def read(project: Path, root: str, environment: Mapping[str, str]) -> Machine:
            del project, environment
            roots.append(root)
            return replace(HEALTHY, **changes)

        monkeypatch.setattr(doctor, "read_machine", read)
        return roots

    return machine


def test_a_problem_is_one_line_with_its_remedy_and_exit_code_one(on: Any, capsys: pytest.CaptureFixture[str]) -> None:
    roots = on(key_mode=None)
    assert doctor.main(["--root", "/shop"]) == 1
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[-1] == "doctor: problems 1, warnings 0"
    assert [line for line in lines[:-1] if not line.startswith("ok ")] == [NO_KEY]
    assert len(lines) == 1 + len(examine(HEALTHY))
    assert told.err == ""
    assert roots == ["/shop"]


@pytest.mark.parametrize(
    ("changes", "others", "last"),
    [
        ({}, [], "doctor: problems 0, warnings 0"),
        ({"memory": 5 * GIB}, [LITTLE_MEMORY], "doctor: problems 0, warnings 1"),
    ],
    ids=["healthy", "a warning alone"],
)
def test_without_a_problem_the_exit_code_is_zero(
    on: Any, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], others: list[str], last: str
) -> None:
    on(**changes)
    assert doctor.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == last
    assert [line for line in lines[:-1] if not line.startswith("ok ")] == others


@pytest.mark.parametrize(("state", "code"), [(State.OK, 0), (State.PROBLEM, 1)])
def test_deep_adds_a_line_that_counts(
    on: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: State, code: int
) -> None:
    on()
    monkeypatch.setattr(doctor, "try_spark", lambda _: Finding("Spark and Delta", state, "so it went"))
    assert doctor.main(["--deep"]) == code
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"{state.value:<8} Spark and Delta    so it went",
        f"doctor: problems {code}, warnings 0",
    ]


@pytest.mark.parametrize(
    ("script", "state", "says"),
    [
        (None, State.PROBLEM, "did not run: "),
        ("exit 0", State.OK, "a table written, changed and read in "),
        ("echo 'WARN: slow' >&2; echo 'java.io.IOException: no space left' >&2; exit 1", State.PROBLEM,
         "failed: java.io.IOException: no space left"),
        ("exit 1", State.PROBLEM, "failed: no message"),
    ],
    ids=["no launcher", "works", "an exception", "nothing said"],
)  # fmt: skip
def test_deep_tells_what_the_launcher_came_to(tmp_path: Path, script: str | None, state: State, says: str) -> None:
    launcher = tmp_path / "spark-submit"
    if script is not None:
        launcher.write_text(f"#!/bin/sh\n{script}\n")
        launcher.chmod(0o755)
    found = doctor.try_spark(launcher)
    assert (found.check, found.state) == ("Spark and Delta", state)
    assert found.says.startswith(says)
    assert "\n" not in str(found)
    assert ("setup" in found.remedy) == (state is State.PROBLEM)
