"""Fates: whatever the order and increments in which rows arrive, the clean table is the same and nothing is lost."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed
from hypothesis import settings as examples
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.cleaning.engine import clean
from common.cleaning.resolution import FATE, IS_NEW, resolve
from common.cleaning.typing_rows import PAYLOAD_HASH, REASONS
from common.contracts import CLICKSTREAM, TRANSACTIONS, USERS, Contract
from common.contracts.model import Fate
from common.job import StageContext
from common.layout import Layout
from common.quality.gate import Gatekeeper, GateResult
from common.settings import Settings, SourceSettings
from common.storage import delta
from common.storage.fingerprint import fingerprint
from tests import samples

Row = tuple[int, int, int, bool]
# A key out of three, a version out of three, a content out of two, and whether something is wrong with the row.
ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1), st.booleans()), max_size=12)
_SCHEMA = (
    f"scenario int, transaction_id string, status string, updated_at timestamp, op string, {PAYLOAD_HASH} bigint, "
    f"{REASONS} array<string>, {IS_NEW} boolean, _payload binary, _source_file string"
)


def rows_of(scenario: int, rows: list[Row], shift: int = 0) -> list[tuple[Any, ...]]:
    """Typed rows; the key carries the scenario, so that many of them go through one query."""
    made = []
    for index, (key, version, content, is_bad) in enumerate(rows):
        status = ("pending", "paid", "delivered")[version]
        name = None if is_bad and content else f"{scenario}-{key}"
        digest = hash((key, version, content)) % 1000
        made.append(
            (scenario, name, status, None, None, digest, ["bad"] if is_bad else [], True,
             bytearray(repr((scenario, key, version, content)).encode()), f"file-{(index + shift) % 3}")
        )  # fmt: skip
    return made


def expected(rows: list[Row], *, history: bool) -> Counter[str]:
    """The fates by their definition, counted without Spark."""
    good = [(key, version, content) for key, version, content, is_bad in rows if not is_bad]
    distinct = set(good)
    newest = {key for key, _, _ in distinct}
    written = len(distinct) if history else len(newest)
    fates = Counter({"quarantined": len(rows) - len(good), "duplicate": len(good) - len(distinct), "written": written})
    fates["superseded"] = len(distinct) - written
    return +fates


def fates_by_scenario(frame: DataFrame) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = {}
    for row in frame.groupBy("scenario", FATE).count().collect():
        found.setdefault(row["scenario"], Counter())[row[FATE]] = row["count"]
    return found


@seed(20251130)
@examples(max_examples=2, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(scenarios=st.lists(ROWS, min_size=40, max_size=40), order=st.randoms(use_true_random=False))
def test_fates_are_those_of_the_definition_in_any_order(
    spark: SparkSession, source: SourceSettings, scenarios: list[list[Row]], order: random.Random
) -> None:
    given_rows = [row for number, rows in enumerate(scenarios) for row in rows_of(number, rows)]
    shuffled = [list(rows) for rows in scenarios]
    for rows in shuffled:
        order.shuffle(rows)
    other_rows = [row for number, rows in enumerate(shuffled) for row in rows_of(number, rows, shift=1)]
    for history in (False, True):
        contract = replace(TRANSACTIONS, history=history)
        definition = {n: expected(rows, history=history) for n, rows in enumerate(scenarios) if rows}
        kept = []
        for made in (given_rows, other_rows):
            resolved = resolve(spark.createDataFrame(made, _SCHEMA), contract, source).persist()
            assert fates_by_scenario(resolved) == definition
            kept.append(
                sorted(
                    tuple(row)
                    for row in resolved.where(F.col(FATE) == Fate.WRITTEN.value)
                    .select("transaction_id", "status", PAYLOAD_HASH)
                    .collect()
                )
            )
            resolved.unpersist()
        assert kept[0] == kept[1], "which row is kept does not depend on the order or the file it came in"


class OpenGate(Gatekeeper):
    """Lets everything pass: what a gate says is not the subject here, and takes most of the time."""

    def validate(self, suite: str, frame: DataFrame, parameters: Any = None) -> GateResult:
        return GateResult(suite, 1, (), (), 0.0)


def cleaned(
    spark: SparkSession, settings: Settings, source: SourceSettings, contract: Contract, deliveries: list[list[Any]]
) -> tuple[str, Counter[str]]:
    """Clean deliveries one after the other, each a new file; the fingerprint and the sum of the accounts."""
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        layout = Layout.at(Path(directory) / "root")
        for number, rows in enumerate(deliveries):
            if contract is USERS:
                samples.put_changes(layout, "users", f"2025-11-{number + 1:02d}", rows)
            elif contract is TRANSACTIONS:
                samples.put_transactions(layout, rows, name=f"part-{number}.parquet")
            else:
                samples.put_events(layout, rows, name=f"{number}.jsonl")
            context = StageContext(
                spark, layout, settings, source, None, f"run-{number}", OpenGate(layout, f"run-{number}")
            )
            result = clean(context, contract)
            assert result.account is not None
            assert result.account.read == result.account.accounted == len(rows)
            total.update(result.account.as_json())
        table = delta.read(spark, layout.clean(contract.name))
        assert delta.recorded_rows(spark, layout.clean(contract.name)) == table.count()
        quarantine = delta.recorded_rows(spark, layout.quarantine(contract.name))
        assert quarantine == total["quarantined"]
        return fingerprint(table.drop("_source_file", "_delivered_on")), total


def make_user(row: Row) -> dict[str, Any]:
    key, version, content, is_bad = row
    return samples.user(
        key,
        user_id=f"U{key:08d}" if not is_bad else None,
        updated_at=f"2025-06-0{version + 1}T00:00:00Z",
        op=("upsert", "delete")[content],
    )


def make_transaction(row: Row) -> dict[str, Any]:
    key, version, content, is_bad = row
    status = ("pending", "paid", "delivered")[version]
    return samples.transaction(key, status=status, payment_method=("card", "cash")[content], rating=9 if is_bad else 4)


def make_event(row: Row) -> dict[str, Any] | str:
    key, version, content, is_bad = row
    if is_bad:
        return f"no json {key}"
    return samples.event(key, event_ts=f"2025-11-30T12:00:0{version}.{content}00Z", quantity=content)


@examples(max_examples=1, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(start=st.integers(0, 1_000_000))
def test_increments_in_any_order_make_the_same_clean_table(
    spark: SparkSession, settings: Settings, source: SourceSettings, start: int
) -> None:
    chance = random.Random(start)
    rows = [
        (chance.randrange(4), chance.randrange(3), chance.randrange(2), chance.random() < 0.2)
        for _ in range(chance.randrange(14, 20))
    ]
    for contract, make in ((USERS, make_user), (TRANSACTIONS, make_transaction), (CLICKSTREAM, make_event)):
        shuffled = chance.sample(rows, len(rows))
        first, second = sorted(chance.sample(range(1, len(rows)), 2))
        parts = [shuffled[:first], shuffled[first:second], shuffled[second:]]
        at_once, account = cleaned(spark, settings, source, contract, [[make(row) for row in rows]])
        # A delivery that is repeated adds nothing to the table.
        increments = [[make(row) for row in part] for part in (*parts, parts[0])]
        in_parts, accounts = cleaned(spark, settings, source, contract, increments)
        assert in_parts == at_once, contract.name
        assert accounts["read"] == account["read"] + len(parts[0])
        bad_again = sum(is_bad for *_, is_bad in parts[0])
        assert accounts["quarantined"] == account["quarantined"] + bad_again
