"""Somebody else's shop for tests: a mapping over a few small files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.runs import PROJECT

PEOPLE = "id,mail,changed\n1,a@x.org,2025-01-01\n2,b@x.org,2025-01-02\n,c@x.org,2025-01-03\n"
SELECT_PEOPLE = "SELECT id AS user_id, mail AS email, changed AS updated_at FROM people"


def write_shop(directory: Path, files: Mapping[str, Any], datasets: Mapping[str, Any]) -> str:
    """A mapping with the limits of the generated shop, which accepts any text as a key.

    Returns:
        Its path, for `--source`.
    """
    shop = yaml.safe_load((PROJECT / "conf" / "sources" / "generated.yaml").read_text(encoding="utf-8"))
    shop |= {"name": "shop", "key_patterns": dict.fromkeys(shop["key_patterns"])}
    shop |= {"files": dict(files), "datasets": dict(datasets)}
    target = directory / "shop.yaml"
    target.write_text(yaml.safe_dump(shop), encoding="utf-8")
    return str(target)


def people_shop(directory: Path, path: Path, *, select: str = SELECT_PEOPLE, **declared: Any) -> str:
    """A shop that has one file, or files, of customers, of which each row becomes a user."""
    files = {"people": {"path": str(path), **{"format": "csv", **declared}}}
    return write_shop(directory, files, {"users": {"files": ["people"], "rows_of": "people", "select": select}})
