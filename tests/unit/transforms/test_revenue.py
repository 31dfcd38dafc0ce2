from __future__ import annotations

from typing import cast

from chispa import assert_df_equality
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from common.transforms import revenue
from tests.unit.transforms.frames import frame

LINES = "id string, quantity int, unit_price decimal(12,2), discount_amount decimal(12,2), status string"
FIGURES = """id string, is_sale boolean, is_return boolean, gross decimal(18,2), returned decimal(18,2),
    net decimal(18,2), margin decimal(18,2)"""


def _named(rows, schema):
    names = cast(StructType, StructType.fromDDL(schema)).names
    return [dict(zip(names, row, strict=True)) for row in rows]


def test_what_a_line_counts_for(spark, source):
    rows = [
        ("paid", 2, 10.00, 1.00, "paid"),
        ("no discount", 1, 10.00, None, "shipped"),
        ("returned later", -2, 10.00, -1.00, "returned"),
        ("returned itself", 2, 10.00, 1.00, "returned"),
        ("cancelled", 2, 10.00, 1.00, "cancelled"),
        ("pending", 2, 10.00, 1.00, "pending"),
        ("no status", 2, 10.00, 1.00, None),
        ("free", 1, 0.00, None, "delivered"),
    ]
    expected = [
        ("paid", True, False, 19.00, 0.00, 19.00, 11.00),
        ("no discount", True, False, 10.00, 0.00, 10.00, 6.00),
        ("returned later", False, True, 0.00, 19.00, -19.00, -11.00),
        ("returned itself", True, True, 19.00, 19.00, 0.00, 0.00),
        ("cancelled", False, False, 0.00, 0.00, 0.00, 0.00),
        ("pending", False, False, 0.00, 0.00, 0.00, 0.00),
        ("no status", False, False, 0.00, 0.00, 0.00, 0.00),
        ("free", True, False, 0.00, 0.00, 0.00, -4.00),
    ]
    statuses = source.statuses
    found = frame(spark, LINES, _named(rows, LINES)).select(
        "id",
        revenue.is_sale(statuses).alias("is_sale"),
        revenue.is_return(statuses).alias("is_return"),
        revenue.gross_amount(statuses).alias("gross"),
        revenue.return_amount(statuses).alias("returned"),
        revenue.net_amount(statuses).alias("net"),
        revenue.margin_amount(statuses, F.lit("4.00").cast("decimal(12,2)")).alias("margin"),
    )

    assert_df_equality(found, frame(spark, FIGURES, _named(expected, FIGURES)), ignore_nullable=True)


def test_an_unknown_cost_leaves_the_margin_unknown(spark, source):
    lines = frame(spark, LINES, [{"id": "a", "quantity": 1, "unit_price": "10.00", "status": "paid"}])
    unknown = F.lit(None).cast("decimal(12,2)")

    row = lines.select(revenue.margin_amount(source.statuses, unknown).alias("margin")).first()

    assert row is not None
    assert row["margin"] is None
