"""Reading: one row a line, its bytes kept, and a reason where the line is no row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.cleaning.reading import DELIVERED_ON, LINE_REASON, PAYLOAD, RAW, SOURCE_FILE, read_raw
from common.contracts import CLICKSTREAM, TRANSACTIONS, USERS
from common.contracts.model import Contract
from common.layout import Layout
from common.storage.inventory import take_inventory
from tests import samples

HEADER = "user_id,email,first_name,updated_at"


def read(spark: SparkSession, layout: Layout, contract: Contract) -> DataFrame:
    return read_raw(spark, layout, contract, take_inventory(layout, contract))


def fates(frame: DataFrame, *columns: str) -> dict[bytes, tuple[str | None, ...]]:
    """Reason and some raw columns by the bytes of a line, as text; every line is another."""
    rows = frame.select(PAYLOAD, LINE_REASON, *[f"{RAW}.{name}" for name in columns]).collect()
    assert len({bytes(row[0]) for row in rows}) == len(rows)
    return {bytes(row[0]): tuple(row[1:]) for row in rows}


def counted(layout: Layout, contract: Contract) -> int:
    return sum(file.rows for file in take_inventory(layout, contract))


CSV_LINES: dict[bytes, tuple[str | None, ...]] = {
    b"U1,a@x.org,Ada,2025-01-01": (None, "U1", "a@x.org", "Ada", "2025-01-01"),
    b"U2,,,2025-01-01": (None, "U2", None, None, "2025-01-01"),
    b'U3,"b, c@x.org","A ""quoted"" name",2025-01-01': (None, "U3", "b, c@x.org", 'A "quoted" name', "2025-01-01"),
    "U4,zoë@x.org,Zoë 漢,2025-01-01".encode(): (None, "U4", "zoë@x.org", "Zoë 漢", "2025-01-01"),
    b"U5,a@x.org,Ada,2025-01-01\r": (None, "U5", "a@x.org", "Ada", "2025-01-01"),
    b"U6,a@x.org,Ada": ("malformed_line", None, None, None, None),
    b"U7,a@x.org,Ada,2025-01-01,more": ("malformed_line", None, None, None, None),
    b"U8,a@x.org,\xff\xfe,2025-01-01": ("invalid_utf8", None, None, None, None),
    b"": ("blank_line", None, None, None, None),
    b" \t \r": ("blank_line", None, None, None, None),
    b"U10,a@x.org,Ada,2025-01-01\r\r": (None, "U10", "a@x.org", "Ada", "2025-01-01"),
    HEADER.encode(): ("repeated_header", None, None, None, None),
    b"U9,a@x.org,last line without a line feed,2025-01-01": (
        None, "U9", "a@x.org", "last line without a line feed", "2025-01-01",
    ),
}  # fmt: skip


@pytest.mark.parametrize("opening", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_csv_lines(spark: SparkSession, layout: Layout, opening: bytes) -> None:
    samples.put(layout, "users/users.csv", opening + b"\n".join([HEADER.encode(), *CSV_LINES]))
    found = fates(read(spark, layout, USERS), "user_id", "email", "first_name", "updated_at")
    if opening:  # of two headers, which one counts as the repeated one is not told by their bytes alone
        extra = set(found) - set(CSV_LINES)
        assert extra <= {opening + HEADER.encode()}
        found = {HEADER.encode() if line in extra else line: fate for line, fate in found.items()}
    assert found == CSV_LINES
    assert len(found) == counted(layout, USERS)


def test_csv_header_with_carriage_returns_and_no_rows(spark: SparkSession, layout: Layout) -> None:
    samples.put(layout, "users/a.csv", HEADER.encode() + b"\r\nU1,a@x.org,Ada,2025-01-01\r\n")
    samples.put(layout, "users/b.csv", HEADER.encode() + b"\r\n")
    samples.put(layout, "users/c.csv", HEADER.encode())
    rows = read(spark, layout, USERS).select(SOURCE_FILE, LINE_REASON, f"{RAW}.user_id").collect()
    assert [tuple(row) for row in rows] == [("raw/users/a.csv", None, "U1")]


def test_csv_files_with_other_optional_columns_are_read_by_name(spark: SparkSession, layout: Layout) -> None:
    samples.put(layout, "users/users.csv", "user_id,city,updated_at\nU1,Rome,2025-01-01\n")
    samples.put(layout, "users/changes/date=2025-11-30/users.csv", "user_id,updated_at,op\nU2,2025-01-02,delete\n")
    samples.put(layout, "users/changes/date=2025-12-01/x.csv", "user_id,updated_at,op\nuser_id,updated_at,op\n")
    frame = read(spark, layout, USERS)
    assert frame.select(f"{RAW}.*").columns == list(USERS.raw_columns)
    rows = frame.select(
        f"{RAW}.user_id", f"{RAW}.city", f"{RAW}.op", LINE_REASON, F.col(DELIVERED_ON).cast("string")
    ).orderBy(DELIVERED_ON)
    assert [tuple(row) for row in rows.collect()] == [
        ("U1", "Rome", None, None, None),
        ("U2", None, "delete", None, "2025-11-30"),
        (None, None, None, "repeated_header", "2025-12-01"),
    ]


def test_a_long_field_is_no_broken_line(spark: SparkSession, layout: Layout) -> None:
    samples.put(layout, "users/users.csv", f"user_id,email,updated_at\nU1,{'x' * 300_000},2025-01-01\n")
    (row,) = read(spark, layout, USERS).select(LINE_REASON, F.length(f"{RAW}.email")).collect()
    assert tuple(row) == (None, 300_000)


GOOD_JSON = {
    '{"event_id": "E1", "quantity": 2}': ("E1", "2"),
    '{"event_id": "E2", "quantity": "two"}': ("E2", "two"),
    '{"event_id": "E3", "quantity": null, "unknown": [1, {"a": "}"}]}': ("E3", None),
    '{"event_id": "E4", "page_url": "a } b { c"}': ("E4", None),
    '{"event_id": "E5", "page_url": "quote \\" } {"}': ("E5", None),
    '{"event_id": "E6", "page_url": "ends with a backslash \\\\"}': ("E6", None),
    '  {"event_id": "E7"}  ': ("E7", None),
    '\t{"event_id": "E8"}\t\r': ("E8", None),
    '\r{"event_id": "E15"}': ("E15", None),
    '{"event_id": "E16"} ': ("E16", None),
    "{}": (None, None),
    '{"event_id": {"a": 1}}': ('{"a":1}', None),
    '{"event_id": 9}': ("9", None),
    '{"event_id": "E10", "quantity": 1.25}': ("E10", "1.25"),
    '{"event_id": "E11", "device": {"type": "mobile"}, "geo": {"city": "x"}}': ("E11", None),
    '{"event_id": "E12", "unknown": [{"a": {}}, {"b": {}}]}': ("E12", None),
    '{"event_id": "E13", "page_url": "}, {"}': ("E13", None),
    '{"event_id": "E14", "page_url": "}], [{"}': ("E14", None),
}
BAD_JSON = {
    b"": "blank_line",
    b" \t\r": "blank_line",
    b'[{"event_id": "E1"}, {"event_id": "E2"}]': "not_an_object",
    b'"text"': "not_an_object",
    b"42": "malformed_json",
    b"null": "malformed_json",
    b"no json": "malformed_json",
    b'{"event_id": "E1"': "malformed_json",
    b'{"event_id": "E1", "device": {"type": "mob': "malformed_json",
    b'{"event_id": "E1"} {"event_id": "E2"}': "malformed_json",
    b'{"event_id": "E1"}{"event_id": "E2"}': "malformed_json",
    b'{"event_id": "E1"},{"event_id": "E2"}': "malformed_json",
    b'{"event_id": "E1"},': "malformed_json",
    b'{"event_id": "E1"}}': "malformed_json",
    b'{"event_id": "E1"}]': "malformed_json",
    b'{"event_id": "E1"}], [{"a": {}}': "malformed_json",
    b'{"event_id": "E1"}, "more": {"a": {}}': "malformed_json",
    b'{"event_id": "E1"} trailing': "malformed_json",
    b'{"event_id": "E1"} "}"': "malformed_json",
    b'{"event_id": "E1"},{}],{}': "malformed_json",
    b"{'event_id': E1}": "malformed_json",
    b'{"event_id": "E\xff"}': "invalid_utf8",
    b"\xef\xbb\xbf{}": "malformed_json",
}


def test_json_lines(spark: SparkSession, layout: Layout) -> None:
    lines = [*(line.encode() for line in GOOD_JSON), *BAD_JSON]
    samples.put(layout, "clickstream/event_date=2025-11-30/a.jsonl", b"\n".join(lines) + b"\n")
    samples.put(layout, "clickstream/event_date=2025-11-30/b.jsonl", b'{"event_id": "last"}')
    # A byte order mark is no part of a file's first line; before any other, as in BAD_JSON, it is.
    samples.put(layout, "clickstream/event_date=2025-11-30/c.jsonl", b'\xef\xbb\xbf{"event_id": "marked"}\n')
    found = fates(read(spark, layout, CLICKSTREAM), "event_id", "quantity")
    expected: dict[bytes, tuple[str | None, ...]] = {
        **{line.encode(): (None, *values) for line, values in GOOD_JSON.items()},
        **{line: (reason, None, None) for line, reason in BAD_JSON.items()},
        b'{"event_id": "last"}': (None, "last", None),
        b'{"event_id": "marked"}': (None, "marked", None),
    }
    assert {line: found.get(line) for line in expected} == expected
    assert len(found) == len(expected) == counted(layout, CLICKSTREAM)


def test_nested_objects_of_json(spark: SparkSession, layout: Layout) -> None:
    samples.put_events(
        layout,
        [
            {"event_id": "a", "device": {"type": "mobile", "os": None}, "geo": {"country": "US", "more": 1}},
            {"event_id": "b", "device": None},
            {"event_id": "c", "device": "mobile", "utm": []},
        ],
    )
    rows = (
        read(spark, layout, CLICKSTREAM)
        .select(f"{RAW}.event_id", LINE_REASON, f"{RAW}.device.type", f"{RAW}.device.os", f"{RAW}.geo.country")
        .orderBy(PAYLOAD)
    )
    assert [tuple(row) for row in rows.collect()][:2] == [
        ("a", None, "mobile", None, "US"),
        ("b", None, None, None, None),
    ]
    # A text where an object is promised cannot be a row, and is not taken for one without a device.
    assert rows.collect()[2][LINE_REASON] == "malformed_json"


def test_names_of_files_are_told_as_they_are(spark: SparkSession, layout: Layout) -> None:
    names = ["a b.jsonl", "a+b.jsonl", "a%20b.jsonl", "ü.jsonl", "a?b#c.jsonl"]
    for name in names:
        samples.put(layout, f"clickstream/event_date=2025-11-30/{name}", b"{}\n")
    rows = read(spark, layout, CLICKSTREAM).select(SOURCE_FILE, DELIVERED_ON).collect()
    assert sorted(row[0] for row in rows) == sorted(f"raw/clickstream/event_date=2025-11-30/{name}" for name in names)
    assert {str(row[1]) for row in rows} == {"2025-11-30"}


def test_a_root_with_blanks_is_read(spark: SparkSession, tmp_path: Path) -> None:
    layout = Layout.at(tmp_path / "my shop+data")
    samples.put(layout, "clickstream/event_date=2025-11-30/a.jsonl", b"{}\n")
    (row,) = read(spark, layout, CLICKSTREAM).select(SOURCE_FILE).collect()
    assert row[0] == "raw/clickstream/event_date=2025-11-30/a.jsonl"


def test_parquet_rows_keep_nulls_and_instants_in_their_payload(spark: SparkSession, layout: Layout) -> None:
    samples.put_transactions(layout, [samples.transaction(1), samples.transaction(2, user_id=None, status=None)])
    rows = read(spark, layout, TRANSACTIONS).select(PAYLOAD, LINE_REASON, DELIVERED_ON).collect()
    payloads = sorted((json.loads(bytes(row[0])) for row in rows), key=lambda each: str(each["transaction_id"]))
    assert [row[1] for row in rows] == [None, None]
    assert list(payloads[0]) == list(TRANSACTIONS.raw_columns)
    assert payloads[0]["transaction_ts"] == "2025-11-30T12:00:00.000000Z"
    assert (payloads[1]["user_id"], payloads[1]["status"]) == (None, None)
