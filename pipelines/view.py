"""What a run shows: a line a stage while it goes, a table at its end, and run.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from rich import box
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from common.layout import Layout
from common.quality.ledger import LedgerEntry
from common.storage.files import write_json

ROW_KINDS = ("read", "written", "quarantined", "duplicates", "superseded")
_WIDTH_WITHOUT_TERMINAL = 160
_UNBOUND = 1000
_BROKEN = {
    "seconds": "sec-\nonds",
    "quarantined": "quaran-\ntined",
    "duplicates": "dupli-\ncates",
    "superseded": "super-\nseded",
}
_MARKS = {"ok": "[green]ok[/green]", "skipped": "[dim]skipped[/dim]", "failed": "[red]failed[/red]"}


@dataclass
class Progress:
    """A line for each stage that ended, and on a terminal one for each that works."""

    console: Console
    total: int
    _done: int = 0
    _running: dict[str, Spinner] = field(default_factory=dict)
    _live: Live | None = None

    def __enter__(self) -> Progress:
        """Start to show."""
        if self.console.is_terminal:
            self._live = Live(console=self.console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the lines of what ended."""
        if self._live is not None:
            self._live.stop()

    def start(self, name: str, title: str) -> None:
        """A stage began to work."""
        self._running[name] = Spinner("dots", text=f"{name}: {title}")
        self._refresh()

    def end(self, entry: LedgerEntry) -> None:
        """A stage ended. Why one failed is said once, at the end of the run."""
        self._running.pop(entry.stage, None)
        self._done += 1
        self._refresh()
        self.console.print(self._line(entry), highlight=False, soft_wrap=True)
        for note in entry.notes:
            if note.startswith("warning"):
                self.console.print(f"        [yellow]{escape(note)}[/yellow]", highlight=False, soft_wrap=True)

    def _line(self, entry: LedgerEntry) -> str:
        rows = entry.rows or {}
        volume = ""
        handled = rows.get("read") or rows.get("written")
        if handled:
            volume = f"{handled:>11,} rows {handled / max(entry.seconds, 0.001):>9,.0f}/s"
        mark = _MARKS[entry.status] + " " * (7 - len(entry.status))
        return f"[{self._done:>2}/{self.total}] {mark} {entry.stage:<20} {entry.seconds:>6.1f} s {volume}"

    def _refresh(self) -> None:
        if self._live is not None:
            grid = Table.grid()
            for spinner in list(self._running.values()):
                grid.add_row(spinner)
            self._live.update(grid)


def wide_console(*, stderr: bool = False) -> Console:
    """A console that is as wide as its terminal, and wide enough for a table where there is none."""
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console


def show_summary(console: Console, run: dict[str, Any], *, said_below: str | None = None) -> None:
    """Print run.json as a table, and below it why stages failed.

    Args:
        console: Where to; in one that is too narrow for the table, headers are broken and then the stages' names.
        run: run.json.
        said_below: A stage whose error is the next that the reader is told anyway.
    """
    unbound = console.options.update_width(_UNBOUND)
    table = summary_table(run)
    if console.measure(table, options=unbound).maximum > console.width:
        table = summary_table(run, is_narrow=True)
    console.print(table)
    for stage in run["stages"]:
        if stage["error"] and stage["name"] != said_below:
            show_error(console, stage["name"], stage["error"])


def show_error(console: Console, name: str, error: str) -> None:
    """Print below a table why one of its lines failed: a line of its own, and a paragraph on a terminal."""
    line = Text.assemble((name, "red"), f": {error}")
    console.print(Padding(line, (0, 1)) if console.is_terminal else line, soft_wrap=not console.is_terminal)


def summary_table(run: dict[str, Any], *, is_narrow: bool = False) -> Table:
    """run.json as a table, without the errors, for which a column has no room.

    Args:
        run: run.json.
        is_narrow: Whether it is to be as narrow as its figures allow.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0 if is_narrow else 1), collapse_padding=True)
    table.add_column("stage", no_wrap=not is_narrow, overflow="fold")
    table.add_column("status", no_wrap=True)
    for name in ("seconds", "gates", *ROW_KINDS, "exit"):
        table.add_column(_BROKEN.get(name, name) if is_narrow else name, justify="right", no_wrap=True)
    for stage in run["stages"]:
        table.add_row(
            stage["name"],
            _MARKS.get(stage["status"], stage["status"]),
            _seconds(stage["seconds"]),
            _seconds(stage["gate_seconds"]),
            *["" if stage[kind] is None else f"{stage[kind]:,}" for kind in ROW_KINDS],
            "-" if stage["exit_code"] is None else str(stage["exit_code"]),
        )
    return table


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


@dataclass(frozen=True)
class RunFacts:
    """What run.json says about the run as a whole.

    Attributes:
        run_id: The run.
        date: The last day that it processes, ISO; None while it is not known.
        scale: Of generated data; None for a shop's own.
        seed: Of generated data; None for a shop's own.
        source: The shop.
        selection: The stages of the run, by name.
        error: The line of a failure that belongs to no stage, such as one before the first.
        arguments: What the run was asked for, by which it can be resumed; see `pipelines.earlier`.
    """

    run_id: str
    date: str | None
    scale: float | None
    seed: int | None
    source: str
    selection: tuple[str, ...]
    error: str | None = None
    arguments: Mapping[str, Any] | None = None


def write_run(
    layout: Layout,
    facts: RunFacts,
    entries: Sequence[LedgerEntry],
    seconds: float,
    *,
    status: Literal["running", "ok", "failed"],
) -> dict[str, Any]:
    """Write ops/run.json, the view of the newest run; stages that were not reached are skipped in it.

    The same is kept under ops/runs, where it outlives the next run.
    """
    ended = {entry.stage: entry.as_stage() for entry in entries}
    reached = [ended[name] for name in facts.selection if name in ended]
    if status != "running":
        reached = [ended.get(name) or _not_reached(name) for name in facts.selection]
    run = {
        "run_id": facts.run_id,
        "date": facts.date,
        "scale": facts.scale,
        "seed": facts.seed,
        "source": facts.source,
        "arguments": dict(facts.arguments) if facts.arguments is not None else None,
        "status": status,
        "error": facts.error,
        "seconds": round(seconds, 3),
        "updated_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "selection": list(facts.selection),
        "stages": reached,
    }
    write_json(layout.local("ops", "runs", f"{facts.run_id}.json"), run)
    write_json(layout.local("ops", "run.json"), run)
    return run


def _not_reached(name: str) -> dict[str, Any]:
    figures: dict[str, None] = dict.fromkeys(("seconds", "gate_seconds", *ROW_KINDS, "exit_code"))
    return {"name": name, "status": "skipped", **figures, "error": None}
