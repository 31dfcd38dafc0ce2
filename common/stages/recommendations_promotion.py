"""Whether a new recommender takes the place of the one in use, and with what parameters that was trained."""

from __future__ import annotations

import json

from common.errors import InputError
from common.ml.recommender_evaluation import Measured, measure
from common.ml.recommender_training import Chosen
from common.ml.registry import Registry, Version
from common.settings import FactorTrial
from common.stages.recommendations_tables import NAME, Shop


def as_text(chosen: Chosen) -> str:
    """Parameters as a version's tag holds them."""
    explicit = chosen.explicit.model_dump() if chosen.explicit else None
    return json.dumps({"explicit": explicit, "implicit": chosen.implicit.model_dump()}, sort_keys=True)


def parameters_of(version: Version) -> Chosen:
    """What a version was trained with.

    Raises:
        InputError: If it does not say.
    """
    try:
        loaded = json.loads(version.tags["parameters"])
        explicit, implicit = (
            FactorTrial(**loaded[kind]) if loaded[kind] else None for kind in ("explicit", "implicit")
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"version {version.number} does not say its parameters: {error}",
            where=NAME,
            remedy="train anew with --train",
        ) from error
    if implicit is None:
        raise InputError(f"version {version.number} names no parameters", where=NAME, remedy="train anew with --train")
    return Chosen(explicit, implicit, [])


def held_against(
    registry: Registry, shop: Shop, chosen: Chosen, measured: Measured, before: Version | None
) -> tuple[str, str]:
    """What is worse than with the model in use, or why there is none that a new one could be held against.

    Args:
        registry: Where the model in use is.
        shop: The test.
        chosen: The new model's parameters.
        measured: What they reach on the test.
        before: The model in use.

    Returns:
        What is worse and why nothing could be compared; the one, the other or both are empty.
    """
    if before is None:
        return "", ""
    try:
        old = parameters_of(before)
    except InputError as error:
        return "", f"{error.what}, and was in use"
    found = worse(shop, chosen, measured, before.number, old)
    if found:
        try:
            registry.load(before)
        except InputError as error:
            return "", f"version {before.number}, which was in use, is damaged: {error.what}"
    return found, ""


def worse(shop: Shop, chosen: Chosen, measured: Measured, number: str, old: Chosen) -> str:
    """What is worse by more than the margin than with the parameters of the model in use, on the same test.

    That model itself has learned from the days of the test, so that its parameters are measured in its place.

    Args:
        shop: The test.
        chosen: The new model's parameters.
        measured: What they reach on the test.
        number: The version in use.
        old: Its parameters.
    """
    if as_text(old) == as_text(chosen) or (old.explicit is None) != (chosen.explicit is None):
        return ""
    old_figures = measure(shop.past, old, shop.on_sale, shop.segments).figures
    margin = shop.past.settings.recommendations.margin
    found = []
    for name, sign in (("ndcg_at_10", 1.0), ("rmse", -1.0)):
        before, now = old_figures.get(name), measured.figures.get(name)
        if before is not None and now is not None and sign * (now - before) < -margin * abs(before):
            found.append(f"{name} {now:.4f}, with the parameters of version {number} {before:.4f}")
    return "; ".join(found)
