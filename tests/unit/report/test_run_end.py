"""The end of a run: the report is made whatever came of it, and changes nothing about how it ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.errors import InputError
from common.layout import Layout
from common.logs import keep_log
from pipelines import run
from pipelines.plan import Plan
from pipelines.report.__main__ import main
from tests.unit.report.roots import put_run


def begin(monkeypatch: pytest.MonkeyPatch, outcome: int | Exception) -> None:
    """A run whose stages are those of a test."""

    def stages(plan: Plan, console: object) -> int:
        del console
        keep_log(plan.layout, plan.run_id)
        if isinstance(outcome, Exception):
            raise outcome
        put_run(plan.layout, plan.run_id, fails="load_facts" if outcome else None)
        return outcome

    monkeypatch.setattr(run, "_run", stages)


@pytest.mark.parametrize("code", [0, 3])
def test_it_is_made_and_its_path_is_shown(
    monkeypatch: pytest.MonkeyPatch, layout: Layout, capsys: pytest.CaptureFixture[str], code: int
) -> None:
    begin(monkeypatch, code)
    assert run.main(["--root", layout.root]) == code
    page = layout.local("ops", "report", "index.html")
    assert f"report:  {page}" in capsys.readouterr().err
    assert ("This run failed in load_facts" in page.read_text()) == bool(code)


def test_a_run_that_fails_before_its_stages_is_in_it(
    monkeypatch: pytest.MonkeyPatch, layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(monkeypatch, InputError("no file of users", where="raw/users", remedy="deliver it"))
    assert run.main(["--root", layout.root]) == 4
    assert capsys.readouterr().err == "error: no file of users [raw/users] -> deliver it\n"
    said = json.loads(layout.local("ops", "run.json").read_text())
    assert (said["status"], said["error"]) == ("failed", "no file of users [raw/users] -> deliver it")
    text = layout.local("ops", "report", "index.html").read_text()
    assert "This run failed" in text
    assert "no file of users [raw/users] -&gt; deliver it" in text


@pytest.mark.parametrize("code", [0, 3])
def test_a_report_that_fails_hides_nothing(
    monkeypatch: pytest.MonkeyPatch, layout: Layout, capsys: pytest.CaptureFixture[str], code: int
) -> None:
    def broken(root: Layout) -> Path:
        raise OSError(f"no space left in {root.root}")

    begin(monkeypatch, code)
    monkeypatch.setattr(run, "write_report", broken)
    assert run.main(["--root", layout.root]) == code
    assert "report:" not in capsys.readouterr().err
    [log] = layout.local("ops", "logs").glob("*.log")
    assert "the report could not be made" in log.read_text()


class TestCommand:
    def test_it_says_where_the_report_is(self, layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
        put_run(layout)
        assert main(["--root", layout.root]) == 0
        assert capsys.readouterr().out == f"report: {layout.local('ops', 'report', 'index.html')}\n"

    def test_it_replaces_the_one_before_and_leaves_nothing_beside(self, layout: Layout) -> None:
        put_run(layout)
        stale = layout.local("ops", "report", "stale.html")
        stale.parent.mkdir(parents=True)
        stale.write_text("old")
        layout.local("ops", ".report.killed").mkdir()
        assert main(["--root", layout.root]) == 0
        assert not stale.exists()
        assert [path.name for path in layout.local("ops").iterdir() if "report" in path.name] == ["report"]
        assert layout.local("ops", "report", "assets", "plotly.min.js").stat().st_size > 1_000_000

    @pytest.mark.parametrize(
        ("arguments", "code", "line"),
        [
            (["--root", "/nowhere/at/all"], 4, "error: nothing has run here [/nowhere/at/all] -> run ./build.sh run"),
            (["--root", "hdfs://name/shop"], 2, "error: the report reads a directory [--root] -> name a local root"),
            (["--colour"], 2, "error: unrecognized arguments: --colour"),
        ],
    )
    def test_what_it_cannot_do_is_one_line(
        self, arguments: list[str], code: int, line: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(arguments) == code
        said = capsys.readouterr().err
        assert said.startswith(line)
        assert said.count("\n") == 1

    def test_a_ledger_that_is_damaged_is_one_line(self, layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
        put_run(layout)
        for content, line in (
            ("{", "run.json is not JSON"),
            ("{}", "the ledger is not as expected: KeyError 'run_id'"),
        ):
            layout.local("ops", "run.json").write_text(content)
            assert main(["--root", layout.root]) == 4
            assert line in capsys.readouterr().err
