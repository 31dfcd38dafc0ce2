"""What the project's pages tell their reader to type: commands with their arguments, and questions for the tables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tests.runs import PROJECT

PAGES = tuple(
    PROJECT / name for name in ("README.md", "QUICK_START.md", "PROJECT_SUMMARY.md", "generators/README.md")
) + tuple(sorted((PROJECT / "docs").glob("*.md")))
LEFT_OUT = "…"
"""What stands for an argument of the reader's own."""
_FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
# At the start of a line, after a prompt, or after the word by which a run's last lines begin; a script also after what
# runs it. Elsewhere, as in the line of an error, a command is followed by prose.
_PROGRAM = re.compile(
    r"^(?:\$ |\w+: +)?\./build\.sh (?P<command>[a-z]+)|(?:^|\s)(?P<script>(?:jobs|generators)/[a-z_]+\.py)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Command:
    """A command of a page.

    Attributes:
        page: The page, relative to the project.
        program: A command of build.sh, or a script by its path.
        arguments: What follows it.
    """

    page: str
    program: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        """As a shell takes it."""
        return shlex.join((self.program, *self.arguments))


def commands() -> list[Command]:
    """Each command of each page, in code blocks and within sentences."""
    return [
        Command(page.relative_to(PROJECT).as_posix(), *command)
        for page in PAGES
        for code in _code(page.read_text(encoding="utf-8"))
        for command in _commands(code)
    ]


def queries(*, engine: str = "duckdb") -> list[str]:
    """Each question that `./build.sh sql` is asked, for one engine; those with something left out are no examples."""
    asked = [
        argument
        for command in commands()
        if command.program == "sql" and ("spark" in command.arguments) == (engine == "spark")
        for argument in command.arguments
        if " " in argument and LEFT_OUT not in argument
    ]
    return list(dict.fromkeys(asked))


def _code(text: str) -> Iterator[str]:
    """Blocks as they are, then what stands between backticks elsewhere."""
    yield from _FENCED.findall(text)
    yield from _INLINE.findall(_FENCED.sub("", text))


def _commands(code: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Program and arguments; a command ends with its line unless a quotation goes on in the next one."""
    for match in _PROGRAM.finditer(code):
        words = _words(code[match.end() :])
        yield match["command"] or match["script"], tuple(words)


def _words(rest: str) -> list[str]:
    lines = rest.split("\n")
    for last in range(1, len(lines) + 1):
        try:
            return shlex.split("\n".join(lines[:last]), comments=True)
        except ValueError:  # a quotation that is not closed yet
            continue
    raise ValueError(f"a quotation is not closed: {rest[:200]}")
