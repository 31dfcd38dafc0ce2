"""build.sh: its help, its refusals, its syntax."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
BUILD = PROJECT / "build.sh"
COMMANDS = (
    *("setup", "run", "status", "sql", "report", "quarantine", "score", "doctor"),
    *("test", "lint", "dist", "lock", "clean", "help"),
)


def call(*arguments: str, cwd: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin"}
    return subprocess.run(
        ["bash", BUILD, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_help_has_a_line_for_each_command(tmp_path: Path) -> None:
    shown = call("help", cwd=tmp_path)
    listed = re.findall(r"^  ([a-z]+) +\S.*$", shown.stdout, re.MULTILINE)
    assert shown.returncode == 0
    assert sorted(listed) == sorted(COMMANDS)


def test_each_dispatched_command_is_in_the_help() -> None:
    body = BUILD.read_text(encoding="utf-8").partition("case $command in")[2].partition("esac")[0]
    dispatched = {
        name for labels in re.findall(r"^    ([a-z |-]+)\)", body, re.MULTILINE) for name in labels.split(" | ")
    }
    assert {name for name in dispatched if not name.startswith("-")} == set(COMMANDS)


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_is_the_default(arguments: tuple[str, ...]) -> None:
    assert call(*arguments).stdout == call("help").stdout


@pytest.mark.parametrize(
    ("given", "meant"), [("tset", "test"), ("statsu", "status"), ("quarantin", "quarantine"), ("doktor", "doctor")]
)
def test_an_unknown_command_ends_with_2_and_the_near_miss(given: str, meant: str) -> None:
    refused = call(given)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert (
        refused.stderr == f"build.sh: unknown command '{given}', did you mean '{meant}'? (./build.sh help lists them)\n"
    )


def test_a_far_miss_names_nothing() -> None:
    refused = call("zzzzzzzzzzzz")
    assert refused.returncode == 2
    assert "did you mean" not in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("setup", "--bogus"), "setup takes --extras and nothing else, found '--bogus'"),
        (("setup", "--extras", "--bogus"), "setup takes --extras and nothing else, found '--extras --bogus'"),
        (("clean", "data"), "clean takes no arguments, found 'data'"),
        (("lint", "--fix"), "lint takes no arguments, found '--fix'"),
    ],
)
def test_an_argument_that_cannot_be_used_is_refused_before_anything_is_done(
    arguments: tuple[str, ...], complaint: str
) -> None:
    refused = call(*arguments)
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", f"build.sh: {complaint}\n")


@pytest.mark.parametrize("command", ["doctor", "dist"])
def test_a_command_refuses_an_unknown_option_in_one_line(command: str, tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-P", "-m", f"pipelines.{command}", "--bogus"],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"{command}: unrecognized arguments: --bogus [./build.sh {command}] -> see ./build.sh {command} --help\n"
    )


def test_a_machine_without_python_is_told_what_to_install(tmp_path: Path) -> None:
    for tool in ("bash", "dirname"):
        (tmp_path / tool).symlink_to(Path("/usr/bin", tool))
    refused = subprocess.run(
        ["/usr/bin/bash", BUILD, "setup"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "Python 3.11 or newer is needed, found none: install python3.11" in refused.stderr


def test_packages_import_each_other_in_one_direction() -> None:
    """The contracts of pyproject.toml: common knows nobody, generators stand alone, jobs know common, nobody jobs."""
    checked = subprocess.run(
        [Path(sys.prefix, "bin", "lint-imports")], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    assert "Contracts: 4 kept, 0 broken." in checked.stdout


def test_shell_scripts_pass_shellcheck() -> None:
    shellcheck = Path(sys.prefix, "bin", "shellcheck")
    checked = subprocess.run([shellcheck, BUILD, PROJECT / ".ci" / "run"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")
