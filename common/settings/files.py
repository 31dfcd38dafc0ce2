"""YAML files into models; a problem is told by its key."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from yaml.constructor import ConstructorError

from common.errors import ConfigurationError

_M = TypeVar("_M", bound=BaseModel)
_MERGE = "tag:yaml.org,2002:merge"


class _StrictLoader(yaml.SafeLoader):
    """PyYAML's safe one, which would take the last of several values of a key without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping whose keys are each there once.

        Raises:
            ConstructorError: If one is not.
        """
        keys = set()
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                break  # PyYAML says so itself
            if key in keys:
                raise ConstructorError(None, None, f"the key '{key}' is given twice", key_node.start_mark)
            keys.add(key)
        return super().construct_mapping(node, deep)


def conf_root() -> Traversable:
    """The directory `conf`: beside the package in a checkout, inside it in a wheel or in common.zip."""
    checkout = Path(__file__).resolve().parents[2] / "conf"
    if checkout.is_dir():
        return checkout
    return resources.files("common") / "_conf"


def read_yaml(path: Traversable) -> dict[str, Any]:
    """The mapping of a file; empty where the file is.

    Raises:
        ConfigurationError: If it cannot be read or is no mapping.
    """
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"cannot read the configuration: {error}", where=str(path), remedy="give a readable YAML file"
        ) from error
    except yaml.YAMLError as error:
        problem = f"not valid YAML: {_yaml_problem(error)}"
        raise ConfigurationError(problem, where=str(path), remedy="mend the file") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigurationError("not a mapping of keys to values", where=str(path), remedy="mend the file")
    return loaded


def _yaml_problem(error: yaml.YAMLError) -> str:
    """What is wrong and where, without the part of the file and the name for it that PyYAML gives."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return " ".join(str(error).replace(' in "<unicode string>"', "").split())
    words = ", ".join(part for part in (error.context, error.problem) if part)
    mark = error.problem_mark or error.context_mark
    return f"{words}, line {mark.line + 1}, column {mark.column + 1}" if mark else words


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping laid over another, level by level."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def validate(model: type[_M], values: Mapping[str, Any], *, where: str) -> _M:
    """Values as a model.

    Raises:
        ConfigurationError: An unknown, missing or impossible key, by its name.
    """
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
    """The keys that there could be at a place; none where it is not a model's."""
    kind: Any = model
    for part in location:
        if get_origin(kind) is dict:
            kind = get_args(kind)[1]
        elif isinstance(kind, type) and issubclass(kind, BaseModel) and str(part) in kind.model_fields:
            kind = kind.model_fields[str(part)].annotation
        else:
            return []
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []
