"""What the truth says of planted rows, held against the raw files and against the definitions."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from statistics import median

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from generators.event_defects import MUTATIONS
from generators.ledger import CLASSES

Row = dict[str, str | None]


@pytest.fixture(scope="module")
def defects(generated: Path) -> list[Row]:
    return pq.read_table(generated / "truth/defects.parquet").to_pylist()


@pytest.fixture(scope="module")
def events(generated: Path) -> list[dict[str, object]]:
    """All events that parse, with the sha256 of their lines."""
    found = []
    for path in sorted((generated / "raw/clickstream").rglob("*.json")):
        for line in path.read_bytes().split(b"\n"):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and isinstance(event.get("event_ts"), str):
                found.append({**event, "sha256": hashlib.sha256(line).hexdigest()})
    return found


def _transactions(root: Path) -> duckdb.DuckDBPyRelation:
    connection = duckdb.connect()
    connection.sql("SET TimeZone = 'UTC'")
    return connection.sql(
        f"SELECT * FROM read_parquet('{root}/raw/transactions/**/*.parquet', hive_partitioning = true)"
    )


def test_every_class_is_planted(defects: list[Row]) -> None:
    planted = {(row["dataset"], row["defect_class"]) for row in defects}
    assert planted == {(dataset, name) for dataset, classes in CLASSES.items() for name in classes}


def test_lines_have_the_hashes_that_the_truth_gives(generated: Path, defects: list[Row]) -> None:
    by_file: dict[str, Counter[str]] = defaultdict(Counter)
    for row in defects:
        if row["dataset"] != "transactions":
            by_file[str(row["source_file"])][str(row["sha256"])] += 1
    for name, hashes in by_file.items():
        body = (generated / name).read_bytes()
        assert body.endswith(b"\n")
        lines = Counter(hashlib.sha256(line).hexdigest() for line in body[:-1].split(b"\n"))
        assert all(lines[sha256] >= count for sha256, count in hashes.items()), name


def test_transactions_have_the_hashes_that_the_truth_gives(generated: Path, defects: list[Row]) -> None:
    columns = ("transaction_id", "user_id", "product_id", "quantity")
    for name in sorted({str(row["source_file"]) for row in defects if row["dataset"] == "transactions"}):
        table = pq.read_table(generated / name, partitioning=None)
        micros = table.column("transaction_ts").cast(pa.int64()).to_pylist()
        values = zip(*[table.column(column).to_pylist() for column in columns], micros, strict=True)
        rows = ["|".join("" if value is None else str(value) for value in row) for row in values]
        hashes = {hashlib.sha256(row.encode()).hexdigest() for row in rows}
        assert {row["sha256"] for row in defects if row["source_file"] == name} <= hashes


def test_every_total_is_right_unless_planted(generated: Path, defects: list[Row]) -> None:
    transactions = _transactions(generated)
    wrong = transactions.filter(
        "abs(total_amount - (quantity * unit_price - discount_amount + tax_amount + shipping_amount)) > 0.01"
    )
    planted = {row["key"] for row in defects if row["defect_class"] == "wrong_total"}
    assert {row[0] for row in wrong.fetchall()} == planted


def test_only_planted_transactions_break_a_rule(generated: Path, defects: list[Row]) -> None:
    broken = _transactions(generated).filter(
        "transaction_id IS NULL OR user_id IS NULL OR product_id IS NULL OR transaction_ts IS NULL "
        "OR NOT regexp_full_match(transaction_id, 'T[0-9]{10}') OR quantity = 0 OR unit_price < 0 "
        "OR (quantity < 0 AND status <> 'returned') OR currency <> 'USD' OR rating NOT BETWEEN 1 AND 5 "
        "OR status NOT IN ('pending', 'paid', 'shipped', 'delivered', 'cancelled', 'returned') "
        "OR transaction_ts < TIMESTAMPTZ '2000-01-01' OR transaction_ts >= transaction_date + INTERVAL 3 DAY "
        "OR abs(total_amount - (quantity * unit_price - discount_amount + tax_amount + shipping_amount)) > 0.01"
    )
    planted = [row for row in defects if row["dataset"] == "transactions" and row["fate"] == "quarantined"]
    assert len(broken.fetchall()) == len(planted)


def test_surviving_transactions_are_counted_right(generated: Path, defects: list[Row]) -> None:
    gone = Counter(str(row["fate"]) for row in defects if row["dataset"] == "transactions")
    rows = len(_transactions(generated).fetchall())
    assert rows - gone["quarantined"] - gone["duplicate"] - gone["superseded"] == 2_500


def _milliseconds(event: dict[str, object]) -> float:
    return dt.datetime.fromisoformat(str(event["event_ts"])).timestamp() * 1000


def _valid(events: list[dict[str, object]], defects: list[Row]) -> list[dict[str, object]]:
    """Events that cleaning keeps, each once."""
    bad = {row["sha256"] for row in defects if row["dataset"] == "clickstream" and row["fate"] == "quarantined"}
    kept = {event["event_id"]: event for event in events if event["sha256"] not in bad}
    return list(kept.values())


def _actor(event: dict[str, object]) -> object:
    return event.get("user_id") or event.get("anonymous_id")


def test_exactly_the_planted_events_meet_the_definition_of_a_near_duplicate(
    events: list[dict[str, object]], defects: list[Row]
) -> None:
    groups = defaultdict(list)
    for event in _valid(events, defects):
        names = ("event_type", "page_url", "product_id", "search_query", "session_id")
        groups[(_actor(event), *[event.get(name) for name in names])].append((_milliseconds(event), event["event_id"]))
    found = {}
    for group in groups.values():
        group.sort()
        for (before, original), (after, copy) in pairwise(group):
            if after - before <= 1_000:
                found[copy] = original
    assert found == {row["key"]: row["of"] for row in defects if row["defect_class"] == "near_duplicate"}


def test_exactly_the_planted_events_meet_the_definition_of_a_bot(
    events: list[dict[str, object]], defects: list[Row]
) -> None:
    days = defaultdict(list)
    for event in _valid(events, defects):
        days[_actor(event), str(event["event_ts"])[:10]].append((_milliseconds(event), event["event_id"]))
    found = set()
    for day in days.values():
        day.sort()
        gaps = [after[0] - before[0] for before, after in pairwise(day)]
        if len(day) >= 100 and median(gaps) <= 2_500:
            found |= {event_id for _, event_id in day}
    assert found == {row["key"] for row in defects if row["defect_class"] == "bot"}
    assert max(len(day) for day in days.values()) >= 80


def test_the_session_that_a_sale_names_has_all_steps(
    generated: Path, events: list[dict[str, object]], defects: list[Row]
) -> None:
    steps = defaultdict(set)
    times = {}
    for event in _valid(events, defects):
        steps[event.get("session_id")].add(event["event_type"])
        if event["event_type"] == "purchase":
            times[event["session_id"]] = round(_milliseconds(event))
    gone = {row["key"] for row in defects if row["dataset"] == "transactions" and row["fate"] == "quarantined"}
    sales = _transactions(generated).filter("quantity > 0 AND transaction_id IS NOT NULL")
    rows = sales.project("transaction_id, session_id, epoch_ms(transaction_ts)").fetchall()
    sales_made = [row for row in rows if row[0] not in gone]
    checked = [row for row in sales_made if row[1] is not None]
    assert 0.15 < len(checked) / len(sales_made) < 0.4
    assert len(checked) > 500
    for _, session_id, ms in checked:
        assert {"product_view", "add_to_cart", "begin_checkout", "purchase"} <= steps[session_id]
        assert times[session_id] == ms


def test_every_line_that_a_session_bought_was_put_into_its_cart(
    generated: Path, events: list[dict[str, object]], defects: list[Row]
) -> None:
    carted: Counter[tuple[object, object]] = Counter()
    viewed = set()
    for event in sorted(_valid(events, defects), key=_milliseconds):
        item = event.get("session_id"), event.get("product_id")
        if event["event_type"] == "add_to_cart":
            carted[item] += int(str(event["quantity"]))
        elif event["event_type"] == "product_view" and not carted[item]:
            viewed.add(item)
    # Copies of a transaction are planted rows; orphans name a product that their session has not.
    planted = {row["key"] for row in defects if row["dataset"] == "transactions" and row["fate"] != "kept"}
    planted |= {row["key"] for row in defects if str(row["defect_class"]).startswith("orphan")}
    sales = _transactions(generated).filter("quantity > 0 AND session_id IS NOT NULL")
    bought: Counter[tuple[object, object]] = Counter()
    for key, session_id, product_id, quantity in sales.project(
        "transaction_id, session_id, product_id, quantity"
    ).fetchall():
        if key not in planted:
            bought[session_id, product_id] += quantity
    assert len(bought) > 400
    assert all(carted[item] >= quantity for item, quantity in bought.items())
    assert sum(item in viewed for item in bought) > len(bought) / 2


def test_a_line_that_breaks_off_is_valid_text() -> None:
    for nth in range(120):
        line = MUTATIONS["broken_json"]({"city": "\u00e9" * 100, "page_url": "/"}, nth)
        assert line.decode("utf-8")[-1] == "\u00e9"
