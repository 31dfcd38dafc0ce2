"""Dimensions, facts and aggregates: loading changes gives what loading everything gives, and nothing twice."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest

from common.contracts import CONTRACTS
from common.errors import ConfigurationError, GateFailedError, InputError
from common.job import StageContext, execute
from common.layout import Layout
from common.quality.ledger import LedgerEntry
from common.stages.dimensions import DIM_PRODUCTS, LOAD_DIMENSIONS
from common.stages.facts import FACT_CLICKSTREAM, FACT_TRANSACTIONS, LOAD_FACTS
from common.stages.warehouse import ETL_WAREHOUSE
from common.storage import delta
from tests.contents import contents
from tests.gates import OpenGate
from tests.unit.transforms.frames import frame, rows_of

STAGES = (LOAD_DIMENSIONS, LOAD_FACTS, ETL_WAREHOUSE)
TABLES = [table for stage in STAGES for table in stage.outputs]


def _user(user_id, updated_at, **changes):
    return {"user_id": user_id, "country": "DE", "updated_at": updated_at, "op": "upsert", **changes}


def _product(product_id, updated_at, price, **changes):
    cost = {"list_price": f"{price}.00", "unit_cost": f"{price // 2}.00"}
    return {"product_id": product_id, "category": "Books", "updated_at": updated_at, "op": "upsert", **cost, **changes}


def _line(number, ts, **changes):
    return {
        "transaction_id": f"T{number:010d}",
        "user_id": "U00000001",
        "product_id": "P000001",
        "session_id": f"S{number}",
        "quantity": 1,
        "unit_price": "10.00",
        "total_amount": "10.00",
        "currency": "USD",
        "status": "paid",
        "transaction_ts": ts,
        **changes,
    }


def _event(number, ts, event_type, **changes):
    return {
        "event_id": f"E{number:016x}",
        "event_ts": ts,
        "user_id": "U00000001",
        "event_type": event_type,
        "product_id": "P000001",
        "is_bot": False,
        **changes,
    }


FIRST = {
    "users": [_user("U00000001", "2025-01-01"), _user("U00000002", "2025-01-01")],
    "products": [_product("P000001", "2025-01-01", 10), _product("P000002", "2025-01-01", 20)],
    "transactions": [
        _line(1, "2025-09-10 12:00:00"),
        _line(2, "2025-10-10 12:00:00"),
        _line(3, "2025-11-10 12:00:00", product_id="P000002"),
        _line(4, "2025-11-11 12:00:00", user_id="U00000009"),
    ],
    "clickstream": [
        _event(1, "2025-10-10 11:00:00", "product_view", session_id="S2"),
        _event(2, "2025-10-10 11:01:00", "add_to_cart", session_id="S2"),
        _event(3, "2025-11-10 11:00:00", "add_to_cart"),
    ],
}
SECOND = {
    # Late: between two versions of a key that facts of October and November point at.
    "products": [_product("P000001", "2025-10-01", 12), _product("P000002", "2025-12-01", 25)],
    "users": [_user("U00000009", "2025-02-01"), _user("U00000002", "2025-11-01", op="delete")],
    "transactions": [_line(5, "2025-12-01 12:00:00", status="pending")],
    "clickstream": [_event(4, "2025-11-10 11:02:00", "begin_checkout")],
}

THIRD = {"products": [_product("P000002", "2026-01-01", 30)]}  # later than every line and event

PUT = {"first": FIRST, "increment": SECOND, "price": THIRD}


def _put(context, rows_by_dataset, *, append):
    for name, rows in rows_by_dataset.items():
        fields = CONTRACTS[name].clean_schema
        schema = ", ".join(
            f"`{field.name}` {field.dataType.simpleString()}" for field in fields if field.name != "flags"
        )
        filled = [{"_payload_hash": n, **row} for n, row in enumerate(rows)]
        rows_frame = frame(context.spark, schema, filled).selectExpr("*", "cast(array() as array<string>) as flags")
        columns = rows_frame.select(*fields.names)
        path = context.layout.clean(name)
        _ = delta.append(columns, path, {}) if append else delta.overwrite(columns, path, {})


def _run(context, stages=STAGES):
    """The stages one after another, each with a context of its own as in a run, and nothing said by gates."""
    entries = {stage.name: execute(stage, replace(context, gates=[])) for stage in stages}
    assert [entry.error for entry in entries.values()] == [None] * len(stages)
    return entries


def _contents(context, tables=TABLES):
    return {table: contents(context.layout.path(table)) for table in tables}


@pytest.fixture(scope="module", autouse=True)
def _token_key(tmp_path_factory):
    key = tmp_path_factory.mktemp("key") / "token.key"
    key.write_bytes(b"a key of some length for tests")
    key.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECOMMERCE_TOKEN_KEY_FILE", str(key))
        yield


@dataclass(frozen=True)
class Loaded:
    """A root that was loaded, loaded again with and without changes, and rebuilt.

    Attributes:
        layout: The root.
        entries: What each stage said of itself, by the run.
        contents: What the tables held after each run that did something.
    """

    layout: Layout
    entries: dict[str, dict[str, LedgerEntry]]
    contents: dict[str, dict[str, list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def loaded(spark, settings, source, tmp_path_factory):
    layout = Layout.at(tmp_path_factory.mktemp("loaded") / "root")
    entries, held = {}, {}

    def run(run_id, **changes):
        context = StageContext(spark, layout, settings, source, None, run_id, OpenGate(layout, run_id), **changes)
        if run_id in PUT:
            _put(context, PUT[run_id], append=run_id != "first")
        entries[run_id] = _run(context)
        held[run_id] = _contents(context)

    run("first")
    run("increment")
    run("price")
    run("again")
    run("whole", rebuild=True)
    return Loaded(layout, entries, held)


@pytest.fixture
def in_copy(loaded, layout, make_context):
    """Contexts for a copy of the loaded root."""
    shutil.copytree(loaded.layout.local(), layout.local())
    return make_context


def test_a_first_load_takes_every_row(loaded):
    entries = loaded.entries["first"]
    assert entries["load_dimensions"].rows == {
        "read": 4, "written": 4, "quarantined": 0, "duplicates": 0, "superseded": 0
    }  # fmt: skip
    assert (entries["load_facts"].rows["read"], entries["load_facts"].rows["written"]) == (7, 7)


def test_changes_touch_their_partitions_alone(loaded):
    increment = loaded.entries["increment"]
    assert {entry.status for entry in increment.values()} == {"ok"}
    facts = increment["load_facts"]
    # September has no change; October and November belong to other versions, December is new.
    assert facts.notes == ("fact_transactions: 3 partitions changed", "fact_clickstream: 2 partitions changed")
    assert facts.rows["read"] == facts.rows["written"] == 4 + 4


def test_changes_that_give_the_same_rows_commit_nothing(loaded):
    price = loaded.entries["price"]
    assert price["load_dimensions"].status == "ok"
    facts = ("fact_transactions", "fact_clickstream")
    assert price["load_facts"].notes == tuple(f"{name}: 0 partitions changed" for name in facts)
    assert price["load_facts"].status == price["etl_warehouse"].status == "skipped"
    assert all(note.endswith(", unchanged") for note in price["etl_warehouse"].notes)
    changed = [table for table in TABLES if loaded.contents["price"][table] != loaded.contents["increment"][table]]
    assert changed == [DIM_PRODUCTS]


def test_without_changes_nothing_is_computed(loaded):
    again = loaded.entries["again"]
    assert {entry.status for entry in again.values()} == {"skipped"}
    assert all(table["before"] == table["after"] for entry in again.values() for table in entry.tables.values())
    assert again["load_dimensions"].notes == ("dim_users: no new changes", "dim_products: no new changes")
    # Also where what was there before had been made from other versions, and had come out the same.
    assert again["etl_warehouse"].notes == ("the facts have not changed",)
    assert loaded.contents["again"] == loaded.contents["price"]


def test_changes_give_what_everything_gives(loaded):
    before, changed = loaded.contents["first"], loaded.contents["increment"]
    assert all(changed[table] != before[table] for table in TABLES)
    assert {entry.status for entry in loaded.entries["whole"].values()} == {"ok"}
    assert loaded.contents["whole"] == loaded.contents["price"]


def test_every_fact_finds_the_version_of_its_time(loaded, spark):
    names = ("dim_users", "dim_products", "fact_transactions")
    lake = {name: delta.read(spark, loaded.layout.lake(name)) for name in names}

    joined = lake["fact_transactions"].join(lake["dim_products"], on="product_sk")
    assert rows_of(joined, "transaction_id", "list_price", "cost_amount") == [
        ("T0000000001", "10.00", "5.00"),
        ("T0000000002", "12.00", "6.00"),
        ("T0000000003", "20.00", "10.00"),
        ("T0000000004", "12.00", "6.00"),
        ("T0000000005", "12.00", "6.00"),
    ]
    assert lake["fact_transactions"].where("is_unknown_user or user_sk = -1").count() == 0
    for name, key in (("dim_users", "user_id"), ("dim_products", "product_id")):
        versions = rows_of(lake[name], key, "valid_from", "valid_to")
        for one, other in pairwise(versions):
            assert one[2] == other[1] or (one[0] != other[0] and one[2] == "9999-12-31 00:00:00")


def test_by_day_the_partition_is_the_day(in_copy, settings, layout):
    publish = settings.publish.model_copy(update={"partition_by": "day"})
    context = in_copy(settings=settings.model_copy(update={"publish": publish}), gates=OpenGate)
    for table in LOAD_FACTS.outputs:
        shutil.rmtree(layout.local(*table.split("/")))
    _run(context, (LOAD_FACTS,))
    facts = delta.read(context.spark, layout.lake("fact_transactions"))

    assert [row[0] for row in rows_of(facts, "transaction_month")] == [
        "2025-09-10", "2025-10-10", "2025-11-10", "2025-11-11", "2025-12-01"
    ]  # fmt: skip


def test_a_root_without_clean_tables_is_told_what_to_run(make_context):
    with pytest.raises(InputError, match="run clean_users"):
        LOAD_DIMENSIONS.run(make_context())


def test_failures_commit_nothing_and_say_why(in_copy, monkeypatch, tmp_path):
    context = in_copy()
    before = _contents(context, LOAD_FACTS.outputs)
    _put(context, {"transactions": [_line(1, "2025-09-20 12:00:00")]}, append=True)
    with pytest.raises(GateFailedError, match="unique transaction_id"):
        LOAD_FACTS.run(in_copy(run_id="twice"))
    assert _contents(context, LOAD_FACTS.outputs) == before

    monkeypatch.setenv("ECOMMERCE_TOKEN_KEY_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigurationError, match=r"run \./build\.sh setup"):
        LOAD_DIMENSIONS.run(in_copy(run_id="keyless"))


def test_an_end_between_two_tables_is_made_up_for(in_copy, monkeypatch):
    def run(run_id, **changes):
        LOAD_FACTS.run(in_copy(run_id=run_id, gates=OpenGate, **changes))
        return _contents(context, LOAD_FACTS.outputs)

    def end_at_clickstream(rows, path, *rest, **more):
        if path.endswith("fact_clickstream"):
            raise KeyboardInterrupt
        return overwrite(rows, path, *rest, **more)

    context, overwrite = in_copy(), delta.overwrite
    before = _contents(context, LOAD_FACTS.outputs)
    further = {
        "transactions": [_line(6, "2025-12-02 12:00:00")],
        "clickstream": [_event(5, "2025-12-02 11:00:00", "product_view")],
    }
    _put(context, further, append=True)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(delta, "overwrite", end_at_clickstream)
        run("ended")
    changed = [table for table, rows in _contents(context, LOAD_FACTS.outputs).items() if rows != before[table]]
    assert changed == [FACT_TRANSACTIONS]
    after = run("on")
    assert after[FACT_CLICKSTREAM] != before[FACT_CLICKSTREAM]
    assert run("whole", rebuild=True) == after
