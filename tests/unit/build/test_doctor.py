"""The doctor's checks, each on a machine with one thing wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.doctor.checks import GIB, State, examine
from pipelines.doctor.machine import Machine, read_machine, read_requirements
from pipelines.setup.java import Java

PROJECT = Path(__file__).resolve().parents[3]
PINS = {
    "pyspark": "4.2.0",
    "delta-spark": "4.4.0",
    "great-expectations": "1.24.1",
    "pandas": "2.3.3",
    "pyarrow": "25.0.1",
    "rich": "15.0.0",
}
JARS = {"delta-spark_4.2_2.13-4.4.0.jar": "aa", "kafka-clients-3.9.2.jar": "bb"}
HEALTHY = Machine(
    python=(3, 11, 7),
    java=Java(Path("/opt/java-17"), 17),
    unfit_java=(),
    packages=PINS,
    pins=PINS,
    jar_pins=JARS,
    jars=JARS,
    spark_files={"spark-defaults.conf": True, "spark-submit": True},
    memory=16 * GIB,
    root="/data",
    is_remote_root=False,
    disk_free=100 * GIB,
    is_root_writable=True,
    key_file=Path("/keys/token.key"),
    key_mode=0o600,
    hadoop_conf_dir=None,
    hadoop_conf_files=frozenset(),
)
SETUP = "run ./build.sh setup"


def test_a_healthy_machine_has_nothing_but_ok() -> None:
    findings = examine(HEALTHY)
    assert {finding.state for finding in findings} == {State.OK}
    assert [finding.check for finding in findings] == [
        *("Python", "Java", "pyspark", "delta-spark", "great-expectations", "pandas", "pyarrow"),
        *("connector jars", "Spark's files", "memory", "disk", "root", "token key"),
    ]


def without(mapping: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in mapping.items() if key != name}


WRONG: list[tuple[dict[str, Any], State, str, str, str]] = [
    ({"python": (3, 10, 4)}, State.PROBLEM, "Python", "3.10.4 is too old", "install python3.11"),
    ({"java": None}, State.PROBLEM, "Java", "17 or 21 is needed, found no Java", "install openjdk-17-jre-headless"),
    (
        {"java": None, "unfit_java": (Java(Path("/opt/jdk-25"), 25),)},
        *(State.PROBLEM, "Java", "found Java 25 in /opt/jdk-25", "install openjdk-17-jre-headless"),
    ),
    ({"java": Java(Path("/opt/jdk-11"), 11)}, State.PROBLEM, "Java", "11 in /opt/jdk-11", "install openjdk-17"),
    ({"packages": PINS | {"pyspark": "4.1.1"}}, State.PROBLEM, "pyspark", "4.1.1 is installed, pinned is 4.2.0", SETUP),
    ({"packages": without(PINS, "pyspark")}, State.PROBLEM, "pyspark", "not installed, pinned is 4.2.0", SETUP),
    ({"packages": PINS | {"rich": "1.0"}}, State.PROBLEM, "rich", "1.0 is installed, pinned is 15.0.0", SETUP),
    (
        {"jars": {"delta-spark_4.2_2.13-4.3.0.jar": "cc", "kafka-clients-3.9.2.jar": "bb"}},
        *(State.PROBLEM, "Delta", "package 4.4.0, jar 4.3.0", SETUP),
    ),
    (
        {"jars": JARS | {"delta-spark_2.13-4.3.0.jar": "cc"}},
        *(State.PROBLEM, "connector jars", "delta-spark_2.13-4.3.0.jar beside the pinned version", SETUP),
    ),
    (
        {"jars": without(JARS, "kafka-clients-3.9.2.jar")},
        *(State.PROBLEM, "connector jars", "kafka-clients-3.9.2.jar is missing", SETUP),
    ),
    (
        {"jars": JARS | {"kafka-clients-3.9.2.jar": "xx"}},
        *(State.PROBLEM, "connector jars", "kafka-clients-3.9.2.jar has not the pinned bytes", SETUP),
    ),
    (
        {"spark_files": {"spark-defaults.conf": False, "spark-submit": True}},
        *(State.PROBLEM, "Spark's files", "missing or changed: spark-defaults.conf", SETUP),
    ),
    ({"memory": 5 * GIB}, State.WARNING, "memory", "5.0 GiB, 6 are comfortable", "smaller --scale"),
    ({"memory": 2 * GIB}, State.PROBLEM, "memory", "2.0 GiB, at least 3 are needed", "larger machine"),
    ({"disk_free": 9 * GIB}, State.WARNING, "disk", "9.0 GiB free under /data, 10 are", "give --root"),
    ({"disk_free": GIB}, State.PROBLEM, "disk", "1.0 GiB free under /data, at least 2", "free some"),
    ({"is_root_writable": False}, State.PROBLEM, "root", "/data cannot be written", "give another --root"),
    ({"key_mode": None}, State.PROBLEM, "token key", "none in /keys/token.key", SETUP),
    ({"key_mode": 0o640}, State.PROBLEM, "token key", "open to others (0640)", "chmod 600 /keys/token.key"),
    (
        {"hadoop_conf_dir": "/etc/hadoop"},
        *(State.PROBLEM, "Hadoop", "HADOOP_CONF_DIR=/etc/hadoop has no core-site.xml", "unset it"),
    ),
    (
        {"hadoop_conf_dir": "/etc/hadoop", "hadoop_conf_files": frozenset({"core-site.xml"})},
        *(State.WARNING, "Hadoop", "default file system", "unset it"),
    ),
]


@pytest.mark.parametrize(("change", "state", "check", "says", "remedy"), WRONG)
def test_what_is_wrong_is_told_with_its_remedy(
    change: dict[str, Any], state: State, check: str, says: str, remedy: str
) -> None:
    told = [finding for finding in examine(replace(HEALTHY, **change)) if finding.state is not State.OK]
    assert any(
        (finding.check, finding.state) == (check, state) and says in finding.says and remedy in finding.remedy
        for finding in told
    ), told
    assert all("\n" not in str(finding) for finding in told)


@pytest.mark.parametrize("change", [{"memory": 6 * GIB}, {"disk_free": 10 * GIB}, {"java": Java(Path("/j"), 21)}])
def test_the_boundary_is_fine(change: dict[str, Any]) -> None:
    assert {finding.state for finding in examine(replace(HEALTHY, **change))} == {State.OK}


def test_a_remote_root_is_not_looked_at() -> None:
    remote = replace(HEALTHY, root="hdfs://host/ecommerce", is_remote_root=True, disk_free=None)
    assert [finding.says for finding in examine(remote) if finding.check in {"disk", "root"}] == [
        "hdfs://host/ecommerce is remote, not looked at"
    ]


def test_nothing_of_the_environment_at_all_is_told_and_not_a_crash() -> None:
    bare = replace(HEALTHY, packages={}, jars={}, java=None, spark_files={"spark-submit": False}, key_mode=None)
    problems = [finding.check for finding in examine(bare) if finding.state is State.PROBLEM]
    assert set(problems) == {"Java", *PINS, "Spark's files", "token key"}


def test_pins_are_read_from_the_requirements(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("# pinned==0\npyspark==4.2.0\nmlflow[extra]==3.1  # why\nrich >= 2\n")
    assert read_requirements(path) == {"pyspark": "4.2.0", "mlflow": "3.1"}


def test_this_environment_is_read_without_spark(tmp_path: Path) -> None:
    machine = read_machine(PROJECT, str(tmp_path / "not" / "yet"), {"HOME": str(tmp_path)})
    assert machine.packages["pyspark"] == machine.pins["pyspark"]
    assert machine.is_root_writable
    assert machine.disk_free
    assert set(machine.jars) >= set(machine.jar_pins)
