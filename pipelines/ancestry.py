"""What a table was made of, and what that was made of: the ledger as a tree, for people."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from rich.markup import escape
from rich.tree import Tree

from common.errors import UsageError
from common.layout import Layout
from common.quality.ledger import LedgerEntry, entries, run_ids
from pipelines.graph import StageGraph
from pipelines.lineage import BOOKKEEPING, LAKE, TableFacts, declared, versions_of
from pipelines.lineage_file import table_facts

FactsOf = Callable[[str, int], TableFacts]


def ancestry(layout: Layout, graph: StageGraph, table: str, facts_of: FactsOf | None = None) -> Tree:
    """A table with its version, the stage and the run that made it, above the same of all that it was made of.

    Which versions these are is kept with the tables themselves; of one that does not tell, what its stage reads is
    shown.

    Args:
        layout: A local root.
        graph: The stages, with what they read.
        table: A table's path below the root, or its name; a name that several have means the one in the lake.
        facts_of: Asked with a path below the root and a version; the tables, if not given.

    Raises:
        UsageError: If the ledger knows no such table.
    """
    newest: dict[str, int] = {}
    makers: dict[tuple[str, int], LedgerEntry] = {}
    for run_id in reversed(run_ids(layout)):
        for entry in entries(layout, run_id):
            for path, version in versions_of(entry).items():
                is_new = newest.get(path) != version
                if entry.status != "skipped" and (is_new or (path, version) not in makers):
                    makers[path, version] = entry
                newest[path] = version
    path = _found(table, newest)
    tree = _Growing(graph, newest, makers, facts_of or partial(table_facts, layout))
    return tree.branch(path, newest[path])


def _found(table: str, known: Iterable[str]) -> str:
    names = {path.rpartition("/")[2]: path for path in sorted(known, key=lambda path: path.startswith(LAKE))}
    if table in known:
        return table
    if table not in names:
        near = difflib.get_close_matches(table, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"tables: {', '.join(sorted(names)) or 'none yet'}"
        raise UsageError(f"the ledger knows no table '{table}'", where="--lineage", remedy=hint)
    return names[table]


@dataclass
class _Growing:
    graph: StageGraph
    newest: Mapping[str, int]
    makers: Mapping[tuple[str, int], LedgerEntry]
    facts_of: FactsOf
    seen: set[tuple[str, int]] = field(default_factory=set)

    def branch(self, path: str, version: int | None) -> Tree:
        if version is None:
            return Tree(escape(path))
        label, made = f"[bold]{escape(path)}[/bold] v{version}", self.makers.get((path, version))
        if (path, version) in self.seen or made is None:
            return Tree(f"{label}[dim], see above[/dim]" if made else label)
        self.seen.add((path, version))
        tree = Tree(f"{label} [dim]by {made.stage} in {escape(made.run_id)}[/dim]")
        tree.children = [self.branch(*each) for each in self._inputs(path, version, made)]
        return tree

    def _inputs(self, path: str, version: int, made: LedgerEntry) -> list[tuple[str, int | None]]:
        recorded = self.facts_of(path, version).inputs
        _, read, _ = declared(self.graph, made.stage)
        return [*recorded.items()] or [
            (each, self.newest.get(each)) for each in read if not each.startswith(BOOKKEEPING)
        ]
