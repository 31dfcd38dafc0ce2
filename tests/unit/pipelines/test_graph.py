"""The stage graph: what is refused before anything starts, the order, and what a selection takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from common.errors import ConfigurationError, UsageError
from common.job import Stage, StageResult
from common.layout import DATASETS, PUBLISHED_TABLES
from pipelines.graph import StageGraph

PROJECT = Path(__file__).resolve().parents[3]


def stage(name: str, reads: Iterable[str] = (), writes: Iterable[str] = ()) -> Stage:
    return Stage(name, f"do {name}", tuple(reads), tuple(writes), lambda context: StageResult())


@pytest.fixture
def diamond() -> StageGraph:
    """a → b, c → d, and e apart; declared in no useful order."""
    return StageGraph.of(
        (
            stage("d", ["x/b", "x/c"], ["x/d"]),
            stage("c", ["x/a"], ["x/c"]),
            stage("b", ["x/a"], ["x/b"]),
            stage("a", ["raw/a"], ["x/a"]),
            stage("e", ["raw/e"], ["x/e"]),
        ),
        external=("raw/",),
    )


def names(stages: Iterable[Stage]) -> list[str]:
    return [each.name for each in stages]


def test_a_stage_comes_after_those_it_reads_from_and_equals_keep_their_order(diamond: StageGraph) -> None:
    assert diamond.names == ("a", "c", "b", "d", "e")
    assert diamond.parents == {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ()}


def test_relations_are_transitive(diamond: StageGraph) -> None:
    assert diamond.children("a") == ("c", "b")
    assert diamond.downstream("a") == {"b", "c", "d"}
    assert diamond.upstream("d") == {"a", "b", "c"}
    assert diamond.downstream("e") == set()


def test_a_stage_may_read_what_it_writes() -> None:
    graph = StageGraph.of((stage("a", ["x/a"], ["x/a"]),))
    assert graph.parents == {"a": ()}


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (
            (stage("a", ["x/c"], ["x/a"]), stage("b", ["x/a"], ["x/b"]), stage("c", ["x/b"], ["x/c"])),
            r"a cycle of stages: (a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c)",
        ),
        (
            (stage("b", [], ["x/t", "x/s"]), stage("a", [], ["x/s", "x/t"])),
            r"outputs with two writers: x/s by b and a; x/t by b and a",
        ),
        (
            (stage("a", [], ["clean/users"]), stage("b", ["clean/user"], []), stage("c", ["zzz"], [])),
            r"inputs that no stage writes: b reads clean/user \(near: clean/users\); c reads zzz \[",
        ),
        ((stage("b"), stage("b"), stage("a"), stage("a")), r"stages that share a name: a, b"),
        ((stage("a", ["rawer/a"]),), r"a reads rawer/a"),
    ],
    ids=["cycle", "two writers", "missing input", "one name", "no prefix of a word"],
)
def test_an_impossible_graph_is_refused_with_the_names_at_fault(stages: tuple[Stage, ...], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        StageGraph.of(stages, external=("raw/",))


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ({}, ["a", "c", "b", "d", "e"]),
        ({"start": "c"}, ["c", "d"]),
        ({"end": "b"}, ["a", "b"]),
        ({"start": "a", "end": "b"}, ["a", "b"]),
        ({"start": "b", "end": "b"}, ["b"]),
        ({"only": ("d", "a")}, ["a", "d"]),
    ],
    ids=["all", "from", "to", "from and to", "one", "only"],
)
def test_a_selection_keeps_the_order(diamond: StageGraph, arguments: dict[str, object], chosen: list[str]) -> None:
    assert names(diamond.select(**arguments)) == chosen  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": "dd"}, r"no stage is called 'dd' .*did you mean d\?"),
        ({"only": ("nothing",)}, r"no stage is called 'nothing' .*stages: a, c, b, d, e"),
        ({"only": ("a",), "end": "b"}, r"--only does not go with --from or --to"),
        ({"start": "d", "end": "a"}, r"no stage lies between d and a"),
    ],
    ids=["near miss", "unknown", "both", "backwards"],
)
def test_an_impossible_selection_is_refused(diamond: StageGraph, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        diamond.select(**arguments)  # type: ignore[arg-type]


class TestOwnGraph:
    """What the platform declares."""

    @pytest.fixture
    def graph(self) -> StageGraph:
        from pipelines.stages import GRAPH  # noqa: PLC0415 - the other tests do not need every stage

        return GRAPH

    def test_runs_from_raw_to_the_published_tables(self, graph: StageGraph) -> None:
        order = [
            "land_raw",
            *(f"clean_{name}" for name in DATASETS),
            "load_dimensions",
            "load_facts",
            "etl_warehouse",
            "publish_hive",
        ]
        assert [name for name in graph.names if name in order] == order

    def test_every_published_table_has_a_writer(self, graph: StageGraph) -> None:
        written = {path for each in graph.stages for path in each.outputs}
        assert {f"warehouse/lake/{name}" for name in PUBLISHED_TABLES} <= written

    def test_every_gate_has_its_suite(self, graph: StageGraph) -> None:
        suites = {path.stem for path in (PROJECT / "conf" / "expectations").glob("*.json")}
        assert {suite for each in graph.stages for suite in each.suites} <= suites

    def test_every_stage_has_its_job(self, graph: StageGraph) -> None:
        jobs = {path.stem for path in (PROJECT / "jobs").glob("*.py")}
        assert set(graph.names) <= jobs

    def test_is_put_together_without_a_session(self) -> None:
        code = (
            "import pipelines.stages\nfrom pyspark import SparkContext\n"
            "assert SparkContext._active_spark_context is None and SparkContext._gateway is None\n"
            "print(len(pipelines.stages.GRAPH.names))"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert int(done.stdout) >= 9
