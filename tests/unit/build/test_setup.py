"""Set-up's steps: Java, jars, Spark's files, the token key."""

from __future__ import annotations

import hashlib
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from common.errors import ConfigurationError
from pipelines.setup import jars, java, spark_files, token_key

GIB = 1024**3
PROJECT = Path(__file__).resolve().parents[3]


def fake_java(home: Path, version: str) -> Path:
    """A Java home whose `java` says that it is of a version."""
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "java"
    program.write_text(
        f"#!/bin/sh\necho '    java.home = {home}' >&2\necho '    java.specification.version = {version}' >&2\n"
    )
    program.chmod(0o755)
    return home


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        (("17",), 17),
        (("21", "17"), 17),
        (("25", "21"), 21),
        (("1.8", "11", "25"), None),
        ((), None),
    ],
)
def test_java_17_goes_before_21_and_others_are_ignored(tmp_path: Path, installed: tuple[str, ...], chosen: int) -> None:
    for version in installed:
        fake_java(tmp_path / f"jdk-{version}", version)
    found, _ = java.find({"PATH": ""}, [f"{tmp_path}/*"])
    assert (found.major if found else None) == chosen


def test_a_fitting_java_home_wins_over_a_preferred_version(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "mine", "21")
    fake_java(tmp_path / "usual" / "jdk-17", "17")
    found, unfit = java.find({"JAVA_HOME": str(home), "PATH": ""}, [f"{tmp_path}/usual/*"])
    assert found == java.Java(home, 21)
    assert unfit == []


def test_an_unfit_java_home_is_passed_over_and_told(tmp_path: Path) -> None:
    wrong = fake_java(tmp_path / "mine", "25")
    right = fake_java(tmp_path / "usual" / "jdk-17", "17")
    found, unfit = java.find({"JAVA_HOME": str(wrong), "PATH": ""}, [f"{tmp_path}/usual/*"])
    assert found == java.Java(right, 17)
    assert unfit == [java.Java(wrong, 25)]


def test_a_java_that_does_not_run_is_none(tmp_path: Path) -> None:
    assert java.probe(tmp_path) is None


def test_no_java_ends_in_one_line_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "find", lambda environment: (None, [java.Java(Path("/opt/jdk-25"), 25)]))
    monkeypatch.setattr(java, "install", lambda environment: None)
    with pytest.raises(ConfigurationError) as refused:
        java.find_or_install({})
    assert "found Java 25 in /opt/jdk-25" in str(refused.value)
    assert "install openjdk-17-jre-headless" in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(("status", "result"), [(0, "apt-get"), (100, None)])
def test_java_is_installed_by_the_package_manager_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, result: str | None
) -> None:
    calls = tmp_path / "calls"
    manager = tmp_path / "apt-get"
    manager.write_text(f'#!/bin/sh\necho "$*" >>"{calls}"\nexit {status}\n')
    manager.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert java.install({"PATH": str(tmp_path)}) == result
    assert calls.read_text().splitlines() == ["-q update", "-q -y install openjdk-17-jre-headless"]


def test_java_is_not_installed_where_that_needs_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {"sudo": "exit 1", "apt-get": f"touch {tmp_path}/called"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert java.install({}) is None
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize(
    ("jar", "artifact"),
    [
        ("delta-spark_4.2_2.13-4.4.0.jar", "delta-spark"),
        ("delta-spark_2.13-4.3.0.jar", "delta-spark"),
        ("spark-sql-kafka-0-10_2.13-4.2.0.jar", "spark-sql-kafka-0-10"),
        ("kafka-clients-3.9.2.jar", "kafka-clients"),
    ],
)
def test_the_artifact_of_a_jar(jar: str, artifact: str) -> None:
    assert jars.artifact_of(jar) == artifact


def test_jars_that_are_missing_changed_or_of_another_version(tmp_path: Path) -> None:
    (tmp_path / "right-1.0.jar").write_bytes(b"right")
    (tmp_path / "changed-1.0.jar").write_bytes(b"something else")
    (tmp_path / "right-0.9.jar").write_bytes(b"old")
    (tmp_path / "other-0.9.jar").write_bytes(b"none of ours")
    checksum = hashlib.sha256(b"right").hexdigest()
    pins = {"right-1.0.jar": checksum, "changed-1.0.jar": checksum, "missing-1.0.jar": checksum}
    assert jars.wrong_or_missing(pins, tmp_path) == ["changed-1.0.jar", "missing-1.0.jar"]
    assert jars.stale_versions(pins, tmp_path) == [tmp_path / "right-0.9.jar"]


def test_jars_come_from_the_cache_without_a_network_and_only_once(tmp_path: Path) -> None:
    home, conf, cache = tmp_path / "spark", tmp_path / "conf", tmp_path / "cache"
    for directory in (home / "jars", conf, cache):
        directory.mkdir(parents=True)
    (cache / "delta-1.0.jar").write_bytes(b"delta")
    (home / "jars" / "delta-0.9.jar").write_bytes(b"old")
    (conf / "jars.sha256").write_text(f"{hashlib.sha256(b'delta').hexdigest()}  delta-1.0.jar\n")
    assert jars.install(home, conf, tmp_path / "no-java", cache) == 1
    assert jars.install(home, conf, tmp_path / "no-java", cache) == 0
    assert [jar.name for jar in (home / "jars").iterdir()] == ["delta-1.0.jar"]


def test_a_pin_that_is_no_checksum_is_named_by_its_line(tmp_path: Path) -> None:
    pins = tmp_path / "jars.sha256"
    pins.write_text(f"{'a' * 64}  one-1.jar\nabc  two-1.jar\n")
    with pytest.raises(ConfigurationError, match=r"jars\.sha256:2"):
        jars.read_pins(pins)


def test_each_pinned_jar_is_fetched_by_ivy_and_no_other() -> None:
    conf = PROJECT / "conf" / "spark"
    ivy = (conf / "ivy.xml").read_text(encoding="utf-8")
    for name in jars.read_pins(conf / "jars.sha256"):
        artifact, _, version = name.removesuffix(".jar").rpartition("-")
        assert f'name="{artifact}" rev="{version}" transitive="false"' in ivy
    assert ivy.count("<dependency ") == len(jars.read_pins(conf / "jars.sha256"))


@pytest.mark.parametrize(
    ("machine", "heap"), [(64 * GIB, "4g"), (8 * GIB, "4g"), (6 * GIB, "3g"), (5 * GIB, "2560m"), (GIB, "1g")]
)
def test_the_driver_gets_half_of_the_machine_within_limits(machine: int, heap: str) -> None:
    assert spark_files.driver_memory(machine) == heap


def test_spark_files_are_written_once_and_launchers_need_no_variable(tmp_path: Path) -> None:
    venv, spark_home = tmp_path / "my venv", tmp_path / "my venv" / "spark"
    (spark_home / "bin").mkdir(parents=True)
    (venv / "bin").mkdir()
    real = spark_home / "bin" / "spark-submit"
    real.write_text('#!/bin/sh\necho "$JAVA_HOME|$SPARK_HOME|$PYSPARK_PYTHON|$SPARK_LOCAL_IP|$HADOOP_CONF_DIR|$*"\n')
    real.chmod(0o755)
    where = {
        "conf": PROJECT / "conf" / "spark",
        "venv": venv,
        "spark_home": spark_home,
        "java_home": Path("/opt/my java"),
        "token_key_file": tmp_path / "token.key",
    }
    assert "spark-submit" in spark_files.write_spark_files(**where, memory=8 * GIB)
    assert spark_files.write_spark_files(**where, memory=8 * GIB) == []
    shown = subprocess.run(
        [venv / "bin" / "spark-submit", "job.py", "--root", "a b"],
        env={
            "PATH": "/usr/bin:/bin",
            "JAVA_HOME": "/wrong",
            "PYSPARK_PYTHON": "wrong",
            "HADOOP_CONF_DIR": "/etc/hadoop",
        },
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    expected = f"/opt/my java|{spark_home}|{venv}/bin/python|127.0.0.1|/etc/hadoop|job.py --root a b\n"
    assert (shown.stdout, shown.stderr) == (expected, "")
    assert "spark.driver.memory                                  4g" in (
        spark_home / "conf" / "spark-defaults.conf"
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("environment", "kept"),
    [
        ({}, None),
        ({"PYTHONDONTWRITEBYTECODE": "1"}, "{venv}/cache/bytecode"),
        ({"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/elsewhere"}, "/elsewhere"),
    ],
    ids=["usual", "not beside the sources", "elsewhere"],
)
def test_bytecode_is_kept_in_any_case(tmp_path: Path, environment: dict[str, str], kept: str | None) -> None:
    venv = tmp_path / "my venv"
    spark_files.write_spark_files(
        conf=PROJECT / "conf" / "spark",
        venv=venv,
        spark_home=venv / "spark",
        java_home=Path("/opt/java"),
        token_key_file=tmp_path / "token.key",
        memory=8 * GIB,
    )
    program = "import sys; print(sys.dont_write_bytecode, sys.pycache_prefix)"
    shown = subprocess.run(
        ["bash", "-c", '. "$0"; exec "$@"', venv / "platform.env", sys.executable, "-c", program],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == f"False {kept.format(venv=venv) if kept else None}\n"


def test_the_token_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = token_key.key_path({"HOME": str(tmp_path)}, tmp_path / ".venv")
    assert path == tmp_path / ".config" / "ecommerce-platform" / "token.key"
    assert token_key.ensure_key(path) is True
    key = path.read_text(encoding="ascii")
    assert token_key.ensure_key(path) is False
    assert path.read_text(encoding="ascii") == key
    assert len(bytes.fromhex(key)) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["token.key"]


def test_where_the_token_key_is(tmp_path: Path) -> None:
    venv = tmp_path / ".venv"
    venv.mkdir()
    assert token_key.key_path({}, venv) == venv / "token.key"
    assert token_key.key_path({"HOME": "/dev/null"}, venv) == venv / "token.key"
    assert token_key.key_path({"HOME": "/h", "XDG_CONFIG_HOME": str(tmp_path)}, venv).parent.parent == tmp_path
    assert token_key.key_path({token_key.VARIABLE: "/keys/k"}, venv) == Path("/keys/k")


@pytest.mark.parametrize("home", ["/proc/none", "/dev/null"])
def test_a_home_that_refuses_the_key_leaves_it_in_the_environment(tmp_path: Path, home: str) -> None:
    assert token_key.place_key({"HOME": home}, tmp_path) == (tmp_path / "token.key", True)
    assert token_key.place_key({"HOME": home}, tmp_path) == (tmp_path / "token.key", False)


def test_a_named_key_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot write the token key"):
        token_key.place_key({token_key.VARIABLE: "/proc/none/token.key"}, tmp_path)


def test_the_token_key_of_the_last_set_up_stays_under_another_home(tmp_path: Path) -> None:
    venv, key = tmp_path / ".venv", tmp_path / "first" / "token.key"
    (venv / "bin").mkdir(parents=True)
    token_key.ensure_key(key)
    spark_files.write_spark_files(
        conf=PROJECT / "conf" / "spark",
        venv=venv,
        spark_home=venv / "spark",
        java_home=Path("/opt/java"),
        token_key_file=key,
        memory=8 * GIB,
    )
    assert token_key.key_path({"HOME": str(tmp_path / "second")}, venv) == key
    key.unlink()
    assert token_key.key_path({"HOME": str(tmp_path / "second")}, venv) != key
