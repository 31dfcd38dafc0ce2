"""Configuration, read once into frozen models; past the loader there are no dictionaries.

`conf/base.yaml` comes first, then the overlay of its `profile`, then the file given with `--conf`. An unknown or a
missing key stops the job by its name. What a shop decides (statuses, limits, thresholds) is a source of its own under
`conf/sources/`, because it belongs to the data and not to the platform.
"""

from __future__ import annotations

from common.settings.files import conf_root
from common.settings.loading import configuration_fingerprint, load_settings, load_source
from common.settings.platform import (
    BoostingTrial,
    ChurnSettings,
    FactorTrial,
    MlSettings,
    PublishSettings,
    RecommendationSettings,
    RunnerSettings,
    SessionSettings,
    Settings,
    SparkSettings,
)
from common.settings.source import (
    BotThresholds,
    KeyPatterns,
    Limits,
    MappedDataset,
    MappedFile,
    NearDuplicates,
    Promotion,
    SourceMlSettings,
    SourceSettings,
    Statuses,
)

__all__ = [
    "BoostingTrial",
    "BotThresholds",
    "ChurnSettings",
    "FactorTrial",
    "KeyPatterns",
    "Limits",
    "MappedDataset",
    "MappedFile",
    "MlSettings",
    "NearDuplicates",
    "Promotion",
    "PublishSettings",
    "RecommendationSettings",
    "RunnerSettings",
    "SessionSettings",
    "Settings",
    "SourceMlSettings",
    "SourceSettings",
    "SparkSettings",
    "Statuses",
    "conf_root",
    "configuration_fingerprint",
    "load_settings",
    "load_source",
]
