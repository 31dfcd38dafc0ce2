"""When a new model takes the place of the one in use, and who can be recommended nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import SparkSession

from common.errors import InputError
from common.job import StageContext
from common.layout import Layout
from common.ml import outputs
from common.ml.recommender_evaluation import Measured
from common.ml.recommender_training import Chosen
from common.ml.registry import Registry, Trained, Version
from common.settings import Settings, load_settings
from common.stages import recommendations, recommendations_promotion
from common.stages.origins import Origin
from common.stages.recommendations_promotion import as_text, held_against, parameters_of, worse
from common.stages.recommendations_tables import Shop, _who_have_everything
from common.storage.local_frames import local_frame
from tests.unit.ml.churners import Shelf, measured, train

OLD = {"explicit": {"rank": 5, "reg": 0.1}, "implicit": {"rank": 8, "reg": 1.0, "alpha": 1.0}}
IN_USE = {"ndcg_at_10": 0.100, "rmse": 0.90}  # what OLD reaches
NEW = {**OLD, "implicit": {"rank": 9, "reg": 1.0, "alpha": 1.0}}


def version(parameters: object, number: str = "3") -> Version:
    return Version("recommendations", number, "run", {}, {"parameters": json.dumps(parameters)})


def shop_of(settings: Settings, daily: object = None) -> Shop:
    past = SimpleNamespace(settings=settings.ml, daily=daily, test=SimpleNamespace(first=date(2025, 11, 1)))
    return cast(Shop, SimpleNamespace(past=past, on_sale=None, segments=None, end=date(2025, 12, 1)))


class TestChurn:
    """The model in use ranks 33 pairs of customers the wrong way round, which is an AUC of 0.8911."""

    KEPT = 33

    @pytest.mark.parametrize("rebuild", [False, True], ids=["", "rebuild"])
    @pytest.mark.parametrize(
        ("wrong", "auc", "promoted"),
        [(30, 0.9100, True), (33, 0.8911, True), (34, 0.8844, True), (35, 0.8775, False), (40, 0.8400, False)],
        ids=["better", "equal", "worse within the margin", "worse beyond it", "far worse"],
    )
    def test_a_model_takes_the_alias_unless_its_auc_is_lower_by_more_than_the_margin(  # noqa: PLR0917 - cases
        self, make_context: Callable[..., StageContext], settings: Settings, monkeypatch: pytest.MonkeyPatch,
        wrong: int, auc: float, promoted: bool, rebuild: bool,
    ) -> None:  # fmt: skip
        assert settings.ml.churn.margin == 0.01
        context, shelf = make_context(rebuild=rebuild), Shelf()
        assert train(context, shelf, monkeypatch, self.KEPT).version.number == "1"
        chosen = train(context, shelf, monkeypatch, wrong, self.KEPT)
        assert measured(settings, wrong)["test"]["auc"] == pytest.approx(auc)
        assert [each.number for each in shelf.versions] == ["1", "2"], "registered, whatever it is worth"
        assert shelf.in_use == chosen.version.number == ("2" if promoted else "1")
        assert chosen.training["newest"]["promoted"] is promoted
        assert chosen.training["newest"]["figures"]["auc"] == pytest.approx(auc)
        assert chosen.evaluation["test"]["auc"] == pytest.approx(auc if promoted else 0.8911), "of the one in use"
        refused = f"warning: version 2 is not promoted: AUC {auc:.4f}, version 1 has 0.8911"
        assert chosen.note == (f"version 2 is promoted: AUC {auc:.4f}" if promoted else refused)

    def test_a_model_in_use_that_is_damaged_or_of_another_horizon_stops_nobody(
        self, make_context: Callable[..., StageContext], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shelf, context = Shelf(), make_context()
        train(context, shelf, monkeypatch, 0)

        def refuse(_: Version) -> str:
            raise InputError("version 1 cannot be loaded", where="models", remedy="restore it")

        with monkeypatch.context() as patch:
            patch.setattr(shelf, "load", refuse)
            assert train(context, shelf, patch, 40).note.startswith("warning: version 1, which was in use, is damaged")
        assert shelf.in_use == "2"
        longer = context.source.model_copy(
            update={"ml": context.source.ml.model_copy(update={"churn_horizon_days": 45})}
        )
        note = train(replace(context, source=longer), shelf, monkeypatch, 60).note
        assert note.startswith("warning: version 2, which was in use, foretells 30 days")
        assert shelf.in_use == "3"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"ndcg_at_10": 0.100, "rmse": 0.90}, {"ndcg_at_10": 0.100, "rmse": 0.90}, ""),
        ({"ndcg_at_10": 0.100, "rmse": 0.90}, {"ndcg_at_10": 0.096, "rmse": 0.93}, ""),
        ({"ndcg_at_10": 0.100, "rmse": 0.90}, {"ndcg_at_10": 0.094, "rmse": 0.90}, "ndcg_at_10 0.0940"),
        ({"ndcg_at_10": 0.100, "rmse": 0.90}, {"ndcg_at_10": 0.100, "rmse": 0.96}, "rmse 0.9600"),
        ({"ndcg_at_10": 0.100, "rmse": None}, {"ndcg_at_10": 0.100, "rmse": 0.96}, ""),
    ],
    ids=["equal", "within the margin", "ranks worse", "rates worse", "rated nothing"],
)
def test_other_parameters_are_measured_on_the_same_test(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, old: dict[str, Any], new: dict[str, Any], said: str
) -> None:
    asked: list[Any] = []

    def measure(_past: object, chosen: Any, *_: object) -> SimpleNamespace:
        asked.append(chosen.implicit.rank)
        return SimpleNamespace(figures=old)

    monkeypatch.setattr(recommendations_promotion, "measure", measure)
    chosen, before = parameters_of(version(NEW)), parameters_of(version(OLD))
    found = worse(shop_of(settings), chosen, cast(Any, SimpleNamespace(figures=new)), "3", before)
    assert asked == [8]
    assert found.startswith(said) and bool(found) == bool(said)


def test_the_same_parameters_need_no_comparison(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommendations_promotion, "measure", None)
    same = parameters_of(version(OLD))
    assert worse(shop_of(settings), same, cast(Any, None), "3", parameters_of(version(OLD))) == ""


def test_a_version_that_does_not_say_its_parameters_stops_no_new_one(settings: Settings) -> None:
    mute = Version("recommendations", "3", "run", {}, {})
    found = held_against(cast(Any, None), shop_of(settings), parameters_of(version(NEW)), cast(Any, None), mute)
    assert found == ("", "version 3 does not say its parameters: 'parameters', and was in use")


@pytest.fixture(scope="module")
def registered(
    spark_session: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, PipelineModel, Version]:
    """A root with a recommender, and that."""
    pairs = local_frame(spark_session, [("a", "P1")], "user_id string, product_id string")
    model = Pipeline(stages=[SQLTransformer(statement="SELECT *, 1.0 AS prediction FROM __THIS__")]).fit(pairs)
    root = tmp_path_factory.mktemp("promotion") / "root"
    registry = Registry(Layout.at(root), load_settings().ml)
    tags = {"parameters": as_text(parameters_of(version(OLD)))}
    return root, model, registry.register("recommendations", model, pairs, Trained({}, {}, tags))


class TestRecommendations:
    """Searching, measuring and factorising are replaced; registry, comparison and evaluation file are the real ones."""

    @pytest.fixture
    def train(
        self, registered: tuple[Path, PipelineModel, Version], make_context: Callable[..., StageContext],
        spark: SparkSession, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    ) -> Callable[..., tuple[list[str], Registry, StageContext, Version]]:  # fmt: skip
        """Train on that root, where the new parameters reach some figures."""
        root, model, first = registered
        pairs = local_frame(spark, [("a", "P1")], "user_id string, product_id string")
        tested = pd.DataFrame({"user_id": ["a"], "product_id": ["P1"], "role": ["relevant"]})

        def run(new: dict[str, float], *, rebuild: bool) -> tuple[list[str], Registry, StageContext, Version]:
            def measure(_past: object, chosen: Chosen, *_: object) -> Measured:
                reached = IN_USE if chosen.implicit.rank == OLD["implicit"]["rank"] else new
                beside = {"popularity_ndcg_at_10": 0.05, "item_item_ndcg_at_10": 0.09, "bias_rmse": 1.0, "mae": 0.7}
                return Measured({"ratings": None}, {**beside, **reached}, dict(reached), tested)

            for module in (recommendations, recommendations_promotion):
                monkeypatch.setattr(module, "measure", measure)
            monkeypatch.setattr(recommendations, "search", lambda _: parameters_of(version(NEW)))
            monkeypatch.setattr(recommendations, "fit", lambda *_: model)
            monkeypatch.setattr(recommendations, "index_before", lambda *_: None)
            layout = Layout.at(root)
            context = replace(make_context(rebuild=rebuild), layout=layout)
            registry = Registry(layout, settings.ml)
            registry.promote(first)
            kept = {"figures": dict.fromkeys(outputs.FIGURES["recommendations"]), "model": {"version": first.number}}
            outputs.write_evaluation(spark, layout, "recommendations", kept)
            notes = recommendations._train(context, registry, shop_of(settings, pairs), Origin("basis", {}))
            return notes, registry, context, first

        return run

    @pytest.mark.parametrize("rebuild", [False, True], ids=["", "rebuild"])
    def test_a_model_that_is_worse_by_more_than_the_margin_leaves_the_alias_where_it_was(
        self, train: Callable[..., Any], rebuild: bool
    ) -> None:
        notes, registry, context, first = train({"ndcg_at_10": 0.094, "rmse": 0.90}, rebuild=rebuild)
        assert registry.require_promoted("recommendations", "job").number == first.number
        evaluation = outputs.read_evaluation(context.layout, "recommendations")
        assert evaluation is not None
        newest = evaluation["newest"]
        assert notes[0] == (
            f"warning: version {newest['version']} is not promoted: ndcg_at_10 0.0940, with the parameters of version "
            f"{first.number} 0.1000"
        )
        assert int(newest["version"]) > int(first.number)
        assert (newest["promoted"], newest["figures"]["ndcg_at_10"]) == (False, 0.094)
        assert evaluation["model"] == {"version": first.number}, "the figures stay those of the one in use"

    @pytest.mark.parametrize(
        "new", [IN_USE, {"ndcg_at_10": 0.096, "rmse": 0.94}], ids=["equal", "worse within the margin"]
    )
    def test_a_model_that_is_not_worse_by_more_takes_it(self, train: Callable[..., Any], new: dict[str, float]) -> None:
        notes, registry, context, first = train(new, rebuild=False)
        now = registry.require_promoted("recommendations", "job")
        assert int(now.number) > int(first.number)
        assert notes[0] == f"version {now.number} is promoted"
        evaluation = outputs.read_evaluation(context.layout, "recommendations")
        assert evaluation is not None
        assert (evaluation["model"]["version"], evaluation["newest"]["promoted"]) == (now.number, True)

    def test_a_damaged_one_is_replaced_by_a_worse_one(
        self, train: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(self: Registry, found: Version) -> PipelineModel:
            raise InputError("it cannot be loaded", where="models", remedy="restore it")

        monkeypatch.setattr(Registry, "load", refuse)
        notes, registry, _, first = train({"ndcg_at_10": 0.050, "rmse": 0.90}, rebuild=False)
        assert registry.require_promoted("recommendations", "job").number != first.number
        assert f"version {first.number}, which was in use, is damaged: it cannot be loaded; version" in notes[0]


def test_who_has_everything_is_counted(spark: SparkSession) -> None:
    had = local_frame(
        spark,
        [("a", "P1"), ("a", "P2"), ("b", "P1"), ("gone", "P1"), ("gone", "P2")],
        "user_id string, product_id string",
    )
    segments = local_frame(spark, [("a", "all"), ("b", "all")], "user_id string, segment string")
    sold = "product_id string, is_replenishable boolean"
    for again, count in ((False, 1), (True, 0)):
        on_sale = local_frame(spark, [("P1", False), ("P2", again)], sold)
        shop = Shop(cast(Any, None), date(2025, 12, 1), on_sale, segments)
        assert _who_have_everything(had, shop) == count
