"""The stages of a run over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.report import formats
from pipelines.report.runs import Run, StageRun

STATUS = {
    "ok": "done",
    "failed": "failed",
    "running": "not ended",
    "skipped": "nothing new",
    "not reached": "not reached",
}
_ENOUGH_TICKS = 7


@dataclass(frozen=True)
class Lane:
    """A stage on the timeline: places in per cent of the run's length."""

    stage: str
    status: str
    said: str
    start: float
    width: float
    gates: float
    seconds: str
    title: str


def length_of(run: Run) -> float:
    """Seconds from the first start to the last end."""
    start = run.started
    if start is None:
        return 0.0
    ends = [stage.started + timedelta(seconds=stage.seconds or 0.0) for stage in run.stages if stage.started]
    return max((max(ends) - start).total_seconds(), 0.001)


def lanes(run: Run) -> list[Lane]:
    """Each stage with its place on the timeline."""
    start, length = run.started, length_of(run)
    return [_lane(stage, start, length) for stage in run.stages]


def _lane(stage: StageRun, start: datetime | None, length: float) -> Lane:
    said = STATUS[stage.status]
    if stage.started is None or start is None or stage.seconds is None:
        return Lane(stage.name, stage.status, said, 0.0, 0.0, 0.0, formats.NO_VALUE, f"{stage.name}: {said}")
    offset = (stage.started - start).total_seconds()
    gates = f", {formats.duration(stage.gate_seconds)} of it in gates" if stage.gate_seconds else ""
    return Lane(
        stage=stage.name,
        status=stage.status,
        said=said,
        start=round(100 * offset / length, 3),
        width=round(100 * stage.seconds / length, 3),
        gates=round(100 * min((stage.gate_seconds or 0.0) / stage.seconds, 1.0), 1) if stage.seconds else 0.0,
        seconds=formats.duration(stage.seconds),
        title=f"{stage.name}: {said}, {formats.duration(stage.seconds)} from {formats.duration(offset)}{gates}",
    )


def ticks(length: float) -> list[tuple[float, str]]:
    """Round places on an axis of seconds: per cent and text."""
    if length <= 0:
        return []
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
    step = next((each for each in steps if length / each <= _ENOUGH_TICKS), steps[-1])
    return [(round(100 * place / length, 3), _tick(place)) for place in range(0, int(length) + 1, step)]


def _tick(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}:{rest:02d}"
