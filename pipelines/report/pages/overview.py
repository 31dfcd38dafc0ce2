"""The first page: what the newest run did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from common.layout import Layout
from pipelines.report import formats
from pipelines.report.charts.sparkline import sparkline
from pipelines.report.kpis import Tile, change
from pipelines.report.pages.flow import row_flow
from pipelines.report.pages.model import Notice, Page
from pipelines.report.pages.run_tables import Published, account_table, gate_documents, gates_table, published_table
from pipelines.report.pages.timeline import STATUS, lanes, length_of, ticks
from pipelines.report.runs import CLEANING, Gate, Run

_SPARK_RUNS = 20


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
            "status": STATUS[run.status],
            "tiles": run_tiles(run, earlier, published),
            "lanes": lanes(run),
            "ticks": ticks(length_of(run)),
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


def run_tiles(run: Run, earlier: Sequence[Run], published: Sequence[Published] = ()) -> list[Tile]:
    """The figures of a run; of one that was done also its change from the last one that had the same stages to do."""
    is_done = run.status == "ok"
    done = [each for each in earlier if is_done and each.status == "ok" and each.stages_done == run.stages_done]
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
                change=change(now, known[0] if known else None, unit, better, "the last run of these stages"),
                note=_tile_note(run, label, published),
                spark=sparkline(course),
                spark_label=f"{label} over the last {len(course)} runs of these stages",
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


def _tile_note(run: Run, label: str, published: Sequence[Published]) -> str | None:
    if label == "Rows read" and run.cleaned("read"):
        return "from raw files, in this run"
    if label == "Rows published" and run.published_rows is not None:
        computed = sum(each.rows for each in published if not each.name.startswith(("fact_", "dim_")))
        return f"tables as a whole, {formats.count(computed)} of them aggregates"
    if label == "Quarantined" and run.cleaned("read"):
        return f"{formats.count(run.cleaned('quarantined'))} rows"
    if label == "Duration" and run.seconds:
        gates = sum(stage.gate_seconds or 0.0 for stage in run.stages)
        return f"{formats.share(gates / run.seconds, 0)} of it in gates" if gates else None
    return None
