"""The local runner: the stages of a run in one session, one after the other or several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

from common.job import Stage, StageContext, execute
from common.quality.ledger import LedgerEntry
from common.session import stage_session
from pipelines.graph import StageGraph

Started = Callable[[Stage], None]


def run_stages(
    graph: StageGraph, stages: Sequence[Stage], context: StageContext, *, parallel: int, started: Started
) -> Iterator[LedgerEntry]:
    """Run stages as soon as those which they wait for are done, and give each one's entry when it ends.

    After a failure no further stage starts; those that work are waited for.

    Args:
        graph: Which stage waits for which.
        stages: The stages of this run, a part of the graph.
        context: What each is given; in a parallel run with a session of its own.
        parallel: How many may work at a time.
        started: Called when a stage starts.
    """
    waiting = list(stages)
    selected = {stage.name for stage in stages}
    done: set[str] = set()
    failed = False
    working: dict[Future[LedgerEntry], Stage] = {}
    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="stage") as pool:
        while working or (waiting and not failed):
            while not failed and len(working) < parallel:
                ready = next((each for each in waiting if selected & set(graph.parents[each.name]) <= done), None)
                if ready is None:
                    break
                waiting.remove(ready)
                started(ready)
                working[pool.submit(_target(context.spark), ready, _own(context, parallel))] = ready
            ended, _ = wait(working, return_when=FIRST_COMPLETED)
            for future in ended:
                entry = future.result()
                done.add(working.pop(future).name)
                failed = failed or entry.exit_code != 0
                yield entry


def _target(spark: SparkSession) -> Callable[[Stage, StageContext], LedgerEntry]:
    target: Callable[[Stage, StageContext], LedgerEntry] = inheritable_thread_target(spark)(execute)
    return target


def _own(context: StageContext, parallel: int) -> StageContext:
    """A context with lists of its own, and beside others a session of its own."""
    spark = stage_session(context.spark) if parallel > 1 else context.spark
    return replace(context, spark=spark, gates=[])
