"""What a root remembers of earlier runs: whose data it holds, what they were asked for, and how they ended."""

from __future__ import annotations

import argparse
import fcntl
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from common.errors import UsageError
from common.layout import DATASETS, Layout
from common.settings import SourceSettings
from common.storage.files import read_json

RunState = Literal["running", "interrupted", "failed", "ok"]
_SELECTION = {"start": "--from", "end": "--to", "only": "--only"}
_RESTORED = {"source": "--source", "conf": "--conf", "date": "--date", "scale": "--scale", "seed": "--seed"}


def last_run(layout: Layout) -> dict[str, Any] | None:
    """run.json; None before the first run."""
    path = layout.local("ops", "run.json")
    return read_json(path) if layout.is_local and path.exists() else None


def asked_for(arguments: argparse.Namespace, source: str) -> dict[str, Any]:
    """The arguments of a run as run.json keeps them, so that it can be resumed from any working directory.

    Args:
        arguments: As parsed.
        source: The source that the run takes, given or configured.
    """
    return {
        "source": _absolute_source(source),
        "conf": _absolute(arguments.conf),
        "date": arguments.date.isoformat() if arguments.date else None,
        "scale": arguments.scale,
        "seed": arguments.seed,
        "rebuild": arguments.rebuild,
        "start": arguments.start,
        "end": arguments.end,
        "only": list(arguments.only),
    }


def restore(arguments: argparse.Namespace, run: Mapping[str, Any]) -> argparse.Namespace:
    """The arguments of the run that goes on: its own, as a repetition of them may be left out.

    A configuration may be given where there was none, as for a machine that turned out to be too small.

    Raises:
        UsageError: If an argument is not that of the run.
    """
    asked = run.get("arguments")
    if not asked:
        return arguments
    recorded = {**asked, "date": asked["date"] or run["date"]}
    given = asked_for(arguments, arguments.source or recorded["source"])
    for name, option in _RESTORED.items():
        if given[name] is not None and recorded[name] is not None and given[name] != recorded[name]:
            raise _contradiction(run, option, given[name], recorded[name])
    for name, option in _SELECTION.items():
        if given[name] and given[name] != recorded[name]:
            raise _contradiction(run, option, _words(given[name]), _words(recorded[name]))
    if arguments.rebuild and not recorded["rebuild"]:
        raise _contradiction(run, "--rebuild", "given", "")
    values = {name: arguments.__dict__[name] or recorded[name] for name in ("source", "start", "end")}
    values |= {name: recorded[name] if recorded[name] is not None else given[name] for name in ("scale", "seed")}
    values |= {"rebuild": recorded["rebuild"], "only": tuple(recorded["only"])}
    conf = given["conf"] or recorded["conf"]
    day = recorded["date"] or given["date"]
    return argparse.Namespace(
        **{
            **vars(arguments),
            **values,
            "conf": Path(conf) if conf else None,
            "date": date.fromisoformat(day) if day else None,
        }
    )


def require_same_shop(layout: Layout, source: SourceSettings, run: Mapping[str, Any] | None) -> None:
    """See that a root stays with the shop of its last run.

    A run that failed before it kept anything binds nobody.

    Raises:
        UsageError: If the root holds another shop than that of the source.
    """
    if run is None or run["source"] == source.name or (run["status"] == "failed" and not _holds_data(layout)):
        return
    named = (run.get("arguments") or {}).get("source") or run["source"]
    raise UsageError(
        f"the root holds the shop {run['source']}",
        where=layout.root,
        remedy=f"give --source {named}, or another --root",
    )


def state_of(layout: Layout, run: Mapping[str, Any]) -> RunState:
    """How a run stands; one that says it is running, and whose process is gone, was interrupted."""
    if run["status"] != "running":
        return "failed" if run["status"] == "failed" else "ok"
    newest = last_run(layout)
    goes_on = newest is not None and newest["run_id"] == run["run_id"] and _is_held(layout)
    return "running" if goes_on else "interrupted"


def _is_held(layout: Layout) -> bool:
    """Whether a process holds the lock of a run; looked at, and not taken from one that is about to start."""
    path = layout.local("ops", "locks", "run.lock")
    try:
        with path.open(encoding="utf-8") as handle:
            holder = handle.read().strip()
            if not holder.isdigit() or not _is_alive(int(holder)):
                return False
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _holds_data(layout: Layout) -> bool:
    raw = layout.local("raw")
    return (raw.is_dir() and any(raw.iterdir())) or any(
        layout.local("clean", dataset, "_delta_log").exists() for dataset in DATASETS
    )


def _contradiction(run: Mapping[str, Any], option: str, given: object, recorded: object) -> UsageError:
    said = f"has {recorded}" if recorded not in {None, ""} else "was started without it"
    return UsageError(
        f"{option} {given} contradicts the run that is to be resumed: {run['run_id']} {said}",
        where="--resume",
        remedy=f"leave {option} out, or run without --resume",
    )


def _words(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value or "")


def _absolute_source(source: str) -> str:
    return str(Path(source).resolve()) if source.endswith((".yaml", ".yml")) else source


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())
