"""The tables of recommendations: gated, written and counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from common.job import StageContext
from common.ml import outputs
from common.ml.interactions import interactions
from common.ml.popularity import popular_by_category, popular_by_segment
from common.ml.recommendation_tables import Offer, for_customers, similar_products
from common.ml.recommender import Factors
from common.ml.recommender_training import Past
from common.ml.registry import Version
from common.quality.accounting import expect_equal
from common.storage.persisting import persisted

NAME = "recommendations"
TABLES = "analytics/ml/recommendations"
# More than are shown: what a customer has is taken out of them.
_POPULAR = 100


@dataclass(frozen=True)
class Shop:
    """What the stage works on, persisted.

    Attributes:
        past: What is learned from.
        end: The day after the data.
        on_sale: Products that can be recommended.
        segments: Current customers.
    """

    past: Past
    end: date
    on_sale: DataFrame
    segments: DataFrame


def fill_tables(context: StageContext, model: PipelineModel, version: Version, shop: Shop) -> str:
    """Fill the three tables with the model in use."""
    settings = context.settings.ml.recommendations
    factors = Factors.of(model)
    popular = popular_by_segment(shop.past.daily, shop.segments, shop.on_sale, _POPULAR)
    known = interactions(shop.past.daily)
    with persisted(known) as active, persisted(popular) as lists:
        made = for_customers(factors, active, Offer(shop.on_sale, lists, shop.segments), settings.top_n)
        in_category = popular_by_category(shop.past.daily, shop.on_sale, settings.similar_n + 1)
        alike = similar_products(factors, shop.on_sale, in_category, settings.similar_n)
        with persisted(made) as customers, persisted(alike) as products:
            _gate(context, active, customers, products, shop)
            _expect_every_product(products, lists, shop)
            written = {
                "for_customers": _save(context, "for_customers", _stamped(customers, version, shop), "user_id"),
                "similar_products": _save(context, "similar_products", _stamped(products, version, shop), "product_id"),
                "popular": _save(context, "popular", _stamped(lists, version, shop), "segment"),
            }
    statements = [outputs.hive_table(f"ml_{name}", path, schema) for name, (path, schema, _) in written.items()]
    outputs.write_statements(context.spark, context.layout, NAME, statements)
    return ", ".join(f"{name}: {rows:,} rows" for name, (_, _, rows) in written.items())


def _gate(context: StageContext, known: DataFrame, customers: DataFrame, products: DataFrame, shop: Shop) -> None:
    """Hold the recommendations against their suites; whether anybody is shown what they have is a column of its own."""
    again = shop.on_sale.select("product_id", "is_replenishable")
    had = known.where("bought > 0").select("user_id", "product_id", F.lit(True).alias("has"))
    looked_at = (
        customers.join(F.broadcast(again), on="product_id", how="left")
        .join(had, on=["user_id", "product_id"], how="left")
        .withColumn("is_new_or_replenishable", F.col("is_replenishable") | F.col("has").isNull())
    )
    active = known.select("user_id").distinct().join(shop.segments, on="user_id", how="left_semi").count()
    served = customers.select("user_id").distinct().count()
    expected = active - _who_have_everything(had, shop)
    expect_equal("customers with recommendations", expected, served, where=TABLES)
    settings = context.settings.ml.recommendations
    context.gate("train_recommendations.for_customers", looked_at.drop("has"), top_n=settings.top_n)
    is_other = products.withColumn("is_other", F.col("product_id") != F.col("similar_product_id"))
    context.gate("train_recommendations.similar_products", is_other, similar_n=settings.similar_n)


def _expect_every_product(products: DataFrame, popular: DataFrame, shop: Shop) -> None:
    """Each product on sale has similar ones, if more than one product on sale was ever bought."""
    if popular.select("product_id").distinct().count() > 1:
        found = products.select("product_id").distinct().count()
        expect_equal("products with similar ones", shop.on_sale.count(), found, where=TABLES)


def _who_have_everything(had: DataFrame, shop: Shop) -> int:
    """How many customers have all products on sale, none of which is bought again."""
    on_sale = shop.on_sale.count()
    bought = had.join(shop.on_sale.where("NOT is_replenishable"), on="product_id", how="left_semi")
    counted = bought.join(shop.segments, on="user_id", how="left_semi").groupBy("user_id").count()
    return counted.where(F.col("count") == on_sale).count()


def _stamped(rows: DataFrame, version: Version, shop: Shop) -> DataFrame:
    return rows.withColumns({"as_of": F.lit(shop.end), "model_version": F.lit(version.number)})


def _save(context: StageContext, name: str, rows: DataFrame, key: str) -> tuple[str, StructType, int]:
    """Write a table, and count what is there then."""
    path = context.layout.path(TABLES, name)
    outputs.write_parquet(rows.repartition(1).sortWithinPartitions(key, "rank"), path)
    expected, written = rows.count(), context.spark.read.parquet(path).count()
    expect_equal(f"rows of {name}", expected, written, where=path)
    return path, rows.schema, written
