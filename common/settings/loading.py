"""The loaders."""

from __future__ import annotations

import hashlib
import json
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import BaseModel

from common.errors import ConfigurationError
from common.settings.checks import check_absent, check_files
from common.settings.files import conf_root, merge, read_yaml, validate
from common.settings.platform import Settings
from common.settings.source import SourceSettings


def load_settings(conf: Path | None = None, *, root: Traversable | None = None) -> Settings:
    """The platform's configuration.

    Args:
        conf: A YAML file laid over base and overlay.
        root: The directory `conf`; default where the package is.

    Raises:
        ConfigurationError: An unknown, missing or impossible key, by its name; an unreadable file.
    """
    directory = root or conf_root()
    base = read_yaml(directory / "base.yaml")
    extra = read_yaml(conf) if conf else {}
    profile = str(extra.get("profile", base.get("profile")))
    overlay = directory / f"{profile}.yaml"
    if not overlay.is_file():
        raise ConfigurationError(f"unknown profile '{profile}'", where="profile", remedy="use local or yarn")
    merged = merge(merge(base, read_yaml(overlay)), extra)
    return validate(Settings, merged, where=str(conf or directory / "base.yaml"))


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
    source = validate(SourceSettings, read_yaml(path), where=str(path))
    for dataset, mapped in source.datasets.items():
        check_files(source, dataset, mapped, str(path))
    check_absent(source, str(path))
    return source


def configuration_fingerprint(*models: BaseModel) -> str:
    """A short hash of configuration, by which a stage sees that its settings changed."""
    text = json.dumps([model.model_dump(mode="json") for model in models], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
