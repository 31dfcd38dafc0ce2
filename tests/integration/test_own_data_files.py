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
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from common.cleaning.mapped_files import mapped_files
from common.cleaning.mapping import read_mapped
from common.cleaning.mapping_failures import evaluating
from common.contracts import USERS
from common.errors import ConfigurationError
from common.layout import Layout
from common.quality.ledger import LedgerEntry, entries, run_ids
from common.settings import load_source
from jobs import clean_users, land_raw
from pipelines import run as runner
from tests.shops import PEOPLE, SELECT_PEOPLE, people_shop, write_shop

ROWS = len(PEOPLE.splitlines()) - 1
PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".csv": bytes,
    ".csv.gz": gzip.compress,
    ".csv.GZ": gzip.compress,
    ".csv.bz2": bz2.compress,
    ".csv.zst": lambda text: bytes(pa.Codec("zstd").compress(text)),
}


@pytest.fixture
def clean(spark: SparkSession, layout: Layout, capsys: pytest.CaptureFixture[str]) -> Callable[[str], tuple[int, str]]:
    """Cleans a source's users; the exit code and the line on standard error."""

    def run(source: str, main: Callable[[list[str]], int] = clean_users.main) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["--root", layout.root, "--source", source])
        errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
        assert len(errors) == bool(code), errors
        return code, "".join(errors)

    return run


def last_entry(layout: Layout) -> LedgerEntry:
    newest = max(run_ids(layout), key=lambda run: layout.local("ops", "ledger", run).stat().st_mtime_ns)
    (entry,) = entries(layout, newest)
    return entry


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
        assert last_entry(layout).rows == {
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
            assert last_entry(layout).exit_code == 3
            assert not DeltaTable.is_deltatable(layout.clean("users"))


class TestEncodings:
    SELECT = "SELECT id AS user_id, name AS last_name, CURRENT_DATE AS updated_at FROM people"
    NAMES = "id,name\nU1,O\u2019Hara\nU2,\u0160koda\n"

    @pytest.mark.parametrize("encoding", ["windows-1252", "Cp1252"])
    def test_are_those_that_java_knows(
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path, encoding: str
    ) -> None:
        path = tmp_path / "people.csv"
        path.write_text(self.NAMES, encoding=encoding)
        assert clean(people_shop(tmp_path, path, select=self.SELECT, options={"encoding": encoding})) == (0, "")
        users = DeltaTable(layout.clean("users")).to_pyarrow_table(columns=["last_name"]).to_pylist()
        assert sorted(user["last_name"] for user in users) == ["O\u2019Hara", "\u0160koda"]

    def test_another_than_that_of_the_file_is_seen_by_a_flag(
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path
    ) -> None:
        path = tmp_path / "people.csv"
        path.write_text(f"{self.NAMES}U3,Brown\n", encoding="windows-1252")
        assert clean(people_shop(tmp_path, path, select=self.SELECT)) == (0, "")
        users = DeltaTable(layout.clean("users")).to_pyarrow_table(columns=["last_name", "flags"]).to_pylist()
        assert {user["last_name"]: user["flags"] for user in users} == {
            "O\ufffdHara": ["undecodable_text"], "\ufffdkoda": ["undecodable_text"], "Brown": [],
        }  # fmt: skip

    @pytest.mark.parametrize("encoding", ["windows-125", "not one"])
    def test_that_are_not_known_end_with_exit_code_2_and_their_file(
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path, encoding: str
    ) -> None:
        path = tmp_path / "people.csv"
        path.write_text(self.NAMES, encoding="utf-8")
        code, line = clean(people_shop(tmp_path, path, select=self.SELECT, options={"Encoding": encoding}))
        assert code == 2
        assert f"the encoding {encoding} is not known [source shop: files.people.options] -> give one that" in line
        assert not layout.local("clean", "users").exists()


class TestBrokenLines:
    """They do not reach the SELECT and are quarantined as they are, but for those of a file that is looked up."""

    LONG, SHORT = "4,d@x.org,2025-01-04,more", "5"

    @staticmethod
    def turned_away(layout: Layout) -> set[tuple[bytes, tuple[str, ...], str]]:
        rows = DeltaTable(layout.quarantine("users")).to_pyarrow_table().to_pylist()
        return {
            (row["payload"], tuple(row["reasons"]), row["source_file"])
            for row in rows
            if row["reasons"] != ["missing_user_id"]
        }

    @pytest.mark.parametrize("rows_of", ["people", None])
    def test_of_a_csv(
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path, rows_of: str | None
    ) -> None:
        (tmp_path / "people+1 ä.csv").write_text(PEOPLE, encoding="utf-8")
        (tmp_path / "people-2.csv").write_text(f"id,mail,changed\n{self.LONG}\n{self.SHORT}\n", encoding="utf-8")
        files = {"people": {"path": str(tmp_path / "people*.csv"), "format": "csv"}}
        users = {"files": ["people"], "select": SELECT_PEOPLE, **({"rows_of": rows_of} if rows_of else {})}
        assert clean(write_shop(tmp_path, files, {"users": users})) == (0, "")
        assert self.turned_away(layout) == {
            (line.encode(), ("malformed_line",), "shop:people:people-2.csv") for line in (self.LONG, self.SHORT)
        }
        account = last_entry(layout).rows
        assert account is not None
        assert [account[each] for each in ("read", "written", "quarantined")] == [ROWS + 2, ROWS - 1, 3]

    def test_of_json(self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path) -> None:
        path = tmp_path / "people+1 ä.jsonl"
        good, broken = '{"id": "1", "mail": "a@x.org", "changed": "2025-01-01"}', '{"id": "2", "mail": "b@x'
        path.write_text(f"{good}\n{broken}\n", encoding="utf-8")
        assert clean(people_shop(tmp_path, path, format="json")) == (0, "")
        assert self.turned_away(layout) == {(broken.encode(), ("malformed_json",), f"shop:people:{path.name}")}

    def test_of_a_file_that_is_looked_up_are_left_out(
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path
    ) -> None:
        (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
        (tmp_path / "towns.csv").write_text("user,town\n1,Ulm\n2,Kiel,more\n", encoding="utf-8")
        files = {name: {"path": str(tmp_path / f"{name}.csv"), "format": "csv"} for name in ("people", "towns")}
        select = (
            "SELECT id AS user_id, mail AS email, changed AS updated_at, town AS city FROM people "
            "LEFT JOIN towns ON id = user"
        )
        users = {"files": ["people", "towns"], "rows_of": "people", "select": select}
        assert clean(write_shop(tmp_path, files, {"users": users})) == (0, "")
        assert self.turned_away(layout) == set()
        cities = DeltaTable(layout.clean("users")).to_pyarrow_table(columns=["user_id", "city"]).to_pylist()
        assert {row["user_id"]: row["city"] for row in cities} == {"1": "Ulm", "2": None}
        assert "warning: broken lines of towns are left out: 1" in last_entry(layout).notes

    def test_are_left_to_spark_where_a_mode_is_declared(
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path
    ) -> None:
        path = tmp_path / "people.csv"
        path.write_text(f"{PEOPLE}{self.LONG}\n", encoding="utf-8")
        assert clean(people_shop(tmp_path, path, options={"Mode": "PERMISSIVE"})) == (0, "")
        assert self.turned_away(layout) == set()
        account = last_entry(layout).rows
        assert account is not None
        assert account["written"] == ROWS


class TestFunctionsThatFailOnAValue:
    """Exit code 2 and the function; the value, which may be personal, is not told."""

    @pytest.mark.parametrize(
        ("email", "message"),
        [
            ("CAST(mail AS INT)", "CAST(mail AS INT) fails on a value: CAST_INVALID_INPUT"),
            ("2 / (CAST(id AS INT) - 1)", "2 / (CAST(id AS INT) - 1) fails on a value: DIVIDE_BY_ZERO"),
            ("to_timestamp(mail, 'dd.MM.yyyy')", "a function fails on a value: CANNOT_PARSE_TIMESTAMP"),
            ("sequence(1, 2, CAST(id AS INT) - 1)[0]", "a function fails on a value: IllegalArgumentException"),
            ("CAST('x' AS INT)", "CAST('x' AS INT) fails on a value: CAST_INVALID_INPUT"),
            ("sequence(1, 2, 0)[0]", "a function fails on a value: IllegalArgumentException"),
            ("format_string('%d', mail)", "a function fails on a value: IllegalFormatConversionException"),
            ("split(mail, concat('(', mail))[0]", "a function fails on a value: PatternSyntaxException"),
            ("from_json(mail, 'a INT', map('mode', 'FAILFAST')).a", "a function fails on a value: JsonParseException"),
            ("xpath_string(mail, 'a')", "a function fails on a value: SAXParseException"),
        ],
        ids=[
            "cast",
            "division",
            "one that Spark does not name",
            "sequence",
            "constant",
            "constant sequence",
            "format",
            "pattern",
            "JSON",
            "XML",
        ],
    )
    def test_end_with_exit_code_2_in_a_job_and_in_a_dry_run(  # noqa: PLR0917 - fixtures and cases
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str],
        email: str, message: str,
    ) -> None:  # fmt: skip
        path = tmp_path / "people.csv"
        path.write_text(PEOPLE)
        select = f"SELECT id AS user_id, {email} AS email, changed AS updated_at FROM people"
        source = people_shop(tmp_path, path, select=select)
        code, line = clean(source)
        assert code == 2
        assert message in line
        assert (
            "[source shop: datasets.users.select] -> mend what it is given, or use the function that gives null" in line
        )
        assert last_entry(layout).exit_code == 2
        assert not layout.local("clean", "users").exists()
        assert runner.main(["--root", layout.root, "--source", source, "--dry-run"]) == 2
        assert line.removeprefix("error: clean_users: ") in capsys.readouterr().err
        (log,) = layout.local("ops", "logs").glob("*.log")
        assert "fails on a value" in log.read_text()
        assert "@x.org" not in log.read_text()

    @pytest.mark.parametrize(
        ("email", "message", "remedy"),
        [
            ("to_utc_timestamp(changed, 'Europe/Berln')", "INVALID_TIMEZONE Europe/Berln", "mend what it is given"),
            ("to_utc_timestamp(changed, mail)", "INVALID_TIMEZONE", "mend what it is given"),
            (
                "date_format(changed, 'dd.MM.yyyy bb')",
                "INVALID_DATETIME_PATTERN.WITH_SUGGESTION dd.MM.yyyy bb",
                "mend its pattern",
            ),
            (
                "try_to_timestamp(mail, 'YYYY-MM')",
                "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION YYYY-MM",
                "mend its pattern",
            ),
        ],
        ids=["a zone", "a zone of the data", "a pattern", "a pattern of old"],
    )
    def test_name_what_the_mapping_itself_has_wrong(
        self, clean: Callable[..., tuple[int, str]], tmp_path: Path, email: str, message: str, remedy: str
    ) -> None:
        path = tmp_path / "people.csv"
        path.write_text(PEOPLE)
        select = f"SELECT id AS user_id, {email} AS email, changed AS updated_at FROM people"
        code, line = clean(people_shop(tmp_path, path, select=select))
        assert code == 2
        assert f"a function fails on a value: {message} [source shop: datasets.users.select] -> {remedy}" in line

    def test_of_data_without_a_mapping_stay_what_they_are(self, spark: SparkSession, tmp_path: Path) -> None:
        path = tmp_path / "people.csv"
        path.write_text(PEOPLE)
        source = load_source(people_shop(tmp_path, path))
        with pytest.raises(Py4JJavaError, match="IllegalFormatConversionException"), evaluating(source, "products"):
            spark.range(2).selectExpr("format_string('%d', CAST(id AS STRING))").collect()


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
