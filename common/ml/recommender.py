"""The recommender: tastes by alternating least squares, of stars and of what customers did.

Two factorisations (Koren, Bell and Volinsky 2009; Hu, Koren and Volinsky 2008) share one pipeline: ids to indices,
stars as `rating_prediction`, interest as `score`. Stars say how much a product will please, interest ranks what is
bought next; the one is bad at the other's task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.ml.feature import SQLTransformer, StringIndexer, StringIndexerModel
from pyspark.ml.recommendation import ALS, ALSModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.ml.ranking import Floats, Ints
from common.settings import FactorTrial, MlSettings

RATING, SCORE = "rating_prediction", "score"
_LOWEST, _HIGHEST = 1.0, 5.0
_ITERATIONS_KEPT = 3


@dataclass(frozen=True)
class Index:
    """Ids in order, by their characters' code points; their places are what models count by.

    Attributes:
        users: Customer ids.
        items: Product ids.
    """

    users: tuple[str, ...]
    items: tuple[str, ...]

    def stages(self, spark: SparkSession) -> tuple[StringIndexerModel, StringIndexerModel]:
        """From ids to places; an id that is not known gets a place that no model knows.

        They learn the ids from a frame, in Spark's order: `from_labels` hands each over by a call of its own.

        Raises:
            ValueError: If the ids are in another order.
        """
        users, items = (
            _indexer(spark, labels, name, place)
            for labels, name, place in ((self.users, "user_id", "user"), (self.items, "product_id", "item"))
        )
        return users, items

    def places(self, names: pd.Series, known: Sequence[str]) -> Ints:
        """Places of names, -1 for one that is not known."""
        found: Ints = pd.Index(known).get_indexer(pd.Index(names)).astype(np.int64)
        return found


def make_index(pairs: DataFrame) -> Index:
    """The index of all customers and products that occur in pairs of user_id and product_id."""
    users, items = (pairs.select(name).distinct().toArrow().column(name) for name in ("user_id", "product_id"))
    return Index(tuple(sorted(users.to_pylist())), tuple(sorted(items.to_pylist())))


def _indexer(spark: SparkSession, ids: Sequence[str], name: str, place: str) -> StringIndexerModel:
    frame = named_places(spark, ids, place, name)
    by_name = StringIndexer(inputCol=name, outputCol=place, handleInvalid="keep", stringOrderType="alphabetAsc")
    indexer = by_name.fit(frame.select(name))
    if tuple(indexer.labels) != tuple(ids):
        raise ValueError(f"ids of {name} are not in order")
    return indexer


def named_places(spark: SparkSession, names: Sequence[str], place: str, name: str) -> DataFrame:
    """Names and their places, as rows."""
    frame = pd.DataFrame({place: np.arange(len(names), dtype=np.int32), name: list(names)})
    return spark.createDataFrame(frame, f"{place} int, {name} string")


def arrange(rows: DataFrame, index: Index, value: str) -> DataFrame:
    """Pairs by their places, in one partition and one order: what ALS learns depends on both to the last digit.

    Args:
        rows: user_id, product_id and the value; those that the index does not know are left out.
        index: The index.
        value: The column of the value.

    Returns:
        user, item, value.
    """
    spark = rows.sparkSession
    placed = rows
    for name, place, known in (("user_id", "user", index.users), ("product_id", "item", index.items)):
        # A join instead of the pipeline's indexer, which would send all ids along with each task.
        placed = placed.join(F.broadcast(named_places(spark, known, place, name)), on=name, how="inner")
    chosen = placed.select("user", "item", F.col(value).alias("value"))
    return chosen.repartition(1).sortWithinPartitions("user", "item")


def fit_factors(rows: DataFrame, trial: FactorTrial, settings: MlSettings, *, implicit: bool) -> ALSModel:
    """Factorise.

    Args:
        rows: From `arrange`, persisted.
        trial: Rank, regularisation and, of implicit feedback, how much interest adds to confidence: alpha * value, or
            alpha * log(1 + value) (Hu, Koren and Volinsky 2008, section 4).
        settings: Iterations, blocks and seed.
        implicit: Whether values are strengths of interest instead of ratings.
    """
    als = ALS(
        rank=trial.rank,
        maxIter=settings.recommendations.max_iter,
        regParam=trial.reg,
        alpha=trial.alpha,
        implicitPrefs=implicit,
        userCol="user",
        itemCol="item",
        ratingCol="value",
        numUserBlocks=settings.partitions,
        numItemBlocks=settings.partitions,
        coldStartStrategy="nan",
        # Where the session has a directory for it: without, each iteration carries all those before it along.
        checkpointInterval=_ITERATIONS_KEPT,
        seed=settings.seed,
    )
    if implicit and trial.logarithmic:
        rows = rows.withColumn("value", F.log1p("value").cast("float"))
    return als.fit(rows)


def as_pipeline(index: Index, explicit: ALSModel | None, implicit: ALSModel) -> PipelineModel:
    """Put both into one pipeline from user_id and product_id.

    Its `prediction` is the expected rating, within the range of stars and NaN for an unknown pair; in a shop without
    ratings it is the score.
    """
    stages: list[Any] = [*index.stages(implicit.itemFactors.sparkSession)]
    prediction = SCORE
    if explicit is not None:
        stages.append(explicit.setPredictionCol(RATING))
        prediction = f"if(isnan({RATING}), {RATING}, least({_HIGHEST}F, greatest({_LOWEST}F, {RATING})))"
    stages.append(implicit.setPredictionCol(SCORE))
    stages.append(SQLTransformer(statement=f"SELECT *, CAST({prediction} AS DOUBLE) AS prediction FROM __THIS__"))
    return PipelineModel(stages=stages)


@dataclass(frozen=True)
class Factors:
    """The factorisation of interest in a pipeline, and the ids that its places stand for."""

    model: ALSModel
    users: tuple[str, ...]
    items: tuple[str, ...]

    @classmethod
    def of(cls, pipeline: PipelineModel) -> Factors:
        """From a pipeline.

        Raises:
            ValueError: If it is none of `as_pipeline`.
        """
        models = [stage for stage in pipeline.stages if isinstance(stage, ALSModel)]
        indexers = [stage for stage in pipeline.stages if isinstance(stage, StringIndexerModel)]
        labels = {indexer.getOutputCol(): tuple(indexer.labelsArray[0]) for indexer in indexers}
        if not models or set(labels) != {"user", "item"}:
            raise ValueError("the pipeline has no factors")
        return cls(models[-1], labels["user"], labels["item"])

    def item_matrix(self) -> Floats:
        """Factors of all items, (i, r); zeros for one that this factorisation has not seen."""
        return dense(self.model.itemFactors, len(self.items), self.model.rank)

    def user_matrix(self, places: Ints) -> Floats:
        """Factors of some users, (n, r)."""
        chosen = self.model.userFactors.where(F.col("id").isin([int(place) for place in places]))
        whole = dense(chosen, len(self.users), self.model.rank)
        values: Floats = whole[places]
        return values


def dense(factors: DataFrame, rows: int, rank: int) -> Floats:
    """Rows of id and features as a matrix, zeros where there is no row."""
    found: pd.DataFrame = factors.toPandas()
    matrix = np.zeros((rows, rank))
    if len(found):
        matrix[found["id"].to_numpy()] = np.stack([np.asarray(each) for each in found["features"]])
    return matrix
