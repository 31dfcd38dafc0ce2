"""The shape of a JSON document: its keys at every depth, whatever its figures."""

from __future__ import annotations

from typing import Any

# What they hold is the shop's or the run's, and no page looks into it.
_OPAQUE = {"origin", "tags", "feature_auc", "params"}


def shape(value: Any) -> Any:
    """Keys and what is below them; of a list all that any of its entries has."""
    if isinstance(value, dict):
        return {key: ... if key in _OPAQUE else shape(below) for key, below in value.items() if key != "ceiling"}
    if isinstance(value, list):
        found: list[Any] = []
        for each in map(shape, value):
            if each not in found:
                found.append(each)
        return found
    return ...
