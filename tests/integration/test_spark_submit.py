"""What spark-submit gives the shell: each job's exit code and one line, in processes of their own.

What each failure means is tested in test_bad_input.py, in process; here it is that the code gets out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from common.layout import Layout
from common.storage.locks import hold
from pipelines import dist
from tests import samples
from tests.runs import PROJECT, environment_of_a_shell
from tests.shops import PEOPLE, people_shop

pytestmark = pytest.mark.deep


@pytest.fixture(scope="module")
def common_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as spark-submit is given it."""
    made = tmp_path_factory.mktemp("made")
    dist.build(PROJECT, made)
    return made / "common.zip"


def submit(common_zip: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """clean_users as spark-submit runs it."""
    return subprocess.run(
        [Path(sys.executable).parent / "spark-submit", "--py-files", common_zip, "jobs/clean_users.py", *arguments],
        cwd=PROJECT,
        env=environment_of_a_shell(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # spark-submit itself joins the two of the Python that it starts
        text=True,
        check=False,
    )


def one_user(layout: Layout) -> None:
    samples.put_users(layout, [samples.user(1)])


def other_data_only(layout: Layout) -> None:
    samples.put_transactions(layout, [samples.transaction()])


def held(layout: Layout) -> AbstractContextManager[None]:
    return hold(layout, ("clean/users",))


def free(layout: Layout) -> AbstractContextManager[None]:
    return nullcontext()


@pytest.mark.parametrize(
    ("put", "lock", "arguments", "code", "what"),
    [
        (one_user, free, ["--date", "30.11.2025"], 2, "'30.11.2025' is not a date; give YYYY-MM-DD"),
        (other_data_only, free, [], 4, "no raw users"),
        (one_user, held, [], 5, f"clean/users is being written by another run (process {os.getpid()})"),
    ],
    ids=["a date that is none", "no raw data", "a lock that is held"],
)
def test_a_failure_leaves_its_code_and_one_line(  # noqa: PLR0917 - fixtures and cases
    common_zip: Path,
    layout: Layout,
    put: Callable[[Layout], None],
    lock: Callable[[Layout], AbstractContextManager[None]],
    arguments: list[str],
    code: int,
    what: str,
) -> None:
    put(layout)
    with lock(layout):
        done = submit(common_zip, "--root", layout.root, *arguments)
    assert done.returncode == code, done.stdout[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("error:")]
    assert what in line
    assert "Traceback" not in done.stdout
    assert not layout.local("clean", "users", "_delta_log").exists()


@pytest.mark.parametrize("email", ["CAST(mail AS INT)", "split(mail, concat('(', mail))[0]"], ids=["Spark's", "Java's"])
def test_a_value_that_a_function_fails_on_is_not_told(
    common_zip: Path, layout: Layout, tmp_path: Path, email: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE, encoding="utf-8")
    source = people_shop(
        tmp_path, path, select=f"SELECT id AS user_id, {email} AS email, changed AS updated_at FROM people"
    )
    done = submit(common_zip, "--root", layout.root, "--source", source)
    assert done.returncode == 2, done.stdout[-3000:]
    assert "fails on a value" in done.stdout
    assert "@x.org" in PEOPLE
    assert "@x.org" not in done.stdout
    assert "\n\tat " not in done.stdout
