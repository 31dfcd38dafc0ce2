"""The first page: what the newest run did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from common.layout import Layout
from pipelines.report import formats
from pipelines.report.charts.sparkline import sparkline
from pipelines.report.kpis import Tile, change
from pipelines.report.pages.flow import row_flow
from pipelines.report.pages.model import Notice, Page
from pipelines.report.runs import CLEANING, Gate, Run, StageRun
from pipelines.report.tables import Cell, Table, number, of_values, text

ROW_KINDS = ("read", "written", "quarantined", "duplicates", "superseded")
_STATUS = {
    "ok": "done",
    "failed": "failed",
    "running": "not ended",
    "skipped": "nothing new",
    "not reached": "not reached",
}
_SPARK_RUNS = 20
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


@dataclass(frozen=True)
class Published:
    """A published table as ops/tables.json has it."""

    name: str
    rows: int
    columns: int
    version: int
    fingerprint: str


def overview_page(layout: Layout, runs: Sequence[Run], published: Sequence[Published]) -> Page:
    """The overview of a root; of one without a run it says that."""
    if not runs:
        return Page(
            file="index.html",
            title="Overview",
            group="Run",
            template="notices.html",
            notices=(Notice("plain", "No run yet", "Nothing has run in this root. ./build.sh run makes a first run."),),
        )
    run, earlier = runs[0], list(runs[1:])
    documents = gate_documents(layout, run)
    tables = {
        "account": account_table(run),
        "gates": gates_table(run, documents),
        "published": published_table(published),
    }
    return Page(
        file="index.html",
        title="Overview",
        group="Run",
        template="overview.html",
        lead=headline(run, published),
        facts=_facts(run),
        notices=tuple(_notices(layout, run)),
        context={
            "run": run,
            "status": _STATUS[run.status],
            "tiles": run_tiles(run, earlier),
            "lanes": lanes(run),
            "ticks": ticks(_length(run)),
            "flow": row_flow(run, {each.name: each.rows for each in published}),
            "tables": tables,
            "documents": "../gx/data_docs/index.html"
            if layout.local("ops", "gx", "data_docs", "index.html").exists()
            else None,
            "log": f"../logs/{run.run_id}.log" if layout.local("ops", "logs", f"{run.run_id}.log").exists() else None,
        },
        tables=tuple(table for table in tables.values() if table.rows),
    )


def headline(run: Run, published: Sequence[Published]) -> str:
    """The run in a sentence."""
    read, aside = run.cleaned("read"), run.cleaned("quarantined")
    said = []
    if read:
        part = formats.share(run.quarantined_share)
        said.append(f"{formats.count(read)} rows read, {formats.count(aside)} turned away ({part})")
    elif all(stage.status == "skipped" for stage in run.stages if stage.name in CLEANING):
        said.append("no new rows")
    if run.published_rows is not None:
        said.append(f"{formats.plural(len(published), 'table')} published")
    if run.gates:
        passed = sum(gate.passed for gate in run.gates)
        said.append(f"{formats.count(passed)} of {formats.plural(len(run.gates), 'gate')} passed")
    text_ = ", ".join(said) or "No stage has ended yet"
    return f"{text_[:1].upper()}{text_[1:]}."


def _facts(run: Run) -> tuple[tuple[str, str], ...]:
    facts = [("As of", formats.day(date.fromisoformat(run.date)) if run.date else "not known")]
    if run.started is not None:
        facts.append(("Started", f"{formats.moment(run.started)} UTC"))
    if run.source:
        made = f", scale {run.scale:g}, seed {run.seed}" if run.scale is not None else ""
        facts.append(("Shop", f"{run.source}{made}"))
    facts.append(("Run", run.run_id))
    return tuple(facts)


def _notices(layout: Layout, run: Run) -> list[Notice]:
    log = f"../logs/{run.run_id}.log"
    link = (log, "Open the log") if layout.local("ops", "logs", f"{run.run_id}.log").exists() else (None, "")
    found = []
    if run.failed is not None:
        left = [stage.name for stage in run.stages if stage.status == "not reached"]
        rest = f" Not reached: {', '.join(left)}." if left else ""
        reason = (run.failed.error or "No reason is known").rstrip(".")
        found.append(Notice("bad", f"This run failed in {run.failed.name}", f"{reason}.{rest}", *link))
    elif run.status == "failed":
        found.append(Notice("bad", "This run failed", run.error or "The log says why.", *link))
    elif run.status == "running":
        text_ = "It is still at work, or it was stopped. Run again with --resume to go on."
        found.append(Notice("warn", "This run has not ended", text_, *link))
    for suite, warning in run.warnings:
        found.append(Notice("warn", f"Gate {suite} warns", warning, "#gates", "See the gates"))
    if run.stages and all(stage.status == "skipped" for stage in run.stages):
        found.append(Notice("plain", "Nothing was new", "Each stage found its inputs as they were after the last run."))
    return found


def run_tiles(run: Run, earlier: Sequence[Run]) -> list[Tile]:
    """The figures of a run, and of one that was done its course and its change from the run before that was done."""
    is_done = run.status == "ok"
    done = [each for each in earlier if is_done and each.status == "ok"]
    measures: list[tuple[str, Any, str]] = [
        ("Rows read", lambda each: each.cleaned("read") or None, "count"),
        ("Rows published", lambda each: each.published_rows, "count"),
        ("Quarantined", lambda each: each.quarantined_share, "share"),
        ("Duration", lambda each: each.seconds, "seconds"),
    ]
    tiles_ = []
    for label, measure, unit in measures:
        known = [value for value in (measure(each) for each in done) if value is not None]
        now = measure(run)
        better: Literal["down"] | None = "down" if label in {"Quarantined", "Duration"} else None
        course = [float(value) for value in [*reversed(known[: _SPARK_RUNS - 1]), *([now] if now is not None else [])]]
        tiles_.append(
            Tile(
                label=label,
                value=formats.compact(now, unit),
                change=change(now, known[0] if known else None, unit, better, "the run before"),
                note=_tile_note(run, label),
                spark=sparkline(course),
                spark_label=f"{label} over the last {len(course)} runs",
            )
        )
    return [*tiles_, _gates_tile(run.gates)]


def _gates_tile(gates: Sequence[Gate]) -> Tile:
    if not gates:
        return Tile("Gates passed", formats.NO_VALUE, note="no gate was reached", href="#gates")
    held = formats.count(sum(gate.evaluated for gate in gates))
    took = formats.duration(sum(gate.seconds for gate in gates))
    passed = f"{sum(gate.passed for gate in gates)} of {len(gates)}"
    return Tile("Gates passed", passed, note=f"{held} expectations, {took}", href="#gates")


def _tile_note(run: Run, label: str) -> str | None:
    if label == "Quarantined" and run.cleaned("read"):
        return f"{formats.count(run.cleaned('quarantined'))} rows"
    if label == "Duration" and run.seconds:
        gates = sum(stage.gate_seconds or 0.0 for stage in run.stages)
        return f"{formats.share(gates / run.seconds, 0)} of it in gates" if gates else None
    return None


def _length(run: Run) -> float:
    """Seconds from the first start to the last end."""
    start = run.started
    if start is None:
        return 0.0
    ends = [stage.started + timedelta(seconds=stage.seconds or 0.0) for stage in run.stages if stage.started]
    return max((max(ends) - start).total_seconds(), 0.001)


def lanes(run: Run) -> list[Lane]:
    """Each stage with its place on the timeline."""
    start, length = run.started, _length(run)
    return [_lane(stage, start, length) for stage in run.stages]


def _lane(stage: StageRun, start: datetime | None, length: float) -> Lane:
    said = _STATUS[stage.status]
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


def account_table(run: Run) -> Table:
    """Each stage with its account."""
    heads = [
        text("stage"),
        text("status"),
        number("started_after", "seconds", "starts after"),
        *(number(name, "seconds") for name in ("seconds", "gate_seconds")),
        *(number(kind) for kind in ROW_KINDS),
    ]
    start = run.started
    rows = [
        [
            stage.name,
            Cell(_STATUS[stage.status], stage.status, stage.status.replace(" ", "-")),
            (stage.started - start).total_seconds() if stage.started and start else None,
            stage.seconds,
            stage.gate_seconds,
            *((stage.rows or {}).get(kind) for kind in ROW_KINDS),
        ]
        for stage in run.stages
    ]
    return of_values("account", "Stages and their rows", heads, rows, csv_path="data/run/account.csv")


def gate_documents(layout: Layout, run: Run) -> dict[str, str]:
    """The page of each gate in Data Docs, by suite, relative to a page of the report."""
    found = {}
    for gate in run.gates:
        directory = layout.local("ops", "gx", "data_docs", "validations", *gate.suite.split("."), run.run_id)
        pages = sorted(directory.glob("*/*.html")) if directory.is_dir() else []
        if pages:
            found[gate.suite] = "../" + pages[-1].relative_to(layout.local("ops")).as_posix()
    return found


def gates_table(run: Run, documents: Mapping[str, str]) -> Table:
    """Each gate with what it found, and a link to its page in Data Docs."""
    heads = [
        text("gate"),
        text("result"),
        number("expectations"),
        number("seconds", "seconds"),
        text("findings", "not met"),
    ]
    rows = [
        [
            Cell(gate.suite, gate.suite, None, documents.get(gate.suite)),
            _gate_result(gate),
            gate.evaluated,
            gate.seconds,
            "; ".join((*gate.failures, *gate.warnings)) or None,
        ]
        for gate in run.gates
    ]
    return of_values("gates", "Gates", heads, rows, csv_path="data/run/gates.csv")


def _gate_result(gate: Gate) -> Cell:
    if not gate.passed:
        return Cell("failed", "failed", "failed")
    return Cell("warns", "warns", "warns") if gate.warnings else Cell("passed", "passed", "ok")


def published_table(published: Sequence[Published]) -> Table:
    """The published tables."""
    heads = [text("table"), number("rows"), number("columns"), number("version"), text("fingerprint")]
    rows = [[each.name, each.rows, each.columns, each.version, each.fingerprint] for each in published]
    return of_values("published", "Published tables", heads, rows, csv_path="data/run/published.csv")
