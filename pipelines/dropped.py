"""The logs of rows that cleaning dropped, and which of them the clean tables rest on."""

from __future__ import annotations

import json
from pathlib import Path

from deltalake import DeltaTable

from common.cleaning.state import DROPPED
from common.layout import Layout

_HISTORY_SEARCHED = 50
_PREFIX = "run_id="


def all_logs(layout: Layout, dataset: str) -> dict[str, Path]:
    """The directory of each log of a data set, by the run that wrote it."""
    found = layout.local("ops", "dropped", dataset).glob(f"{_PREFIX}*")
    return {path.name.removeprefix(_PREFIX): path for path in found}


def logs_of_table(layout: Layout, dataset: str) -> dict[str, Path]:
    """The logs of the runs whose rows the clean table was made of, as its last commit names them.

    All that there are, where no commit names any.
    """
    logs = all_logs(layout, dataset)
    named = _named(layout, dataset)
    return logs if named is None else {run_id: path for run_id, path in logs.items() if run_id in named}


def _named(layout: Layout, dataset: str) -> set[str] | None:
    path = layout.local("clean", dataset)
    if not (path / "_delta_log").is_dir():
        return None
    for commit in DeltaTable(str(path)).history(_HISTORY_SEARCHED):
        kept = json.loads(commit.get("userMetadata") or "null")
        if isinstance(kept, dict):  # commits of maintenance keep nothing
            return set(kept[DROPPED]) if DROPPED in kept else None
    return None
