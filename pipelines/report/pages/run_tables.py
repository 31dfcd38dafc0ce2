"""Tables of a run: the account of its stages, its gates, what is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.layout import Layout
from pipelines.report.pages.timeline import STATUS
from pipelines.report.runs import Gate, Run
from pipelines.report.tables import Cell, Table, number, of_values, text

ROW_KINDS = ("read", "written", "quarantined", "duplicates", "superseded")


@dataclass(frozen=True)
class Published:
    """A published table as ops/tables.json has it."""

    name: str
    rows: int
    columns: int
    version: int
    fingerprint: str


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
            Cell(STATUS[stage.status], stage.status, stage.status.replace(" ", "-")),
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
