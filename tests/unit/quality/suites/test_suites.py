"""Every expectation of every shipped suite is seen to fail, just beyond its limit, and to hold at it."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from common.layout import Layout
from common.quality.gate import Gatekeeper, GateResult
from common.settings import conf_root
from common.storage.local_frames import local_frame
from tests.unit.quality.suites import cleaning, dashboards, loading, models, warehouse
from tests.unit.quality.suites.cases import Case, Row

CASES: dict[str, Case] = {
    case.suite: case for part in (cleaning, loading, warehouse, dashboards, models) for case in part.CASES
}
BREAKS = [(case, place) for case in CASES.values() for place in range(len(case.breaks))]
SHIPPED = sorted(Path(str(conf_root() / "expectations")).glob("*.json"))


@pytest.fixture(scope="module")
def gatekeeper(tmp_path_factory: pytest.TempPathFactory) -> Gatekeeper:
    return Gatekeeper(Layout.at(tmp_path_factory.mktemp("suites")), "run-1")


def frame(spark: SparkSession, schema: str, rows: list[Row]) -> DataFrame:
    """Rows whose values are written as text."""
    fields = cast(StructType, StructType.fromDDL(schema)).fields
    text = [[None if row[each.name] is None else str(row[each.name]) for each in fields] for row in rows]
    made = local_frame(spark, text, ", ".join(f"`{each.name}` string" for each in fields))
    return made.select(*[F.col(each.name).cast(each.dataType) for each in fields])


def label(kind: str, columns: str, severity: str) -> str:
    short = kind.removeprefix("expect_").removeprefix("column_values_to_")
    return f"{'' if severity == 'critical' else '~'}{short} {columns}".strip()


def broken(result: GateResult) -> dict[str, int | None]:
    found = {}
    for each in (*result.failures, *result.warnings):
        kind, _, columns = each.expectation.partition(" ")
        assert "could not run" not in each.observed, each
        count = re.search(r"([\d,]+) unexpected", each.observed)
        found[label(kind, columns, each.severity)] = int(count[1].replace(",", "")) if count else None
    return found


def declared(path: Path) -> list[str]:
    found = []
    for each in json.loads(path.read_text(encoding="utf-8"))["expectations"]:
        named: list[Any] = [
            each["kwargs"][key] for key in ("column", "column_A", "column_B", "column_list") if key in each["kwargs"]
        ]
        found.append(label(each["type"], " ".join(map(str, named)), each["severity"]))
    return found


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_each_expectation_is_broken_by_something(path: Path) -> None:
    wanted = Counter(declared(path))
    assert max(wanted.values()) == 1
    assert {each for change in CASES[path.stem].breaks for each in change.fails} == set(wanted)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_frame_at_the_limits_passes(spark: SparkSession, gatekeeper: Gatekeeper, case: Case) -> None:
    result = gatekeeper.validate(case.suite, frame(spark, case.schema, case.good()), case.parameters)
    assert broken(result) == {}


@pytest.mark.parametrize(("case", "place"), BREAKS, ids=[f"{case.suite}-{place}" for case, place in BREAKS])
def test_just_beyond_them_it_does_not(spark: SparkSession, gatekeeper: Gatekeeper, case: Case, place: int) -> None:
    change = case.breaks[place]
    result = gatekeeper.validate(
        case.suite, frame(spark, case.schema, case.broken(change)), {**case.parameters, **change.parameters}
    )
    assert broken(result) == change.fails
