"""Sales by day, by customer, and by day and category. Sums are of decimals and rounded once, at the end."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from common.transforms.revenue import MONEY, zero
from common.transforms.scd2 import UNKNOWN_SK

NOT_KNOWN = "unknown"
_CANCELLED, _PENDING = "cancelled", "pending"
_SCORES = 5
_AMOUNTS = ("gross_amount", "return_amount", "net_amount")


def sales(lines: DataFrame, users: DataFrame, products: DataFrame) -> DataFrame:
    """Lines with the country of the customer and the category of the product as they were at the time.

    Args:
        lines: fact_transactions.
        users: dim_users; its surrogate key is unique.
        products: dim_products; its surrogate key is unique.

    Returns:
        A row a line; `country` and `category` are 'unknown' where the dimension has none.
    """
    countries = users.select("user_sk", "country")
    categories = products.select("product_sk", "category")
    return (
        lines.join(countries, on="user_sk", how="left")
        .join(F.broadcast(categories), on="product_sk", how="left")
        .select(
            F.col("transaction_date").alias("sales_date"),
            F.coalesce("country", F.lit(NOT_KNOWN)).alias("country"),
            F.coalesce("category", F.lit(NOT_KNOWN)).alias("category"),
            "user_id",
            "order_id",
            "quantity",
            "status",
            "is_sale",
            "is_return",
            *_AMOUNTS,
            "discount_amount",
            "tax_amount",
            "shipping_amount",
            "cost_amount",
            "margin_amount",
        )
    )


def daily_sales(lines: DataFrame) -> DataFrame:
    """agg_daily_sales: a row a business day and country.

    `lines` counts all lines and its sum is the number of rows of the fact; orders, customers, units, discounts, tax,
    shipping and cost are of sold lines; margin is net of returns and leaves out lines whose cost is not known.
    """
    sold = F.col("is_sale")
    # By customer and order first: what is distinct is then counted without shuffling each line for each count.
    orders = lines.groupBy("sales_date", "country", "user_id", "order_id").agg(
        F.max(sold).alias("is_order"),
        F.count(F.lit(1)).alias("lines"),
        F.count_if(sold).alias("sale_lines"),
        F.count_if("is_return").alias("return_lines"),
        F.count_if(F.col("status") == _CANCELLED).alias("cancelled_lines"),
        F.count_if(F.col("status") == _PENDING).alias("pending_lines"),
        *_units(),
        *[_money(name) for name in _AMOUNTS],
        *[_money(name, sold) for name in ("discount_amount", "tax_amount", "shipping_amount", "cost_amount")],
        _money("margin_amount"),
    )
    customers = orders.groupBy("sales_date", "country", "user_id").agg(
        F.max("is_order").alias("is_customer"),
        F.count_if("is_order").alias("orders"),
        *[F.sum(name).alias(name) for name in _counts()],
        *[_money(name) for name in _money_columns()],
    )
    return customers.groupBy("sales_date", "country").agg(
        F.sum("orders").alias("orders"),
        F.count_if("is_customer").alias("customers"),
        *[F.sum(name).alias(name) for name in _counts()],
        *[_money(name) for name in _money_columns()],
        _average(F.sum("gross_amount"), F.sum("orders")).alias("average_order_value"),
    )


def daily_revenue_by_category(lines: DataFrame) -> DataFrame:
    """mv_daily_revenue_by_category: a row a business day and category, with the same meanings as in agg_daily_sales."""
    return lines.groupBy("sales_date", "category").agg(
        F.count_distinct(F.when(F.col("is_sale"), F.col("order_id"))).alias("orders"),
        F.count(F.lit(1)).alias("lines"),
        F.count_if("is_sale").alias("sale_lines"),
        *_units(),
        *[_money(name) for name in _AMOUNTS],
        _money("cost_amount", F.col("is_sale")),
        _money("margin_amount"),
    )


def user_metrics(users: DataFrame, lines: DataFrame, visits: DataFrame) -> DataFrame:
    """agg_user_metrics: a row a current customer, also one who never bought.

    Recency counts to the newest business day of any line. The scores run from 1 to 5 among those who bought, 5 being
    the most recent, most frequent and highest paying; equal figures have equal scores. The lifetime value is net
    revenue to date.

    Args:
        users: dim_users.
        lines: What `sales` gives.
        visits: The sessions.
    """
    current = users.where(F.col("is_current") & (F.col("user_sk") != UNKNOWN_SK)).select(
        "user_id", "user_sk", "country", "loyalty_tier", "signup_date"
    )
    joined = (
        current.join(_purchases(lines), on="user_id", how="left")
        .join(_visits(visits), on="user_id", how="left")
        .crossJoin(F.broadcast(lines.agg(F.max("sales_date").alias("as_of_date"))))
    )
    buyers = F.coalesce("orders", F.lit(0)) > 0
    spacing = F.datediff("last_purchase_date", "first_purchase_date")
    scored = joined.withColumn("_buys", buyers)
    return scored.select(
        "user_id",
        "user_sk",
        "country",
        "loyalty_tier",
        "signup_date",
        "as_of_date",
        "first_purchase_date",
        "last_purchase_date",
        F.datediff("as_of_date", "last_purchase_date").alias("recency_days"),
        *[F.coalesce(name, F.lit(0)).cast("bigint").alias(name) for name in ("orders", "units", "return_lines")],
        *[F.coalesce(name, zero()).cast(MONEY).alias(name) for name in _AMOUNTS],
        "margin_amount",
        _average(F.col("gross_amount"), F.col("orders")).alias("average_order_value"),
        _average(spacing, F.col("orders") - 1).alias("average_days_between_orders"),
        F.coalesce("distinct_categories", F.lit(0)).cast("bigint").alias("distinct_categories"),
        *[F.coalesce(name, F.lit(0)).cast("bigint").alias(name) for name in ("sessions", "events")],
        F.coalesce("net_amount", zero()).cast(MONEY).alias("lifetime_value"),
        _score("last_purchase_date").alias("recency_score"),
        _score("orders").alias("frequency_score"),
        _score("net_amount").alias("monetary_score"),
    )


def _purchases(lines: DataFrame) -> DataFrame:
    sold = F.col("is_sale")
    known_category = F.nullif("category", F.lit(NOT_KNOWN))
    return lines.groupBy("user_id").agg(
        F.min(F.when(sold, F.col("sales_date"))).alias("first_purchase_date"),
        F.max(F.when(sold, F.col("sales_date"))).alias("last_purchase_date"),
        F.count_distinct(F.when(sold, F.col("order_id"))).alias("orders"),
        F.count_distinct(F.when(sold, known_category)).alias("distinct_categories"),
        F.sum(F.when(sold, F.col("quantity"))).alias("units"),
        F.count_if("is_return").alias("return_lines"),
        *[_money(name) for name in _AMOUNTS],
        _money("margin_amount"),
    )


def _visits(visits: DataFrame) -> DataFrame:
    known = visits.where(F.col("user_id").isNotNull())
    return known.groupBy("user_id").agg(F.count(F.lit(1)).alias("sessions"), F.sum("events").alias("events"))


def _score(column: str) -> Column:
    """The fifth of the buyers that a figure falls into, by its rank; null for who never bought."""
    buyers = Window.partitionBy("_buys")
    rank = F.rank().over(buyers.orderBy(column))
    fifth = F.floor((rank - 1) * _SCORES / F.count(F.lit(1)).over(buyers)) + 1
    return F.when(F.col("_buys"), fifth.cast("int"))


def _units() -> tuple[Column, Column]:
    sold = F.coalesce(F.sum(F.when(F.col("is_sale"), F.col("quantity"))), F.lit(0)).cast("bigint")
    came_back = F.coalesce(F.sum(F.when(F.col("is_return"), F.abs("quantity"))), F.lit(0)).cast("bigint")
    return sold.alias("units"), came_back.alias("returned_units")


def _counts() -> tuple[str, ...]:
    return "lines", "sale_lines", "return_lines", "cancelled_lines", "pending_lines", "units", "returned_units"


def _money_columns() -> tuple[str, ...]:
    return (*_AMOUNTS, "discount_amount", "tax_amount", "shipping_amount", "cost_amount", "margin_amount")


def _money(column: str, counts: Column | None = None) -> Column:
    """The sum of an amount; null where it is not known for any line, as the cost in a shop that tells none."""
    amount = F.col(column) if counts is None else F.when(counts, F.col(column))
    return F.sum(amount).cast(MONEY).alias(column)


def _average(total: Column, count: Column) -> Column:
    """A decimal quotient, rounded half up to cents; null where there is nothing to divide by."""
    exact = total.cast("decimal(28,10)") / F.nullif(count, F.lit(0)).cast("decimal(10,0)")
    return F.round(exact, 2).cast(MONEY)
