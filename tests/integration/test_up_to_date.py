"""`--date D`: what was delivered up to D is taken and nothing after it; without it, up to the newest delivery."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from common.cleaning.landing import land, newest_delivery
from common.contracts import CONTRACTS
from common.errors import InputError
from common.job import StageContext, execute
from common.layout import Layout
from common.quality.ledger import entries, run_ids
from common.stages.cleaning import CLEAN_CLICKSTREAM, CLEAN_PRODUCTS, CLEAN_TRANSACTIONS, CLEAN_USERS
from common.stages.landing import LAND_RAW
from jobs import land_raw
from pipelines import run as runner
from tests import samples
from tests.gates import OpenGate

BEFORE, FIRST, SECOND, NEWEST = date(2025, 11, 29), date(2025, 11, 30), date(2025, 12, 1), date(2025, 12, 2)
CLEANING = {
    "users": CLEAN_USERS,
    "products": CLEAN_PRODUCTS,
    "transactions": CLEAN_TRANSACTIONS,
    "clickstream": CLEAN_CLICKSTREAM,
}
MakeContext = Callable[..., StageContext]


@pytest.fixture(autouse=True)
def _three_days(layout: Layout) -> None:
    """Two rows of everything up to the first day, one more of everything on each of two further days."""
    samples.put_shop(layout)
    for number, day in enumerate((SECOND, NEWEST), start=3):
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        samples.put_changes(layout, "users", str(day), [samples.user(number, updated_at=f"{day}T00:00:00Z")])
        samples.put_changes(layout, "products", str(day), [samples.product(number, updated_at=f"{day}T00:00:00Z")])
        samples.put_transactions(layout, [samples.transaction(number, transaction_ts=noon)], str(day))
        samples.put_events(layout, [samples.event(number, event_ts=f"{day}T12:00:00Z")], str(day))


def keys(layout: Layout, dataset: str) -> list[str]:
    """The keys of a clean table, as another implementation of Delta reads them."""
    column = CONTRACTS[dataset].key
    return sorted(DeltaTable(layout.clean(dataset)).to_pyarrow_table(columns=[column])[column].to_pylist())


def days(context: StageContext, dataset: str) -> set[str | None]:
    return {file.delivered_on for file in land(context, CONTRACTS[dataset])}


def newest_rows(layout: Layout) -> tuple[str | None, Any]:
    (entry,) = entries(layout, max(run_ids(layout), key=lambda run: layout.local("ops", "ledger", run).stat().st_mtime))
    return entry.date, entry.rows


@pytest.mark.parametrize(
    ("day", "taken"),
    [
        (BEFORE, set()),
        (FIRST, {"2025-11-30"}),
        (SECOND, {"2025-11-30", "2025-12-01"}),
        (NEWEST, {"2025-11-30", "2025-12-01", "2025-12-02"}),
        (None, {"2025-11-30", "2025-12-01", "2025-12-02"}),
    ],
)
def test_files_of_later_days_are_left_and_those_of_the_day_itself_are_taken(
    make_context: MakeContext, day: date | None, taken: set[str]
) -> None:
    context = make_context(day=day)
    assert days(context, "transactions") == days(context, "clickstream") == taken
    # A first load has no day in its path, and belongs to every one.
    assert days(context, "users") == days(context, "products") == {None} | taken - {"2025-11-30"}


@pytest.mark.parametrize(("day", "rows"), [(BEFORE, 4), (SECOND, 12), (None, 16)])
def test_land_raw_counts_what_its_date_admits(make_context: MakeContext, day: date | None, rows: int) -> None:
    entry = execute(LAND_RAW, make_context(day=day))
    assert (entry.error, entry.date) == (None, day.isoformat() if day else None)
    assert entry.rows is not None
    assert (entry.rows["read"], entry.rows["written"]) == (rows, rows)


@pytest.mark.parametrize("dataset", ["users", "transactions", "clickstream"])  # one of each form
def test_a_cleaning_stage_leaves_later_days_to_later_runs(
    make_context: MakeContext, layout: Layout, dataset: str
) -> None:
    def read(run_id: str, day: date | None) -> tuple[str, int | None]:
        entry = execute(CLEANING[dataset], make_context(run_id=run_id, day=day, gates=OpenGate))
        assert entry.error is None
        return entry.status, (entry.rows or {})["read"]

    assert read("second", SECOND) == ("ok", 3)
    taken = keys(layout, dataset)
    assert len(taken) == 3
    assert read("newest", None) == ("ok", 1), "without a date everything that is there"
    assert taken == keys(layout, dataset)[:3]
    assert read("earlier", FIRST) == ("skipped", 0)
    assert len(keys(layout, dataset)) == 4, "an earlier date takes nothing away"


@pytest.mark.usefixtures("spark")
class TestCommandLine:
    @pytest.mark.parametrize(
        ("arguments", "day", "rows"), [(("--date", "2025-11-30"), "2025-11-30", 8), ((), "2025-12-02", 16)]
    )
    def test_of_a_job_gives_the_date_or_the_newest_day_is_taken(
        self, layout: Layout, arguments: tuple[str, ...], day: str, rows: int
    ) -> None:
        assert land_raw.main(["--root", layout.root, *arguments]) == 0
        said, account = newest_rows(layout)
        assert (said, account["read"]) == (day, rows)

    @pytest.mark.parametrize(
        ("arguments", "day", "rows"), [(("--date", "2025-12-01"), "2025-12-01", 3), ((), "2025-12-02", 4)]
    )
    def test_of_a_run_says_the_same(self, layout: Layout, arguments: tuple[str, ...], day: str, rows: int) -> None:
        assert runner.main(["--root", layout.root, "--only", "clean_transactions", *arguments]) == 0
        run = json.loads(layout.local("ops", "run.json").read_text())
        assert run["date"] == day
        assert [stage["read"] for stage in run["stages"]] == [rows]


class TestNewestDelivery:
    def test_is_the_last_day_of_any_data_set(self, layout: Layout) -> None:
        assert newest_delivery(layout) == NEWEST
        samples.put_changes(layout, "products", "2025-12-05", [samples.product(1, updated_at="2025-12-05")])
        assert newest_delivery(layout) == date(2025, 12, 5)

    def test_is_none_where_nothing_says_its_day(self, tmp_path: Path) -> None:
        other = Layout.at(tmp_path / "other")
        samples.put_users(other, [samples.user(1)])
        assert newest_delivery(other) is None

    def test_of_a_directory_that_is_no_day_is_refused_by_its_name(self, layout: Layout) -> None:
        samples.put_events(layout, [samples.event(9)], day="yesterday")
        with pytest.raises(InputError, match="'event_date=yesterday' is not a date"):
            newest_delivery(layout)
