"""Roots for the report's tests: what stages leave behind, written with the platform's own writers, without Spark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from common.layout import DATASETS, Layout
from common.quality.ledger import LedgerEntry, record
from common.storage.files import write_json
from common.storage.published import PublishedPartition, PublishedTable, write_published
from pipelines.view import RunFacts, write_run
from tests.runs import STAGES
from tests.unit.report.answers import AS_OF, NEW, put_churn, put_dashboards, put_recommendations

OLD = "20251129T090000Z-aaaaaa"
READ = {"users": 100, "products": 20, "transactions": 500, "clickstream": 1000}
FAILURE = "gate load_facts.integrity failed: sums differ [conf/expectations/load_facts.integrity.json] -> mend the data"
PERSONAL = "ada@example.org"


def account(read: int, quarantined: int = 0, duplicates: int = 0, superseded: int = 0) -> dict[str, int]:
    """An account that balances."""
    written = read - quarantined - duplicates - superseded
    return {
        "read": read,
        "written": written,
        "quarantined": quarantined,
        "duplicates": duplicates,
        "superseded": superseded,
    }


def accounts(factor: int = 1) -> dict[str, dict[str, int] | None]:
    """Each stage with its account; of every data set two rows in a hundred are turned away."""
    found: dict[str, dict[str, int] | None] = dict.fromkeys(STAGES)
    clean = {name: account(READ[name] * factor, READ[name] * factor // 50, 1) for name in DATASETS}
    found["land_raw"] = account(sum(READ.values()) * factor)
    found |= {f"clean_{name}": clean[name] for name in DATASETS}
    found["load_dimensions"] = account(clean["users"]["written"] + clean["products"]["written"], superseded=5)
    found["load_facts"] = account(clean["transactions"]["written"] + clean["clickstream"]["written"])
    found["publish_hive"] = account(2000 * factor)
    return found


def entry(run_id: str, stage: str, second: int, **changes: Any) -> LedgerEntry:
    """A stage that took ten seconds, two of them in its gate."""
    gate = {
        "suite": stage, "passed": True, "evaluated": 7, "failures": [], "warnings": [], "seconds": 2.0,
    }  # fmt: skip
    made = LedgerEntry(
        run_id=run_id,
        stage=stage,
        date=AS_OF.isoformat(),
        status="ok",
        started_at=f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T09:{second // 60:02d}:{second % 60:02d}.000+00:00",
        seconds=10.0,
        gate_seconds=2.0,
        rows=None,
        tables={},
        gates=(gate,),
        notes=(),
        exit_code=0,
        error=None,
        code_version="0.1.0",
        configuration="c0ffee",
    )
    return replace(made, **changes)


def put_run(
    layout: Layout,
    run_id: str = NEW,
    *,
    factor: int = 1,
    without: Iterable[str] = (),
    fails: str | None = None,
    status: Literal["ok", "failed", "running"] = "ok",
) -> list[LedgerEntry]:
    """A run in the ledger and in run.json.

    Args:
        layout: The root.
        run_id: The run.
        factor: Multiplies the rows.
        without: Stages that the run does not have.
        fails: The stage in which it fails; later ones are not reached.
        status: What run.json says when nothing fails.
    """
    left_out = set(without)
    names = [name for name in STAGES if name not in left_out]
    rows = accounts(factor)
    ended = []
    for index, name in enumerate(names):
        made = entry(run_id, name, index * 10, rows=rows[name])
        if name == fails:
            gate = {**made.gates[0], "passed": False, "failures": ["expect_column_sum_to_be_between amount (1.0)"]}
            made = replace(made, status="failed", rows=None, exit_code=3, error=FAILURE, gates=(gate,))
        record(layout, made)
        ended.append(made)
        if name == fails:
            break
    facts = RunFacts(run_id, AS_OF.isoformat(), 0.01, 42, "generated", tuple(names))
    write_run(layout, facts, ended, 10.0 * len(ended), status="failed" if fails else status)
    log = layout.local("ops", "logs", f"{run_id}.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("what happened\n", encoding="utf-8")
    _put_documents(layout, ended)
    return ended


def _put_documents(layout: Layout, ended: Sequence[LedgerEntry]) -> None:
    pages = layout.local("ops", "gx", "data_docs")
    for each in ended:
        page = pages.joinpath("validations", each.stage, each.run_id, "20251130T090000.000000Z", "result.html")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("<!doctype html><title>gate</title>", encoding="utf-8")
    pages.joinpath("index.html").write_text("<!doctype html><title>Data Docs</title>", encoding="utf-8")


def put_quality(layout: Layout, run_id: str = NEW, datasets: Iterable[str] = DATASETS) -> None:
    """What cleaning says of each data set; an example holds what must not get into a page."""
    for name in datasets:
        rows = accounts()[f"clean_{name}"]
        assert rows is not None
        report = {
            "dataset": name,
            "run_id": run_id,
            "rows": rows,
            "fates": {},
            "reasons": {"malformed_line": rows["quarantined"] - 1, "missing_key": 1} if rows["quarantined"] else {},
            "flags": {"is_bot": 3} if name == "clickstream" else {},
            "worst_files": {f"raw/{name}/first.csv": rows["quarantined"]},
            "replaced": 0,
            "examples": {"malformed_line": [PERSONAL]},
        }
        write_json(layout.local("ops", "quality", run_id, f"clean_{name}.json"), report)


def put_published(layout: Layout) -> None:
    """The published tables as readers find them; the files themselves are not needed here."""
    sizes = {
        "dim_users": 98,
        "dim_products": 19,
        "fact_transactions": 489,
        "fact_clickstream": 979,
        "agg_daily_sales": 60,
    }
    tables = [
        PublishedTable(
            name=name,
            version=1,
            lake_version=0,
            location=layout.hive(name),
            partition_columns=(),
            columns=(("id", "string"), ("value", "bigint")),
            parts=(PublishedPartition({}, layout.hive(name), rows, 4711),),
        )
        for name, rows in sizes.items()
    ]
    write_published(layout, "ecommerce", tables)


def put_whole(layout: Layout) -> None:
    """A root with two runs, dashboards and models."""
    put_run(layout, OLD, factor=2)
    put_run(layout, NEW)
    put_quality(layout)
    put_published(layout)
    put_dashboards(layout)
    put_churn(layout)
    put_recommendations(layout)
