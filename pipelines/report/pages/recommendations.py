"""The evaluation of recommendations."""

from __future__ import annotations

from pipelines.report import formats
from pipelines.report.charts.specs import TABLE, ChartSpec
from pipelines.report.evaluations import Evaluation
from pipelines.report.kpis import Tile
from pipelines.report.pages.evaluated import beside, digits, evaluated, saying, trials
from pipelines.report.pages.model import Card


def recommendation_tiles(evaluation: Evaluation) -> list[Tile]:
    """The figures at the head of the page."""
    figures = evaluation.figures
    ratings = {**figures, **{f"bias_{key}": evaluation.part("ratings").get(f"bias_{key}") for key in ("rmse", "mae")}}
    ranked = beside(
        figures,
        popularity="popularity_ndcg_at_10",
        item_to_item="item_item_ndcg_at_10",
        ceiling="ceiling_ndcg_at_10",
    )
    coverage = figures.get("coverage_at_10")
    return [
        Tile("RMSE of ratings", digits(figures.get("rmse")), note=beside(ratings, user_and_item_biases="bias_rmse")),
        Tile("MAE of ratings", digits(figures.get("mae")), note=beside(ratings, user_and_item_biases="bias_mae")),
        Tile("NDCG at 10", digits(figures.get("ndcg_at_10")), note=ranked),
        Tile("Products recommended", formats.share(coverage), note="of all are in anybody's first ten"),
    ]


def recommendation_cards(evaluation: Evaluation) -> list[Card]:
    """What the page shows."""
    return [
        _ranking_chart(evaluation),
        _ratings_chart(evaluation),
        _ranking_table(evaluation),
        _known_and_new(evaluation),
        trials(evaluation),
    ]


_RANKERS = {"model": "model", "item_item": "item to item", "popularity": "popularity"}
_SIMPLER = ("item to item", "popularity")
_RATED = {
    "warm": "ratings, customer and product known",
    "new_customers": "ratings of customers who had rated nothing",
    "new_products": "ratings of products that nobody had rated",
}
_UNSEEN = {
    "new_customers": ("new customers, given what is popular in their segment", "customers"),
    "new_products": ("buyers of new products, given what is popular in its category", "pairs"),
}


def _ranking_chart(evaluation: Evaluation) -> Card:
    rows = [
        (label, evaluation.part("ranking", name).get("ndcg_at_10"))
        for name, label in _RANKERS.items()
        if evaluation.part("ranking", name)
    ]
    ceiling = evaluation.figures.get("ceiling_ndcg_at_10")
    if ceiling is not None:
        rows.insert(0, ("ceiling", ceiling))
    heading = (
        "Ranking against simpler rules",
        "Is what customers chose later further up than with simpler rules? The ceiling knows the shop's own tastes.",
    )
    made = evaluated(
        "recommendations_ndcg",
        heading,
        [("rule", "string", None), ("ndcg_at_10", "double", "ratio3")],
        rows,
        ChartSpec("bars", "rule", ("ndcg_at_10",)),
    )
    known = {label: value for label, value in rows if value is not None}
    simpler = {label: known[label] for label in _SIMPLER if label in known}
    if "model" not in known or not simpler:
        return made
    best = max(simpler, key=lambda label: simpler[label])
    most = f", of {digits(ceiling)} at best" if ceiling is not None else ""
    return saying(
        made,
        f"The model reaches {digits(known['model'])}{most}; the best simpler rule, {best}, {digits(simpler[best])}.",
    )


def _ratings_chart(evaluation: Evaluation) -> Card:
    ratings = evaluation.part("ratings")
    rows = [
        ("model", ratings.get("rmse"), ratings.get("mae")),
        ("user and item biases", ratings.get("bias_rmse"), ratings.get("bias_mae")),
        ("mean only", *(evaluation.part("ratings", "mean_only").get(key) for key in ("rmse", "mae"))),
    ]
    heading = (
        "Ratings against simpler rules",
        "How far are predicted ratings, of 1 to 5, from those given later? Less is better.",
    )
    return evaluated(
        "recommendations_ratings",
        heading,
        [("rule", "string", None), ("rmse", "double", "ratio3"), ("mae", "double", "ratio3")],
        [row for row in rows if row[1] is not None],
        ChartSpec("bars", "rule", ("rmse", "mae")),
    )


def _ranking_table(evaluation: Evaluation) -> Card:
    metrics = list(dict.fromkeys(key for name in _RANKERS for key in evaluation.part("ranking", name)))
    rows = [
        (label, *(evaluation.part("ranking", name).get(metric) for metric in metrics))
        for name, label in _RANKERS.items()
        if evaluation.part("ranking", name)
    ]
    ceiling = evaluation.part("ceiling")
    if ceiling:
        rows.append(("ceiling", *(ceiling.get(metric) for metric in metrics)))
    columns = [("rule", "string", None), *((metric, "double", "ratio3") for metric in metrics)]
    heading = ("All figures of the ranking", "What do the first ten hold?")
    return evaluated("recommendations_ranking", heading, columns, rows, TABLE)


def _known_and_new(evaluation: Evaluation) -> Card:
    """Those whom training knew apart from those whom it did not, for whom something simpler stands in."""
    rows: list[tuple[str, int | None, float | None, float | None, float | None]] = []
    for name, label in _RATED.items():
        part = evaluation.part("ratings", name)
        if part:
            rows.append((label, part.get("rows"), part.get("rmse"), part.get("mae"), None))
    for name, (label, counted) in _UNSEEN.items():
        part = evaluation.part("ranking", name)
        if part:
            rows.append((label, part.get(counted), None, None, part.get("ndcg_at_10")))
    columns = [
        ("group", "string", None),
        ("tested", "bigint", "count"),
        *((metric, "double", "ratio3") for metric in ("rmse", "mae", "ndcg_at_10")),
    ]
    share = evaluation.part("ranking", "new_products").get("share_of_purchases")
    told = (
        f" Of what customers bought for the first time, {share:.1%} was of new products." if share is not None else ""
    )
    heading = ("Known and new", f"How well does it go for customers and products that training had not seen?{told}")
    return evaluated("recommendations_known_and_new", heading, columns, rows, TABLE)
