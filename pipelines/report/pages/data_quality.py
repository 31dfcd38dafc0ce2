"""What cleaning turned away and why, and how runs compare."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from common.layout import DATASETS
from pipelines.report import formats
from pipelines.report.charts.specs import ChartSpec
from pipelines.report.pages.model import Card, Notice, Page, card, made_query
from pipelines.report.quality import DatasetQuality
from pipelines.report.results import Column
from pipelines.report.runs import RUNS_SHOWN, Run
from pipelines.report.tables import Cell, Table, number, of_values, text

_FEWEST_RUNS, _RUNS_DRAWN = 2, 20
_STATUS = {"ok": "done", "failed": "failed", "running": "not ended"}


def quality_page(runs: Sequence[Run], quality: Sequence[DatasetQuality]) -> Page:
    """Data quality of the newest cleaning, and over runs."""
    notices = []
    if not quality:
        notices.append(
            Notice("plain", "Nothing has been cleaned yet", "The cleaning stages have not ended in this root.")
        )
    # One run has no course: its figures are in the tables.
    history = _history(runs) if len(runs) >= _FEWEST_RUNS else []
    reasons = [_reasons(each) for each in quality]
    tables = {
        "datasets": datasets_table(quality),
        "files": files_table(quality),
        "runs": runs_table(runs),
    }
    cards = [*history, *reasons]
    return Page(
        file="quality.html",
        title="Data quality",
        group="Run",
        template="quality.html",
        lead="What cleaning accepted, what it turned away and why, and how that moved from run to run.",
        facts=_facts(runs, quality),
        notices=tuple(notices),
        context={"history": history, "reasons": reasons, "tables": tables, "most": RUNS_SHOWN},
        tables=(*(table for table in tables.values() if table.rows), *(each.table for each in cards if each.table)),
    )


def _facts(runs: Sequence[Run], quality: Sequence[DatasetQuality]) -> tuple[tuple[str, str], ...]:
    """The day and the run of what is shown: the newest run that cleaned something."""
    cleaned = max((each.run_id for each in quality), default=None)
    run = next((run for run in runs if run.run_id == cleaned), None)
    if run is None:
        return ()
    as_of = [("As of", formats.day(date.fromisoformat(run.date)))] if run.date else []
    return (*as_of, ("Run", run.run_id))


def datasets_table(quality: Sequence[DatasetQuality]) -> Table:
    """The account of each data set with its quarantined share and its flags."""
    heads = [
        text("data_set"),
        *(number(kind) for kind in ("read", "written", "quarantined")),
        number("quarantined_share", "share"),
        *(number(kind) for kind in ("duplicates", "superseded", "replaced")),
        text("flags", "accepted with a flag"),
    ]
    rows = [
        [
            each.dataset,
            *(each.rows[kind] for kind in ("read", "written", "quarantined")),
            each.rows["quarantined"] / each.rows["read"] if each.rows["read"] else None,
            *(each.rows[kind] for kind in ("duplicates", "superseded")),
            each.replaced,
            formats.listed(each.flags) or None,
        ]
        for each in quality
    ]
    return of_values("datasets", "Data sets", heads, rows, "data/run/datasets.csv")


def files_table(quality: Sequence[DatasetQuality]) -> Table:
    """The files with the most rows that were not accepted."""
    heads = [text("data_set"), text("file"), number("rows", label="rows not accepted")]
    rows = [[each.dataset, file, count] for each in quality for file, count in each.worst_files.items()]
    return of_values("files", "Files with the most rows that were not accepted", heads, rows, "data/run/files.csv")


def runs_table(runs: Sequence[Run]) -> Table:
    """The runs, the newest first."""
    heads = [
        text("run"),
        text("started", "started (UTC)"),
        text("as_of", "as of"),
        text("status"),
        number("stages"),
        number("seconds", "seconds"),
        number("read"),
        number("quarantined"),
        number("quarantined_share", "share"),
        text("failed_in", "failed in"),
    ]
    rows = [
        [
            run.run_id,
            run.started,
            run.date,
            Cell(_STATUS[run.status], run.status, run.status),
            sum(stage.status != "not reached" for stage in run.stages),
            run.seconds,
            run.cleaned("read"),
            run.cleaned("quarantined"),
            run.quarantined_share,
            run.failed.name if run.failed else None,
        ]
        for run in runs
    ]
    return of_values("runs", "Runs", heads, rows, "data/run/runs.csv")


def _reasons(quality: DatasetQuality) -> Card:
    dataset = quality.dataset
    query = made_query(
        f"reasons_{dataset}",
        f"Why {dataset} were turned away" if dataset != "clickstream" else "Why clicks were turned away",
        "How many rows went into quarantine for each reason? A row with two reasons counts under both.",
        [Column("reason", "string", None), Column("rows", "bigint", "count")],
        [(formats.words(reason), count) for reason, count in quality.reasons.items()],
    )
    made = card(query, ChartSpec("bars", "reason", ("rows",), limit=20), f"data/run/reasons_{dataset}.csv")
    if not query.rows:
        return Card(made.key, made.title, made.question, None, empty="no row was turned away")
    return made


def _labels(runs: Sequence[Run]) -> dict[str, str]:
    """When each run started, to the minute, or to the second where two started within one."""
    for form in ("%d %b %H:%M", "%d %b %H:%M:%S"):
        labels = {run.run_id: run.started.strftime(form) if run.started else run.run_id for run in runs}
        if len(set(labels.values())) == len(labels):
            return labels
    return {run.run_id: run.run_id for run in runs}


def _history(runs: Sequence[Run]) -> list[Card]:
    oldest_first = list(reversed(runs[:_RUNS_DRAWN]))
    labels = _labels(oldest_first)
    run_column = Column("run", "string", None)
    quarantined = [
        (labels[run.run_id], dataset, stage.count("quarantined") / stage.count("read"))
        for run in oldest_first
        for dataset in DATASETS
        if (stage := run.stage(f"clean_{dataset}")) is not None and stage.count("read")
    ]
    read = [
        (labels[run.run_id], dataset, stage.count("read"))
        for run in oldest_first
        for dataset in DATASETS
        if (stage := run.stage(f"clean_{dataset}")) is not None and stage.count("read")
    ]
    seconds = [
        (labels[run.run_id], stage.name, stage.seconds)
        for run in oldest_first
        for stage in run.stages
        if stage.seconds is not None
    ]
    cards = [
        card(
            made_query(
                "quarantined_over_runs",
                "Quarantined share by run",
                "Is a larger part of the rows turned away than before?",
                [run_column, Column("data_set", "string", None), Column("quarantined", "double", "share")],
                quarantined,
            ),
            ChartSpec("line", "run", ("quarantined",), series="data_set"),
            "data/run/quarantined_over_runs.csv",
        ),
        card(
            made_query(
                "rows_over_runs",
                "Rows read by run",
                "How much came in with each run?",
                [run_column, Column("data_set", "string", None), Column("read", "bigint", "count")],
                read,
            ),
            ChartSpec("stacked", "run", ("read",), series="data_set"),
            "data/run/rows_over_runs.csv",
        ),
        card(
            made_query(
                "seconds_over_runs",
                "Seconds by stage and run",
                "Which stages take the time, and does it grow?",
                [run_column, Column("stage", "string", None), Column("seconds", "double", "seconds")],
                seconds,
            ),
            ChartSpec("heatmap", "run", ("stage",), value="seconds", wide=True),
            "data/run/seconds_over_runs.csv",
        ),
    ]
    return [each for each in cards if each.table]
