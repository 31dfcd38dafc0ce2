"""The gate: what closes it, what only warns, and what its stored results may show."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.errors import ConfigurationError, GateFailedError
from common.layout import Layout
from common.quality.gate import Gatekeeper
from common.storage.local_frames import local_frame

Keeper = Callable[..., Gatekeeper]
NOT_NULL = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "email"}, "severity": "critical"}
NOT_EMPTY = {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 1}, "severity": "critical"}
KNOWN = {
    "type": "expect_column_values_to_be_in_set",
    "kwargs": {"column": "email", "value_set": {"$PARAMETER": "known"}},
    "severity": "warning",
}


@pytest.fixture
def keeper(layout: Layout, tmp_path: Path) -> Keeper:
    """A gatekeeper with one suite of the given expectations."""

    def make(*expectations: dict[str, Any], run_id: str = "run-1", suite: str = "people") -> Gatekeeper:
        directory = tmp_path / "suites"
        directory.mkdir(exist_ok=True)
        (directory / f"{suite}.json").write_text(json.dumps({"name": suite, "expectations": expectations}))
        return Gatekeeper(layout, run_id, directory)

    return make


@pytest.fixture(scope="module")
def people(spark: SparkSession) -> DataFrame:
    return local_frame(spark, [("ada@secret.example",), ("bob@secret.example",), (None,)], "email string")


def executions(spark: SparkSession) -> int:
    """The number that Spark gives the next of its executions, taken by asking for it."""
    assert spark._jvm is not None
    numbers = getattr(spark._jvm, "org.apache.spark.sql.execution.SQLExecution$")
    return int(getattr(numbers, "MODULE$").nextExecutionId())


def test_a_critical_failure_closes_the_gate(keeper: Keeper, people: DataFrame) -> None:
    result = keeper(NOT_NULL, KNOWN).validate("people", people, {"known": ["nobody"]})
    assert (result.passed, result.evaluated) == (False, 2)
    assert [str(each) for each in result.failures] == [
        "expect_column_values_to_not_be_null email (1 unexpected, 33.33 %)"
    ]
    with pytest.raises(GateFailedError, match="gate people failed: expect_column_values_to_not_be_null email"):
        result.require()


def test_a_run_whose_name_reads_as_an_impossible_time_is_validated(
    layout: Layout, keeper: Keeper, people: DataFrame
) -> None:
    keeper(KNOWN)
    gatekeeper = Gatekeeper(layout, "20261124T234518Z-3071ad", Path(layout.root).parent / "suites")
    assert gatekeeper.validate("people", people, {"known": ["nobody"]}).evaluated == 1


@pytest.mark.parametrize(
    ("kind", "kwargs"),
    [
        ("expect_column_value_lengths_to_be_between", [{"column": "email", "max_value": most} for most in range(1, 6)]),
        ("expect_column_values_to_be_unique", [{"column": each} for each in ("email", "name")]),
        (
            "expect_column_pair_values_to_be_equal",
            [{"column_A": first, "column_B": second} for first, second in (("email", "name"), ("name", "email"))],
        ),
    ],
)
def test_more_expectations_ask_no_more_queries(
    spark: SparkSession, keeper: Keeper, people: DataFrame, kind: str, kwargs: list[dict[str, Any]]
) -> None:
    """All counts come of the same few: no values are asked for."""
    held = [{"type": kind, "kwargs": each, "severity": "critical"} for each in kwargs]
    named = people.withColumn("name", F.lit("Ada"))
    queries = []
    for expectations in (held[:1], held):
        first = executions(spark)
        assert keeper(*expectations).validate("people", named).evaluated == len(expectations)
        queries.append(executions(spark) - first - 1)
    assert queries[0] == queries[1] <= 3


def test_a_warning_leaves_it_open(keeper: Keeper, people: DataFrame) -> None:
    result = keeper(KNOWN).validate("people", people, {"known": ["ada@secret.example"]})
    assert result.passed
    assert result.require() is result
    assert [each.expectation for each in result.warnings] == ["expect_column_values_to_be_in_set email"]


@pytest.mark.parametrize(
    ("kind", "kwargs", "finding"),
    [
        (
            "expect_table_row_count_to_be_between",
            {"min_value": {"$PARAMETER": "usual"}},
            "expect_table_row_count_to_be_between (observed 3; expected at least 185)",
        ),
        (
            "expect_table_row_count_to_equal",
            {"value": {"$PARAMETER": "usual"}},
            "expect_table_row_count_to_equal (observed 3; expected 185)",
        ),
        ("expect_table_row_count_to_be_between", {"max_value": 2}, "(observed 3; expected at most 2)"),
        (
            "expect_column_value_lengths_to_be_between",
            {"column": "email", "min_value": 1, "max_value": 9, "mostly": 0.95},
            "; expected 1 to 9 in 95 % of the rows or more)",
        ),
        (
            "expect_column_value_lengths_to_be_between",
            {"column": "email", "min_value": 99, "strict_min": True},
            "; expected above 99)",
        ),
        (
            "expect_column_values_to_match_regex",
            {"column": "email", "regex": "^[0-9]+$"},
            "(2 unexpected, 100 %; expected a match of ^[0-9]+$)",
        ),
        (
            "expect_column_values_to_be_in_set",
            {"column": "email", "value_set": {"$PARAMETER": "known"}},
            "; expected one of n0, n1, n2, n3, n4, n5, n6, n7 and 2 more)",
        ),
        (
            "expect_column_distinct_values_to_be_in_set",
            {"column": "email", "value_set": ["nobody"]},
            "(2 unexpected; expected one of nobody)",
        ),
        (
            "expect_column_distinct_values_to_equal_set",
            {"column": "email", "value_set": ["nobody"]},
            "(2 unexpected; expected exactly nobody)",
        ),
    ],
)
def test_a_finding_says_what_was_expected_and_shows_no_values(
    keeper: Keeper, people: DataFrame, kind: str, kwargs: dict[str, Any], finding: str
) -> None:
    expectation = {"type": kind, "kwargs": kwargs, "severity": "critical"}
    parameters = {"usual": 185, "known": [f"n{number}" for number in range(10)]}
    result = keeper(expectation).validate("people", people, parameters)
    (failure,) = result.failures
    assert finding in str(failure)
    assert "secret.example" not in str(failure)


def test_results_and_pages_show_no_values_of_the_data(keeper: Keeper, people: DataFrame, layout: Layout) -> None:
    gatekeeper = keeper(NOT_NULL, KNOWN)
    gatekeeper.validate("people", people, {"known": ["nobody"]})
    gatekeeper.publish_documents()
    stored = [path for path in layout.local("ops", "gx").rglob("*") if path.suffix in {".json", ".html"}]
    assert any(path.suffix == ".json" for path in stored)
    assert layout.local("ops", "gx", "data_docs", "index.html") in stored
    assert not [path for path in stored if "secret.example" in path.read_text(encoding="utf-8")]


class TestDocuments:
    """What a run adds to the pages of earlier ones."""

    @pytest.fixture
    def site(self, layout: Layout) -> Path:
        return layout.local("ops", "gx", "data_docs")

    @staticmethod
    def publish(gatekeeper: Gatekeeper, suite: str, people: DataFrame) -> None:
        gatekeeper.validate(suite, people, {"known": ["nobody"]})
        gatekeeper.publish_documents()

    def test_a_run_renders_its_own_results_and_the_index_links_all(
        self, keeper: Keeper, people: DataFrame, site: Path
    ) -> None:
        self.publish(keeper(NOT_NULL), "people", people)
        (earlier,) = (site / "validations" / "people").rglob("*.html")
        suite = site / "expectations" / "people.html"
        for page in (earlier, suite):
            page.write_text("as the earlier run made it", encoding="utf-8")
        self.publish(keeper(NOT_EMPTY, run_id="run-2", suite="folk.others"), "folk.others", people)
        (later,) = (site / "validations" / "folk" / "others" / "run-2").rglob("*.html")
        assert {page.read_text(encoding="utf-8") for page in (earlier, suite)} == {"as the earlier run made it"}
        assert index_of(site) == {
            later.relative_to(site).as_posix(): ("folk.others", "run-2", "passed"),
            earlier.relative_to(site).as_posix(): ("people", "run-1", "1 failed"),
        }
        assert next(iter(index_of(site))).startswith("validations/folk"), "the newest first"
        index = (site / "index.html").read_text(encoding="utf-8")
        links = re.findall(r'(?:href|src)="([^"]+)"', index)
        assert {link for link in links if link.startswith("expectations/")} == {
            "expectations/people.html",
            "expectations/folk/others.html",
        }
        assert all((site / link).is_file() for link in links)

    def test_the_index_tells_warnings_from_what_closes_a_gate(
        self, keeper: Keeper, people: DataFrame, site: Path
    ) -> None:
        """And says so without a script, and without the web."""
        warning = {**NOT_NULL, "severity": "warning"}
        self.publish(keeper(warning, NOT_EMPTY), "people", people)
        assert [result for _, _, result in index_of(site).values()] == ["passed, 1 warning"]
        self.publish(keeper(warning, KNOWN, NOT_NULL, run_id="run-2"), "people", people)
        assert [result for _, _, result in index_of(site).values()] == ["1 failed, 2 warnings", "passed, 1 warning"]
        index = (site / "index.html").read_text(encoding="utf-8")
        assert "<script" not in index
        assert "http" not in index

    @pytest.mark.parametrize("run_id", ["profiling-1", "1"])
    def test_a_run_of_any_name_has_its_page(self, keeper: Keeper, people: DataFrame, site: Path, run_id: str) -> None:
        self.publish(keeper(NOT_EMPTY, run_id=run_id), "people", people)
        assert [run for _, run, _ in index_of(site).values()] == [run_id]

    def test_a_result_that_a_kill_left_half_written_has_no_link_and_is_in_nobodys_way(
        self, keeper: Keeper, people: DataFrame, layout: Layout, site: Path
    ) -> None:
        self.publish(keeper(NOT_NULL), "people", people)
        (whole,) = layout.local("ops", "gx", "validations").rglob("*.json")
        whole.write_text(whole.read_text(encoding="utf-8")[:99], encoding="utf-8")
        self.publish(keeper(NOT_NULL, run_id="run-2"), "people", people)
        assert [run for _, run, _ in index_of(site).values()] == ["run-2"]

    def test_a_run_that_validated_nothing_leaves_the_index_as_it_is(self, keeper: Keeper, site: Path) -> None:
        keeper(NOT_NULL).publish_documents()
        assert not site.exists()


def index_of(site: Path) -> dict[str, tuple[str, str, str]]:
    """Suite, run and result by page, in the order of the index."""
    index = (site / "index.html").read_text(encoding="utf-8")
    found = {}
    for section in index.split("<h2>")[1:]:
        for page, suite, result in re.findall(
            r'<tr><td><a href="([^"]+)">([^<]+)</a></td><td class="\w+">([^<]+)<', section
        ):
            found[page] = (suite, section.split()[0], result)
    return found


@pytest.mark.parametrize(
    ("expectation", "kind", "message"),
    [
        ({**NOT_NULL, "kwargs": {"column": "phone"}, "severity": "warning"}, None, "could not run"),
        ({"type": "expect_wonders", "kwargs": {}}, ConfigurationError, "does not accept the suite people: expect_wond"),
        (None, GateFailedError, "gate people evaluated nothing"),
    ],
    ids=["a column that is not there", "an unknown expectation", "no expectation"],
)
def test_what_could_not_run_has_failed(
    keeper: Keeper,
    people: DataFrame,
    expectation: dict[str, Any] | None,
    kind: type[Exception] | None,
    message: str,
) -> None:
    gatekeeper = keeper(expectation) if expectation else keeper()
    if kind is not None:
        with pytest.raises(kind, match=message):
            gatekeeper.validate("people", people)
        return
    result = gatekeeper.validate("people", people)
    assert not result.passed, "even an expectation that only warns"
    assert message in str(result.failures[0])


def test_a_missing_suite_is_named(keeper: Keeper, people: DataFrame) -> None:
    with pytest.raises(ConfigurationError, match="no suite strangers"):
        keeper(NOT_NULL).validate("strangers", people)


def test_a_suite_that_is_no_json_is_named(keeper: Keeper, people: DataFrame, tmp_path: Path) -> None:
    gatekeeper = keeper(NOT_NULL)
    (tmp_path / "suites" / "people.json").write_text("{")
    with pytest.raises(ConfigurationError, match="does not accept the suite people"):
        gatekeeper.validate("people", people)
