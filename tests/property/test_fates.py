"""Fates: whatever the order and increments in which rows arrive, the clean table is the same and nothing is lost."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed
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
from common.settings import Settings, SourceSettings
from common.storage import delta
from common.storage.local_frames import local_frame
from tests import samples
from tests.contents import contents
from tests.gates import OpenGate

Row = tuple[int, int, int, bool]
SCENARIOS = 40
_SCHEMA = (
    f"scenario int, transaction_id string, status string, updated_at timestamp, op string, {PAYLOAD_HASH} bigint, "
    f"{REASONS} array<string>, {IS_NEW} boolean, _payload binary, _source_file string"
)


def some_rows(chance: random.Random, size: int, *, keys: int, bad_share: float, first_key: int = 0) -> list[Row]:
    """Rows of a few keys, three versions and two contents, and whether something is wrong with the row."""
    return [
        (first_key + chance.randrange(keys), chance.randrange(3), chance.randrange(2), chance.random() < bad_share)
        for _ in range(size)
    ]


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


# Rows come of a random generator and not of hypothesis' own lists: its first example would be the smallest there is.
@seed(20251130)
@examples(
    max_examples=3, phases=[Phase.generate], deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
@given(chance=st.randoms(use_true_random=True))
def test_fates_are_those_of_the_definition_in_any_order(
    spark: SparkSession, source: SourceSettings, chance: random.Random
) -> None:
    scenarios = [some_rows(chance, chance.randint(1, 12), keys=3, bad_share=0.4) for _ in range(SCENARIOS)]
    given_rows = [row for number, rows in enumerate(scenarios) for row in rows_of(number, rows)]
    shuffled = [chance.sample(rows, len(rows)) for rows in scenarios]
    other_rows = [row for number, rows in enumerate(shuffled) for row in rows_of(number, rows, shift=1)]
    for history in (False, True):
        contract = replace(TRANSACTIONS, history=history)
        definition = {n: expected(rows, history=history) for n, rows in enumerate(scenarios)}
        kept = []
        for made in (given_rows, other_rows):
            resolved = resolve(local_frame(spark, made, _SCHEMA), contract, source).persist()
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


def cleaned(
    spark: SparkSession, settings: Settings, source: SourceSettings, contract: Contract, deliveries: list[list[Any]]
) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Clean deliveries one after the other, each a new file; the table's rows and the sum of the accounts."""
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
        table = contents(layout.clean(contract.name))
        assert delta.recorded_rows(spark, layout.clean(contract.name)) == len(table)
        quarantine = delta.recorded_rows(spark, layout.quarantine(contract.name))
        assert quarantine == total["quarantined"]
        return table, total


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


def in_parts(chance: random.Random, rows: list[Row]) -> list[list[Row]]:
    """The rows in another order, cut into two deliveries."""
    shuffled = chance.sample(rows, len(rows))
    cut = chance.randrange(1, len(rows))
    return [shuffled[:cut], shuffled[cut:]]


@pytest.mark.parametrize(
    ("contract", "make", "starts"),
    [
        (USERS, make_user, range(5)),
        (TRANSACTIONS, make_transaction, range(5, 10)),
        (CLICKSTREAM, make_event, range(10, 15)),
    ],
    ids=["users", "transactions", "clickstream"],
)
def test_increments_in_any_order_make_the_same_clean_table(  # noqa: PLR0917 - fixtures and cases
    spark: SparkSession,
    settings: Settings,
    source: SourceSettings,
    contract: Contract,
    make: Callable[[Row], Any],
    starts: range,
) -> None:
    # Each start has keys of its own and is cut in its own way; they share the table, as cleaning it takes seconds.
    rows: list[Row] = []
    deliveries: list[list[Row]] = [[], []]
    for number, start in enumerate(starts):
        chance = random.Random(start)
        own = some_rows(chance, chance.randrange(14, 20), keys=4, bad_share=0.2, first_key=4 * number)
        rows += own
        for day, part in enumerate(in_parts(chance, own)):
            deliveries[day] += part
    at_once, account = cleaned(spark, settings, source, contract, [[make(row) for row in rows]])
    # A delivery that is repeated adds nothing to the table.
    again = deliveries[0]
    increments = [[make(row) for row in delivery] for delivery in (*deliveries, again)]
    one_by_one, accounts = cleaned(spark, settings, source, contract, increments)
    assert one_by_one == at_once
    assert accounts["read"] == account["read"] + len(again)
    assert accounts["quarantined"] == account["quarantined"] + sum(is_bad for *_, is_bad in again)
    assert min(account[fate] for fate in ("written", "quarantined", "duplicates")) > 0
