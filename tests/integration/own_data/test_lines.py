"""Lines of mapped files: their encoding, and those that the reader cannot take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from common.layout import Layout
from tests.runs import newest_entry
from tests.shops import PEOPLE, SELECT_PEOPLE, people_shop, write_shop

ROWS = len(PEOPLE.splitlines()) - 1


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
        account = newest_entry(layout).rows
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
        assert "warning: broken lines of towns are left out: 1" in newest_entry(layout).notes

    def test_are_left_to_spark_where_a_mode_is_declared(
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path
    ) -> None:
        path = tmp_path / "people.csv"
        path.write_text(f"{PEOPLE}{self.LONG}\n", encoding="utf-8")
        assert clean(people_shop(tmp_path, path, options={"Mode": "PERMISSIVE"})) == (0, "")
        assert self.turned_away(layout) == set()
        account = newest_entry(layout).rows
        assert account is not None
        assert account["written"] == ROWS
