"""How well those are served whom training has not seen: customers by their segment, products by their category.

Neither can be in a ranking of tastes. A customer without a past is shown what is popular in their segment; on the page
of a product without one is what is popular in its category. Both lists are measured on what was bought from the cutoff
on, as the rankings are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.ml.later import Later
from common.ml.popularity import ALL_SEGMENTS, named_category, popular_by_category
from common.ml.ranking import ndcg
from common.ml.splits import in_share, share_for

_SALT = "newcomers"


def new_customer_figures(later: Later, popular: DataFrame, segments: DataFrame, count: int) -> dict[str, Any]:
    """What customers without a past buy, and how much of it is popular in their segment.

    Args:
        later: What they buy.
        popular: From `popular_by_segment`, before the cutoff.
        segments: user_id and segment.
        count: How many are recommended.

    Returns:
        customers, and the mean ndcg of their lists, null where there are none.
    """
    bought = (
        later.fresh()
        .join(later.known.select("user_id").distinct(), on="user_id", how="left_anti")
        .join(segments, on="user_id", how="inner")
    )
    found = _collected(bought, later.limit)
    lists = _lists(popular, "segment", count)
    everyone = lists.get(ALL_SEGMENTS, [])
    asked = [
        (lists.get(part["segment"].iloc[0], everyone), frozenset(part["product_id"]))
        for _, part in found.groupby("user_id")
    ]
    return {"customers": len(asked), f"ndcg_at_{count}": _mean_ndcg(asked, count)}


def new_product_figures(later: Later, on_sale: DataFrame, count: int) -> dict[str, Any]:
    """What part of the purchases is of products without a past, and what else their buyers take.

    Args:
        later: What is bought.
        on_sale: product_id and category.
        count: How many similar products are shown.

    Returns:
        products: how many were bought; share_of_purchases: of what was new to its customer, which no ranking of tastes
        can find; pairs: a customer and a new product, where the customer bought something else as well; the mean ndcg
        of what is popular in its category, with those other purchases as what is to be found, null where there are no
        pairs.
    """
    seen = later.known.select("product_id").distinct().withColumn("is_seen", F.lit(True))
    bought = (
        later.fresh()
        .join(F.broadcast(seen), on="product_id", how="left")
        .join(F.broadcast(on_sale.select("product_id", named_category())), on="product_id", how="left")
        .select("user_id", "product_id", F.col("is_seen").isNull().alias("is_new"), "category")
    )
    found = _collected(bought, later.limit)
    new = found[found["is_new"]]
    lists = _lists(popular_by_category(later.daily, on_sale, count, later.period.first), "category", count)
    baskets = {name: frozenset(part) for name, part in found.groupby("user_id")["product_id"]}
    asked = [
        (lists.get(row.category, []), baskets[row.user_id] - {row.product_id}) for row in new.itertuples(index=False)
    ]
    asked = [(shown, wanted) for shown, wanted in asked if shown and wanted]
    return {
        "products": int(new["product_id"].nunique()),
        "share_of_purchases": len(new) / len(found) if len(found) else None,
        "pairs": len(asked),
        f"ndcg_at_{count}": _mean_ndcg(asked, count),
    }


def _collected(bought: DataFrame, limit: int) -> pd.DataFrame:
    """Rows of user_id and product_id of some customers, in order."""
    customers = bought.select("user_id").distinct().count()
    found: pd.DataFrame = bought.where(in_share("user_id", share_for(customers, limit), _SALT)).toPandas()
    return found.sort_values(["user_id", "product_id"], ignore_index=True)


def _lists(popular: DataFrame, group: str, count: int) -> dict[str, list[str]]:
    found: pd.DataFrame = popular.where(F.col("rank") <= count).select(group, "rank", "product_id").toPandas()
    ordered = found.sort_values([group, "rank"])
    return {name: list(part) for name, part in ordered.groupby(group)["product_id"]}


def _mean_ndcg(asked: Iterable[tuple[list[str], frozenset[str]]], count: int) -> float | None:
    """The mean over lists and what was to be found by them."""
    hits, relevant = [], []
    for shown, wanted in asked:
        hits.append([place < len(shown) and shown[place] in wanted for place in range(count)])
        relevant.append(len(wanted))
    return float(ndcg(np.array(hits, dtype=bool), np.array(relevant)).mean()) if hits else None
