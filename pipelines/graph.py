"""The stage graph, declared once: the local runner and the Airflow DAGs are made from it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from common.errors import ConfigurationError, UsageError
from common.job import Stage


@dataclass(frozen=True)
class StageGraph:
    """Stages in an order in which each comes after those whose outputs it reads.

    Attributes:
        stages: All stages, in that order.
        parents: For each stage, those which it waits for.
    """

    stages: tuple[Stage, ...]
    parents: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, stages: Iterable[Stage], external: Sequence[str] = ()) -> StageGraph:
        """Put stages together by what they read and write.

        Args:
            stages: The stages, in the order in which equals are to run.
            external: Inputs that come from outside; a trailing slash stands for all below it.

        Raises:
            ConfigurationError: Two stages with one name, two writers of one output, an input that nobody writes, or a
                cycle; each with the names at fault, sorted.
        """
        declared = tuple(stages)
        _reject_repeated_names(declared)
        writers = _writers(declared)
        parents: dict[str, tuple[str, ...]] = {}
        unwritten: list[str] = []
        for stage in declared:
            found = {writers[path] for path in stage.inputs if path in writers} - {stage.name}
            parents[stage.name] = tuple(sorted(found))
            missing = [path for path in stage.inputs if path not in writers and not _is_external(path, external)]
            unwritten += [f"{stage.name} reads {path}{_near(path, writers)}" for path in missing]
        if unwritten:
            raise ConfigurationError(
                f"inputs that no stage writes: {'; '.join(sorted(unwritten))}", where="stage graph"
            )
        return cls(_ordered(declared, parents), parents)

    @property
    def names(self) -> tuple[str, ...]:
        """The stages' names, in order."""
        return tuple(stage.name for stage in self.stages)

    def children(self, name: str) -> tuple[str, ...]:
        """The stages that wait for a stage directly."""
        return tuple(other for other in self.names if name in self.parents[other])

    def downstream(self, name: str) -> set[str]:
        """The stages that wait for a stage, directly or not."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for child in self.children(waiting.pop()):
                if child not in found:
                    found.add(child)
                    waiting.append(child)
        return found

    def upstream(self, name: str) -> set[str]:
        """The stages that a stage waits for, directly or not."""
        return {other for other in self.names if name in self.downstream(other)}

    def select(self, start: str | None = None, end: str | None = None, only: Sequence[str] = ()) -> tuple[Stage, ...]:
        """The stages of a run.

        Args:
            start: This stage and what comes after it.
            end: This stage and what it needs.
            only: These stages and no others.

        Raises:
            UsageError: A name that no stage has, `only` beside the others, or nothing left.
        """
        for name in (*only, *(each for each in (start, end) if each)):
            self._require(name)
        if only and (start or end):
            raise UsageError("--only does not go with --from or --to", where="--only", remedy="use one or the other")
        chosen = set(only or self.names)
        if start:
            chosen &= {start} | self.downstream(start)
        if end:
            chosen &= {end} | self.upstream(end)
        if not chosen:
            raise UsageError(f"no stage lies between {start} and {end}", where="--from, --to", remedy="swap them")
        return tuple(stage for stage in self.stages if stage.name in chosen)

    def _require(self, name: str) -> None:
        if name not in self.parents:
            near = difflib.get_close_matches(name, self.names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"stages: {', '.join(self.names)}"
            raise UsageError(f"no stage is called '{name}'", where="--from, --to, --only", remedy=hint)


def _reject_repeated_names(stages: Sequence[Stage]) -> None:
    names = [stage.name for stage in stages]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigurationError(f"stages that share a name: {', '.join(repeated)}", where="stage graph")


def _writers(stages: Sequence[Stage]) -> dict[str, str]:
    writers: dict[str, str] = {}
    clashes: list[str] = []
    for stage in stages:
        for path in stage.outputs:
            if path in writers:
                clashes.append(f"{path} by {writers[path]} and {stage.name}")
            writers[path] = stage.name
    if clashes:
        raise ConfigurationError(f"outputs with two writers: {'; '.join(sorted(clashes))}", where="stage graph")
    return writers


def _is_external(path: str, external: Sequence[str]) -> bool:
    return any(path == each or (each.endswith("/") and path.startswith(each)) for each in external)


def _near(path: str, writers: dict[str, str]) -> str:
    near = difflib.get_close_matches(path, writers, n=1)
    return f" (near: {near[0]})" if near else ""


def _ordered(stages: Sequence[Stage], parents: dict[str, tuple[str, ...]]) -> tuple[Stage, ...]:
    """An order that respects the edges and otherwise that of the declaration."""
    position = {stage.name: index for index, stage in enumerate(stages)}
    sorter = TopologicalSorter(parents)
    try:
        sorter.prepare()
    except CycleError as error:
        raise ConfigurationError(f"a cycle of stages: {' -> '.join(error.args[1])}", where="stage graph") from error
    ordered: list[Stage] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=position.__getitem__)
        name = ready.pop(0)
        ordered.append(stages[position[name]])
        sorter.done(name)
    return tuple(ordered)
