"""A page for each model: what it reaches, beside what a simple rule reaches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from pipelines.report import formats
from pipelines.report.evaluations import CHURN, RECOMMENDATIONS, Evaluation
from pipelines.report.pages.churn import churn_cards, churn_tiles
from pipelines.report.pages.dashboard import arranged
from pipelines.report.pages.model import Notice, Page
from pipelines.report.pages.recommendations import recommendation_cards, recommendation_tiles

_GROUP = "Models"
_PARTS = {RECOMMENDATIONS: (recommendation_tiles, recommendation_cards), CHURN: (churn_tiles, churn_cards)}


def model_pages(evaluations: Mapping[str, Evaluation | None]) -> list[Page]:
    """The page of each model; one without an evaluation says that."""
    return [
        _page(RECOMMENDATIONS, "Recommendations", evaluations.get(RECOMMENDATIONS)),
        _page(CHURN, "Churn", evaluations.get(CHURN)),
    ]


_TESTED = {"rows": "customers", "users": "customers", "items": "products"}
_LEADS = {
    RECOMMENDATIONS: "How well later ratings and purchases are foretold, beside simpler rules on the same split.",
    CHURN: "How well it is foretold who stops buying, beside simpler rules on the same customers.",
}


def _page(name: str, title: str, evaluation: Evaluation | None) -> Page:
    if evaluation is None:
        text = f"The stage train_{name} has not run in this root. ./build.sh run --from train_{name} trains it."
        notice = Notice("plain", "No model has been evaluated yet", text)
        return Page(f"model-{name}.html", title, _GROUP, "notices.html", _LEADS[name], notices=(notice,))
    tiles_of, cards_of = _PARTS[name]
    cards = arranged([each for each in cards_of(evaluation) if each.table])
    return Page(
        file=f"model-{name}.html",
        title=title,
        group=_GROUP,
        template="dashboard.html",
        lead=_LEADS[name],
        facts=tuple(_facts(evaluation)),
        notices=tuple(_notices(evaluation)),
        context={"tiles": tiles_of(evaluation), "cards": cards},
        tables=tuple(each.table for each in cards if each.table),
    )


def _facts(evaluation: Evaluation) -> list[tuple[str, str]]:
    figures = evaluation.figures
    facts = []
    until = evaluation.part("split").get("test_until")
    if figures.get("as_of"):
        facts.append(("As of", formats.day(date.fromisoformat(str(figures["as_of"])))))
    elif until:
        facts.append(("As of", formats.day(date.fromisoformat(str(until)) - timedelta(days=1))))
    if figures.get("split"):
        facts.append(("Test", str(figures["split"])))
    if figures.get("horizon_days"):
        facts.append(("Horizon", formats.plural(int(figures["horizon_days"]), "day")))
    for name, tested in _TESTED.items():
        if figures.get(name):
            facts.append((f"Tested {tested}", formats.count(figures[name])))
    if evaluation.version:
        facts.append(("Model", f"version {evaluation.version}"))
    if evaluation.run_id:
        facts.append(("Run", evaluation.run_id))
    return facts


def _notices(evaluation: Evaluation) -> list[Notice]:
    newest = evaluation.part("newest")
    if newest and newest.get("promoted") is False:
        text = f"Version {newest.get('version')} was trained and is worse by more than is allowed."
        return [Notice("warn", "The newest model was not promoted", f"{text} These figures are of the one in use.")]
    return []
