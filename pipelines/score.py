"""`./build.sh score`: what cleaning found, held against what the generator planted.

A planted defect is found when the same row (by file and content, or by key) has the planted fate for the planted
reason. What has a reason without having been planted counts against the precision of that reason. Duplicates and rows
in quarantine are counted as often as they occur.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from rich import box
from rich.table import Table

from common.arguments import HelpShown, Parser, default_root, print_error
from common.contracts import CONTRACTS
from common.errors import ExitCode, InputError, PlatformError
from common.layout import DATASETS, Layout
from pipelines.dropped import logs_of_table
from pipelines.tables import delta_relation
from pipelines.view import wide_console

STATISTICAL = {"bot": 0.95, "near_duplicate": 0.95}
_ALL = 1.0
_KEYS = {"users": "user_id", "products": "product_id", "transactions": "transaction_id", "clickstream": "event_id"}
_ROW_KEY = """
    sha256(concat_ws('|', coalesce(j->>'transaction_id', ''), coalesce(j->>'user_id', ''),
           coalesce(j->>'product_id', ''), coalesce(j->>'quantity', ''),
           coalesce(epoch_us((j->>'transaction_ts')::TIMESTAMPTZ)::VARCHAR, '')))
"""


@dataclass(frozen=True)
class Score:
    """How well one class of defects was found.

    Attributes:
        dataset: The data set.
        defect_class: What was planted.
        planted: How many rows.
        found: How many of them met their fate.
        wrong: Rows with the same reason that were not planted; 0 for rows that were to be kept.
        required: The least F1 that is good enough.
    """

    dataset: str
    defect_class: str
    planted: int
    found: int
    wrong: int
    required: float

    @property
    def recall(self) -> float:
        """Share of the planted rows that were found."""
        return self.found / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        """Share of the rows found for the reason that were planted."""
        return self.found / (self.found + self.wrong) if self.found + self.wrong else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    @property
    def passed(self) -> bool:
        """Whether it is good enough."""
        return self.f1 >= self.required


def main(argv: Sequence[str] | None = None) -> int:
    """Score the root's cleaning.

    Returns:
        0 when every class is found as required, 3 otherwise; 4 when there is no truth or nothing was cleaned.
    """
    try:
        arguments = _parser().parse_args(argv)
        scores = score(Layout.at(arguments.root))
    except HelpShown:
        return int(ExitCode.DONE)
    except PlatformError as error:
        print_error(error)
        return int(error.exit_code)
    if arguments.format == "json":
        sys.stdout.write(json.dumps([_as_json(each) for each in scores], indent=2) + "\n")
    else:
        _show(scores)
    return int(ExitCode.DONE if all(each.passed for each in scores) else ExitCode.GATE_FAILED)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="build.sh score", description="Hold what cleaning found against what was planted.")
    parser.add_argument("--root", default=default_root(), help="directory of the zones (default: data)")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    return parser


def score(layout: Layout) -> list[Score]:
    """Scores by data set and class, those that fell short first.

    Raises:
        InputError: If there is no truth, or nothing was cleaned.
    """
    planted = [layout.local("truth", "defects.parquet"), *layout.local("truth", "increments").glob("*/defects.parquet")]
    planted = [path for path in planted if path.exists()]
    if not planted:
        raise InputError("there is no truth to score against", where=layout.path("truth"), remedy="generate the data")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    _load_planted(connection, planted)
    connection.execute(
        "CREATE TABLE found (dataset VARCHAR, fate VARCHAR, reason VARCHAR, source_file VARCHAR, id VARCHAR)"
    )
    connection.execute("CREATE TABLE clean (dataset VARCHAR, source_file VARCHAR, id VARCHAR)")
    for dataset in DATASETS:
        _load_found(connection, layout, dataset)
    return sorted(_scores(connection), key=lambda each: (each.passed, each.dataset, each.defect_class))


def _load_planted(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    connection.read_parquet([str(path) for path in paths], union_by_name=True).create("defects")
    # What is quarantined is known by its bytes, everything else by its key.
    connection.execute("""
        CREATE TABLE planted AS
        SELECT dataset, defect_class, fate, reason, source_file,
               CASE fate WHEN 'quarantined' THEN sha256 ELSE key END AS id
        FROM defects
    """)


def _load_found(connection: duckdb.DuckDBPyConnection, layout: Layout, dataset: str) -> None:
    cleaned = layout.local("clean", dataset)
    if not (cleaned / "_delta_log").is_dir():
        raise InputError(f"{dataset} has not been cleaned", where=str(cleaned), remedy="run ./build.sh run")
    key = _KEYS[dataset]
    quarantine = delta_relation(connection, layout.local("quarantine", dataset))
    payload = "decode(payload)::JSON AS j" if dataset == "transactions" else "payload"
    identity = _ROW_KEY if dataset == "transactions" else "sha256(payload)"
    quarantine.project(f"unnest(reasons) AS reason, source_file, {payload}").project(
        f"'{dataset}', 'quarantined', reason, source_file, {identity}"
    ).insert_into("found")
    logs = logs_of_table(layout, dataset).values()
    dropped = [str(path) for log in logs for path in sorted(log.glob("*.parquet"))]
    if dropped:
        connection.read_parquet(dropped).project(f"'{dataset}', fate, fate, source_file, record_key").insert_into(
            "found"
        )
    clean = delta_relation(connection, cleaned)
    clean.project(f"'{dataset}', _source_file, {key}").insert_into("clean")
    clean.project(f"unnest(flags) AS flag, _source_file, {key}").project(
        f"'{dataset}', 'flagged', flag, _source_file, {key}"
    ).insert_into("found")
    _load_flags(connection, layout, dataset, key, clean)


def _load_flags(
    connection: duckdb.DuckDBPyConnection, layout: Layout, dataset: str, key: str, clean: duckdb.DuckDBPyRelation
) -> None:
    """Flags that depend on other rows: those of traffic in the clean table, those of references in the facts."""
    if dataset == "clickstream":
        for reason, condition in (("bot", "is_bot"), ("near_duplicate", "near_duplicate_of IS NOT NULL")):
            clean.filter(condition).project(f"'{dataset}', 'flagged', '{reason}', _source_file, {key}").insert_into(
                "found"
            )
    fact = layout.local("warehouse", "lake", f"fact_{dataset}")
    if (fact / "_delta_log").is_dir():
        facts = delta_relation(connection, fact)
        for reason in ("unknown_user", "unknown_product"):
            facts.filter(f"is_{reason}").project(f"'{dataset}', 'flagged', '{reason}', NULL, {key}").insert_into(
                "found"
            )


def _scores(connection: duckdb.DuckDBPyConnection) -> list[Score]:
    # Where a table keeps all versions of a key, files tell them apart; elsewhere a newer one replaces it.
    kept = connection.execute(
        """
        WITH judged AS (
            SELECT p.dataset, p.defect_class,
                   EXISTS (FROM clean c WHERE c.dataset = p.dataset AND c.id = p.id
                           AND (c.source_file = p.source_file OR NOT list_contains($histories, p.dataset))) AS is_there,
                   EXISTS (FROM found f WHERE f.fate = 'flagged' AND f.dataset = p.dataset AND f.id = p.id
                           AND (f.source_file IS NULL OR f.source_file = p.source_file
                                OR NOT list_contains($histories, p.dataset))) AS is_flagged
            FROM planted p WHERE p.fate = 'kept'
        )
        SELECT dataset, defect_class, count(*), count(*) FILTER (is_there AND NOT is_flagged) FROM judged GROUP BY ALL
        """,
        {"histories": [name for name in DATASETS if CONTRACTS[name].history]},
    ).fetchall()
    # A flag is known by the row's key alone: facts do not say from which file a row came. A row that one of a later
    # delivery renews is news and no defect: it is dropped where both are cleaned at once, and replaced day by day.
    others = connection.sql("""
        WITH p AS (
            SELECT dataset, fate, reason, defect_class,
                   CASE fate WHEN 'flagged' THEN '' ELSE source_file END AS file, id, count(*) AS n
            FROM planted WHERE fate <> 'kept' GROUP BY ALL
        ), f AS (
            SELECT dataset, fate, reason,
                   CASE fate WHEN 'flagged' THEN '' ELSE source_file END AS file, id, count(*) AS n
            FROM found GROUP BY ALL
        ), matched AS (
            SELECT p.*, least(p.n, coalesce(f.n, 0)) AS hit
            FROM p LEFT JOIN f USING (dataset, fate, reason, file, id)
        ), expected AS (
            SELECT dataset, fate, reason, sum(hit) AS hit FROM matched GROUP BY ALL
        ), asked AS (
            SELECT dataset, fate, reason, file, id, sum(n) AS n FROM p GROUP BY ALL
        ), seen AS (
            SELECT dataset, fate, reason, sum(CASE WHEN is_renewed THEN least(n, asked_for) ELSE n END) AS n
            FROM (
                SELECT f.*, coalesce(asked.n, 0) AS asked_for,
                       f.fate = 'superseded' AND EXISTS (FROM clean c WHERE c.dataset = f.dataset AND c.id = f.id
                                                         AND c.source_file > f.file) AS is_renewed
                FROM f LEFT JOIN asked USING (dataset, fate, reason, file, id)
            )
            GROUP BY ALL
        ), excess AS (
            SELECT dataset, fate, reason, seen.n - coalesce(hit, 0) AS wrong
            FROM seen LEFT JOIN expected USING (dataset, fate, reason)
        ), classes AS (
            SELECT dataset, fate, reason, defect_class, sum(n) AS planted, sum(hit) AS hit FROM matched GROUP BY ALL
        )
        SELECT dataset, coalesce(defect_class, 'not planted: ' || reason), coalesce(planted, 0), coalesce(hit, 0),
               coalesce(wrong, 0), reason
        FROM classes FULL JOIN excess USING (dataset, fate, reason)
    """).fetchall()
    scores = [Score(dataset, name, rows, good, 0, _ALL) for dataset, name, rows, good in kept]
    scores += [
        Score(dataset, name, int(rows), int(good), int(wrong), STATISTICAL.get(reason, _ALL))
        for dataset, name, rows, good, wrong, reason in others
    ]
    return scores


def _as_json(each: Score) -> dict[str, object]:
    return {
        "dataset": each.dataset,
        "defect_class": each.defect_class,
        "planted": each.planted,
        "found": each.found,
        "wrong": each.wrong,
        "precision": each.precision,
        "recall": each.recall,
        "f1": each.f1,
        "passed": each.passed,
    }


def _show(scores: Sequence[Score]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("data set", "class"):
        table.add_column(name)
    for name in ("planted", "found", "wrong", "precision", "recall", "F1"):
        table.add_column(name, justify="right")
    table.add_column("")
    for each in scores:
        figures = [f"{value:,}" for value in (each.planted, each.found, each.wrong)]
        rates = [f"{value:.4f}" for value in (each.precision, each.recall, each.f1)]
        table.add_row(each.dataset, each.defect_class, *figures, *rates, "" if each.passed else "[red]short[/red]")
    console = wide_console()
    console.print(table)
    short = [each for each in scores if not each.passed]
    console.print(f"{len(scores) - len(short)} of {len(scores)} classes as required")


if __name__ == "__main__":
    sys.exit(main())
