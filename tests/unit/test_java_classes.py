"""Java's classes are asked for by name once."""

from __future__ import annotations

from typing import Any

import pytest
from py4j.clientserver import ClientServerConnection
from py4j.protocol import REFLECTION_COMMAND_NAME, Py4JError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from common.java_classes import DELTA_LOG, remember_classes


@pytest.fixture
def looked_up(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions to the JVM about names, from now on."""
    asked: list[str] = []
    really = ClientServerConnection.send_command

    def send(self: Any, command: str) -> Any:
        if command.startswith(REFLECTION_COMMAND_NAME):
            asked.append(command)
        return really(self, command)

    remember_classes(spark)
    monkeypatch.setattr(ClientServerConnection, "send_command", send)
    return asked


def test_a_function_is_looked_up_once(looked_up: list[str]) -> None:
    def sum_of_two() -> str:
        return str(F.col("a") + F.col("b"))

    first = sum_of_two()
    looked_up.clear()
    assert sum_of_two() == first == "Column<'+(a, b)'>"
    assert looked_up == []


def test_what_is_not_remembered_is_looked_up_each_time(spark: SparkSession, looked_up: list[str]) -> None:
    jvm: Any = spark._jvm
    for _ in range(2):
        jvm.java.lang.Math.abs(-1)
    assert len(looked_up) == 2 * len(("java", "java.lang", "java.lang.Math", "abs"))


def test_a_second_time_does_nothing(spark: SparkSession, looked_up: list[str]) -> None:
    remembered = getattr(spark._jvm, DELTA_LOG)
    remember_classes(spark)
    assert getattr(spark._jvm, DELTA_LOG) is remembered
    assert looked_up == []


def test_a_method_that_is_not_there_is_an_error_as_before(spark: SparkSession) -> None:
    remember_classes(spark)
    jvm: Any = spark._jvm
    with pytest.raises(Py4JError, match=r"functions\.colum does not exist"):
        jvm.functions.colum("a")
