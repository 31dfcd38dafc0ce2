"""Sentences about charts: each must be true of all rows, also where not all are drawn or not all were asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from pipelines.report.charts.specs import ChartSpec
from pipelines.report.charts.summaries import summary
from pipelines.report.results import Period
from tests.unit.report.test_charts import query_of, weeks

SPACE = "\u00a0"
PRODUCTS = query_of(
    {"product": "text", "net_revenue": "money", "net_revenue_share": "share"},
    [("a", Decimal(30), Decimal("0.0198")), ("b", Decimal(20), Decimal("0.01")), ("c", Decimal(10), Decimal("0.005"))],
)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            ChartSpec("bars", "product", ("net_revenue",), ranked="highest", limit=2),
            f"Net revenue: highest a (30.00{SPACE}USD, 1.98% of the whole). 2 of 3 drawn.",
        ),
        (
            ChartSpec("bars", "product", ("net_revenue",), ranked="lowest"),
            f"Net revenue: lowest c (10.00{SPACE}USD).",
        ),
        (
            ChartSpec("bars", "product", ("net_revenue",)),
            f"Net revenue: highest a (30.00{SPACE}USD, 1.98% of the whole), lowest c (10.00{SPACE}USD).",
        ),
    ],
)
def test_a_ranking_says_nothing_of_the_end_at_which_it_was_cut(spec: ChartSpec, said: str) -> None:
    assert summary(PRODUCTS, spec, "USD") == said


def test_rows_that_are_not_drawn_are_named_before_the_highest_of_the_rest() -> None:
    query = query_of(
        {"segment": "text", "customer_share": "share"},
        [("champions", 0.0359), ("lost", 0.026), ("never bought", 0.8351)],
    )
    spec = ChartSpec("bars", "segment", ("customer_share",), leave_out=("segment", "never bought"))
    assert summary(query, spec, None) == (
        "Not drawn: never bought (customer share 83.5%). "
        "Of the rest, customer share: highest champions (3.59%), lowest lost (2.60%)."
    )


def test_each_line_is_named_at_its_own_end() -> None:
    june, july = date(2025, 6, 1), date(2025, 7, 1)
    rows = [(june, 0, True, 10.0), (june, 1, True, 20.0), (june, 2, False, 21.0), (july, 0, True, 5.0)]
    query = query_of(
        {"cohort_month": "date", "months_since": "number", "is_whole_month": "flag", "value_to_date": "money"}, rows
    )
    spec = ChartSpec("line", "months_since", ("value_to_date",), series="cohort_month")
    assert summary(query, spec, "USD") == (
        f"Value to date, of each at its own end: Jun 2025 20.00{SPACE}USD (after 1 month), "
        f"Jul 2025 5.00{SPACE}USD (after 0 months)."
    )


def test_a_week_that_is_not_whole_is_no_lowest_one() -> None:
    query = weeks(date(2025, 11, 3), 3)
    spec = ChartSpec("columns", "week_start", ("net_revenue",), below=("net_revenue_growth",))
    assert summary(query, spec, "USD") == (
        f"Net revenue: 303.00{SPACE}USD in all, highest 102.00{SPACE}USD (week of 17 Nov 2025), "
        f"lowest 101.00{SPACE}USD (week of 10 Nov 2025). Net revenue growth: above zero in 2 of 2 weeks. "
        "Not a whole week, hatched and left out of the comparison: week of 3 Nov 2025."
    )


def test_the_first_week_of_the_data_may_be_seen_by_its_days_with_sales() -> None:
    rows = [(date(2025, 11, 3), 5, 1.0), (date(2025, 11, 10), 6, 2.0), (date(2025, 11, 17), 7, 3.0)]
    query = query_of({"week_start": "date", "days_with_sales": "count", "net": "money"}, rows)
    query = replace(query, period=Period(date(2025, 11, 3), date(2025, 11, 23)))
    said = summary(query, ChartSpec("columns", "week_start", ("net",)), None)
    assert "lowest 2.00 (week of 10 Nov 2025)" in said, "a closed day in between is no missing one"
    assert said.endswith("left out of the comparison: week of 3 Nov 2025.")


def test_a_month_that_is_not_whole_is_no_cell_of_the_comparison() -> None:
    june, july = date(2025, 6, 1), date(2025, 7, 1)
    rows = [(june, 1, True, 0.4), (june, 2, False, 0.1), (july, 1, True, 0.3)]
    query = query_of(
        {"cohort_month": "date", "months_since": "number", "is_whole_month": "flag", "retention": "share"}, rows
    )
    said = summary(query, ChartSpec("heatmap", "months_since", ("cohort_month",), value="retention"), None)
    assert said == "Retention: highest 40.0% (Jun 2025, after 1 month), lowest 30.0% (Jul 2025, after 1 month)."


def test_equals_are_counted() -> None:
    query = query_of({"reason": "text", "hits": "count"}, [("a", 5), ("b", 5), ("c", 1)])
    said = summary(query, ChartSpec("bars", "reason", ("hits",)), None)
    assert said == "Hits: highest a and 1 more (5), lowest c (1)."


def test_of_steps_the_largest_loss_of_each_group_is_named() -> None:
    query = query_of(
        {"device": "text", "visits": "count", "carts": "count", "bought": "count", "conversion": "share"},
        [("mobile", 100, 50, 40, 0.4), ("desktop", 100, 90, 45, 0.45)],
    )
    said = summary(query, ChartSpec("drops", "device", ("visits", "carts", "bought"), value="conversion"), None)
    assert said == (
        "Conversion: highest 45.0% (desktop), lowest 40.0% (mobile). "
        "The largest part is lost on mobile before carts (50.0%), on desktop before bought (50.0%)."
    )


def test_the_first_cohort_of_the_data_is_held_against_no_other() -> None:
    june, july, august = date(2025, 6, 1), date(2025, 7, 1), date(2025, 8, 1)
    rows = [(june, 1, True, 0.9), (july, 1, False, 0.4), (august, 1, False, 0.3)]
    columns = {"cohort_month": "date", "months_since": "number", "is_first_cohort": "flag", "retention": "share"}
    spec = ChartSpec("heatmap", "months_since", ("cohort_month",), value="retention")
    assert summary(query_of(columns, rows), spec, None) == (
        "Retention: highest 40.0% (Jul 2025, after 1 month), lowest 30.0% (Aug 2025, after 1 month). "
        "Left out of the comparison: Jun 2025, which also has customers from before the data."
    )
    assert summary(query_of(columns, rows[:1]), spec, None) == "Retention: 90.0% throughout."
