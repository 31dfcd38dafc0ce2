"""Files of somebody else's: packed ones, damaged ones, and mappings that lose or multiply their rows."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from common.cleaning.mapped_files import mapped_files
from common.cleaning.mapping import read_mapped
from common.contracts import USERS
from common.errors import ConfigurationError
from common.layout import Layout
from common.settings import load_source
from jobs import clean_users, land_raw
from tests.runs import newest_entry
from tests.shops import PEOPLE, people_shop, write_shop

ROWS = len(PEOPLE.splitlines()) - 1
PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".csv": bytes,
    ".csv.gz": gzip.compress,
    ".csv.GZ": gzip.compress,
    ".csv.bz2": bz2.compress,
    ".csv.zst": lambda text: bytes(pa.Codec("zstd").compress(text)),
}


def put_packed(directory: Path, suffix: str, text: str = PEOPLE) -> Path:
    path = directory / f"people{suffix}"
    path.write_bytes(PACKED[suffix](text.encode()))
    return path


class TestPackedFiles:
    """Compression is that of the suffix, declared or not."""

    @pytest.mark.parametrize(
        ("suffix", "declared"),
        [
            (".csv", {}), (".csv", {"compression": "none"}),
            (".csv.gz", {}), (".csv.gz", {"compression": "gzip"}), (".csv.GZ", {"compression": "gzip"}),
            (".csv.bz2", {}), (".csv.bz2", {"compression": "bzip2"}),
            (".csv.zst", {}), (".csv.zst", {"compression": "zstd"}),
        ],
    )  # fmt: skip
    def test_the_rows_that_are_counted_are_those_that_are_read(
        self, spark: SparkSession, tmp_path: Path, suffix: str, declared: dict[str, str]
    ) -> None:
        source = load_source(people_shop(tmp_path, put_packed(tmp_path, suffix), **declared))
        (file,) = mapped_files(source, "users")
        assert file.rows == read_mapped(spark, USERS, source).count() == ROWS

    @pytest.mark.parametrize("suffix", [".csv.gz", ".csv.bz2", ".csv.zst"])
    def test_parts_packed_one_by_one_and_put_together_count_too(
        self, spark: SparkSession, tmp_path: Path, suffix: str
    ) -> None:
        path = put_packed(tmp_path, suffix)
        path.write_bytes(path.read_bytes() + PACKED[suffix](b"4,d@x.org,2025-01-04\n"))
        source = load_source(people_shop(tmp_path, path))
        (file,) = mapped_files(source, "users")
        assert file.rows == read_mapped(spark, USERS, source).count() == ROWS + 1

    def test_an_account_over_differently_packed_files_balances(
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path
    ) -> None:
        files = tmp_path / "files"
        files.mkdir()
        for number, suffix in enumerate(PACKED):
            put_packed(files, suffix, PEOPLE.replace("\n1,", f"\n1{number},").replace("\n2,", f"\n2{number},"))
        (files / "people-empty.csv").touch()
        assert clean(people_shop(tmp_path, files / "people*")) == (0, "")
        parts = len(PACKED)
        assert newest_entry(layout).rows == {
            "read": ROWS * parts, "written": 2 * parts, "quarantined": parts, "duplicates": 0, "superseded": 0,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("suffix", "compression", "found"),
        [(".csv", "gzip", "none"), (".csv.gz", "none", "gzip"), (".csv.gz", "bzip2", "gzip"),
         (".csv.bz2", "zstd", "bzip2")],
    )  # fmt: skip
    def test_a_declared_compression_that_contradicts_the_suffix_is_refused(  # noqa: PLR0917 - fixtures and cases
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path,
        suffix: str, compression: str, found: str,
    ) -> None:  # fmt: skip
        path = put_packed(tmp_path, suffix)
        code, line = clean(people_shop(tmp_path, path, compression=compression))
        assert code == 2
        assert f"compression {compression} is declared, and {path} has the suffix of {found}" in line
        assert "[source shop: files.people]" in line
        assert not layout.local("clean", "users").exists()

    @pytest.mark.parametrize("suffix", [".xz", ".zip", ".lz4", ".snappy"])
    def test_what_the_reader_cannot_unpack_is_refused(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"people.csv{suffix}"
        path.write_text(PEOPLE)
        with pytest.raises(ConfigurationError, match=r"packed in a form that cannot be read .*gzip, bzip2 or zstd"):
            mapped_files(load_source(people_shop(tmp_path, path)), "users")

    @pytest.mark.parametrize(
        ("declared", "message"),
        [
            ({"compression": "lzma"}, r"'files\.people\.compression': .*'none', 'gzip', 'bzip2' or 'zstd'"),
            ({"format": "parquet", "compression": "gzip"}, r"'files\.people\.compression': a Parquet file says itself"),
            ({"options": {"Compression": "gzip"}}, r"'files\.people\.options': .*declare it beside `format`"),
        ],
    )
    def test_a_compression_that_would_mean_nothing_is_refused(
        self, tmp_path: Path, declared: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=message):
            load_source(people_shop(tmp_path, tmp_path / "people.csv", **declared))


class TestRowsThatGoMissingOrMultiply:
    """The account of a mapping with `rows_of` begins with the rows of the file."""

    @pytest.mark.parametrize(
        ("select", "off"),
        [
            ("SELECT id AS user_id, mail AS email, changed AS updated_at FROM people WHERE id IS NOT NULL", "+1"),
            (
                "SELECT people.id AS user_id, mail AS email, changed AS updated_at, town AS city "
                "FROM people LEFT JOIN towns ON people.id = towns.id",
                "-1",
            ),
        ],
        ids=["WHERE loses", "a join multiplies"],
    )
    def test_end_with_exit_code_3_each_time_and_write_nothing(
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path, select: str, off: str
    ) -> None:
        people, towns = tmp_path / "people.csv", tmp_path / "towns.csv"
        people.write_text(PEOPLE)
        towns.write_text("id,town\n1,Kiel\n1,Bonn\n")
        files = {name: {"path": str(tmp_path / f"{name}.csv"), "format": "csv"} for name in ("people", "towns")}
        users = {"files": ["people", "towns"], "rows_of": "people", "select": select}
        source = write_shop(tmp_path, files, {"users": users})
        for _ in range(2):  # a second attempt must not take the files for cleaned
            code, line = clean(source)
            assert code == 3
            assert f"the account of clean_users is off by {off} rows: read {ROWS} = written " in line
            assert newest_entry(layout).exit_code == 3
            assert not DeltaTable.is_deltatable(layout.clean("users"))


class TestDamagedFiles:
    """Exit code 4, and the file is named."""

    @pytest.mark.parametrize("suffix", [".csv.gz", ".csv.bz2", ".csv.zst"])
    @pytest.mark.parametrize("main", [clean_users.main, land_raw.main], ids=["clean_users", "land_raw"])
    def test_a_truncated_packed_file(
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path, suffix: str,
        main: Callable[[list[str]], int],
    ) -> None:  # fmt: skip
        path = put_packed(tmp_path, suffix, PEOPLE * 100)
        path.write_bytes(path.read_bytes()[:-20])
        code, line = clean(people_shop(tmp_path, path), main)
        assert code == 4
        assert "cannot read: " in line
        assert str(path) in line
        assert not layout.local("clean", "users").exists()

    @pytest.mark.parametrize("rows_of", ["people", None], ids=["counted", "derived"])
    @pytest.mark.parametrize(
        ("name", "form"), [("people.csv.gz", "csv"), ("people.jsonl.gz", "json"), ("people.parquet", "parquet")]
    )
    def test_a_file_that_is_not_what_its_name_says(  # noqa: PLR0917 - fixtures and cases
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path, name: str, form: str,
        rows_of: str | None,
    ) -> None:  # fmt: skip
        path = tmp_path / name
        path.write_text("{}\n" * 10)
        select = "SELECT '1' AS user_id, '2025-01-01' AS updated_at FROM people"
        users = {"files": ["people"], "select": select, "rows_of": rows_of}
        code, line = clean(write_shop(tmp_path, {"people": {"path": str(path), "format": form}}, {"users": users}))
        assert code == 4
        assert str(path) in line
        assert not layout.local("clean", "users").exists()
