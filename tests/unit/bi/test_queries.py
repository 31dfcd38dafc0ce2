"""Queries on a few rows, where what is right can be seen: edges of bands, days without data, weeks cut short."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from common.bi.catalogue import parse_catalogue, read_catalogue
from common.bi.dialects import parse_select, to_spark
from common.storage.local_frames import local_frame

QUERIES = {query.name: query for dashboard in parse_catalogue(read_catalogue()) for query in dashboard.queries}
TO = date(2025, 11, 30)
NOON = datetime(2025, 11, 30, 12, tzinfo=UTC)
DAILY = """sales_date date, orders bigint, pending_lines bigint, units bigint, gross_amount decimal(18,2),
    return_amount decimal(18,2), net_amount decimal(18,2), discount_amount decimal(18,2), margin_amount decimal(18,2)"""
LINES = """transaction_id string, order_id bigint, user_id string, product_id string, quantity int,
    unit_price decimal(12,2), discount_amount decimal(12,2), gross_amount decimal(18,2), return_amount decimal(18,2),
    net_amount decimal(18,2), margin_amount decimal(18,2), transaction_ts timestamp, transaction_date date,
    transaction_month string, is_sale boolean, is_return boolean, status string, total_amount decimal(12,2),
    product_sk bigint"""
VISITS = """session_id string, user_id string, session_date date, ended_at timestamp, carts bigint, cart_items bigint,
    cart_value decimal(18,2), is_abandoned boolean"""
CATEGORIES = """sales_date date, category string, orders bigint, units bigint, gross_amount decimal(18,2),
    return_amount decimal(18,2), net_amount decimal(18,2), margin_amount decimal(18,2)"""
PRODUCTS = """product_sk bigint, product_id string, product_name string, category string, brand string,
    stock_quantity int, is_active boolean, is_current boolean"""

# Views of a few rows stand for the tables of both.
VIEWS = {"ecommerce": "global_temp", "lake": "global_temp"}

Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def ask(spark: SparkSession) -> Iterator[Ask]:
    """Ask a query of the last N days of some rows: `ask("daily_revenue", 8, {"ecommerce.x": (schema, rows)})`."""

    def answer(
        name: str, days: int, tables: Mapping[str, tuple[str, list[tuple[Any, ...]]]], last: date = TO
    ) -> list[tuple[Any, ...]]:
        for table, (schema, rows) in tables.items():
            database, _, view = table.partition(".")
            assert database in VIEWS
            local_frame(spark, rows, schema).createOrReplaceGlobalTempView(view)
            made.add(view)
        period = {"from_date": str(last - timedelta(days=days - 1)), "to_date": str(last), "time_zone": "UTC"}
        statement = to_spark(parse_select(QUERIES[name].sql, name), period, VIEWS, {})
        return [tuple(row) for row in spark.sql(statement).collect()]

    made: set[str] = set()
    yield answer
    for view in made:
        spark.catalog.dropGlobalTempView(view)


def money(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal("0.01"))


def day_before(back: int) -> datetime:
    """Noon, so many days before the last."""
    return NOON - timedelta(days=back)


def sold(
    back: int, net: str, *, orders: int = 1, returned: str = "0", pending: int = 0, margin: str | None = None
) -> tuple[Any, ...]:
    """A row of agg_daily_sales, so many days before the last."""
    gross = money(net) + money(returned)
    earned = money(margin) if margin else None
    return TO - timedelta(days=back), orders, pending, 1, gross, money(returned), money(net), money("0"), earned


class TestDailyRevenue:
    def test_a_day_without_sales_has_a_row_of_zeros_and_counts_in_the_average(self, ask: Ask) -> None:
        days = [sold(back, "7.00") for back in range(9) if back != 1]
        rows = ask("daily_revenue", 3, {"ecommerce.agg_daily_sales": (DAILY, days)})
        assert [(row[0], row[1], row[4], row[6]) for row in rows] == [
            (date(2025, 11, 28), 1, money("7"), money("7")),
            (date(2025, 11, 29), 0, money("0"), None),
            (date(2025, 11, 30), 1, money("7"), money("7")),
        ]
        assert [row[7] for row in rows] == [money("7"), money("6"), money("6")]

    def test_an_average_needs_seven_days_of_data(self, ask: Ask) -> None:
        rows = ask("daily_revenue", 3, {"ecommerce.agg_daily_sales": (DAILY, [sold(back, "1") for back in range(8)])})
        assert [row[7] for row in rows] == [None, money("1"), money("1")]

    def test_countries_of_a_day_are_one_row(self, ask: Ask) -> None:
        days = [sold(0, "1.00", orders=2, returned="0.25", pending=1), sold(0, "2.00", orders=1, pending=2)]
        ((_, orders, gross, returned, net, _, average, _, pending),) = ask(
            "daily_revenue", 1, {"ecommerce.agg_daily_sales": (DAILY, days)}
        )
        assert (orders, gross, returned, net, average) == (3, money("3.25"), money("0.25"), money("3"), money("1.08"))
        assert pending == 3


class TestHourlyRevenue:
    def test_the_value_of_lines_is_that_of_all_lines_less_refunds(self, ask: Ask) -> None:
        lines = [
            line(1, 1, "10.00", "1.00"),
            line(2, 1, "20.00", None, counts=False, status="cancelled"),
            line(3, 1, "40.00", None, counts=False, status="pending"),
            line(4, -1, "5.00", None, status="returned"),
            line(5, 1, "1.00", None, ts=NOON - timedelta(minutes=1)),
        ]
        rows = ask("hourly_revenue", 1, {"ecommerce.fact_transactions": (LINES, lines)})
        assert [row[1:] for row in rows] == [
            (money("66.00"), 4, 1, money("9.00"), money("4.00"), 1),
            (money("2.00"), 1, 1, money("1.00"), money("1.00"), 0),
        ]


class TestWeeklyRevenue:
    def test_growth_is_between_whole_weeks_only(self, ask: Ask) -> None:
        # 2025-11-30 is a Sunday; the data begins on a Tuesday, in the midst of a week.
        days = [sold(back, "3.00" if back < 7 else "2.00") for back in range(20)]
        rows = ask("weekly_revenue", 28, {"ecommerce.agg_daily_sales": (DAILY, days)})
        assert [(row[0], row[1], row[5], row[7]) for row in rows] == [
            (date(2025, 11, 10), 6, money("12"), None),
            (date(2025, 11, 17), 7, money("14"), None),
            (date(2025, 11, 24), 7, money("21"), Decimal("0.5000")),
        ]


def line(
    number: int,
    quantity: int,
    price: str,
    discount: str | None,
    *,
    ts: datetime = NOON,
    user: str = "U1",
    product: str = "P1",
    margin: str | None = "1",
    counts: bool = True,
    status: str = "paid",
) -> tuple[Any, ...]:
    """A row of fact_transactions: a sale, a return where the quantity is below zero, or what counts in neither.

    A unit comes with 1.00 of tax and shipping.
    """
    amount = quantity * money(price) - money(discount or "0")
    given = None if discount is None else money(discount)
    day = ts.date()
    is_sale, is_return = counts and quantity > 0, counts and quantity < 0
    gross, returned = amount if is_sale else money("0"), -amount if is_return else money("0")
    return (
        f"T{number}", number, user, product, quantity, money(price), given, gross, returned, gross - returned,
        money(margin) if margin else None, ts, day, f"{day:%Y-%m}", is_sale, is_return, status,
        amount + quantity, int(product[1:]),
    )  # fmt: skip


def visit(
    number: int, value: str, *, back: int = 0, items: int = 1, user: str | None = "U1", gone: bool = True
) -> tuple[Any, ...]:
    """A visit with a cart, so many days before the last."""
    return f"S{number}", user, TO - timedelta(days=back), NOON - timedelta(days=back), 1, items, money(value), gone


class TestThePeriodBefore:
    """Thirty days are held against the thirty before them, or, where the data is too short for that, against none."""

    @pytest.mark.parametrize(("days", "before"), [(40, None), (59, None), (60, money("60")), (61, money("60"))])
    def test_revenue(self, ask: Ask, days: int, before: Decimal | None) -> None:
        lines = [line(back, 1, "1.00" if back < 30 else "2.00", None, ts=day_before(back)) for back in range(days)]
        daily = [sold(back, "1.00" if back < 30 else "2.00") for back in range(days)]
        ((_, _, *found),) = ask(
            "revenue_summary",
            30,
            {"ecommerce.fact_transactions": (LINES, lines), "ecommerce.agg_daily_sales": (DAILY, daily)},
        )
        is_known = before is not None
        change, count = (Decimal("-0.5000"), 30) if is_known else (None, None)
        assert found[:6] == [money("30"), before, change, money("30"), before, change]
        assert found[6:8] == [money("0"), money("0") if is_known else None]
        assert found[8:11] == [30, count, Decimal("0.0000") if is_known else None]
        assert found[11:14] == [1, 1 if is_known else None, Decimal("0.0000") if is_known else None]
        assert found[14:18] == [money("1"), money("2") if is_known else None, money("30"), before and money("30")]

    @pytest.mark.parametrize(("days", "before"), [(40, None), (60, money("30"))])
    def test_categories(self, ask: Ask, days: int, before: Decimal | None) -> None:
        daily = [sold(back, "1.00") for back in range(days)]
        rows = [(row[0], "toys", 1, 1, *row[4:7], row[8]) for row in daily]
        ((_, _, _, _, _, net, _, net_before, growth, *_),) = ask(
            "revenue_by_category",
            30,
            {
                "ecommerce.mv_daily_revenue_by_category": (CATEGORIES, rows),
                "ecommerce.agg_daily_sales": (DAILY, daily),
                "ecommerce.fact_transactions": (LINES, []),
                "ecommerce.dim_products": (PRODUCTS, []),
            },
        )
        assert (net, net_before, growth) == (money("30"), before, before and Decimal("0.0000"))

    @pytest.mark.parametrize(("days", "before"), [(40, None), (60, 30)])
    def test_abandoned_carts(self, ask: Ask, days: int, before: int | None) -> None:
        visits = [visit(back, "2.00", back=back) for back in range(days)]
        ((_, _, *found),) = ask("abandonment_summary", 30, {"lake.sessions": (VISITS, visits)})
        rate = Decimal("1.0000")
        assert found[:7] == [30, before, 30, before, 0, rate, rate if before else None]
        assert found[7:10] == ([money("60"), money("60"), Decimal("0.0000")] if before else [money("60"), None, None])


class TestMarginShare:
    """Two lines of a product: one of 8.00 that earned 2.00, and one of 4.00 whose cost is not known."""

    LINES_OF_ONE = (line(1, 1, "10.00", "2.00", margin="2.00"), line(2, 1, "5.00", "1.00", margin=None))
    NONE_KNOWN = (line(1, 1, "10.00", "2.00", margin=None), line(2, 1, "5.00", "1.00", margin=None))

    def asked(self, ask: Ask, name: str, lines: tuple[tuple[Any, ...], ...]) -> dict[str, Any]:
        margin = "2.00" if lines is self.LINES_OF_ONE else None
        daily = [sold(0, "12.00", margin=margin)]
        tables = {
            "ecommerce.fact_transactions": (LINES, list(lines)),
            "ecommerce.agg_daily_sales": (DAILY, daily),
            "ecommerce.dim_products": (PRODUCTS, [(1, "P1", "Lamp", "light", "Brand", 20, True, True)]),
            "ecommerce.mv_daily_revenue_by_category": (
                CATEGORIES,
                [(row[0], "light", 1, 1, *row[4:7], row[8]) for row in daily],
            ),
        }
        row, *_ = ask(name, 1, {table: rows for table, rows in tables.items() if table in QUERIES[name].sql})
        return dict(zip([column.name for column in QUERIES[name].columns], row, strict=True))

    @pytest.mark.parametrize("name", sorted(name for name, query in QUERIES.items() if "margin_share" in query.sql))
    def test_lines_without_a_cost_count_neither_above_nor_below(self, ask: Ask, name: str) -> None:
        found = self.asked(ask, name, self.LINES_OF_ONE)
        assert (found["margin"], found["margin_share"]) == (money("2.00"), Decimal("0.2500"))
        assert found.get("net_revenue", money("12.00")) == money("12.00")
        assert found.get("margin_per_discount", 1) == 1

    @pytest.mark.parametrize("name", ["revenue_summary", "monthly_margin", "revenue_by_category", "discount_return"])
    def test_without_any_cost_there_is_none(self, ask: Ask, name: str) -> None:
        found = self.asked(ask, name, self.NONE_KNOWN)
        assert (found["margin"], found["margin_share"]) == (None, None)


class TestCohorts:
    """Two customers: one of the first month, one of the second, who buys again in the third."""

    METRICS = "user_id string, first_purchase_date date"

    @pytest.mark.parametrize(("oldest", "is_whole"), [("2025-09-02", False), ("2025-09-01", True)])
    @pytest.mark.parametrize("name", ["cohort_retention", "cohort_value"])
    def test_the_first_cohort_and_months_that_are_not_whole_are_marked(
        self, ask: Ask, name: str, oldest: str, is_whole: bool
    ) -> None:
        first = datetime.fromisoformat(oldest).replace(tzinfo=UTC)
        times = (first, datetime(2025, 10, 7, tzinfo=UTC), NOON - timedelta(days=1))
        users = ("U1", "U2", "U2")
        lines = [
            line(number, 1, "1.00", None, ts=ts, user=user)
            for number, (ts, user) in enumerate(zip(times, users, strict=True))
        ]
        tables = {
            "ecommerce.fact_transactions": (LINES, lines),
            "ecommerce.agg_daily_sales": (DAILY, [sold((TO - ts.date()).days, "1.00") for ts in times]),
            "ecommerce.agg_user_metrics": (self.METRICS, [("U1", times[0].date()), ("U2", times[1].date())]),
        }
        to_date = TO - timedelta(days=1)
        rows = ask(name, (to_date - first.date()).days + 1, tables, last=to_date)
        september, october = date(2025, 9, 1), date(2025, 10, 1)
        assert [row[:5] for row in rows] == [
            (september, 0, True, is_whole, 1),
            (september, 1, True, True, 1),
            (september, 2, True, False, 1),
            (october, 0, False, True, 1),
            (october, 1, False, False, 1),
        ]


class TestNewAndReturning:
    def test_a_return_is_taken_off_from_the_kind_of_its_day(self, ask: Ask) -> None:
        def back_on(number: int, days: int, product: str, user: str = "U1") -> tuple[Any, ...]:
            return line(number, -1, "1.00", None, ts=day_before(days), product=product, user=user)

        lines = [
            # Bought 20 days ago for the first time, 10 days ago again.
            line(1, 5, "1.00", None, ts=day_before(20), product="P1"),
            line(2, 5, "1.00", None, ts=day_before(20), product="P2"),
            line(3, 7, "1.00", None, ts=day_before(10), product="P2"),
            line(4, 7, "1.00", None, ts=day_before(10), product="P3"),
            back_on(5, 20, "P1"),
            back_on(6, 1, "P1"),
            back_on(7, 1, "P2"),
            back_on(8, 1, "P3"),
            back_on(9, 1, "P9"),
            back_on(10, 1, "P1", user="U2"),
        ]
        tables = {
            "ecommerce.fact_transactions": (LINES, lines),
            "ecommerce.agg_user_metrics": ("user_id string, first_purchase_date date", [("U1", day_before(20).date())]),
        }
        rows = ask("new_and_returning", 25, tables)
        assert [row[:6] for row in rows] == [
            (date(2025, 11, 10), "new", 1, 2, money("10"), money("9")),
            (date(2025, 11, 17), "returning", 1, 2, money("14"), money("14")),
            (date(2025, 11, 24), "returning", 0, 0, money("0"), money("-4")),
            (date(2025, 11, 24), "unknown", 0, 0, money("0"), money("-1")),
        ]


class TestStockCover:
    @pytest.mark.parametrize(("days", "a_day", "cover"), [(10, "2.0000", "10.0"), (30, "0.6667", "30.0")])
    def test_units_a_day_are_of_the_days_that_there_are(self, ask: Ask, days: int, a_day: str, cover: str) -> None:
        tables = {
            "ecommerce.fact_transactions": (LINES, [line(1, 20, "1.00", None)]),
            "ecommerce.agg_daily_sales": (DAILY, [sold(days - 1, "1.00"), sold(0, "20.00")]),
            "ecommerce.dim_products": (PRODUCTS, [(1, "P1", "Lamp", "light", "Brand", 20, True, True)]),
        }
        assert ask("stock_cover", 30, tables) == [("P1", "Lamp", "light", 20, 20, Decimal(a_day), Decimal(cover))]


class TestDiscountReturn:
    def test_a_band_includes_its_upper_end(self, ask: Ask) -> None:
        discounts = (None, "0.00", "0.01", "1.00", "1.01", "2.00", "2.01", "4.00", "4.01", "20.00")
        lines = [line(number, 2, "10.00", discount) for number, discount in enumerate(discounts)]
        rows = ask("discount_return", 1, {"ecommerce.fact_transactions": (LINES, lines)})
        assert [(row[0], row[2], row[6]) for row in rows] == [
            (0, 2, money("0.00")),
            (1, 2, money("1.01")),
            (2, 2, money("3.01")),
            (3, 2, money("6.01")),
            (4, 2, money("24.01")),
        ]

    def test_a_quotient_is_rounded_half_up_once(self, ask: Ask) -> None:
        lines = [line(number, quantity, "1.00", None) for number, quantity in ((1, 1), (2, 1), (3, 2))]
        ((_, _, count, units, per_line, *_),) = ask(
            "discount_return", 1, {"ecommerce.fact_transactions": (LINES, lines)}
        )
        assert (count, units, per_line) == (3, 4, Decimal("1.3333"))

    def test_the_day_before_the_period_is_out(self, ask: Ask) -> None:
        lines = [line(1, 1, "1.00", None, ts=NOON - timedelta(days=1)), line(2, 1, "1.00", None)]
        ((_, _, count, *_),) = ask("discount_return", 1, {"ecommerce.fact_transactions": (LINES, lines)})
        assert count == 1


class TestAbandonedCarts:
    def test_emptied_carts_are_counted_and_do_not_divide_the_average(self, ask: Ask) -> None:
        visits = [
            visit(1, "9.00"),
            visit(2, "0.00", items=0),
            visit(3, "6.00"),
            visit(4, "0.00", items=0, gone=False),
            visit(5, "0.00"),
        ]
        ((_, _, carts, _, gone, _, emptied, rate, _, value, _, _, average),) = ask(
            "abandonment_summary", 1, {"lake.sessions": (VISITS, visits)}
        )
        assert (carts, gone, emptied, rate) == (5, 4, 1, Decimal("0.8000"))
        assert (value, average) == (money("15.00"), money("5.00"))


class TestCartRecovery:
    ITEMS = "session_id string, product_id string, left_quantity bigint, first_added_at timestamp"
    OUTCOMES = (
        "recovered within an hour",
        "recovered within a day",
        "recovered within a week",
        "recovered later",
        "bought something else later",
        "bought nothing so far",
        "cart was emptied",
        "visitor not known",
    )

    @pytest.fixture
    def recovery(self, ask: Ask) -> Callable[..., dict[str, tuple[Any, ...]]]:
        """The outcomes that some carts had; each cart has P1 left in it, and P2 taken out again."""

        def outcomes(visits: list[tuple[Any, ...]], bought: list[tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
            items = [
                (session, product, left if items else 0)
                for session, _, _, _, _, items, _, _ in visits
                for product, left in (("P1", 1), ("P2", 0))
            ]
            tables = {
                "lake.sessions": (VISITS, visits),
                "lake.cart_items": (self.ITEMS, [(*item, day_before(0)) for item in items]),
                "ecommerce.fact_transactions": (LINES, bought),
            }
            rows = ask("cart_recovery", 1, tables)
            assert [row[:2] for row in rows] == list(enumerate(self.OUTCOMES, start=1))
            return {row[1]: row[2:] for row in rows if row[2]}

        return outcomes

    def test_time_to_the_next_sale_of_what_was_left(self, recovery: Any) -> None:
        hour, day, week = 3600, 86_400, 604_800
        waits = (-1, 0, 1, hour, hour + 1, day, day + 1, week, week + 1)
        visits = [visit(number, "5.00", user=f"U{number}") for number in range(len(waits))]
        bought = [
            line(number, 1, "1.00", None, ts=NOON + timedelta(seconds=wait), user=f"U{number}")
            for number, wait in enumerate(waits)
        ]
        # A second sale changes nothing.
        bought.append(line(99, 1, "1.00", None, ts=NOON + timedelta(days=9), user="U2"))
        ninth, two_ninths = Decimal("0.1111"), Decimal("0.2222")
        assert recovery(visits, bought) == {
            "recovered within an hour": (2, two_ninths, two_ninths, money("10")),
            "recovered within a day": (2, two_ninths, two_ninths, money("10")),
            "recovered within a week": (2, two_ninths, two_ninths, money("10")),
            "recovered later": (1, ninth, ninth, money("5")),
            "bought nothing so far": (2, two_ninths, two_ninths, money("10")),
        }

    @pytest.mark.parametrize(
        ("change", "outcome"),
        [
            ({}, "recovered within an hour"),
            ({"product": "P2"}, "bought something else later"),
            ({"product": "P3"}, "bought something else later"),
            ({"counts": False}, "bought nothing so far"),
            ({"user": "U2"}, "bought nothing so far"),
        ],
        ids=["what was left", "what was taken out", "something else", "cancelled", "another customer"],
    )
    def test_what_recovers_a_cart(self, recovery: Any, change: dict[str, Any], outcome: str) -> None:
        bought = line(1, 1, "1.00", None, **{"ts": NOON + timedelta(minutes=1), **change})
        assert list(recovery([visit(1, "5.00")], [bought])) == [outcome]

    def test_the_later_sale_of_what_was_left_counts_and_not_the_first_of_something_else(self, recovery: Any) -> None:
        bought = [
            line(1, 1, "1.00", None, ts=NOON + timedelta(minutes=1), product="P3"),
            line(2, 1, "1.00", None, ts=NOON + timedelta(hours=2)),
        ]
        assert list(recovery([visit(1, "5.00")], bought)) == ["recovered within a day"]

    def test_who_cannot_be_followed_is_in_no_share_of_the_known(self, recovery: Any) -> None:
        visits = [
            visit(1, "1.00"),
            visit(2, "2.00", user="U2"),
            visit(3, "0.00", items=0),
            visit(4, "4.00", user=None),
            visit(5, "0.00", items=0, user=None),
        ]
        bought = [line(1, 1, "1.00", None, ts=NOON + timedelta(minutes=1))]
        fifth, half = Decimal("0.2000"), Decimal("0.5000")
        assert recovery(visits, bought) == {
            "recovered within an hour": (1, fifth, half, money("1")),
            "bought nothing so far": (1, fifth, half, money("2")),
            "cart was emptied": (2, Decimal("0.4000"), None, money("0")),
            "visitor not known": (1, fifth, None, money("4")),
        }

    def test_without_carts_all_outcomes_are_there_with_nothing_in_them(self, recovery: Any) -> None:
        assert recovery([visit(1, "1.00", gone=False)], [line(1, 1, "1.00", None)]) == {}
