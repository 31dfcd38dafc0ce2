"""The annotated SQL file, and what is said about one that is wrong."""

from __future__ import annotations

from collections import Counter

import pytest

from common.bi.catalogue import Agreement, ColumnSpec, parse_catalogue, read_catalogue
from common.bi.periods import Span
from common.errors import ConfigurationError

SMALL = """-- For the reader.

-- @dashboard shop
-- title: The shop
-- summary: What it is,
--   in two lines.

-- @query totals
-- title: Totals
-- question: How much?
-- grain: one row
-- key: day
-- period: 3 days
-- needs: sales
-- columns: day date, net money signed
SELECT day, net -- a comment within
FROM t
ORDER BY day
LIMIT 1;

-- @query parts
-- title: Parts
-- question: How much of each?
-- grain: a part
-- key: day, part
-- period: all
-- needs: clickstream
-- columns: day date, part text, net money signed
-- agrees: net = totals.net
SELECT day, part, net FROM t ORDER BY day, part LIMIT 9;
"""


class TestParsing:
    def test_a_small_file(self) -> None:
        (shop,) = parse_catalogue(SMALL)
        totals, parts = shop.queries
        assert (shop.name, shop.title, shop.summary) == ("shop", "The shop", "What it is, in two lines.")
        assert totals.key == ("day",)
        assert totals.span == Span("days", 3)
        assert totals.columns == (ColumnSpec("day", "date"), ColumnSpec("net", "money", is_signed=True))
        assert totals.sql.startswith("SELECT day, net -- a comment within\n")
        assert totals.sql.endswith("LIMIT 1")
        assert (totals.limit, parts.limit) == (1, 9)
        assert parts.needs == "clickstream"
        assert parts.agreements == (Agreement("net", "totals", "net"),)

    @pytest.mark.parametrize(
        ("before", "after", "message"),
        [
            ("-- title: Totals\n", "", "query totals: missing: title"),
            ("-- title: Totals", "-- titel: Totals", "query totals: missing: title"),
            ("-- grain: one row", "-- grain: one row\n-- colour: red", "query totals: unknown: colour"),
            ("-- grain: one row", "-- grain: one row\n-- grain: two", "'grain' occurs twice"),
            ("-- grain: one row", "--grain one row", "is no annotation: --grain one row"),
            ("-- key: day\n", "-- key: month\n", "key columns that are not among the columns: month"),
            ("3 days", "3 weeks", "period '3 weeks' is neither"),
            ("3 days", "0 days", "period '0 days' is neither"),
            ("needs: sales", "needs: luck", "needs 'luck', which is none of sales, clickstream, costs, stock"),
            ("day date, net money signed\nSELECT", "day date, net gold\nSELECT", "column 'net gold'"),
            ("day date, net money signed\nSELECT", "day date, net money maybe\nSELECT", "column 'net money maybe'"),
            ("agrees: net = totals.net", "agrees: net = nothing.net", "parts agrees with nothing.net"),
            ("agrees: net = totals.net", "agrees: gross = totals.net", "agrees 'gross = totals.net'"),
            ("LIMIT 1;", "LIMIT 1", "does not end with a semicolon"),
            ("LIMIT 1;", ";", "query totals: the statement does not end with a LIMIT"),
            ("@query parts", "@query totals", "the name occurs twice"),
            ("-- @dashboard shop", "-- dashboard shop", "a query before the first dashboard"),
        ],
    )
    def test_what_is_wrong_is_said(self, before: str, after: str, message: str) -> None:
        assert before in SMALL
        with pytest.raises(ConfigurationError) as caught:
            parse_catalogue(SMALL.replace(before, after, 1))
        assert message in str(caught.value)

    def test_a_missing_file_is_said(self, tmp_path) -> None:
        with pytest.raises(ConfigurationError, match="the dashboards' SQL is missing"):
            read_catalogue(tmp_path)


class TestShipped:
    def test_there_are_the_five_dashboards_with_several_queries_each(self) -> None:
        dashboards = parse_catalogue(read_catalogue())
        assert [dashboard.name for dashboard in dashboards] == [
            "revenue",
            "product_performance",
            "customer_segmentation",
            "conversion_funnel",
            "abandoned_carts",
        ]
        assert all(len(dashboard.queries) >= 5 for dashboard in dashboards)

    def test_each_column_has_one_unit_in_a_dashboard(self) -> None:
        for dashboard in parse_catalogue(read_catalogue()):
            units = {(column.name, column.unit) for query in dashboard.queries for column in query.columns}
            repeated = [name for name, count in Counter(name for name, _ in units).items() if count > 1]
            assert repeated == [], dashboard.name

    def test_what_discounts_can_bring_below_zero_is_signed(self) -> None:
        names = {"gross_revenue", "discounts", "average_unit_price", "average_order_value", "purchase_amount"}
        columns = [
            each for board in parse_catalogue(read_catalogue()) for query in board.queries for each in query.columns
        ]
        found = {each.name: each.is_signed for each in columns if each.name.removesuffix("_before") in names}
        assert set(found) >= names
        assert all(found.values())

    def test_answers_that_are_compared_can_be_whole(self) -> None:
        """One row, 24 hours and 8 outcomes are below their LIMIT; the others have one far above the usual."""
        bounds = {"revenue_summary": 1, "abandonment_summary": 1, "abandonment_by_hour": 24, "cart_recovery": 8}
        for dashboard in parse_catalogue(read_catalogue()):
            limits = {query.name: query.limit for query in dashboard.queries}
            for query in dashboard.queries:
                for name in {query.name, *(each.query for each in query.agreements)} if query.agreements else ():
                    assert limits[name] > bounds.get(name, 99), name

    def test_the_hours_of_a_month_fit(self) -> None:
        (hourly,) = (
            query
            for dashboard in parse_catalogue(read_catalogue())
            for query in dashboard.queries
            if query.name == "hourly_revenue"
        )
        assert hourly.limit > 31 * 24 + 1

    def test_a_query_that_compares_with_the_period_before_asks_for_a_bounded_one(self) -> None:
        for dashboard in parse_catalogue(read_catalogue()):
            for query in dashboard.queries:
                if "_before" in query.sql:
                    assert query.span.kind == "days" or query.name == "funnel_steps", query.name
