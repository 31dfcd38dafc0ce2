"""What a root remembers: the shop that it holds, and what a run was asked for. No session is started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.errors import ExitCode, UsageError
from common.layout import Layout
from common.quality.ledger import LedgerEntry, record
from common.storage.files import read_json, write_json
from common.storage.locks import hold
from pipelines import run as runner
from pipelines.earlier import last_run, state_of
from pipelines.plan import Plan, make_plan, run_parser
from pipelines.view import RunFacts, write_run
from tests.unit.quality.test_ledger import ENTRY

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def without_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of this is known before a session or the generator starts."""

    def refuse(*_: object) -> None:
        raise AssertionError("something was started")

    monkeypatch.setattr("pipelines.run.start_session", refuse)
    monkeypatch.setattr("pipelines.run.GeneratorProcess", refuse)


@pytest.fixture
def lamps(tmp_path: Path) -> str:
    """A mapped shop of one file."""
    values = yaml.safe_load((PROJECT / "conf" / "sources" / "generated.yaml").read_text(encoding="utf-8"))
    values["name"] = "lamps"
    values["files"] = {"people": {"path": "people.csv", "format": "csv"}}
    values["datasets"] = {"users": {"files": ["people"], "select": "SELECT id AS user_id FROM people"}}
    path = tmp_path / "lamps.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return str(path)


def plan(layout: Layout, *arguments: str) -> Plan:
    return make_plan(run_parser().parse_args(["--root", layout.root, *arguments]))


def began(layout: Layout, *arguments: str, done: tuple[str, ...] = (), **changes: Any) -> Plan:
    """Leave what a run leaves that was killed after some stages."""
    planned = plan(layout, *arguments)
    ended: list[LedgerEntry] = [replace(ENTRY, run_id=planned.run_id, stage=name) for name in done]
    for entry in ended:
        record(layout, entry)
    facts = RunFacts(planned.run_id, None, None, None, planned.source.name, planned.names, arguments=planned.arguments)
    write_run(layout, replace(facts, **changes), ended, 5.0, status="running")
    return planned


class TestResume:
    def test_takes_what_the_run_was_asked_for(
        self, layout: Layout, lamps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        conf = tmp_path / "conf.yaml"
        conf.write_text("publish: {keep_versions: 9}\n")
        monkeypatch.chdir(tmp_path)
        asked = ("--source", "lamps.yaml", "--conf", "conf.yaml", "--date", "2025-11-30", "--rebuild", "--to")
        first = began(layout, *asked, "load_facts", done=("land_raw",))
        monkeypatch.chdir("/")
        again = plan(layout, "--resume")
        assert again.run_id == first.run_id
        assert again.source == first.source
        assert again.settings.publish.keep_versions == 9
        assert (again.date, again.rebuild, again.generation) == (first.date, True, None)
        assert again.names == first.names
        assert [stage.name for stage in again.stages] == [stage.name for stage in first.stages][1:]
        assert again.arguments == first.arguments
        assert again.seconds_before == 5.0

    def test_generates_what_was_to_be_generated(self, layout: Layout) -> None:
        began(layout, "--scale", "0.01", "--seed", "7")
        again = plan(layout, "--resume")
        assert again.generation is not None
        assert (again.generation.scale, again.generation.seed) == (0.01, 7)

    def test_stays_at_the_day_of_the_run(self, layout: Layout) -> None:
        began(layout, date="2025-11-30")
        assert str(plan(layout, "--resume").date) == "2025-11-30"

    def test_may_repeat_an_argument_and_add_a_configuration(self, layout: Layout, lamps: str, tmp_path: Path) -> None:
        began(layout, "--source", lamps, "--to", "load_facts")
        conf = tmp_path / "conf.yaml"
        conf.write_text("spark: {master: 'local[1]'}\n")
        again = plan(layout, "--resume", "--source", lamps, "--to", "load_facts", "--conf", str(conf))
        assert again.settings.spark.master == "local[1]"

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--source", "completejourney"), r"--source completejourney contradicts the run .*has /.*lamps\.yaml"),
            (("--date", "2025-11-29"), r"--date 2025-11-29 contradicts .*has 2025-11-30.*leave --date out"),
            (("--to", "load_dimensions"), r"--to load_dimensions contradicts .*has load_facts"),
            (("--only", "load_facts"), r"--only load_facts contradicts .*was started without it"),
            (("--rebuild",), r"--rebuild given contradicts"),
        ],
        ids=["source", "date", "selection", "another selection", "rebuild"],
    )
    def test_refuses_another_argument(
        self, layout: Layout, lamps: str, arguments: tuple[str, ...], message: str
    ) -> None:
        began(layout, "--source", lamps, "--date", "2025-11-30", "--to", "load_facts")
        with pytest.raises(UsageError, match=message) as refused:
            plan(layout, "--resume", *arguments)
        assert "\n" not in str(refused.value)

    def test_needs_a_run(self, layout: Layout) -> None:
        with pytest.raises(UsageError, match="there is no run to resume"):
            plan(layout, "--resume")


class TestShopOfARoot:
    @pytest.mark.parametrize("arguments", [(), ("--source", "completejourney"), ("--dry-run",)])
    def test_is_kept(
        self, layout: Layout, lamps: str, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        began(layout, "--source", lamps)
        assert runner.main(["--root", layout.root, *arguments]) == ExitCode.USAGE
        assert capsys.readouterr().err == (
            f"error: the root holds the shop lamps [{layout.root}] -> give --source {lamps}, or another --root\n"
        )
        assert not layout.local("raw").exists()

    def test_is_named_as_it_was_given(self, layout: Layout) -> None:
        began(layout, "--source", "completejourney")
        with pytest.raises(UsageError, match="give --source completejourney, or another --root"):
            plan(layout)

    def test_may_be_given_again(self, layout: Layout, lamps: str) -> None:
        began(layout, "--source", lamps)
        assert plan(layout, "--source", lamps).generation is None

    def test_is_known_of_runs_that_kept_no_arguments(self, layout: Layout, lamps: str) -> None:
        began(layout, "--source", lamps, arguments=None)
        with pytest.raises(UsageError, match="give --source lamps"):
            plan(layout, "--resume")
        assert plan(layout, "--resume", "--source", lamps).source.name == "lamps"

    def test_is_nobodys_where_the_first_run_failed_before_it_kept_anything(self, layout: Layout, lamps: str) -> None:
        began(layout, "--source", lamps)
        run = {**read_json(layout.local("ops", "run.json")), "status": "failed"}
        write_json(layout.local("ops", "run.json"), run)
        assert plan(layout).generation is not None
        layout.local("clean", "users", "_delta_log").mkdir(parents=True)
        with pytest.raises(UsageError, match="the root holds the shop lamps"):
            plan(layout)


class TestScaleAndSeed:
    @pytest.mark.parametrize("scale", ["0", "-1", "100.5", "nan", "inf", "0.0001", "much"])
    @pytest.mark.parametrize("more", [(), ("--dry-run",)])
    def test_a_scale_that_is_none(
        self, layout: Layout, scale: str, more: tuple[str, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert runner.main(["--root", layout.root, "--scale", scale, *more]) == ExitCode.USAGE
        said = capsys.readouterr()
        assert f"{scale!r} is not a scale; give a number from 0.001 to 100" in said.err
        assert (said.err.count("\n"), said.out) == (1, "")
        assert not layout.local().exists()

    @pytest.mark.parametrize("option", [("--scale", "2"), ("--seed", "3")])
    @pytest.mark.parametrize("more", [("--only", "load_facts"), ("--from", "load_facts"), ("--source", "lamps")])
    def test_are_refused_where_nothing_is_generated(
        self, layout: Layout, lamps: str, option: tuple[str, str], more: tuple[str, str]
    ) -> None:
        selection = ("--source", lamps) if more[0] == "--source" else more
        with pytest.raises(UsageError, match=rf"{option[0]} {option[1]}\S* has nothing to work on"):
            plan(layout, *selection, *option)

    def test_may_repeat_those_of_the_root(self, layout: Layout) -> None:
        write_json(layout.local("truth", "generation.json"), {"scale": 0.01, "seed": 42, "rows": {}})
        assert plan(layout, "--only", "load_facts", "--scale", "0.01", "--seed", "42").generation is None
        with pytest.raises(UsageError, match=r"--scale 1\.0 has nothing .*the root holds data of scale 0\.01"):
            plan(layout, "--only", "load_facts", "--scale", "1")


class TestStateOfARun:
    @pytest.fixture
    def run(self, layout: Layout) -> Iterator[dict[str, Any]]:
        began(layout, "--source", "completejourney", done=("land_raw",))
        run = last_run(layout)
        assert run is not None
        yield run

    def test_is_running_while_its_process_holds_the_lock(self, layout: Layout, run: dict[str, Any]) -> None:
        with hold(layout, ("run",)):
            assert state_of(layout, run) == "running"
        assert state_of(layout, run) == "interrupted"

    def test_is_interrupted_where_another_holds_it(self, layout: Layout, run: dict[str, Any]) -> None:
        began(layout, "--source", "completejourney", run_id="later")
        with hold(layout, ("run",)):
            assert state_of(layout, run) == "interrupted"

    def test_is_not_taken_from_a_number_that_another_process_has_now(self, layout: Layout, run: dict[str, Any]) -> None:
        layout.local("ops", "locks").mkdir(parents=True)
        layout.local("ops", "locks", "run.lock").write_text(str(os.getpid()))
        assert state_of(layout, run) == "interrupted"

    @pytest.mark.parametrize("status", ["ok", "failed"])
    def test_is_what_it_says_at_its_end(self, layout: Layout, run: dict[str, Any], status: str) -> None:
        assert state_of(layout, {**run, "status": status}) == status
