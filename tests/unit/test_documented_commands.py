"""The commands of README and its sister pages: each is parsed as it stands by the parser that would parse it."""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Callable, Iterator, Sequence

import pytest

from common.arguments import HelpShown
from generators import run_all_generators
from pipelines import dist, doctor, quarantine, report, run, score, sql, status
from tests import documented
from tests.documented import Command
from tests.runs import PROJECT

COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "run": run.main,
    "status": status.main,
    "sql": sql.main,
    "report": importlib.import_module(f"{report.__name__}.__main__").main,
    "quarantine": quarantine.main,
    "score": score.main,
    "doctor": importlib.import_module(f"{doctor.__name__}.__main__").main,
    "dist": dist.main,
    "generators/run_all_generators.py": lambda arguments: run_all_generators.main(list(arguments)),
}
OF_THE_SHELL = {"setup": {"--extras"}, "lint": set[str](), "lock": set[str](), "clean": set[str](), "help": set[str]()}
"""What build.sh itself parses, with the options of each; tests/unit/build has the rest."""
JOBS = sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / "jobs").glob("[a-z]*.py"))

Parse = Callable[[str, Sequence[str]], argparse.ArgumentParser]


@pytest.fixture
def parse(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Parse]:
    """Has a program parse its arguments and do nothing more; the parser that did. It fails with the program's line."""
    used: list[argparse.ArgumentParser] = []
    really_parse = argparse.ArgumentParser.parse_args

    def parse_and_leave(self: argparse.ArgumentParser, *arguments: object) -> None:
        really_parse(self, *arguments)  # type: ignore[call-overload]
        used.append(self)
        raise HelpShown(0)

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_leave)

    def call(program: str, arguments: Sequence[str]) -> argparse.ArgumentParser:
        used.clear()
        try:
            code = main_of(program)(list(arguments))
        except HelpShown as left:
            code = int(left.code or 0)
        said = capsys.readouterr().err
        assert (code, len(used)) == (0, 1), said
        return used[0]

    yield call


def main_of(program: str) -> Callable[[Sequence[str]], int]:
    if program in JOBS:
        main: Callable[[Sequence[str]], int] = importlib.import_module(program[:-3].replace("/", ".")).main
        return main
    return COMMANDS[program]


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {name for action in parser._actions for name in action.option_strings}


def complaint(command: Command, parse: Parse) -> str:
    """What is wrong with a command; nothing if it is right."""
    program, arguments = command.program, command.arguments
    if program == "test":
        missing = [name for name in arguments if not (PROJECT / name).exists()]
        return f"no such tests: {missing}" if missing else ""
    if program in OF_THE_SHELL:
        unknown = set(arguments) - OF_THE_SHELL[program]
        return f"unknown: {unknown}" if unknown else ""
    if not arguments:  # perhaps a name in a sentence
        is_there = program in COMMANDS or (PROJECT / program).is_file()
        return "" if is_there else "no such program"
    try:
        parse(program, arguments)
    except (AssertionError, KeyError) as error:
        return repr(error)
    return ""


def test_every_command_of_the_pages_is_accepted_by_its_own_parser(parse: Parse) -> None:
    commands = documented.commands()
    assert {"README.md", "QUICK_START.md", "PROJECT_SUMMARY.md"} <= {command.page for command in commands}
    wrong = {f"{each.page}: {each}": complaint(each, parse) for each in commands}
    assert {command: why for command, why in wrong.items() if why} == {}


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("run", ("--skale", "1")),
        ("run", ("--date", "30.11.2025")),
        ("sql", ("--root", "R")),
        ("doctor", ("--bogus",)),
        ("dist", ("--bogus",)),
        ("jobs/clean_users.py", ("--train",)),
        ("jobs/clean_nothing.py", ("--root", "R")),
        ("generators/run_all_generators.py", ("--increment", "2025-11-30")),
        ("setup", ("--bogus",)),
        ("test", ("tests/nowhere",)),
        ("nothing", ()),
    ],
)
def test_one_that_is_wrong_would_be_seen(parse: Parse, program: str, arguments: tuple[str, ...]) -> None:
    assert complaint(Command("a page", program, arguments), parse)


@pytest.mark.parametrize("page", ["README.md", "build.sh"])
def test_the_options_that_a_list_of_commands_names_are_those_of_the_command(parse: Parse, page: str) -> None:
    line = {"README.md": r"^\| `([a-z]+)` \| (.*) \|$", "build.sh": r"^([a-z]+)\|(.*)$"}[page]
    listed = dict(re.findall(line, (PROJECT / page).read_text(encoding="utf-8"), re.MULTILINE))
    assert set(listed) == {name for name in COMMANDS if "/" not in name} | set(OF_THE_SHELL) | {"test"}
    for name, text in listed.items():
        named = set(re.findall(r"--[a-z-]+", text))
        needed = ["SHOW TABLES"] if name == "sql" else []
        known = options_of(parse(name, needed)) if name in COMMANDS else OF_THE_SHELL.get(name, set())
        assert named <= known, name


def test_the_jobs_take_the_options_that_readme_gives_them(parse: Parse) -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    paragraph = re.search(r"^The jobs are .*?\n\n", readme, re.MULTILINE | re.DOTALL)
    assert paragraph
    named = [f"jobs/{name}.py" for name in re.findall(r"`([a-z_]+)`", paragraph[0])]
    assert sorted(named) == JOBS
    common, *steps = [set(listed.split()) for listed in re.findall(r"`(--[^`]+)`", paragraph[0])]
    expected = {job: common for job in named} | {job: common | own for job, own in zip(named[-2:], steps, strict=True)}
    assert {job: options_of(parse(job, [])) - {"-h", "--help"} for job in named} == expected


def test_questions_are_found_in_the_pages() -> None:
    """The whole run's tests ask them."""
    asked = documented.queries()
    assert any("\n" in query for query in asked)
    assert len(asked) > 5
    assert documented.queries(engine="spark") == ["SHOW TABLES"]
