"""The inventory: counts from the files' own bytes, against counts made another way; and what is refused."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.contracts import CLICKSTREAM, PRODUCTS, TRANSACTIONS, USERS
from common.contracts.model import Contract
from common.errors import InputError
from common.layout import Layout
from common.storage import inventory
from common.storage.inventory import RawFile, count_lines, take_inventory

HEADER = ",".join(USERS.raw_columns)
Put = Callable[[str, bytes], Path]


@pytest.fixture
def put(layout: Layout) -> Put:
    """Writes a file below raw/."""

    def write(name: str, content: bytes) -> Path:
        path = layout.local("raw", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write


def parquet_bytes(rows: int, without: str = "") -> bytes:
    columns = {name: ["1"] * rows for name in TRANSACTIONS.required if name != without}
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


@given(st.binary(max_size=200).map(lambda raw: raw.replace(b"\x00", b"\n")))
def test_lines_are_counted_as_python_counts_them(content: bytes) -> None:
    assert count_lines(io.BytesIO(content)) == len(io.BytesIO(content).readlines())


def test_lines_are_counted_across_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "_CHUNK", 3)
    for text in (b"", b"\n", b"abc", b"abc\n", b"ab\n\n\nabcdefg", b"\r\n\r\n"):
        assert count_lines(io.BytesIO(text)) == len(io.BytesIO(text).readlines())


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (HEADER.encode(), 0),
        (HEADER.encode() + b"\n", 0),
        (HEADER.encode() + b"\r\n\r\nU1\n", 2),
        (b"\xef\xbb\xbf" + HEADER.encode() + b"\nU1\nU2", 2),
        (b"user_id,updated_at\nU1,2025-01-01", 1),
        (HEADER.encode() + b"\n" + HEADER.encode() + b"\n\xff\xfe\n", 2),
    ],
    ids=["no line feed", "header alone", "blank line", "byte order mark", "optional left out", "repeated header"],
)
def test_a_csv_file_holds_its_lines_without_the_header(layout: Layout, put: Put, content: bytes, rows: int) -> None:
    put("users/users.csv", content)
    (file,) = take_inventory(layout, USERS)
    assert (file.path, file.rows, file.size, file.delivered_on) == ("raw/users/users.csv", rows, len(content), None)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("user_id,email", r"the header lacks updated_at"),
        ("", r"the header lacks user_id, updated_at"),
        ("user_id,updated_at,shoe_size,hat", r"unknown columns: shoe_size, hat"),
        ("updated_at,user_id", r"in another order, or repeated"),
        ("user_id,user_id,updated_at", r"in another order, or repeated"),
        ("user_id;updated_at", r"the header lacks user_id, updated_at"),
        ("USER_ID,UPDATED_AT", r"the header lacks user_id, updated_at"),
        ("user_id, updated_at", r"the header lacks updated_at"),
        ("user_id,updated_at,\x00", r"unknown columns"),
    ],
    ids=["missing", "empty file", "unknown", "order", "repeated", "delimiter", "case", "blanks", "control character"],
)
def test_another_header_is_refused(layout: Layout, put: Put, header: str, message: str) -> None:
    path = put("users/users.csv", header.encode() + b"\nU1\n" if header else b"")
    with pytest.raises(InputError, match=message) as refused:
        take_inventory(layout, USERS)
    assert refused.value.where == str(path)
    assert "the columns are user_id,email," in refused.value.remedy


def test_json_lines_and_parquet_rows_are_counted_with_their_day(layout: Layout, put: Put) -> None:
    put("clickstream/event_date=2025-11-29/a.jsonl", b'{"a": "\\n"}\n\n{}')
    put("clickstream/event_date=2025-11-30/b.json", b"")
    put("transactions/transaction_date=2025-11-30/part-0.parquet", parquet_bytes(7))
    put("transactions/transaction_date=2025-11-30/part-1.parquet", parquet_bytes(0))
    events = [
        (file.path.rpartition("/")[2], file.delivered_on, file.rows) for file in take_inventory(layout, CLICKSTREAM)
    ]
    assert events == [("a.jsonl", "2025-11-29", 3), ("b.json", "2025-11-30", 0)]
    assert [file.rows for file in take_inventory(layout, TRANSACTIONS)] == [7, 0]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda whole: whole[:-7], "truncated or damaged"),
        (lambda whole: whole[: len(whole) // 2], "truncated or damaged"),
        (lambda whole: b"", "truncated or damaged"),
        (lambda whole: b"PAR1 no, it is text", "truncated or damaged"),
        (lambda whole: parquet_bytes(3, without="quantity"), "lacks quantity"),
    ],
    ids=["end cut off", "half", "empty", "text", "column missing"],
)
def test_a_damaged_parquet_file_is_refused(
    layout: Layout, put: Put, spoil: Callable[[bytes], bytes], message: str
) -> None:
    put("transactions/transaction_date=2025-11-29/good.parquet", parquet_bytes(3))
    path = put("transactions/transaction_date=2025-11-30/bad.parquet", spoil(parquet_bytes(3)))
    with pytest.raises(InputError, match=message) as refused:
        take_inventory(layout, TRANSACTIONS)
    assert refused.value.where == str(path)


@pytest.mark.parametrize("day", ["2025-11-31", "yesterday", "2025-13-01", "__HIVE_DEFAULT_PARTITION__"])
def test_a_directory_that_is_no_day_is_refused(layout: Layout, put: Put, day: str) -> None:
    put(f"clickstream/event_date={day}/a.jsonl", b"{}\n")
    with pytest.raises(InputError, match=f"'event_date={day}' is not a date"):
        take_inventory(layout, CLICKSTREAM)


def test_hidden_unfinished_and_streamed_files_are_passed_over(layout: Layout, put: Put) -> None:
    put("clickstream/event_date=2025-11-30/a.jsonl", b"{}\n")
    for name in (
        "clickstream/event_date=2025-11-30/.a.jsonl.crc",
        "clickstream/event_date=2025-11-30/_SUCCESS",
        "clickstream/_temporary/0/b.jsonl",
        "clickstream/.staging/c.jsonl",
        "clickstream/streaming/part-0.json",
        "clickstream/event_date=2025-11-30/notes.txt",
    ):
        put(name, b"{}\n")
    assert [file.path for file in take_inventory(layout, CLICKSTREAM)] == [
        "raw/clickstream/event_date=2025-11-30/a.jsonl"
    ]


@pytest.mark.parametrize("contract", [USERS, PRODUCTS, TRANSACTIONS, CLICKSTREAM], ids=lambda each: each.name)
def test_missing_data_is_refused(layout: Layout, contract: Contract) -> None:
    with pytest.raises(InputError, match=f"no raw {contract.name}"):
        take_inventory(layout, contract)
    layout.local("raw", contract.name).mkdir(parents=True)
    with pytest.raises(InputError, match=f"raw {contract.name} holds no {contract.form} file"):
        take_inventory(layout, contract)


def test_an_unchanged_file_is_not_opened_again(layout: Layout, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (put(f"clickstream/event_date=2025-11-{day}/a.jsonl", b"{}\n") for day in (29, 30))
    known = take_inventory(layout, CLICKSTREAM)
    opened: list[str] = []
    really = inventory._open

    def open_and_note(path: Path, name: str, contract: Contract) -> RawFile:
        opened.append(name)
        return really(path, name, contract)

    monkeypatch.setattr(inventory, "_open", open_and_note)
    assert take_inventory(layout, CLICKSTREAM, known) == known
    assert opened == []
    os.utime(two, ns=(1, 1))
    one.write_bytes(b"{}\n{}\n")
    assert [file.rows for file in take_inventory(layout, CLICKSTREAM, known)] == [2, 1]
    assert len(opened) == 2


@pytest.mark.parametrize("header", [None, ("a", "b")])
def test_a_raw_file_survives_its_manifest(header: tuple[str, ...] | None) -> None:
    file = RawFile("raw/users/é a.csv", 3, 1_700_000_000_000_000_001, "2025-11-30", 2, header)
    assert RawFile.from_json(file.as_json()) == file
