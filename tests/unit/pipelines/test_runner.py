"""The local runner: what runs beside what, what waits, and what is not started after a failure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import pytest

from common.errors import ExitCode, InputError
from common.job import Stage, StageContext, StageResult
from pipelines.graph import StageGraph
from pipelines.runner import run_stages

MakeContext = Callable[..., StageContext]
PATIENCE = 30.0  # seconds; what waits for another in vain fails after them


def nothing(_: StageContext) -> StageResult:
    return StageResult()


def stage(name: str, reads: Iterable[str] = (), work: Callable[[StageContext], StageResult] = nothing) -> Stage:
    return Stage(name, f"do {name}", tuple(reads), (f"x/{name}",), work)


def run(context: StageContext, *stages: Stage, parallel: int) -> tuple[list[str], dict[str, int]]:
    """The stages in the order in which they started, and the exit codes in that in which they ended."""
    order: list[str] = []
    graph = StageGraph.of(stages)
    ended = run_stages(graph, graph.stages, context, parallel=parallel, started=lambda each: order.append(each.name))
    return order, {entry.stage: entry.exit_code for entry in ended}


def test_stages_that_wait_for_nothing_overlap_in_sessions_of_their_own(make_context: MakeContext) -> None:
    both, sessions = threading.Barrier(2), []

    def meet(context: StageContext) -> StageResult:
        sessions.append(context.spark)
        both.wait(PATIENCE)
        return StageResult()

    context = make_context()
    _, codes = run(context, stage("a", work=meet), stage("b", work=meet), parallel=2)
    assert codes == {"a": 0, "b": 0}
    assert len({id(session) for session in (*sessions, context.spark)}) == 3


@pytest.mark.parametrize("parallel", [1, 2])
def test_a_stage_waits_for_all_that_it_reads_from(make_context: MakeContext, parallel: int) -> None:
    done: list[str] = []

    def note(name: str) -> Callable[[StageContext], StageResult]:
        def work(_: StageContext) -> StageResult:
            done.append(name)
            return StageResult()

        return work

    stages = [
        stage("last", ["x/left", "x/right"], note("last")),
        stage("right", ["x/first"], note("right")),
        stage("left", ["x/first"], note("left")),
        stage("first", work=note("first")),
    ]
    order, codes = run(make_context(), *stages, parallel=parallel)
    assert codes == dict.fromkeys(("first", "left", "right", "last"), 0)
    assert (order[0], order[-1]) == (done[0], done[-1]) == ("first", "last")


def test_after_a_failure_no_stage_starts_and_what_works_is_waited_for(make_context: MakeContext) -> None:
    has_failed = threading.Event()

    def fail(_: StageContext) -> StageResult:
        raise InputError("a file is missing", where="raw/x", remedy="put it there")

    def go_on(_: StageContext) -> StageResult:
        assert has_failed.wait(PATIENCE)
        return StageResult()

    stages = [stage("bad", work=fail), stage("good", work=go_on), stage("other"), stage("after", ["x/good"])]
    order: list[str] = []
    graph, codes = StageGraph.of(stages), {}
    for entry in run_stages(
        graph, graph.stages, make_context(), parallel=2, started=lambda each: order.append(each.name)
    ):
        codes[entry.stage] = entry.exit_code
        has_failed.set()  # the first that ended is the one that fails
    assert order == ["bad", "good"]
    assert list(codes.items()) == [("bad", ExitCode.INPUT), ("good", ExitCode.DONE)]
