"""Configuration, read once into frozen models; past the loader there are no dictionaries.

`conf/base.yaml` comes first, then the overlay of its `profile`, then the file given with `--conf`. An unknown or a
missing key stops the job by its name. What a shop decides (statuses, limits, thresholds) is a source of its own under
`conf/sources/`, because it belongs to the data and not to the platform.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from common.errors import ConfigurationError

_M = TypeVar("_M", bound=BaseModel)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SparkSettings(_Model):
    """What a session is started with."""

    master: str | None
    shuffle_partitions: int
    properties: dict[str, str]


class PublishSettings(_Model):
    """How the published tables are laid out and how long their versions stay."""

    partition_by: Literal["month", "day"]
    keep_versions: int


class SessionSettings(_Model):
    """When a visit ends."""

    inactivity_minutes: int


class RunnerSettings(_Model):
    """How the local runner works."""

    parallel: int
    keep_runs: int


class BoostingTrial(_Model):
    """Parameters of gradient-boosted trees that the search tries."""

    max_depth: int
    max_iter: int
    step_size: float


class FactorTrial(_Model):
    """Parameters of a factorisation that the search tries; alpha is for implicit feedback alone."""

    rank: int
    reg: float
    alpha: float = 1.0


class ChurnSettings(_Model):
    """How churn is learned; the horizon is the shop's."""

    step_days: int
    min_history_days: int
    rate_prior_days: int
    min_rows: int
    max_feature_auc: float
    calibration_share: float
    margin: float
    high_risk: float
    low_risk: float
    reasons: int
    trials: tuple[BoostingTrial, ...]


class RecommendationSettings(_Model):
    """How tastes are learned, and how many products are recommended."""

    test_days: int
    top_n: int
    similar_n: int
    min_users: int
    max_iter: int
    search_iter: int
    evaluation_users: int
    margin: float
    event_weights: dict[str, float]
    purchase_weight: float
    explicit_trials: tuple[FactorTrial, ...]
    implicit_trials: tuple[FactorTrial, ...]


class MlSettings(_Model):
    """Models: where they are tracked and registered, and how each is made.

    `tracking_uri` names an MLflow server; null is a SQLite file under the root. `partitions` stays the same whatever
    the machine: sums of floating point depend on how rows are divided.
    """

    tracking_uri: str | None
    seed: int
    partitions: int
    evaluation_rows: int
    churn: ChurnSettings
    recommendations: RecommendationSettings


class Settings(_Model):
    """The configuration of the platform."""

    profile: str
    database: str
    source: str
    spark: SparkSettings
    publish: PublishSettings
    sessions: SessionSettings
    runner: RunnerSettings
    ml: MlSettings


class KeyPatterns(_Model):
    """Regular expressions that ids match; None accepts any text."""

    user_id: str | None
    product_id: str | None
    transaction_id: str | None
    event_id: str | None


class Statuses(_Model):
    """The states of a transaction line, and which of them count in revenue."""

    lifecycle: tuple[str, ...]
    gross: tuple[str, ...]
    returned: tuple[str, ...]


class Limits(_Model):
    """What a value can possibly be."""

    earliest_date: date
    earliest_birth_date: date
    future_tolerance_days: int
    total_tolerance: Decimal
    max_quantity: int | None
    min_total_amount: Decimal | None
    check_total: bool


class BotThresholds(_Model):
    """When an actor's day is a machine's."""

    min_events: int
    max_median_gap_seconds: float


class NearDuplicates(_Model):
    """How soon a repeated event is the same event sent twice."""

    window_milliseconds: int


class MappedFile(_Model):
    """A file, or files by a glob, of somebody else's data.

    `path` may start with `package:NAME/`, which stands for the directory of an installed Python package.
    """

    path: str
    format: Literal["csv", "json", "parquet"]
    options: dict[str, str] = {}


class MappedDataset(_Model):
    """How one data set of the contracts is made from somebody else's files.

    `select` is one Spark SQL SELECT over the named files. `rows_of` names the file of which each row becomes one row,
    so that the account can be opened with what the file itself says it holds; without it the rows are derived.
    `absent` names the optional columns that the shop does not have, so that a forgotten one is told from a missing one.
    """

    files: tuple[str, ...]
    select: str
    rows_of: str | None = None
    absent: tuple[str, ...] = ()


class Promotion(_Model):
    """Days on which the shop sells for less, as planned: first and last."""

    first: date
    last: date


class SourceMlSettings(_Model):
    """What a shop's own course of business says to the models.

    Attributes:
        churn_horizon_days: A customer who buys nothing for so many days is lost.
        loyalty_tiers: From the lowest to the highest.
        promotions: Past ones and planned ones.
        replenishable: Categories and subcategories of what people buy again and again; `*` is all.
    """

    churn_horizon_days: int = 30
    loyalty_tiers: tuple[str, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    replenishable: tuple[str, ...] = ()


class SourceSettings(_Model):
    """One shop: its keys, statuses, limits, and where its data differs in form how to map it."""

    name: str
    description: str
    time_zone: str
    currency: str
    key_patterns: KeyPatterns
    statuses: Statuses
    limits: Limits
    bots: BotThresholds
    near_duplicates: NearDuplicates
    ml: SourceMlSettings = SourceMlSettings()
    files: dict[str, MappedFile] = {}
    datasets: dict[Literal["users", "products", "transactions", "clickstream"], MappedDataset] = {}

    @property
    def is_mapped(self) -> bool:
        """Whether the data comes from files of its own form instead of the raw zone."""
        return bool(self.files)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no such time zone: {name}") from error
        return name


def conf_root() -> Traversable:
    """The directory `conf`: beside the package in a checkout, inside it in a wheel or in common.zip."""
    checkout = Path(__file__).resolve().parents[1] / "conf"
    if checkout.is_dir():
        return checkout
    return resources.files("common") / "_conf"


def load_settings(conf: Path | None = None, *, root: Traversable | None = None) -> Settings:
    """The platform's configuration.

    Args:
        conf: A YAML file laid over base and overlay.
        root: The directory `conf`; default where the package is.

    Raises:
        ConfigurationError: An unknown, missing or impossible key, by its name; an unreadable file.
    """
    directory = root or conf_root()
    base = _read_yaml(directory / "base.yaml")
    extra = _read_yaml(conf) if conf else {}
    profile = str(extra.get("profile", base.get("profile")))
    overlay = directory / f"{profile}.yaml"
    if not overlay.is_file():
        raise ConfigurationError(f"unknown profile '{profile}'", where="profile", remedy="use local or yarn")
    merged = _merge(_merge(base, _read_yaml(overlay)), extra)
    return _validate(Settings, merged, where=str(conf or directory / "base.yaml"))


def load_source(name_or_path: str, *, root: Traversable | None = None) -> SourceSettings:
    """The settings of a shop, by the name of a file in conf/sources or by a path.

    Raises:
        ConfigurationError: No such source, or an unknown, missing or impossible key in it.
    """
    sources = (root or conf_root()) / "sources"
    path: Traversable = Path(name_or_path)
    if not name_or_path.endswith((".yaml", ".yml")):
        path = sources / f"{name_or_path}.yaml"
    if not path.is_file():
        known = sorted(entry.name.removesuffix(".yaml") for entry in sources.iterdir())
        raise ConfigurationError(
            f"no such source: {name_or_path}", where="source", remedy=f"known sources: {', '.join(known)}"
        )
    source = _validate(SourceSettings, _read_yaml(path), where=str(path))
    for dataset, mapped in source.datasets.items():
        unknown = sorted({*mapped.files, *([mapped.rows_of] if mapped.rows_of else [])} - set(source.files))
        if unknown:
            raise ConfigurationError(
                f"'{dataset}' uses files that are not declared: {', '.join(unknown)}",
                where=str(path),
                remedy=f"declared are {', '.join(sorted(source.files)) or 'none'}",
            )
    return source


def configuration_fingerprint(*models: BaseModel) -> str:
    """A short hash of configuration, by which a stage sees that its settings changed."""
    text = json.dumps([model.model_dump(mode="json") for model in models], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read_yaml(path: Traversable) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"cannot read the configuration: {error}", where=str(path), remedy="give a readable YAML file"
        ) from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"not valid YAML: {error}", where=str(path), remedy="mend the file") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigurationError("not a mapping of keys to values", where=str(path), remedy="mend the file")
    return loaded


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _validate(model: type[_M], values: Mapping[str, Any], *, where: str) -> _M:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [_problem(model, detail["loc"], detail["type"], detail["msg"]) for detail in error.errors()]
        raise ConfigurationError("; ".join(sorted(problems)), where=where, remedy="mend the configuration") from error


def _problem(model: type[BaseModel], location: tuple[int | str, ...], kind: str, message: str) -> str:
    key = ".".join(str(part) for part in location)
    if kind == "missing":
        return f"missing key '{key}'"
    if kind != "extra_forbidden":
        return f"'{key}': {message}"
    near = difflib.get_close_matches(str(location[-1]), _known_keys(model, location[:-1]), n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    return f"unknown key '{key}'{hint}"


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    for part in location:
        field = model.model_fields.get(str(part))
        annotation = field.annotation if field else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)
