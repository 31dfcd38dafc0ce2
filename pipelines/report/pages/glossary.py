"""What each figure means, out of glossary.yaml beside the package's code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from pipelines.report.pages.model import Page

_SOURCE = Path(__file__).parents[1] / "glossary.yaml"


@dataclass(frozen=True)
class Term:
    """A figure and its definition; `formula` where it is one."""

    name: str
    text: str
    formula: str | None = None


@dataclass(frozen=True)
class Section:
    """Terms that belong together."""

    title: str
    terms: tuple[Term, ...]


def read_glossary(path: Path = _SOURCE) -> tuple[Section, ...]:
    """The definitions of all figures."""
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(Section(each["title"], tuple(Term(**term) for term in each["terms"])) for each in said)


def glossary_page() -> Page:
    """The page of all definitions."""
    return Page(
        file="glossary.html",
        title="Glossary",
        group="Reference",
        template="glossary.html",
        lead="What each figure in these pages means.",
        context={"sections": read_glossary()},
    )
