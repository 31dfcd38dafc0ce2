"""A churn model that was trained already, for what is done with it: real figures of 200 customers, without trees."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from common.job import StageContext
from common.ml.churn_evaluation import evaluate, feature_aucs
from common.ml.churn_training import Candidate, Labelled
from common.ml.dates import ChurnDates
from common.ml.registry import Evaluated, Registry, Trained, Version
from common.settings import Settings
from common.stages import churn_steps
from common.transforms.features import FEATURES

DATES = ChurnDates((date(2025, 8, 3), date(2025, 8, 18)), date(2025, 10, 2), date(2025, 11, 1), date(2025, 12, 1))
LABELLED = cast(
    Labelled, SimpleNamespace(dates=DATES, exposure=dict.fromkeys(DATES.labelled, 1.0), first_day=date(2025, 6, 1))
)
_CUSTOMERS = 200


def measured(settings: Settings, wrong: int) -> dict[str, Any]:
    """What `measure` gives for a model that has so many pairs of customers the wrong way round."""
    labels = np.repeat([0.0, 1.0], _CUSTOMERS // 2)
    said = np.linspace(0.01, 0.89, _CUSTOMERS)
    low = np.arange(_CUSTOMERS // 2 - wrong, _CUSTOMERS // 2)
    high = _CUSTOMERS - 1 - low
    said[low], said[high] = said[high].copy(), said[low].copy()
    rows = pd.DataFrame({name: np.linspace(0.0, 1.0, _CUSTOMERS) for name in FEATURES})
    rows = rows.assign(user_id=[f"U{place:03d}" for place in range(_CUSTOMERS)], label=labels, prediction=said)
    return {
        **evaluate(rows, rows, 0.5, settings.ml.churn),
        "importance": [{"feature": FEATURES[0], "importance": 1.0}],
        "feature_auc": feature_aucs(rows),
        "rows": rows[["user_id", "label", "prediction"]],
    }


@dataclass
class Shelf:
    """A registry in memory.

    Attributes:
        versions: All that were registered.
        runs: What was logged of each.
        in_use: The number of the promoted one.
        evaluations: What was logged of one later.
    """

    versions: list[Version] = field(default_factory=list)
    runs: list[Trained] = field(default_factory=list)
    in_use: str | None = None
    evaluations: list[Evaluated] = field(default_factory=list)

    def promoted(self, name: str) -> Version | None:
        return next((each for each in self.versions if each.number == self.in_use), None)

    def load(self, version: Version) -> str:
        return f"model {version.number}"

    def register(self, name: str, model: object, example: object, trained: Trained) -> Version:
        made = Version(name, str(len(self.versions) + 1), "f00", {}, trained.tags)
        self.versions.append(made)
        self.runs.append(trained)
        return made

    def log_evaluation(self, version: Version, evaluated: Evaluated) -> str:
        self.evaluations.append(evaluated)
        return "f01"

    def promote(self, version: Version) -> None:
        self.in_use = version.number


def train(context: StageContext, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, wrong: int, kept: int = 0) -> Any:
    """Train and promote, where training gives a model of so many mistakes and the one in use makes `kept` of them."""
    settings = context.settings
    trial = settings.ml.churn.trials[0].model_dump()
    made = Candidate(cast(Any, "model"), 0.5, [{**trial, "validation_auc": 0.9}], trial, measured(settings, wrong))
    monkeypatch.setattr(churn_steps, "train", lambda *_: made)
    monkeypatch.setattr(churn_steps, "measure", lambda *_: measured(settings, kept))
    monkeypatch.setattr(churn_steps, "_example", lambda _: None)
    return churn_steps.train_and_promote(context, cast(Registry, shelf), LABELLED)
