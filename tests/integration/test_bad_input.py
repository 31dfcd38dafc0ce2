"""Bad input, one line each: the exit code, one line on standard error, nothing lost and nothing half published."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from common.cli import job_main
from common.layout import Layout
from common.quality.ledger import entries, run_ids
from common.stages.cleaning import CLEAN_USERS
from jobs import clean_clickstream, clean_transactions, clean_users, land_raw
from pipelines import run as runner
from pipelines import status
from tests import samples
from tests.runs import newest_entry

PROJECT = Path(__file__).resolve().parents[2]
Main = Callable[[Sequence[str]], int]


class Outcome:
    """What a command left: its exit code and its lines on standard error."""

    def __init__(self, code: int, stderr: str) -> None:
        self.code = code
        assert "Traceback" not in stderr, stderr
        assert '"stacktrace"' not in stderr, stderr  # as PySpark's own loggers write them
        self.errors = [line for line in stderr.splitlines() if line.startswith("error:")]

    @property
    def line(self) -> str:
        assert len(self.errors) == 1, self.errors
        return self.errors[0]


@pytest.fixture
def call(spark: SparkSession, layout: Layout, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs a job's main() on the test's root; it must not raise."""

    def run(main: Main, *arguments: str, root: str | None = None) -> Outcome:
        capsys.readouterr()
        code = main(["--root", root or layout.root, *arguments])
        return Outcome(code, capsys.readouterr().err)

    return run


@pytest.fixture
def without_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be seen before a session is started is seen before."""

    def refuse(*arguments: object) -> None:
        raise AssertionError("a session was started")

    monkeypatch.setattr("common.cli.start_session", refuse)
    monkeypatch.setattr("pipelines.run.start_session", refuse)


def assert_is_known(layout: Layout, stage: str, outcome: Outcome) -> None:
    """The ledger tells of a failure whose stage has not begun, as of any other."""
    entry = newest_entry(layout)
    assert (entry.stage, entry.status, entry.exit_code) == (stage, "failed", outcome.code)
    assert f"error: {entry.error}" == outcome.line
    assert (entry.rows, entry.tables, entry.gates) == (None, {}, ())


def rows_of(path: str) -> list[dict[str, Any]]:
    return list(DeltaTable(path).to_pyarrow_table().to_pylist())


@pytest.mark.usefixtures("without_spark")
class TestSeenBeforeSparkStarts:
    """Exit codes 2 and 4, at once."""

    @pytest.mark.parametrize("main", [clean_users.main, land_raw.main, runner.main], ids=["job", "land_raw", "run"])
    def test_a_missing_raw_directory(
        self, call: Callable[..., Outcome], layout: Layout, main: Main, capsys: pytest.CaptureFixture[str]
    ) -> None:
        samples.put_transactions(layout, [samples.transaction()])  # a shop's own data: nothing is generated beside it
        outcome = call(main)
        assert outcome.code == 4
        assert "no raw users" in outcome.line
        assert not list(layout.local().rglob("_delta_log"))
        stage = "clean_users" if main is clean_users.main else "land_raw"
        assert_is_known(layout, stage, outcome)
        assert status.main(["--root", layout.root]) == 0
        assert f"{stage}: {outcome.line.removeprefix('error: ')}" in capsys.readouterr().out

    def test_a_truncated_parquet_file(self, call: Callable[..., Outcome], layout: Layout) -> None:
        path = samples.put_transactions(layout, [samples.transaction()])
        path.write_bytes(path.read_bytes()[:-20])
        outcome = call(clean_transactions.main)
        assert outcome.code == 4
        assert "truncated or damaged" in outcome.line
        assert str(path) in outcome.line
        assert_is_known(layout, "clean_transactions", outcome)

    @pytest.mark.parametrize(
        ("header", "what"),
        [
            ("user_id,email,last_login,updated_at", "unknown columns: last_login"),
            ("email,user_id,updated_at", "in another order"),
            ("user_id,email", "lacks updated_at"),
        ],
        ids=["changed", "reordered", "required one missing"],
    )
    def test_another_header(self, call: Callable[..., Outcome], layout: Layout, header: str, what: str) -> None:
        path = samples.put(layout, "users/users.csv", f"{header}\nU00000001,a@x.org,2025-01-01\n")
        outcome = call(clean_users.main)
        assert outcome.code == 4
        assert what in outcome.line
        assert str(path) in outcome.line
        assert_is_known(layout, "clean_users", outcome)

    @pytest.mark.parametrize(
        "date", ["2025-02-30", "30.11.2025", "20251130", "'2025-11-30'", '2025-11-30" OR 1=1', "2025-W48-7", ""]
    )
    @pytest.mark.parametrize("main", [clean_users.main, runner.main], ids=["job", "run"])
    def test_a_date_that_is_none(self, call: Callable[..., Outcome], layout: Layout, main: Main, date: str) -> None:
        outcome = call(main, "--date", date)
        assert outcome.code == 2
        assert "--date" in outcome.line
        assert "is not a date; give YYYY-MM-DD" in outcome.line
        assert not layout.local().exists()

    def test_an_unknown_configuration_key(self, call: Callable[..., Outcome], tmp_path: Path) -> None:
        conf = tmp_path / "conf.yaml"
        conf.write_text("publish: {keep_version: 3}\n")
        outcome = call(clean_users.main, "--conf", str(conf))
        assert outcome.code == 2
        assert "unknown key 'publish.keep_version' (did you mean 'keep_versions'?)" in outcome.line

    @pytest.mark.parametrize(
        "arguments", [["--nonsense"], ["--conf"], ["--conf", "/nowhere.yaml"], ["--source", "none"]]
    )
    def test_an_argument_that_cannot_be_used(self, call: Callable[..., Outcome], arguments: list[str]) -> None:
        outcome = call(clean_users.main, *arguments)
        assert outcome.code == 2
        assert outcome.line

    @pytest.mark.parametrize("main", [clean_users.main, runner.main], ids=["job", "run"])
    @pytest.mark.parametrize("root", ["{tmp}/file/below", "{tmp}/file", "/proc/shop", ""])
    def test_a_root_that_cannot_be_written(
        self, call: Callable[..., Outcome], tmp_path: Path, root: str, main: Main
    ) -> None:
        (tmp_path / "file").write_text("a file, not a directory")
        outcome = call(main, root=root.format(tmp=tmp_path) or "  ")
        assert outcome.code == 2
        assert "cannot write" in outcome.line or "the root is empty" in outcome.line

    @pytest.mark.parametrize("main", [clean_users.main, runner.main], ids=["job", "run"])
    def test_a_root_with_data_that_became_read_only(
        self, call: Callable[..., Outcome], layout: Layout, main: Main, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As the kernel says it: who runs the tests may be allowed to write anywhere."""
        samples.put_shop(layout)
        before = sorted(layout.local().rglob("*"))

        def refuse(*arguments: object, **options: object) -> None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        monkeypatch.setattr("common.storage.files.tempfile.TemporaryFile", refuse)
        outcome = call(main)
        assert outcome.code == 2
        assert f"cannot write: Read-only file system [{layout.root}]" in outcome.line
        assert sorted(layout.local().rglob("*")) == before

    def test_help_is_no_failure(self, call: Callable[..., Outcome]) -> None:
        outcome = call(clean_users.main, "--help")
        assert (outcome.code, outcome.errors) == (0, [])


@pytest.mark.parametrize(
    ("main", "module"), [(clean_users.main, "common.cli"), (runner.main, "pipelines.run")], ids=["job", "run"]
)
def test_a_library_that_ends_the_process_is_no_success(
    layout: Layout, capsys: pytest.CaptureFixture[str], main: Main, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples.put_shop(layout)

    def leave(*arguments: object) -> None:
        raise SystemExit(0)

    monkeypatch.setattr(f"{module}.start_session", leave)
    assert main(["--root", layout.root]) == 1
    said = capsys.readouterr().err
    assert "error: SystemExit: 0" in said
    if main is clean_users.main:
        assert_is_known(layout, "clean_users", Outcome(1, said))
    else:  # a session is no stage's of a run
        assert "SystemExit: 0" in json.loads(layout.local("ops", "run.json").read_text())["error"]


def test_invalid_bytes_and_broken_lines_are_quarantined_and_counted(
    call: Callable[..., Outcome], layout: Layout
) -> None:
    good = [json.dumps(samples.event(number)).encode() for number in (1, 2)]
    bad = [b"\xff\xfe\x00 no text", b'{"event_id": "E', b"", b"[1, 2]", good[0] + good[1]]
    samples.put(layout, "clickstream/event_date=2025-11-30/a.jsonl", b"\n".join([*good, *bad, good[0]]))
    outcome = call(clean_clickstream.main)
    assert (outcome.code, outcome.errors) == (0, [])
    assert newest_entry(layout).rows == {
        "read": 8, "written": 2, "quarantined": 5, "duplicates": 1, "superseded": 0,
    }  # fmt: skip
    kept = {row["payload"]: row["reasons"] for row in rows_of(layout.quarantine("clickstream"))}
    assert kept == {
        bad[0]: ["invalid_utf8"],
        bad[1]: ["malformed_json"],
        bad[2]: ["blank_line"],
        bad[3]: ["not_an_object"],
        bad[4]: ["malformed_json"],
    }


def test_a_day_without_rows_passes_with_a_warning(call: Callable[..., Outcome], layout: Layout) -> None:
    samples.put_shop(layout)
    samples.put_events(layout, [], day="2025-12-01")
    samples.put_transactions(layout, [], day="2025-12-01")
    outcome = call(land_raw.main)
    assert (outcome.code, outcome.errors) == (0, [])
    entry = newest_entry(layout)
    gate, *warnings = [note for note in entry.notes if note.startswith("warning")]
    assert gate.startswith("warning: land_raw: expect_column_values_to_be_between rows_on_day (2 unexpected, ")
    assert gate.endswith("; expected at least 1)")
    assert warnings == ["warning: no clickstream on 2025-12-01", "warning: no transactions on 2025-12-01"]
    assert [(each["suite"], each["passed"]) for each in entry.gates] == [("land_raw", True)]


class TestGate:
    """A gate that says no: exit code 3, the version before it still there, the quarantine kept."""

    @pytest.fixture
    def suites(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        """Suites of the test, in place of those that ship."""
        directory = tmp_path / "suites"
        directory.mkdir()
        real = json.loads((PROJECT / "conf" / "expectations" / "clean_users.json").read_text())
        (directory / "clean_users.json").write_text(json.dumps(real))

        class Conf:
            def __truediv__(self, name: str) -> Path:
                return directory if name == "expectations" else PROJECT / "conf" / name

        monkeypatch.setattr("common.quality.gate.conf_root", Conf)
        yield directory

    def test_that_fails(self, call: Callable[..., Outcome], layout: Layout, suites: Path) -> None:
        samples.put_users(layout, [samples.user(1), samples.user(2), samples.user(3, user_id="X")])
        assert call(clean_users.main).code == 0
        before = DeltaTable(layout.clean("users")).version()

        suite = json.loads((suites / "clean_users.json").read_text())
        impossible = {
            "type": "expect_column_values_to_be_in_set",
            "kwargs": {"column": "country", "value_set": ["Atlantis"]},
            "severity": "critical",
        }
        (suites / "clean_users.json").write_text(json.dumps({**suite, "expectations": [impossible]}))
        samples.put_changes(
            layout, "users", "2025-12-01", [samples.user(3, updated_at="2025-12-01"), samples.user(4, user_id="Y")]
        )
        outcome = call(clean_users.main)
        assert outcome.code == 3
        assert "gate clean_users failed: expect_column_values_to_be_in_set country" in outcome.line
        assert "Springfield" not in outcome.line, "no values of personal columns"
        assert DeltaTable(layout.clean("users")).version() == before
        assert {row["user_id"] for row in rows_of(layout.clean("users"))} == {"U00000001", "U00000002"}
        assert {row["record_key"] for row in rows_of(layout.quarantine("users"))} == {"X", "Y"}
        entry = newest_entry(layout)
        assert (entry.exit_code, entry.status, entry.gates[0]["passed"]) == (3, "failed", False)

        (suites / "clean_users.json").write_text(json.dumps(suite))
        assert call(clean_users.main).code == 0, "mended, it goes on where it stood"
        assert len(rows_of(layout.clean("users"))) == 3
        assert {row["record_key"] for row in rows_of(layout.quarantine("users"))} == {"X", "Y"}

    @pytest.mark.parametrize(
        ("spoil", "code", "what"),
        [
            (
                lambda suite: {
                    **suite,
                    "expectations": [*suite["expectations"], {"type": "expect_wonders", "kwargs": {}}],
                },
                2,
                "does not accept the suite clean_users: expect_wonders",
            ),
            (
                lambda suite: {
                    **suite,
                    "expectations": [
                        *suite["expectations"],
                        {"type": "expect_column_to_exist", "kwargs": {"column": "email", "colour": 1}},
                    ],
                },
                2,
                "does not accept the suite clean_users: 1 validation error",
            ),
            (lambda suite: {**suite, "expectations": []}, 3, "evaluated nothing"),
            (
                lambda suite: {
                    **suite,
                    "expectations": [
                        {
                            "type": "expect_column_values_to_not_be_null",
                            "kwargs": {"column": "shoe_size"},
                            "severity": "warning",
                        }
                    ],
                },
                3,
                "could not run",
            ),
            (None, 2, "no suite clean_users"),
        ],
        ids=["unknown expectation", "unknown argument", "no expectation", "a column that is not there", "no suite"],
    )
    def test_that_cannot_run_has_failed(  # noqa: PLR0917 - fixtures and cases
        self,
        call: Callable[..., Outcome],
        layout: Layout,
        suites: Path,
        spoil: Callable[[dict[str, Any]], dict[str, Any]] | None,
        code: int,
        what: str,
    ) -> None:
        samples.put_users(layout, [samples.user(1)])
        path = suites / "clean_users.json"
        if spoil is None:
            path.unlink()
        else:
            path.write_text(json.dumps(spoil(json.loads(path.read_text()))))
        outcome = call(clean_users.main)
        assert outcome.code == code
        assert what in outcome.line
        assert not layout.local("clean", "users").exists()


def test_an_output_that_another_process_holds(call: Callable[..., Outcome], layout: Layout) -> None:
    samples.put_users(layout, [samples.user(1)])
    code = (
        "import sys\nfrom common.layout import Layout\nfrom common.storage.locks import hold\n"
        "with hold(Layout(sys.argv[1]), ('clean/users', 'run')):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, layout.root],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        outcome = call(clean_users.main)
        assert outcome.code == 5
        assert f"clean/users is being written by another run (process {holder.pid})" in outcome.line
        assert call(runner.main, "--only", "clean_users").code == 5
    finally:
        holder.communicate("")
    assert call(clean_users.main).code == 0


def test_a_second_run_of_the_same_files_reads_nothing(call: Callable[..., Outcome], layout: Layout) -> None:
    samples.put_users(layout, [samples.user(1)])
    assert call(clean_users.main).code == 0
    version = DeltaTable(layout.clean("users")).version()
    assert call(clean_users.main).code == 0
    assert DeltaTable(layout.clean("users")).version() == version
    assert {entry.status for run in run_ids(layout) for entry in entries(layout, run)} == {"ok", "skipped"}


class TestMapping:
    """A mapping that names what is not there: exit code 2, named."""

    @pytest.fixture
    def write_source(self, tmp_path: Path) -> Callable[..., str]:
        """A shop of its own with one file of customers."""
        people = tmp_path / "people.csv"
        people.write_text("id,mail,changed\n1,a@x.org,2025-01-01\n2,b@x.org,2025-01-02\n,c@x.org,2025-01-03\n")

        def write(select: str, path: str = str(people), **changes: Any) -> str:
            shop = yaml.safe_load((PROJECT / "conf" / "sources" / "generated.yaml").read_text())
            shop["name"] = "shop"
            shop["key_patterns"] = dict.fromkeys(shop["key_patterns"])
            shop["files"] = {"people": {"path": path, "format": "csv"}}
            users = {"files": ["people"], "rows_of": "people", "select": select, **changes}
            shop["datasets"] = {"users": users}
            target = tmp_path / "shop.yaml"
            target.write_text(yaml.safe_dump(shop))
            return str(target)

        return write

    def test_that_is_right(
        self, call: Callable[..., Outcome], layout: Layout, write_source: Callable[..., str]
    ) -> None:
        source = write_source(
            "SELECT id AS user_id, mail AS email, changed AS updated_at, id = '2' AS reject_house_account FROM people"
        )
        outcome = call(clean_users.main, "--source", source)
        assert (outcome.code, outcome.errors) == (0, [])
        assert newest_entry(layout).rows == {
            "read": 3, "written": 1, "quarantined": 2, "duplicates": 0, "superseded": 0,
        }  # fmt: skip
        reasons = sorted(reason for row in rows_of(layout.quarantine("users")) for reason in row["reasons"])
        assert reasons == ["house_account", "missing_user_id"]

    @pytest.mark.parametrize(
        ("select", "changes", "what"),
        [
            ("SELECT nummer AS user_id, changed AS updated_at FROM people", {}, "nummer"),
            ("SELECT id AS user_id, changed AS updated_at FROM folk", {}, "folk"),
            ("SELECT id AS user_id, changed AS updated_at FROM people", {"path": "/nowhere/x.csv"}, "/nowhere/x.csv"),
            ("SELECT id AS user_id, changed AS updated_at FROM people", {"files": ["people", "gone"]}, "gone"),
            ("SELECT id AS user_id, changed AS updated_at, 1 AS shoe_size FROM people", {}, "shoe_size"),
            ("SELECT id AS user_id FROM people", {}, "required columns are missing: updated_at"),
            ("SELECT id AS user_id, mail AS user_id, changed AS updated_at FROM people", {}, "given twice: user_id"),
            ("SELECT 1 AS user_id; SELECT 2", {}, "not one SELECT"),
            ("DROP TABLE people", {}, "not one SELECT"),
            ("CREATE TABLE t AS SELECT 1 AS user_id", {}, "not one SELECT"),
            ("INSERT INTO people SELECT * FROM people", {}, "not one SELECT"),
            ("SELEKT 1", {}, "not one SELECT"),
        ],
        ids=["column", "table", "file", "undeclared file", "unknown output", "required", "twice", "two statements",
             "drop", "create", "insert", "no SQL"],
    )  # fmt: skip
    def test_that_is_wrong(  # noqa: PLR0917 - fixtures and cases
        self,
        call: Callable[..., Outcome],
        layout: Layout,
        write_source: Callable[..., str],
        select: str,
        changes: dict[str, Any],
        what: str,
    ) -> None:
        outcome = call(clean_users.main, "--source", write_source(select, **changes))
        assert outcome.code == 2
        assert what in outcome.line
        assert not layout.local("clean", "users").exists()


def test_a_failure_that_nobody_foresaw_is_one_line_too(
    call: Callable[..., Outcome], layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples.put_users(layout, [samples.user(1)])
    monkeypatch.setattr("common.cli.execute", lambda *_: 1 / 0)
    outcome = call(lambda argv: job_main(CLEAN_USERS, argv))
    assert outcome.code == 1
    assert "ZeroDivisionError" in outcome.line
    logs = list(layout.local("ops", "logs").glob("*.log"))
    assert "Traceback" in logs[0].read_text()
