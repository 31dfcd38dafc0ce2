"""Evaluations of models, as training leaves them in analytics/ml/evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.layout import Layout
from common.storage.files import read_json

RECOMMENDATIONS, CHURN = "recommendations", "churn"


@dataclass(frozen=True)
class Evaluation:
    """The evaluation of the model in use.

    Attributes:
        name: The model.
        run_id: The run that made it.
        version: Of the model in the registry.
        figures: The newest figures, as in ops/ml.json.
        details: Everything in the file.
    """

    name: str
    run_id: str | None
    version: str | None
    figures: Mapping[str, Any]
    details: Mapping[str, Any]

    def part(self, *names: str) -> Mapping[str, Any]:
        """A part of the details by the names that lead to it; empty where the data gave none."""
        found: Any = self.details
        for name in names:
            found = (found or {}).get(name)
        return found or {}

    def rows(self, *names: str) -> list[Mapping[str, Any]]:
        """A list in the details; empty where the data gave none."""
        *path, last = names
        return list(self.part(*path).get(last) or ())


def read_evaluation(layout: Layout, name: str) -> Evaluation | None:
    """The newest evaluation of a model, or None when it has none.

    Raises:
        InputError: If it cannot be read.
    """
    path = layout.local("analytics", "ml", "evaluation", f"{name}.json")
    if not path.exists():
        return None
    said = read_json(path)
    version = (said.get("model") or {}).get("version")
    return Evaluation(
        name=name,
        run_id=said.get("run_id"),
        version=None if version is None else str(version),
        figures=said.get("figures") or {},
        details=said,
    )
