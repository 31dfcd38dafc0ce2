"""The facts that a gate looks at, from answers that are wrong in one way each."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from common.bi.catalogue import parse_catalogue
from common.bi.checks import FACTS_SCHEMA, facts_of, oddities
from common.bi.periods import Period
from common.bi.results import Answer
from common.errors import GateFailedError
from common.quality.gate import GateResult
from common.stages.dashboards import gate_answers

TEXT = """
-- @dashboard revenue
-- title: The shop
-- summary: What it takes in.

-- @query totals
-- title: Totals
-- question: How much?
-- grain: one row
-- key: day
-- period: 3 days
-- needs: sales
-- columns: day date, net money signed, orders count
SELECT 1 LIMIT 2;

-- @query parts
-- title: Parts
-- question: How much of each?
-- grain: a part
-- key: day, part
-- period: 3 days
-- needs: clickstream
-- columns: day date, part text, net money signed, orders count, part_share share, change growth signed
-- agrees: net = totals.net
SELECT 1 LIMIT 3;
"""
(DASHBOARD,) = parse_catalogue(TEXT)
PERIOD = Period(date(2025, 11, 28), date(2025, 11, 30))
DAY = date(2025, 11, 29)
NAMES = [part.strip().split()[0] for part in FACTS_SCHEMA.split(",")]
GOOD = (("a", "7.00", 3, "0.7000", "-2.0000"), ("b", "3.00", 1, "0.3000", "9.0000"))


def money(*values: str | None) -> pa.Array:
    return pa.array([None if value is None else Decimal(value) for value in values], pa.decimal128(18, 2))


def shares(*values: str | None) -> pa.Array:
    return pa.array([None if value is None else Decimal(value) for value in values], pa.decimal128(18, 4))


def totals(net: str = "10.00") -> pa.Table:
    return pa.table({"day": pa.array([DAY]), "net": money(net), "orders": pa.array([4])})


def parts(rows: Any = GOOD, days: Any = None) -> pa.Table:
    names, net, orders, share, change = zip(*rows, strict=True) if rows else ((),) * 5
    return pa.table(
        {
            "day": pa.array(days or [DAY] * len(rows), pa.date32()),
            "part": pa.array(names, pa.string()),
            "net": money(*net),
            "orders": pa.array(orders, pa.int64()),
            "part_share": shares(*share),
            "change": shares(*change),
        }
    )


def facts(total: pa.Table, part: pa.Table, *, clickstream: bool = True) -> dict[str, dict[str, Any]]:
    queries = DASHBOARD.queries
    answers = {query.name: Answer(query, PERIOD, rows, ()) for query, rows in zip(queries, (total, part), strict=True)}
    found = facts_of(DASHBOARD.queries, answers, set() if clickstream else {"clickstream"})
    return {row[0]: dict(zip(NAMES, row, strict=True)) for row in found}


def wrong(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in {"query", "rows"} and value}


def test_good_answers_have_nothing_wrong() -> None:
    found = facts(totals(), parts())
    assert {name: each["rows"] for name, each in found.items()} == {"totals": 1, "parts": 2}
    assert [wrong(each) for each in found.values()] == [{}, {}]


@pytest.mark.parametrize(
    ("rows", "fact", "count"),
    [
        (((None, *GOOD[0][1:]), GOOD[1]), "null_keys", 1),
        ((("b", *GOOD[0][1:]), GOOD[1]), "repeated_keys", 1),
        ((("a", "7.00", -3, "0.7000", None), GOOD[1]), "negative_figures", 1),
        ((("a", "7.00", 3, "1.0001", None), ("b", "3.00", 1, "-0.0001", None)), "shares_out_of_range", 2),
        ((("a", "7.01", 3, "0.7000", None), GOOD[1]), "disagreeing_sums", 1),
        ((("a", None, None, None, None), ("b", "10.00", 1, "1.0000", None)), "", 0),
        ((("a", "-1.00", 3, "0.0000", None), ("b", "11.00", 1, "1.0000", None)), "", 0),
    ],
)
def test_each_defect_is_counted(rows: Any, fact: str, count: int) -> None:
    assert wrong(facts(totals(), parts(rows))["parts"]) == ({fact: count} if fact else {})


def test_sums_of_an_answer_that_was_cut_are_not_compared() -> None:
    cut = (*GOOD, ("c", "0.01", 1, "0.0000", None))
    assert wrong(facts(totals("99.00"), parts(cut))["parts"]) == {"sums_not_compared": 1}
    assert wrong(facts(totals("99.00"), parts(GOOD))["parts"]) == {"disagreeing_sums": 1}


def test_sums_are_not_compared_with_those_of_an_answer_that_was_cut() -> None:
    two_days = pa.table(
        {"day": pa.array([DAY, date(2025, 11, 30)]), "net": money("1", "2"), "orders": pa.array([1, 1])}
    )
    found = facts(two_days, parts())
    assert wrong(found["parts"]) == {"sums_not_compared": 1}
    assert wrong(found["totals"]) == {}


@pytest.mark.parametrize(
    ("day", "outside"),
    [(date(2025, 11, 30), 0), (date(2025, 12, 2), 1), (date(2025, 11, 1), 0), (date(2025, 10, 1), 1)],
)
def test_days_are_within_the_period_or_begin_a_month_that_reaches_into_it(day: date, outside: int) -> None:
    assert facts(totals(), parts(days=[day, DAY]))["parts"]["days_out_of_period"] == outside


def test_an_instant_of_the_last_day_is_within() -> None:
    (query, _) = DASHBOARD.queries
    late = pa.array([datetime(2025, 11, 30, 23, tzinfo=UTC)], pa.timestamp("us", tz="UTC"))
    rows = pa.table({"day": late, "net": money("1.00"), "orders": pa.array([1])})
    answers = {query.name: Answer(query, PERIOD, rows, ()), "parts": Answer(DASHBOARD.queries[1], PERIOD, parts(), ())}
    (first, _) = facts_of(DASHBOARD.queries, answers, set())
    assert dict(zip(NAMES, first, strict=True))["days_out_of_period"] == 0


def test_what_is_odd_is_named_with_its_query() -> None:
    right, wrong_twice = list(facts(totals(), parts()).values())
    wrong_twice |= {"null_keys": 3, "is_unexpectedly_empty": True}
    found = oddities([tuple(right.values()), tuple(wrong_twice.values())])
    assert found == ("parts: null_keys 3, is_unexpectedly_empty 1",)


@pytest.mark.parametrize(("clickstream", "unexpected"), [(True, True), (False, False)])
def test_no_rows_are_expected_only_without_data(clickstream: bool, unexpected: bool) -> None:
    found = facts(totals("0.00"), parts(()), clickstream=clickstream)["parts"]
    assert found["is_unexpectedly_empty"] is unexpected
    assert found["disagreeing_sums"] == 0


class TestGate:
    """The shipped suite, over facts like these."""

    QUERIES = ("totals", "parts")

    def hold(self, make_context: Any, **changes: Any) -> tuple[GateResult, tuple[str, ...]]:
        found = list(facts(totals(), parts()).values())
        found[1].update(changes)
        context = make_context()
        odd = gate_answers(context, self.QUERIES, [tuple(each.values()) for each in found])
        (result,) = context.gates
        return result, odd

    def test_good_facts_pass(self, make_context) -> None:
        result, odd = self.hold(make_context)
        assert (result.suite, result.passed, result.warnings, odd) == ("bi_dashboards", True, (), ())

    def test_an_answer_that_was_not_asked_for_closes_it(self, make_context) -> None:
        with pytest.raises(GateFailedError, match="gate bi_dashboards failed: expect_column_distinct_values"):
            self.hold(make_context, query="others")

    @pytest.mark.parametrize(
        "name",
        [
            "null_keys",
            "repeated_keys",
            "negative_figures",
            "shares_out_of_range",
            "days_out_of_period",
            "disagreeing_sums",
        ],
    )
    def test_any_defect_closes_it_and_is_named_with_its_query(self, make_context, name: str) -> None:
        with pytest.raises(GateFailedError, match=rf"gate bi_dashboards failed: .*; parts: {name} 2\]"):
            self.hold(make_context, **{name: 2})

    @pytest.mark.parametrize("change", [{"is_unexpectedly_empty": True}, {"sums_not_compared": 1}])
    def test_what_is_odd_and_not_wrong_is_a_warning(self, make_context, change: dict[str, Any]) -> None:
        result, odd = self.hold(make_context, **change)
        assert result.passed
        assert len(result.warnings) == 1
        assert odd == (f"parts: {next(iter(change))} 1",)
