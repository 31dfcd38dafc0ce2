"""The bundle: the same bytes each time, whole, and usable without the checkout."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from common.errors import ConfigurationError
from pipelines import dist

PROJECT = Path(__file__).resolve().parents[3]
FILES = {
    "common/__init__.py": '__version__ = "1.2.3"\n',
    "common/storage/__init__.py": "",
    "conf/base.yaml": "profile: local\n",
    "conf/sources/generated.yaml": "name: generated\n",
    "jobs/__init__.py": "",
    "jobs/clean_users.py": "import common\n",
    "LICENSE": "A licence\n",
    "requirements.txt": "",
    ".gitignore": "__pycache__/\n",
}


def git(project: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", project, *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small checkout with the product's own build files."""
    root = tmp_path / "project"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    for name in ("setup.py", "pyproject.toml"):
        shutil.copyfile(PROJECT / name, root / name)
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "Start")
    return root


def bytes_of(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_two_checkouts_of_a_commit_give_the_same_bytes(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "clone"
    subprocess.run(["git", "clone", "-q", project, other], check=True)
    for number, path in enumerate(sorted(other.rglob("*.py"))):
        os.utime(path, (number, number))
        path.chmod(0o600)
    (other / "common" / "__pycache__").mkdir()
    (other / "common" / "__pycache__" / "left.pyc").write_bytes(b"left over")
    git(other, "config", "core.fileMode", "false")
    assert dist.build(project, tmp_path / "one")
    assert dist.build(other, tmp_path / "two")
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    assert not json.loads((tmp_path / "two" / "manifest.json").read_text())["dirty"]


def test_the_manifest_names_each_file_with_its_checksum(project: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    dist.build(project, output)
    manifest = json.loads((output / "manifest.json").read_text())
    made = bytes_of(output)
    archive = "ecommerce-platform-1.2.3.zip"
    listed = {entry["path"]: (entry["bytes"], entry["sha256"]) for entry in manifest["files"]}
    expected = {
        name: (len(data), hashlib.sha256(data).hexdigest())
        for name, data in made.items()
        if name not in {"manifest.json", archive, f"{archive}.sha256"}
    }
    assert listed == expected
    assert set(listed) == {
        *("LICENSE", "requirements.txt", "common.zip", "common-1.2.3-py3-none-any.whl"),
        *("jobs/clean_users.py", "conf/base.yaml", "conf/sources/generated.yaml"),
    }
    assert manifest["version"] == "1.2.3"
    assert len(manifest["commit"]) == 40
    assert made[f"{archive}.sha256"].decode() == f"{hashlib.sha256(made[archive]).hexdigest()}  {archive}\n"


def test_the_archive_holds_all_of_it(project: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    dist.build(project, output)
    with zipfile.ZipFile(output / "ecommerce-platform-1.2.3.zip") as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    made = {
        f"ecommerce-platform-1.2.3/{name}": data
        for name, data in bytes_of(output).items()
        if not name.startswith("ecommerce-platform-")
    }
    assert packed == made


@pytest.mark.parametrize("name", ["common.zip", "common-1.2.3-py3-none-any.whl"])
def test_the_configuration_lies_in_the_package(project: Path, tmp_path: Path, name: str) -> None:
    dist.build(project, tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "out" / name) as archive:
        assert archive.read("common/_conf/sources/generated.yaml") == b"name: generated\n"
        assert "common/storage/__init__.py" in archive.namelist()


def test_nothing_is_made_again_until_something_changes(project: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert dist.build(project, output)
    assert not dist.build(project, output)
    (output / "common.zip").unlink()
    assert dist.build(project, output)
    (project / "jobs" / "clean_users.py").unlink()
    (project / "jobs" / "clean_products.py").write_text("import common\n")
    assert dist.build(project, output)
    assert json.loads((output / "manifest.json").read_text())["dirty"]
    assert sorted(path.name for path in (output / "jobs").iterdir()) == ["clean_products.py"]


def test_a_directory_with_other_files_is_left_alone(project: Path, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Dear")
    with pytest.raises(ConfigurationError, match="holds something else"):
        dist.build(project, tmp_path / "letters")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["dear.txt"]


def test_a_missing_source_is_named(project: Path, tmp_path: Path) -> None:
    shutil.rmtree(project / "jobs")
    with pytest.raises(ConfigurationError, match="nothing to bundle in jobs"):
        dist.build(project, tmp_path / "out")


def test_the_platforms_own_zip_finds_its_configuration_from_anywhere(tmp_path: Path) -> None:
    dist.build(PROJECT, tmp_path / "out")
    program = "from common.settings import load_settings, load_source; load_source(load_settings().source)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "out" / "common.zip"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
