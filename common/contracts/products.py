"""The catalogue: the first load and the changes since, in one history."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from common.contracts.model import Contract, Field, Rule, future_rule, key_pattern_rule
from common.contracts.users import change_order, unknown_operation
from common.settings import SourceSettings


def _negative(column: str) -> Rule:
    def violated(source: SourceSettings) -> Column:
        return F.col(column) < 0

    return Rule(f"negative_{column}", violated)


PRODUCTS = Contract(
    name="products",
    form="csv",
    fields=(
        Field("product_id", "string", required=True),
        Field("product_name", "string"),
        Field("category", "string"),
        Field("subcategory", "string"),
        Field("brand", "string"),
        Field("list_price", "decimal(12,2)"),
        Field("unit_cost", "decimal(12,2)"),
        Field("stock_quantity", "int"),
        Field("is_active", "boolean"),
        Field("created_at", "timestamp"),
        Field("updated_at", "timestamp", required=True),
        Field("op", "string"),
    ),
    key="product_id",
    history=True,
    version=change_order,
    delivered="date",
    rules=(
        key_pattern_rule("product_id"),
        future_rule("updated_at"),
        Rule("unknown_op", unknown_operation),
        _negative("list_price"),
        _negative("unit_cost"),
        _negative("stock_quantity"),
    ),
)
