"""The best products for customers: blocks of a product of matrices, exclusion, and those whom no model knows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from common.ml.best_products import Items, best_items
from common.ml.recommendation_tables import MODEL, POPULAR, Offer, for_customers, similar_products
from common.ml.recommender import Factors, Index, arrange, as_pipeline, fit_factors, make_index
from common.settings import FactorTrial, MlSettings
from common.storage.local_frames import local_frame

ITEMS = ("P1", "P2", "P3", "P4")
INTEREST = [
    ("a", "P1", 5.0, 1), ("a", "P2", 1.0, 0),
    ("b", "P1", 5.0, 1), ("b", "P2", 5.0, 1),
    ("c", "P3", 5.0, 1), ("c", "P4", 4.0, 0),
]  # fmt: skip
KNOWN = "user_id string, product_id string, strength float, bought int"
ON_SALE = "product_id string, category string"
LISTS = "category string, product_id string, rank int"


def no_list(spark: SparkSession) -> DataFrame:
    """Nothing is popular."""
    return local_frame(spark, [], LISTS)


def given_factors(spark: SparkSession, *vectors: list[float]) -> Factors:
    """Factors of P1, P2 and so on."""
    of_items = local_frame(spark, list(enumerate(vectors)), "id int, features array<float>")
    model = SimpleNamespace(itemFactors=of_items, rank=2)
    return Factors(cast(Any, model), (), ITEMS[: len(vectors)])


@pytest.fixture(scope="module")
def known(spark: SparkSession) -> DataFrame:
    return local_frame(spark, INTEREST, KNOWN)


@pytest.fixture(scope="module")
def factors(known: DataFrame, checkpoints: None, quick: MlSettings) -> Factors:
    index = Index(("a", "b", "c"), ITEMS)
    trial = FactorTrial(rank=2, reg=0.1, alpha=1.0)
    model = fit_factors(arrange(known, index, "strength"), trial, quick, implicit=True)
    return Factors.of(as_pipeline(index, None, model))


@pytest.fixture
def offer(spark: SparkSession) -> Offer:
    on_sale = local_frame(
        spark,
        [("P1", None, False), ("P2", None, True), ("P3", None, False), ("P4", None, False)],
        "product_id string, category string, is_replenishable boolean",
    )
    popular = local_frame(
        spark,
        [("all", "P1", 9, 1), ("all", "P2", 8, 2), ("all", "P3", 7, 3), ("gold", "P4", 1, 1)],
        "segment string, product_id string, customers int, rank int",
    )
    segments = local_frame(
        spark,
        [(name, "gold" if name == "new" else "all") for name in ("a", "b", "c", "new")],
        "user_id string, segment string",
    )
    return Offer(on_sale, popular, segments)


def test_best_items_are_those_of_the_product(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.ml.best_products._ROWS_AT_A_TIME", 2)
    random = np.random.default_rng(1)
    users, items = random.normal(size=(7, 3)).astype(np.float32).astype(float), random.normal(size=(4, 3))
    rows = local_frame(
        spark,
        [(str(place), [float(x) for x in factor], [place % 4]) for place, factor in enumerate(users)],
        "key string, features array<float>, excluded array<int>",
    )
    allowed = np.array([True, True, True, False])
    found = best_items(rows, Items(items, ITEMS, allowed), 2).collect()
    for place, factor in enumerate(users):
        scores = items @ factor
        scores[[place % 4, 3]] = -np.inf
        wanted = [ITEMS[item] for item in np.argsort(-scores)[:2]]
        mine = sorted((row["place"], row["item"]) for row in found if row["key"] == str(place))
        assert [item for _, item in mine] == wanted[: len(mine)]
        assert [number for number, _ in mine] == list(range(1, len(mine) + 1))
        assert len(mine) == int(min(2, (scores > -np.inf).sum()))


def test_the_best_of_a_large_and_of_a_small_group_are_its_own_and_then_others(spark: SparkSession) -> None:
    random = np.random.default_rng(2)
    groups = np.repeat([0, 1, 2, -1], [9, 6, 3, 2])  # enough for three, just enough, too few, and none
    items = random.normal(size=(20, 2)).astype(np.float32).astype(float)
    names, allowed = tuple(f"P{place:02d}" for place in range(20)), np.arange(20) != 4
    rows = local_frame(
        spark,
        [(name, [float(x) for x in items[place]], [place, 9], int(groups[place])) for place, name in enumerate(names)],
        "key string, features array<float>, excluded array<int>, group int",
    )
    found = best_items(rows, Items(items, names, allowed, groups), 4).collect()
    for place, name in enumerate(names):
        scores = items @ items[place]
        own = (groups == groups[place]) & (groups[place] >= 0)
        order = [item for item in np.lexsort((-scores, ~own)) if item not in {place, 9, 4}][:4]
        mine = sorted((row["place"], row["item"], row["score"]) for row in found if row["key"] == name)
        assert [item for _, item, _ in mine] == [names[item] for item in order]
        assert [score for _, _, score in mine] == pytest.approx(scores[order])


def test_nobody_is_shown_what_they_have_unless_it_is_replenishable(
    factors: Factors, known: DataFrame, offer: Offer
) -> None:
    found = for_customers(factors, known, offer, 4).collect()
    shown = {name: {row["product_id"] for row in found if row["user_id"] == name} for name in ("a", "b", "c")}
    assert shown == {"a": {"P2", "P3", "P4"}, "b": {"P2", "P3", "P4"}, "c": {"P1", "P2", "P4"}}
    assert {row["reason"] for row in found} == {MODEL}


def test_taste_ranks(factors: Factors, known: DataFrame, offer: Offer) -> None:
    found = for_customers(factors, known, offer, 1).collect()
    assert {row["user_id"]: row["product_id"] for row in found} == {"a": "P2", "b": "P2", "c": "P4"}


def test_who_is_new_to_the_model_gets_what_is_popular(
    spark: SparkSession, factors: Factors, known: DataFrame, offer: Offer
) -> None:
    later = known.unionByName(local_frame(spark, [("new", "P1", 4.0, 1), ("gone", "P1", 4.0, 1)], KNOWN))
    found = [row for row in for_customers(factors, later, offer, 2).collect() if row["user_id"] not in {"a", "b", "c"}]
    # One product is too few for a segment of its own: the list of all, without P1 which is there already.
    assert [(row["user_id"], row["rank"], row["product_id"], row["reason"]) for row in sorted(found)] == [
        ("new", 1, "P2", POPULAR),
        ("new", 2, "P3", POPULAR),
    ]


def test_similar_products_are_others_by_cosine(spark: SparkSession, factors: Factors, offer: Offer) -> None:
    found = similar_products(factors, offer.on_sale, no_list(spark), 2).collect()
    matrix = factors.item_matrix()
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    assert len(found) == 8
    for row in found:
        one, other = ITEMS.index(row["product_id"]), ITEMS.index(row["similar_product_id"])
        assert one != other
        assert row["similarity"] == pytest.approx(float(unit[one] @ unit[other]), abs=1e-4)
    assert {row["product_id"]: row["similar_product_id"] for row in found if row["rank"] == 1}["P3"] == "P4"


def test_similar_products_of_the_same_category_come_first(spark: SparkSession, factors: Factors) -> None:
    on_sale = local_frame(spark, [("P1", "Books"), ("P2", None), ("P3", "Books"), ("P4", None)], ON_SALE)
    found = sorted(similar_products(factors, on_sale, no_list(spark), 3).collect())
    order = {
        name: [row["similar_product_id"] for row in found if row["product_id"] == name] for name in ("P1", "P3", "P4")
    }
    # By interest alone P1 goes with P2, and P3 with P4; no category is none that two products share.
    assert order["P1"][:2] == ["P3", "P2"]
    assert order["P3"][:2] == ["P1", "P4"]
    assert order["P4"][0] == "P3"
    assert all(-1 <= row["similarity"] <= 1 + 1e-6 for row in found)


def test_what_the_model_does_not_know_is_like_what_is_popular_in_its_category(spark: SparkSession) -> None:
    # P2 and P4 have no direction, and P5 has come since.
    factors = given_factors(spark, [1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [1e-30, 0.0])
    on_sale = local_frame(
        spark, [("P1", "Books"), ("P2", "Books"), ("P3", "Books"), ("P4", None), ("P5", "Books")], ON_SALE
    )
    lists = [("Books", "P3", 1), ("Books", "P2", 2), ("Books", "P1", 3), ("", "P2", 1), ("", "P3", 2), ("", "P1", 3)]
    popular = local_frame(spark, lists, LISTS)
    assert_df_equality(
        similar_products(factors, on_sale, popular, 2).drop("similarity"),
        local_frame(spark, [
                ("P1", 1, "P3", MODEL), ("P3", 1, "P1", MODEL),
                ("P2", 1, "P3", POPULAR), ("P2", 2, "P1", POPULAR),
                ("P4", 1, "P2", POPULAR), ("P4", 2, "P3", POPULAR),
                ("P5", 1, "P3", POPULAR), ("P5", 2, "P2", POPULAR),
            ],
            "product_id string, rank int, similar_product_id string, reason string",
        ),
        ignore_row_order=True,
        ignore_nullable=True,
    )  # fmt: skip
    cosines = [
        row["similarity"] for row in similar_products(factors, on_sale, popular, 2).orderBy("product_id").collect()
    ]
    assert cosines == [pytest.approx(np.sqrt(0.5))] + [None] * 2 + [pytest.approx(np.sqrt(0.5))] + [None] * 4


def test_a_single_known_product_has_no_other_by_taste(spark: SparkSession) -> None:
    on_sale = local_frame(spark, [("P1", None), ("P2", None)], ON_SALE)
    popular = local_frame(spark, [("", "P1", 1), ("", "P2", 2)], LISTS)
    found = similar_products(given_factors(spark, [1.0, 0.0], [0.0, 0.0]), on_sale, popular, 2)
    assert sorted((row["product_id"], row["similar_product_id"], row["reason"]) for row in found.collect()) == [
        ("P1", "P2", POPULAR),
        ("P2", "P1", POPULAR),
    ]


def test_factors_do_not_depend_on_partitions(
    spark: SparkSession, quick: MlSettings, known: DataFrame, checkpoints: None
) -> None:
    index, trial = Index(("a", "b", "c"), ITEMS), FactorTrial(rank=2, reg=0.1, alpha=1.0)
    matrices = []
    for partitions in (1, 3, 5):
        rows = arrange(known.repartition(partitions), index, "strength")
        matrices.append(
            Factors(fit_factors(rows, trial, quick, implicit=True), *(index.users, index.items)).item_matrix()
        )
    assert np.array_equal(matrices[0], matrices[1])
    assert np.array_equal(matrices[0], matrices[2])


def test_interest_counts_by_its_logarithm_where_that_is_asked(
    spark: SparkSession, quick: MlSettings, known: DataFrame, checkpoints: None
) -> None:
    index = Index(("a", "b", "c"), ITEMS)
    often = known.withColumn("strength", F.col("strength") * 50)

    def items(rows: DataFrame, *, logarithmic: bool) -> np.ndarray:
        trial = FactorTrial(rank=2, reg=0.1, logarithmic=logarithmic)
        return Factors(fit_factors(rows, trial, quick, implicit=True), *(index.users, index.items)).item_matrix()

    found = items(arrange(often, index, "strength"), logarithmic=True)
    by_hand = often.withColumn("strength", F.log1p("strength").cast("float"))
    assert np.array_equal(found, items(arrange(by_hand, index, "strength"), logarithmic=False))
    assert not np.allclose(found, items(arrange(often, index, "strength"), logarithmic=False))


def test_an_unknown_pair_has_no_prediction(
    spark: SparkSession, quick: MlSettings, known: DataFrame, checkpoints: None
) -> None:
    index, trial = Index(("a", "b", "c"), ITEMS), FactorTrial(rank=2, reg=0.1)
    rows = arrange(known, index, "strength")
    explicit, implicit = (fit_factors(rows, trial, quick, implicit=kind) for kind in (False, True))
    pairs = local_frame(spark, [("a", "P1"), ("nobody", "P1"), ("a", "nothing")], "user_id string, product_id string")
    rows_said = as_pipeline(index, explicit, implicit).transform(pairs).collect()
    said = {(row["user_id"], row["product_id"]): row["prediction"] for row in rows_said}
    assert 1.0 <= said["a", "P1"] <= 5.0
    assert np.isnan(said["nobody", "P1"])
    assert np.isnan(said["a", "nothing"])


def test_an_index_and_its_stages_number_ids_alike(spark: SparkSession) -> None:
    """In Java characters beyond the first plane come before the last ones of it, in Spark and Python after them."""
    odd = ("p", "\uff5e", "\U0001f600")
    pairs = local_frame(spark, [("a", each) for each in odd[::-1]], "user_id string, product_id string")
    index = make_index(pairs)
    assert (index.users, index.items) == (("a",), odd)
    users, items = index.stages(spark)
    placed = items.transform(users.transform(pairs)).collect()
    assert {(row["product_id"], row["user"], row["item"]) for row in placed} == {
        (each, 0.0, float(place)) for place, each in enumerate(odd)
    }
    with pytest.raises(ValueError, match="ids of product_id are not in order"):
        Index(("a",), odd[::-1]).stages(spark)
