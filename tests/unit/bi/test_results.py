"""The files of the answers and the index that names them."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from common.bi.catalogue import ColumnSpec, Dashboard, Query
from common.bi.periods import Period, Span
from common.bi.results import Answer, Index, directory, entry_of, has_all_files, read_index, write_answers
from common.errors import InputError
from common.layout import Layout

PERIOD = Period(date(2025, 11, 1), date(2025, 11, 30))
COLUMNS = (
    ColumnSpec("hour", "time"),
    ColumnSpec("name", "text"),
    ColumnSpec("net", "money", is_signed=True),
    ColumnSpec("is_whole", "flag"),
)
TYPES = ("timestamp", "string", "decimal(18,2)", "boolean")
ROWS = pa.table(
    {
        "hour": pa.array([datetime(2025, 11, 30, 5, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")),
        "name": pa.array(['Straße "A", 1\nrear', None]),
        "net": pa.array([Decimal("-0.10"), Decimal("1234567.00")], pa.decimal128(18, 2)),
        "is_whole": pa.array([True, None]),
    }
)


def query(name: str) -> Query:
    return Query(
        name, "Title", "Question?", "a row", ("hour",), Span("days", 30), "sales", COLUMNS, (), 9, "SELECT 1 LIMIT 9"
    )


def index(run_id: str, *names: str, rows: pa.Table = ROWS) -> tuple[Index, dict[str, Answer]]:
    dashboard = Dashboard("revenue", "Revenue", "Summary", tuple(query(name) for name in names))
    why = None if rows.num_rows else "the source has no clickstream"
    answers = {each.name: Answer(each, PERIOD, rows, TYPES, why) for each in dashboard.queries}
    made = Index(
        as_of="2025-11-30",
        run_id=run_id,
        period=PERIOD.as_json(),
        currency="EUR",
        time_zone="Europe/Berlin",
        origin={"basis": "b", "queries": "q", "tables": {"t": 1}},
        dashboards=(entry_of(dashboard, answers),),
    )
    return made, answers


def test_what_is_written_is_read_again(layout: Layout) -> None:
    made, answers = index("one", "first", "second")
    write_answers(layout, made, answers)
    assert read_index(layout) == made
    assert has_all_files(layout, made)
    assert pq.read_table(directory(layout) / "revenue/first/data.parquet").equals(ROWS)


def test_the_index_is_as_promised(layout: Layout) -> None:
    made, answers = index("one", "first")
    write_answers(layout, made, answers)
    loaded = json.loads((directory(layout) / "dashboards.json").read_text(encoding="utf-8"))
    assert loaded["as_of"] == "2025-11-30"
    (dashboard,) = loaded["dashboards"]
    (entry,) = dashboard["queries"]
    assert entry["period"] == {"from": "2025-11-01", "to": "2025-11-30"}
    assert entry["columns"][2] == {"name": "net", "type": "decimal(18,2)", "unit": "money", "signed": True}
    assert (entry["rows"], entry["empty_because"]) == (2, None)
    assert (entry["parquet"], entry["csv"]) == ("revenue/first/data.parquet", "revenue/first/data.csv")


def test_csv_keeps_quotes_commas_and_line_ends(layout: Layout) -> None:
    made, answers = index("one", "first")
    write_answers(layout, made, answers)
    with open(directory(layout) / "revenue/first/data.csv", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["hour", "name", "net", "is_whole"],
            ["2025-11-30T05:00:00Z", 'Straße "A", 1\nrear', "-0.10", "true"],
            ["", "", "1234567.00", ""],
        ]


def test_an_empty_answer_has_its_columns_and_its_reason(layout: Layout) -> None:
    made, answers = index("one", "first", rows=ROWS.slice(0, 0))
    write_answers(layout, made, answers)
    again = read_index(layout)
    assert again and again.dashboards[0].queries[0].empty_because == "the source has no clickstream"
    assert (directory(layout) / "revenue/first/data.csv").read_text() == "hour,name,net,is_whole\n"
    assert pq.read_table(directory(layout) / "revenue/first/data.parquet").schema.equals(ROWS.schema)


def test_the_same_answers_are_the_same_bytes(layout: Layout) -> None:
    made, answers = index("one", "first")
    write_answers(layout, made, answers)
    before = {path: path.read_bytes() for path in directory(layout).rglob("*.*")}
    write_answers(layout, made, answers)
    assert {path: path.read_bytes() for path in directory(layout).rglob("*.*")} == before


def test_what_no_query_gives_any_more_goes(layout: Layout) -> None:
    write_answers(layout, *index("one", "first", "second"))
    made, answers = index("two", "second")
    write_answers(layout, made, answers)
    assert sorted(path.name for path in (directory(layout) / "revenue").iterdir()) == ["second"]
    assert has_all_files(layout, made)


def test_a_file_that_is_gone_is_seen(layout: Layout) -> None:
    made, answers = index("one", "first")
    write_answers(layout, made, answers)
    (directory(layout) / "revenue/first/data.csv").unlink()
    assert not has_all_files(layout, made)


def test_before_the_first_run_there_is_none(layout: Layout) -> None:
    assert read_index(layout) is None


def test_an_index_that_is_no_json_is_said(layout: Layout) -> None:
    directory(layout).mkdir(parents=True)
    (directory(layout) / "dashboards.json").write_text("{")
    with pytest.raises(InputError, match=r"dashboards\.json is not JSON"):
        read_index(layout)
