"""Customers: the first load and the changes since, in one history."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from common.contracts.model import Contract, Field, Rule, future_rule, key_pattern_rule
from common.settings import SourceSettings

OPERATIONS = ("upsert", "delete")


def _impossible_birth_date(source: SourceSettings) -> Column:
    too_early = F.col("birth_date") < F.lit(source.limits.earliest_birth_date)
    return too_early | (F.col("birth_date") > F.col("updated_at").cast("date"))


def _malformed_email(source: SourceSettings) -> Column:
    return ~F.col("email").rlike(r"^[^@\s]+@[^@\s]+$")


def unknown_operation(source: SourceSettings) -> Column:
    """A change that is neither an upsert nor a delete."""
    return ~F.col("op").isin(*OPERATIONS)


def change_order(source: SourceSettings) -> tuple[Column, ...]:
    """Newer is what was updated later; of changes at one instant a delete comes last."""
    return F.col("updated_at"), F.col("op") == "delete"


USERS = Contract(
    name="users",
    form="csv",
    fields=(
        Field("user_id", "string", required=True),
        Field("email", "string"),
        Field("first_name", "string"),
        Field("last_name", "string"),
        Field("gender", "string"),
        Field("birth_date", "date"),
        Field("phone", "string"),
        Field("street", "string"),
        Field("city", "string"),
        Field("state", "string"),
        Field("country", "string"),
        Field("postal_code", "string"),
        Field("signup_ts", "timestamp"),
        Field("marketing_opt_in", "boolean"),
        Field("loyalty_tier", "string"),
        Field("updated_at", "timestamp", required=True),
        Field("op", "string"),
    ),
    key="user_id",
    history=True,
    version=change_order,
    delivered="date",
    rules=(
        key_pattern_rule("user_id"),
        future_rule("updated_at"),
        Rule("unknown_op", unknown_operation),
        Rule("impossible_birth_date", _impossible_birth_date),
        Rule("malformed_email", _malformed_email, fate="flag"),
    ),
)
