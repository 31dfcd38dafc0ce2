"""Configuration, read once into frozen models; past the loader there are no dictionaries.

`conf/base.yaml` comes first, then the overlay of its `profile`, then the file given with `--conf`. An unknown or a
missing key stops the job by its name. What a shop decides (statuses, limits, thresholds) is a source of its own under
`conf/sources/`, because it belongs to the data and not to the platform.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from common.errors import ConfigurationError

_M = TypeVar("_M", bound=BaseModel)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


Text = Annotated[str, AfterValidator(_not_blank)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
AtLeastOne = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]
Weight = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SparkSettings(_Model):
    """What a session is started with."""

    master: str | None
    shuffle_partitions: AtLeastOne
    properties: dict[str, str]


class PublishSettings(_Model):
    """How the published tables are laid out and how long their versions stay."""

    partition_by: Literal["month", "day"]
    keep_versions: AtLeastOne


class SessionSettings(_Model):
    """When a visit ends."""

    inactivity_minutes: AtLeastOne


class RunnerSettings(_Model):
    """How the local runner works."""

    parallel: AtLeastOne
    keep_runs: AtLeastOne


class BoostingTrial(_Model):
    """Parameters of gradient-boosted trees that the search tries."""

    max_depth: int = Field(ge=1, le=30)
    max_iter: AtLeastOne
    step_size: float = Field(gt=0, le=1)


class FactorTrial(_Model):
    """Parameters of a factorisation that the search tries.

    Attributes:
        rank: Number of factors.
        reg: Regularisation.
        alpha: Of implicit feedback: how much an interaction adds to confidence.
        biases: Of stars: whether what customers and products have in common is taken out first.
    """

    rank: AtLeastOne
    reg: Weight
    alpha: Weight = 1.0
    biases: bool = False


class ChurnSettings(_Model):
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


class RecommendationSettings(_Model):
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


class MlSettings(_Model):
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


class Settings(_Model):
    """The configuration of the platform."""

    profile: str
    database: Identifier
    source: Text
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

    @field_validator("*")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                # Spark's expressions are Java's, which know more escapes and kinds of groups than Python's.
                if not error.msg.startswith(("bad escape", "unknown extension")):
                    raise ValueError(f"not a regular expression: {error}") from error
        return pattern


class Statuses(_Model):
    """The states of a transaction line, and which of them count in revenue."""

    lifecycle: tuple[Text, ...] = Field(min_length=1)
    gross: tuple[Text, ...]
    returned: tuple[Text, ...]

    @field_validator("lifecycle", "gross", "returned")
    @classmethod
    def _each_once(cls, statuses: tuple[str, ...]) -> tuple[str, ...]:
        return _without_repetition(statuses)

    @field_validator("gross", "returned")
    @classmethod
    def _in_lifecycle(cls, statuses: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        lifecycle = info.data.get("lifecycle", statuses)
        strange = [status for status in statuses if status not in lifecycle]
        if strange:
            raise ValueError(f"not in lifecycle, which is {', '.join(lifecycle)}: {', '.join(strange)}")
        return statuses


class Limits(_Model):
    """What a value can possibly be."""

    earliest_date: date
    earliest_birth_date: date
    future_tolerance_days: NotNegative
    total_tolerance: Decimal = Field(ge=0)
    max_quantity: AtLeastOne | None
    min_total_amount: Annotated[Decimal, Field(ge=0)] | None
    check_total: bool


class BotThresholds(_Model):
    """When an actor's day is a machine's."""

    min_events: AtLeastOne
    max_median_gap_seconds: Weight


class NearDuplicates(_Model):
    """How soon a repeated event is the same event sent twice."""

    window_milliseconds: NotNegative


class MappedFile(_Model):
    """A file, or files by a glob, of somebody else's data.

    `path` may start with `package:NAME/`, which stands for the directory of an installed Python package.
    """

    path: Text
    format: Literal["csv", "json", "parquet"]
    options: dict[str, str] = {}


class MappedDataset(_Model):
    """How one data set of the contracts is made from somebody else's files.

    `select` is one Spark SQL SELECT over the named files. `rows_of` names the file of which each row becomes one row,
    so that the account can be opened with what the file itself says it holds; without it the rows are derived.
    `absent` names the optional columns that the shop does not have, so that a forgotten one is told from a missing one.
    """

    files: tuple[Identifier, ...] = Field(min_length=1)
    select: Text
    rows_of: str | None = None
    absent: tuple[str, ...] = ()


class Promotion(_Model):
    """Days on which the shop sells for less, as planned: first and last."""

    first: date
    last: date

    @field_validator("last")
    @classmethod
    def _not_before_first(cls, last: date, info: ValidationInfo) -> date:
        first = info.data.get("first", last)
        if last < first:
            raise ValueError(f"{last} is before first, {first}")
        return last


class SourceMlSettings(_Model):
    """What a shop's own course of business says to the models.

    Attributes:
        churn_horizon_days: A customer who buys nothing for so many days is lost.
        loyalty_tiers: From the lowest to the highest.
        promotions: Past ones and planned ones.
        replenishable: Categories and subcategories of what people buy again and again; `*` is all.
    """

    churn_horizon_days: AtLeastOne = 30
    loyalty_tiers: tuple[Text, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    replenishable: tuple[Text, ...] = ()

    @field_validator("loyalty_tiers")
    @classmethod
    def _each_once(cls, tiers: tuple[str, ...]) -> tuple[str, ...]:
        return _without_repetition(tiers)


class SourceSettings(_Model):
    """One shop: its keys, statuses, limits, and where its data differs in form how to map it."""

    name: Text
    description: str
    time_zone: str
    currency: Text
    key_patterns: KeyPatterns
    statuses: Statuses
    limits: Limits
    bots: BotThresholds
    near_duplicates: NearDuplicates
    ml: SourceMlSettings = SourceMlSettings()
    files: dict[str, MappedFile] = {}
    datasets: dict[Literal["users", "products", "transactions", "clickstream"], MappedDataset] = Field(
        {}, validate_default=True
    )

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

    @field_validator("datasets")
    @classmethod
    def _mapped_when_files_are(
        cls, datasets: dict[str, MappedDataset], info: ValidationInfo
    ) -> dict[str, MappedDataset]:
        if info.data.get("files") and not datasets:
            raise ValueError("files are declared, and no data set is made of them")
        return datasets


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
        _check_files(source, dataset, mapped, str(path))
    _check_absent(source, str(path))
    return source


def _check_files(source: SourceSettings, dataset: str, mapped: MappedDataset, where: str) -> None:
    unknown = sorted({*mapped.files, *([mapped.rows_of] if mapped.rows_of else [])} - set(source.files))
    if unknown:
        raise ConfigurationError(
            f"'{dataset}' uses files that are not declared: {', '.join(unknown)}",
            where=where,
            remedy=f"declared are {', '.join(sorted(source.files)) or 'none'}",
        )
    if mapped.rows_of and mapped.rows_of not in mapped.files:
        raise ConfigurationError(
            f"'datasets.{dataset}.rows_of': {mapped.rows_of} is not among its files",
            where=where,
            remedy=f"its files are {', '.join(mapped.files)}",
        )


def _check_absent(source: SourceSettings, where: str) -> None:
    """See that only optional columns of the contracts are declared absent."""
    if not source.datasets:
        return
    from common.contracts import CONTRACTS  # noqa: PLC0415 - contracts are made of these settings

    for dataset, mapped in source.datasets.items():
        fields = {field.name: field for field in CONTRACTS[dataset].fields}
        for column in mapped.absent:
            if column in fields and not fields[column].required:
                continue
            near = difflib.get_close_matches(column, fields, n=1)
            hint = f" (did you mean '{near[0]}'?)" if near and column not in fields else ""
            what = "is required" if column in fields else f"is no column of {dataset}{hint}"
            raise ConfigurationError(
                f"'datasets.{dataset}.absent': {column} {what}",
                where=where,
                remedy=f"optional are {', '.join(name for name, field in fields.items() if not field.required)}",
            )


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


def _without_repetition(values: tuple[str, ...]) -> tuple[str, ...]:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"given twice: {', '.join(repeated)}")
    return values


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
        return f"'{key}': {message.removeprefix('Value error, ')}"
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
