"""`--dry-run`: what a run would do, and what a mapping gives, with nothing written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from common.layout import Layout
from pipelines import run as runner
from pipelines.stages import GRAPH
from tests import samples
from tests.runs import python
from tests.shops import PEOPLE, SELECT_PEOPLE, people_shop, write_shop

CUSTOMERS = """id,mail,changed,tier
1,a@x.org,2025-01-01,gold
2,b@x.org,2025-01-02,
3,b@x.org,soon,gold
,c@x.org,2025-01-03,gold
,d@x.org,2025-01-03,gold
6,f@x.org,2025-01-06,silver
"""
SELECT = """
SELECT id AS user_id, mail AS email, tier AS loyalty_tier, changed AS updated_at,
       id = '1' AS reject_house_account, tier IS NULL AS flag_no_tier
FROM people
"""
ABSENT = ("first_name", "last_name", "gender", "birth_date", "phone", "street", "state", "country", "postal_code", "op")
FORGOTTEN = ("city", "signup_ts", "marketing_opt_in")


def files_below(directory: Path) -> dict[str, tuple[bytes | None, int]]:
    """All files and directories, with their content and the time of their last change."""
    return {
        str(path.relative_to(directory)): (path.read_bytes() if path.is_file() else None, path.stat().st_mtime_ns)
        for path in (directory, *directory.rglob("*"))
    }


@dataclass(frozen=True)
class Shown:
    """A dry run of a source.

    Attributes:
        text: Its standard output.
        before: The directory with the root and the source's files before it.
        after: The same directory afterwards.
    """

    text: str
    before: dict[str, tuple[bytes | None, int]]
    after: dict[str, tuple[bytes | None, int]]

    def line(self, label: str) -> str:
        """What stands behind a label."""
        (found,) = [line.strip() for line in self.text.splitlines() if line.strip().startswith(label)]
        return found.removeprefix(label).strip()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A dry run of six customers, some of whom are turned away."""
    directory = tmp_path_factory.mktemp("dry")
    people = directory / "people.csv"
    people.write_text(CUSTOMERS)
    users = {"files": ["people"], "rows_of": "people", "absent": list(ABSENT), "select": SELECT}
    source = write_shop(directory, {"people": {"path": str(people), "format": "csv"}}, {"users": users})
    layout = Layout.at(directory / "root")
    samples.put_users(layout, [samples.user(1)])
    before = files_below(directory)
    done = python("-m", "pipelines.run", "--source", source, "--root", layout.root, "--dry-run")
    assert done.returncode == 0, done.stderr[-2000:]
    return Shown(done.stdout, before, files_below(directory))


@pytest.mark.deep
class TestOfASource:
    """In a process of its own, so that a session that left something under its root would be seen."""

    def test_writes_nothing_at_all(self, shown: Shown) -> None:
        assert shown.after == shown.before

    def test_lists_the_stages_first(self, shown: Shown) -> None:
        listed = [line.partition(":")[0] for line in shown.text.splitlines() if line.partition(":")[0] in GRAPH.names]
        assert listed == list(GRAPH.names)
        assert "generate" not in shown.text

    def test_lists_the_columns_that_matched_and_those_declared_absent(self, shown: Shown) -> None:
        assert shown.line("matched:") == "user_id, email, loyalty_tier, updated_at"
        assert shown.line("absent:") == ", ".join(ABSENT)

    def test_names_the_columns_that_were_forgotten(self, shown: Shown) -> None:
        assert shown.line("missing and not declared absent:") == ", ".join(FORGOTTEN)

    def test_counts_rows_by_rule(self, shown: Shown) -> None:
        assert shown.line("users:") == "6 rows in people, 2 accepted before duplicates"
        turned_away = shown.line("turned away:").split(", ")
        assert turned_away[0] == "missing_user_id 2"
        assert sorted(turned_away[1:]) == ["house_account 1", "invalid_updated_at 1"]
        assert shown.line("flagged:") == "no_tier 1"
        assert shown.line("keys:") == "2 different user_id"
        assert "is kept" not in shown.text

    def test_shows_the_accepted_rows_as_they_come_out(self, shown: Shown) -> None:
        rows = [shown.line(f"{name} ").split("  ") for name in ("user_id", "email", "loyalty_tier", "updated_at")]
        samples = [[value.strip() for value in row if value.strip()] for row in rows]
        assert samples == [
            ["2", "6"], ["b@x.org", "f@x.org"], ["silver"], ["2025-01-02 00:00:00", "2025-01-06 00:00:00"],
        ]  # fmt: skip

    def test_warns_of_no_row_where_none_is_lost(self, shown: Shown) -> None:
        assert "the account would be off" not in shown.text

    def test_says_which_data_sets_the_source_does_not_have(self, shown: Shown) -> None:
        for dataset in ("products", "transactions", "clickstream"):
            assert shown.line(f"{dataset}:") == "the source shop has none; its table stays empty"


class TestOfTheStages:
    """Of the generated shop nothing is read; no session is needed."""

    @pytest.fixture
    def show(
        self, layout: Layout, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> Callable[..., list[str]]:
        """The lines of a dry run, which must leave no root behind."""

        def refuse(*arguments: object) -> None:
            raise AssertionError("a session was started")

        monkeypatch.setattr("pipelines.run.start_session", refuse)

        def run(*arguments: str) -> list[str]:
            assert runner.main(["--root", layout.root, "--dry-run", *arguments]) == 0
            assert not layout.local().exists()
            return capsys.readouterr().out.splitlines()

        return run

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ((), ("generate", *GRAPH.names)),
            (
                ("--to", "clean_products"),
                ("generate", "land_raw", "clean_products"),
            ),
            (("--from", "publish_hive"), ("publish_hive", "bi_dashboards")),
            (
                ("--from", "clean_users", "--to", "load_facts"),
                ("clean_users", "load_dimensions", "load_facts"),
            ),
            (("--only", "train_churn", "clean_users"), ("clean_users", "train_churn")),
        ],
        ids=["all", "to", "from", "from and to", "only"],
    )
    def test_shows_those_that_are_chosen_in_order(
        self, show: Callable[..., list[str]], arguments: tuple[str, ...], expected: tuple[str, ...]
    ) -> None:
        heads = [line.partition(":")[0] for line in show(*arguments) if not line.startswith(" ")]
        assert heads == list(expected)

    def test_shows_what_a_stage_reads_and_writes_and_its_gates(self, show: Callable[..., list[str]]) -> None:
        assert show("--only", "clean_users") == [
            "clean_users: accept or turn away raw users",
            "    reads  raw/users, ops/manifest",
            "    writes clean/users, quarantine/users",
            "    gates  clean_users",
        ]

    def test_shows_the_scale_and_seed_of_what_would_be_made(self, show: Callable[..., list[str]]) -> None:
        assert show("--scale", "0.02", "--seed", "7")[0] == "generate: make data at scale 0.02 with seed 7"

    def test_leaves_a_root_with_data_as_it_is(self, layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
        samples.put_shop(layout)
        before = files_below(layout.local())
        assert runner.main(["--root", layout.root, "--dry-run", "--to", "load_facts"]) == 0
        assert files_below(layout.local()) == before
        assert "load_facts: " in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [("--dry-run",), ()], ids=["dry run", "run"])
def test_a_file_that_is_not_there_is_seen_before_a_session_starts(
    layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.setattr("pipelines.run.start_session", lambda *_: pytest.fail("a session was started"))
    source = people_shop(tmp_path, tmp_path / "peple*.csv")
    assert runner.main(["--root", layout.root, *arguments, "--source", source]) == 2
    assert f"no such file: {tmp_path}/peple*.csv [source shop: files.people] -> " in capsys.readouterr().err


@pytest.mark.usefixtures("spark")
class TestOfAMappingThatIsWrong:
    """Seen before anything is cleaned by it."""

    @pytest.mark.parametrize(
        ("select", "message"),
        [("", "is empty"), ("SELECT nummer AS user_id, changed AS updated_at FROM people", "nummer")],
        ids=["none", "unknown column"],
    )
    def test_ends_with_exit_code_2(
        self, layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str], select: str, message: str
    ) -> None:
        (tmp_path / "people.csv").write_text(PEOPLE)
        source = people_shop(tmp_path, tmp_path / "people.csv", select=select)
        assert runner.main(["--root", layout.root, "--dry-run", "--source", source]) == 2
        assert message in capsys.readouterr().err
        assert not layout.local().exists()

    @pytest.mark.parametrize(
        ("key", "keys"), [("concat(number, '/', line)", 4), ("number", 2)], ids=["of a line", "of an order"]
    )
    def test_warns_of_a_key_that_many_lines_share(
        self, layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, keys: int
    ) -> None:
        (tmp_path / "orders.csv").write_text("number,line,sku\n1,1,a\n1,2,b\n2,1,a\n2,2,c\n")
        select = (
            f"SELECT {key} AS transaction_id, 'u' AS user_id, sku AS product_id, 1 AS quantity, '2.50' AS unit_price, "
            "'2.50' AS total_amount, 'USD' AS currency, 'paid' AS status, '2025-01-01' AS transaction_ts FROM orders"
        )
        source = write_shop(
            tmp_path,
            {"orders": {"path": str(tmp_path / "orders.csv"), "format": "csv"}},
            {"transactions": {"files": ["orders"], "rows_of": "orders", "select": select}},
        )
        assert runner.main(["--root", layout.root, "--dry-run", "--source", source]) == 0
        shown = capsys.readouterr().out
        assert "4 rows in orders, 4 accepted" in shown
        assert f"keys:       {keys} different transaction_id" in shown
        warning = "one row of each transaction_id is kept, and 2 are not: does each line have its own?"
        assert (warning in " ".join(shown.split())) == (keys == 2)

    def test_shows_the_trace_of_what_nobody_foresaw(
        self, layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "people.csv").write_text(PEOPLE)
        monkeypatch.setattr("pipelines.run.preview", lambda *_: 1 / 0)
        assert (
            runner.main(
                ["--root", layout.root, "--dry-run", "--source", people_shop(tmp_path, tmp_path / "people.csv")]
            )
            == 1
        )
        shown = capsys.readouterr().err
        assert shown.startswith("Traceback (most recent call last):")
        assert shown.endswith("error: ZeroDivisionError: division by zero -> the trace is above\n")

    def test_warns_of_rows_that_a_where_loses(
        self, layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "people.csv").write_text(PEOPLE)
        source = people_shop(tmp_path, tmp_path / "people.csv", select=f"{SELECT_PEOPLE} WHERE id IS NOT NULL")
        assert runner.main(["--root", layout.root, "--dry-run", "--source", source]) == 0
        assert "the SELECT makes 2 rows of 3: the account would be off" in capsys.readouterr().out
