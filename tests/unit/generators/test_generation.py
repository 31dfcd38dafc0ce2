"""The generator's promises about files: counts, determinism, exit codes, refusal, increments."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from generators.generation import GenerationError, generate, generate_increment
from generators.run_all_generators import main

SCALE, SEED, TINY = 0.005, 7, 0.001
SCRIPT = Path(__file__).parents[3] / "generators" / "run_all_generators.py"


def digests(root: Path, below: str = ".") -> dict[str, str]:
    files = sorted(path for path in (root / below).rglob("*") if path.is_file() and path.name != "generation.json")
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_surviving_rows_are_as_many_as_the_scale_says(generated: Path) -> None:
    surviving = json.loads((generated / "truth/expected.json").read_text())["surviving"]
    assert surviving["distinct_users"] == 500
    assert surviving["distinct_products"] == 50
    assert surviving["transactions"] == 2_500
    assert surviving["clickstream"] >= 5_000


def test_same_bytes_with_any_number_of_jobs(generated: Path, tmp_path: Path) -> None:
    generate(tmp_path, SCALE, SEED, jobs=1)
    assert digests(tmp_path) == digests(generated)


def test_another_seed_gives_other_data(generated: Path, tmp_path: Path) -> None:
    generate(tmp_path, SCALE, SEED + 1)
    assert (tmp_path / "raw/users/users.csv").read_bytes() != (generated / "raw/users/users.csv").read_bytes()


def test_generating_again_does_nothing(generated: Path) -> None:
    before = digests(generated)
    assert generate(generated, SCALE, SEED).existed
    assert digests(generated) == before


def test_other_data_in_the_root_is_refused_unless_forced(tmp_path: Path) -> None:
    generate(tmp_path, TINY, 1)
    with pytest.raises(GenerationError, match=r"scale 0\.001 and seed 1"):
        generate(tmp_path, TINY, 2)
    generate(tmp_path, TINY, 2, force=True)
    assert json.loads((tmp_path / "truth/generation.json").read_text())["seed"] == 2


def test_data_of_unknown_origin_is_refused(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "mine.csv").write_text("precious")
    with pytest.raises(GenerationError, match="unknown origin"):
        generate(tmp_path, TINY, 1)
    assert (tmp_path / "raw" / "mine.csv").read_text() == "precious"


def test_increments_do_not_depend_on_their_order(tmp_path: Path) -> None:
    days = [dt.date(2025, 12, 1), dt.date(2025, 12, 2), dt.date(2025, 12, 5)]
    generate(tmp_path / "first", TINY, 3)
    for name, order in (("forwards", days), ("backwards", days[::-1]), ("alone", days[1:2])):
        shutil.copytree(tmp_path / "first", tmp_path / name)
        for day in order:
            generate_increment(tmp_path / name, TINY, 3, day)
    forwards = digests(tmp_path / "forwards")
    assert digests(tmp_path / "backwards") == forwards
    alone = digests(tmp_path / "alone")
    assert "raw/transactions/transaction_date=2025-12-02/part-00000.parquet" in alone
    assert alone.items() <= forwards.items()


def test_an_increment_needs_its_first_load(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="generate that first"):
        generate_increment(tmp_path, TINY, 1, dt.date(2025, 12, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scale", "0"], "0 is not a scale"),
        (["--scale", "101"], "101 is not a scale"),
        (["--scale", "nan"], "nan is not a scale"),
        (["--increment", "2025-13-01"], "2025-13-01 is not a date"),
        (["--increment", "2025-11-30"], "lies in the first load"),
        (["--scale", "-5"], "-5 is not a scale"),
        (["--scale=-5"], "-5 is not a scale"),
        (["--seed", "1.5"], "1.5 is not a seed"),
        (["--jobs", "0"], "0 is not a number of threads"),
        (["--nonsense"], "unrecognized arguments"),
    ],
)
def test_wrong_arguments_end_with_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    complaint = capsys.readouterr().err
    assert message in complaint
    assert re.fullmatch(r"error: .+ \[.+\] -> .+\n", complaint)


def test_a_root_that_cannot_be_written_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--scale", "0.001", "--root", str(tmp_path / "file" / "below")]) == 2
    assert "cannot write to" in capsys.readouterr().err


def test_runs_as_a_script_from_anywhere(tmp_path: Path) -> None:
    arguments = [sys.executable, str(SCRIPT), "--scale", "0.001", "--seed", "5", "--root", "made"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "generating plan (5 steps)\n" in done.stderr
    assert "generating clickstream (180 files)\n" in done.stderr
    assert (tmp_path / "made/samples/users.csv").read_text().count("\n") == 21


def test_a_disk_that_is_full_is_one_line_and_leaves_nothing_that_looks_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "raw" / "x"))

    monkeypatch.setattr("generators.base.write_table", full)
    assert main(["--scale", "0.001", "--root", str(tmp_path)]) == 2
    complaint = capsys.readouterr().err.splitlines()[-1]
    assert complaint.startswith("error: cannot write: No space left on device [")
    assert not (tmp_path / "raw").exists()
    monkeypatch.undo()
    assert main(["--scale", "0.001", "--root", str(tmp_path)]) == 0
