"""The two dimensions of the warehouse, from all changes of users and of products."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.transforms.scd2 import CHANGES_OF_KEY, build_history
from common.transforms.tokens import TokenKey, normalized_email, normalized_name, normalized_phone, with_tokens

_TOKENS = {"email": "email_token", "phone": "phone_token", "name": "name_token"}
_USER_ATTRIBUTES = (
    *_TOKENS,
    "gender",
    "birth_year",
    "city",
    "state",
    "country",
    "signup_ts",
    "marketing_opt_in",
    "loyalty_tier",
)
_PRODUCT_ATTRIBUTES = (
    "product_name",
    "category",
    "subcategory",
    "brand",
    "list_price",
    "unit_cost",
    "is_active",
    "created_at",
)


def user_history(changes: DataFrame, key: TokenKey, time_zone: str) -> DataFrame:
    """dim_users without its unknown member.

    What the warehouse does not hold (street, postal code, day and month of birth) makes no version. E-mail, phone and
    name are compared as normalised, so that another spelling makes none either, and leave as tokens.

    Args:
        changes: clean/users.
        key: The key of the tokens.
        time_zone: Of the business day, for `signup_date`.

    Returns:
        The columns of dim_users and `_changes_of_key`.
    """
    attributes = changes.select(
        "user_id",
        normalized_email().alias("email"),
        normalized_phone().alias("phone"),
        normalized_name().alias("name"),
        "gender",
        F.year("birth_date").alias("birth_year"),
        "city",
        "state",
        "country",
        "signup_ts",
        "marketing_opt_in",
        "loyalty_tier",
        "updated_at",
        "op",
        "_payload_hash",
    )
    versions = build_history(attributes, "user_id", _USER_ATTRIBUTES, namespace="users")
    return with_tokens(versions, _TOKENS, key).select(
        F.col("sk").alias("user_sk"),
        "user_id",
        *_TOKENS.values(),
        "gender",
        "birth_year",
        "city",
        "state",
        "country",
        "signup_ts",
        F.from_utc_timestamp("signup_ts", time_zone).cast("date").alias("signup_date"),
        "marketing_opt_in",
        "loyalty_tier",
        "valid_from",
        "valid_to",
        "is_current",
        "is_deleted",
        CHANGES_OF_KEY,
    )


def product_history(changes: DataFrame) -> DataFrame:
    """dim_products without its unknown member.

    Stock moves with every sale and is no attribute of what was sold: a change of stock alone makes no version (type
    1). A version has the stock that was last reported while it held, the current one therefore the newest.

    Args:
        changes: clean/products.

    Returns:
        The columns of dim_products and `_changes_of_key`.
    """
    attributes = changes.select(
        "product_id", *_PRODUCT_ATTRIBUTES, "stock_quantity", "updated_at", "op", "_payload_hash"
    )
    versions = build_history(
        attributes, "product_id", _PRODUCT_ATTRIBUTES, latest=("stock_quantity",), namespace="products"
    )
    return versions.select(
        F.col("sk").alias("product_sk"),
        "product_id",
        "product_name",
        "category",
        "subcategory",
        "brand",
        "list_price",
        "unit_cost",
        "stock_quantity",
        "is_active",
        "created_at",
        "valid_from",
        "valid_to",
        "is_current",
        "is_deleted",
        CHANGES_OF_KEY,
    )
