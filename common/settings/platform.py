"""The platform's own configuration: conf/base.yaml, an overlay, and the file given with --conf."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from common.settings.types import AtLeastOne, Identifier, Model, NotNegative, Share, Text, Weight


class SparkSettings(Model):
    """What a session is started with."""

    master: str | None
    shuffle_partitions: AtLeastOne
    properties: dict[str, str]


class PublishSettings(Model):
    """How the published tables are laid out and how long their versions stay."""

    partition_by: Literal["month", "day"]
    keep_versions: AtLeastOne


class SessionSettings(Model):
    """When a visit ends."""

    inactivity_minutes: AtLeastOne


class RunnerSettings(Model):
    """How the local runner works."""

    parallel: AtLeastOne
    keep_runs: AtLeastOne


class BoostingTrial(Model):
    """Parameters of gradient-boosted trees that the search tries."""

    max_depth: int = Field(ge=1, le=30)
    max_iter: AtLeastOne
    step_size: float = Field(gt=0, le=1)


class FactorTrial(Model):
    """Parameters of a factorisation that the search tries.

    Attributes:
        rank: Number of factors.
        reg: Regularisation.
        alpha: Of implicit feedback: how much an interaction adds to confidence.
        biases: Of stars: whether what customers and products have in common is taken out first.
        logarithmic: Of implicit feedback: whether confidence grows with the logarithm of interest. Where much is bought
            again and again, the tenth time says less than the first.
    """

    rank: AtLeastOne
    reg: Weight
    alpha: Weight = 1.0
    biases: bool = False
    logarithmic: bool = False


class ChurnSettings(Model):
    """How churn is learned; the horizon is the shop's."""

    step_days: AtLeastOne
    min_history_days: NotNegative
    rate_prior_days: NotNegative
    min_rows: NotNegative
    max_feature_auc: Share
    calibration_share: float = Field(gt=0, lt=1)
    margin: Share
    high_risk: Share
    low_risk: Share
    reasons: NotNegative
    trials: tuple[BoostingTrial, ...] = Field(min_length=1)

    @field_validator("low_risk")
    @classmethod
    def _below_high_risk(cls, low: float, info: ValidationInfo) -> float:
        high = info.data.get("high_risk", low)
        if low > high:
            raise ValueError(f"{low} is above high_risk, {high}")
        return low


class RecommendationSettings(Model):
    """How tastes are learned, and how many products are recommended."""

    test_days: AtLeastOne
    top_n: AtLeastOne
    similar_n: AtLeastOne
    min_users: AtLeastOne
    max_iter: AtLeastOne
    search_iter: AtLeastOne
    evaluation_users: AtLeastOne
    margin: Share
    event_weights: dict[str, Weight]
    purchase_weight: Weight
    explicit_trials: tuple[FactorTrial, ...] = Field(min_length=1)
    implicit_trials: tuple[FactorTrial, ...] = Field(min_length=1)

    @field_validator("explicit_trials")
    @classmethod
    def _stars_are_not_counted(cls, trials: tuple[FactorTrial, ...]) -> tuple[FactorTrial, ...]:
        if any(trial.logarithmic for trial in trials):
            raise ValueError("logarithmic is of implicit feedback")
        return trials

    @field_validator("implicit_trials")
    @classmethod
    def _interest_has_no_biases(cls, trials: tuple[FactorTrial, ...]) -> tuple[FactorTrial, ...]:
        if any(trial.biases for trial in trials):
            raise ValueError("biases are of stars")
        return trials


class MlSettings(Model):
    """Models: where they are tracked and registered, and how each is made.

    `tracking_uri` names an MLflow server; null is a SQLite file under the root. `partitions` stays the same whatever
    the machine: sums of floating point depend on how rows are divided.
    """

    tracking_uri: str | None
    seed: int
    partitions: AtLeastOne
    evaluation_rows: AtLeastOne
    churn: ChurnSettings
    recommendations: RecommendationSettings


class Settings(Model):
    """The configuration of the platform."""

    profile: str
    database: Identifier
    source: Text
    spark: SparkSettings
    publish: PublishSettings
    sessions: SessionSettings
    runner: RunnerSettings
    ml: MlSettings
