"""The suites of what models learn from and of what they say."""

from __future__ import annotations

from tests.unit.quality.suites.cases import ROWS, Case, between, either, fails, in_set, key, no_nulls, twice

_EMPTY = fails("table_row_count_to_be_between", rows=0)
_ONE_ROW = fails(rows=1)

FEATURES = Case(
    "train_churn.features",
    "as_of date, user_id string, is_past boolean, out_of_range string, exposure double",
    lambda number: {
        "as_of": f"2025-06-{1 + number // 10:02}", "user_id": f"U{number % 10}",
        "is_past": True, "out_of_range": "none",
        "exposure": either(number, 1.0, 5.0),
    },
    [
        fails("table_row_count_to_be_between", rows=ROWS - 1),
        no_nulls("as_of", "user_id", "is_past", "exposure")
        & twice("compound_columns_to_be_unique ['as_of', 'user_id']", exposure=2)
        & in_set(is_past=False)
        & fails("column_distinct_values_to_be_in_set out_of_range", last={"out_of_range": "orders"})
        & between(exposure=[0.99, 5.01]),
    ],
    {"min_rows": ROWS},
)  # fmt: skip

PREDICTIONS = Case(
    "train_churn.predictions",
    "user_id string, churn_probability double, risk_level string, reasons string",
    lambda number: {
        "user_id": f"U{number}", "churn_probability": either(number, 0, 1), "reasons": "bought long ago",
        "risk_level": ("high", "medium", "low")[number % 3],
    },
    [
        fails("table_row_count_to_equal", rows=ROWS - 1),
        twice("table_row_count_to_equal", "be_unique user_id", reasons="bought lately")
        & no_nulls("user_id", "churn_probability", "risk_level", "reasons")
        & between(churn_probability=[-0.001, 1.001])
        & in_set(risk_level="none"),
    ],
    {"customers": ROWS},
)  # fmt: skip

FOR_CUSTOMERS = Case(
    "train_recommendations.for_customers",
    "user_id string, product_id string, rank int, is_new_or_replenishable boolean, reason string",
    lambda number: {
        **key(number, "user_id", "product_id"), "rank": either(number, 1, 10), "is_new_or_replenishable": True,
        "reason": either(number, "model", "popular"),
    },
    [
        _EMPTY,
        _ONE_ROW,
        no_nulls("user_id", "product_id", "rank", "is_new_or_replenishable", "reason")
        & twice("compound_columns_to_be_unique ['user_id', 'product_id']", rank=2, reason="popular")
        & between(rank=[0, 11])
        & in_set(is_new_or_replenishable=False, reason="guess"),
    ],
    {"top_n": 10},
)  # fmt: skip

INTERACTIONS = Case(
    "train_recommendations.interactions",
    "user_id string, product_id string, day date, strength decimal(12,3), bought long",
    lambda number: {
        "user_id": f"U{number}", "product_id": "P1", "day": "2025-06-01", "strength": "0.001", "bought": 0,
    },
    [
        _EMPTY,
        _ONE_ROW,
        no_nulls("user_id", "product_id", "day", "strength", "bought") & between(strength="0.000", bought=-1),
    ],
)  # fmt: skip

RATINGS = Case(
    "train_recommendations.ratings",
    "user_id string, product_id string, rating float",
    lambda number: {"user_id": f"U{number}", "product_id": "P1", "rating": either(number, 1, 5)},
    [
        fails("table_row_count_to_be_between", "~column_stdev_to_be_between rating", rows=0),
        fails("~column_stdev_to_be_between rating", rows=1),
        no_nulls("user_id", "product_id", "rating") & between(rating=[0.99, 5.001]),
        # One of a hundred that differs by d makes a standard deviation of d / 10.
        fails("~column_stdev_to_be_between rating", many={"rating": [5] * ROWS}, last={"rating": 4.51}),
    ],
)

SIMILAR_PRODUCTS = Case(
    "train_recommendations.similar_products",
    "product_id string, similar_product_id string, rank int, is_other boolean, similarity double, reason string",
    lambda number: {
        "product_id": f"P{number // 10}", "similar_product_id": "P100", "rank": 1 + number % 10, "is_other": True,
        "similarity": either(number, -1.0001, 1.0001), "reason": either(number, "model", "popular"),
    },
    [
        _EMPTY,
        _ONE_ROW,
        no_nulls("product_id", "similar_product_id", "rank", "is_other", "reason")
        & twice("compound_columns_to_be_unique ['product_id', 'rank']", similar_product_id="P101", reason="popular")
        & between(rank=[0, 11], similarity=[-1.0002, 1.0002])
        & in_set(is_other=False, reason="guess"),
    ],
    {"similar_n": 10},
)  # fmt: skip

CASES = (FEATURES, PREDICTIONS, FOR_CUSTOMERS, INTERACTIONS, RATINGS, SIMILAR_PRODUCTS)
