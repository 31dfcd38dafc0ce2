"""ops/tables.json: what is written is what is read, and which directories are still referred to."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from common.errors import InputError
from common.layout import Layout
from common.storage.files import read_json
from common.storage.published import (
    PublishedPartition,
    PublishedTable,
    kept_locations,
    read_published,
    write_published,
)

PLAIN = PublishedTable(
    name="dim_users",
    version=1,
    lake_version=4,
    location="/r/dim_users/v000001",
    partition_columns=(),
    columns=(("user_key", "bigint"), ("tags", "array<string>")),
    parts=(PublishedPartition({}, "/r/dim_users/v000001", 2, -9_000_000_000_000_000_000_000),),
)
BY_MONTH = PublishedTable(
    name="fact_transactions",
    version=2,
    lake_version=7,
    location="/r/fact_transactions/v000002",
    partition_columns=("transaction_month",),
    columns=(("total_amount", "decimal(12,2)"), ("transaction_month", "string")),
    parts=(
        PublishedPartition({"transaction_month": "2025-10"}, "/r/fact_transactions/v000001/m=2025-10", 3, 5),
        PublishedPartition({"transaction_month": "2025-11"}, "/r/fact_transactions/v000002/m=2025-11", 4, -7),
    ),
)
NO_PARTS = replace(BY_MONTH, name="fact_clickstream", parts=())


def test_tables_survive_their_file(layout: Layout) -> None:
    write_published(layout, "shop", [BY_MONTH, PLAIN, NO_PARTS])
    assert read_published(layout) == {each.name: each for each in (PLAIN, BY_MONTH, NO_PARTS)}


def test_the_file_is_as_its_readers_expect(layout: Layout) -> None:
    write_published(layout, "shop", [BY_MONTH, PLAIN])
    plain, by_month = read_json(layout.local("ops", "tables.json"))["tables"]
    assert set(plain) >= {
        "database", "name", "format", "version", "location", "partitions", "columns", "rows", "fingerprint",
    }  # fmt: skip
    assert (plain["name"], plain["database"], plain["format"]) == ("dim_users", "shop", "parquet")
    assert plain["partitions"] is None
    assert plain["columns"][0] == {"name": "user_key", "type": "bigint"}
    assert by_month["partitions"][1]["values"] == {"transaction_month": "2025-11"}
    assert by_month["partitions"][1]["location"] == "/r/fact_transactions/v000002/m=2025-11"
    assert (by_month["rows"], by_month["fingerprint"]) == (7, "7:-2")


def test_nothing_is_published_before_the_first_publish(layout: Layout) -> None:
    assert read_published(layout) == {}
    assert kept_locations(layout, 3) == set()


def test_a_damaged_file_is_refused(layout: Layout) -> None:
    layout.local("ops").mkdir(parents=True)
    layout.local("ops", "tables.json").write_text('{"tables": [')
    with pytest.raises(InputError, match="is not JSON"):
        read_published(layout)


def test_the_directories_of_the_last_publishes_are_kept(layout: Layout) -> None:
    for version in range(1, 6):
        location = f"/r/dim_users/v{version:06d}"
        table = replace(PLAIN, version=version, location=location, parts=(replace(PLAIN.parts[0], location=location),))
        write_published(layout, "shop", [table])
    assert kept_locations(layout, 3) == {f"/r/dim_users/v{version:06d}" for version in (3, 4, 5)}
    assert sorted(path.name for path in layout.local("ops", "published").iterdir()) == [
        f"{version:06d}.json" for version in (3, 4, 5)
    ]


def test_a_partition_that_stayed_keeps_its_old_directory(layout: Layout) -> None:
    write_published(layout, "shop", [BY_MONTH])
    assert kept_locations(layout, 1) == {part.location for part in BY_MONTH.parts}


@pytest.mark.parametrize("keep", [0, 1])
def test_what_readers_are_shown_is_kept_whatever_is_asked_for(layout: Layout, keep: int) -> None:
    write_published(layout, "shop", [BY_MONTH, PLAIN])
    shown = {part.location for table in (BY_MONTH, PLAIN) for part in table.parts}
    assert kept_locations(layout, keep) == shown
    older = replace(PLAIN, version=9, location="/r/dim_users/v000009")
    layout.local("ops", "published", "000009.json").write_text(json.dumps({"tables": [older.as_json("shop")]}))
    assert kept_locations(layout, keep) >= shown, "a list that was written just before a kill"
