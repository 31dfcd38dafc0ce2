"""The suite of the dashboards, which holds what `common.bi.checks` found of each query."""

from __future__ import annotations

from tests.unit.quality.suites.cases import ROWS, Case, between, fails

_FIGURES = (
    "null_keys", "repeated_keys", "negative_figures", "shares_out_of_range", "days_out_of_period", "disagreeing_sums",
)  # fmt: skip


CASES = (
    Case(
        "bi_dashboards",
        "query string, sums_not_compared long, is_unexpectedly_empty boolean, "
        + ", ".join(f"{each} long" for each in _FIGURES),
        lambda number: {
            "query": f"query {number}",
            **dict.fromkeys(_FIGURES, 0),
            "sums_not_compared": 0,
            "is_unexpectedly_empty": False,
        },
        [
            between(**dict.fromkeys(_FIGURES, (1, -1)))
            & fails(
                "~be_between sums_not_compared", "~be_in_set is_unexpectedly_empty",
                last={"sums_not_compared": 1, "is_unexpectedly_empty": True},
            )
            & fails("~be_between sums_not_compared", last={"sums_not_compared": -1})
            & fails("column_distinct_values_to_equal_set query", rows=ROWS - 1, count=0),
            fails("column_distinct_values_to_equal_set query", last={"query": "unknown"}),
        ],
        {"queries": [f"query {number}" for number in range(ROWS)]},
    ),
)  # fmt: skip
