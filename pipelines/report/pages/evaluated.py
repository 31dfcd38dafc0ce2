"""What the pages of models share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipelines.report import formats
from pipelines.report.charts.specs import TABLE, ChartSpec
from pipelines.report.evaluations import Evaluation
from pipelines.report.pages.model import Card, alt, card, made_query
from pipelines.report.results import Column

_DIGITS = 3


def digits(value: Any) -> str:  # noqa: ANN401 - JSON
    """A metric with three digits."""
    return formats.NO_VALUE if value is None else f"{value:.{_DIGITS}f}"


def beside(figures: Mapping[str, Any], **names: str) -> str:
    """Baselines and ceilings that are known, in words: `biases 0.981, ceiling 0.840`."""
    known = {label: figures[name] for label, name in names.items() if figures.get(name) is not None}
    return ", ".join(f"{formats.words(label)} {digits(value)}" for label, value in known.items())


def trials(evaluation: Evaluation) -> Card:
    """What was tried, one column for each parameter or figure that any trial has."""
    flat = [_flat(each) for each in evaluation.rows("search", "trials")]
    names = list(dict.fromkeys(key for trial in flat for key in trial))
    columns = [(name, *_kind([trial.get(name) for trial in flat])) for name in names]
    rows = [[trial.get(name) for name in names] for trial in flat]
    heading = ("What was tried", "Which parameters were compared, and with what result?")
    return evaluated(f"{evaluation.name}_trials", heading, columns, rows, TABLE)


def saying(made: Card, said: str) -> Card:
    """A card whose chart shows something that cannot be said of any chart of its kind."""
    return replace(made, summary=said, alt=alt(made.title, said)) if made.figure else made


def _flat(trial: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in trial.items():
        flat |= value if isinstance(value, Mapping) else {key: value}
    return flat


def _kind(values: Sequence[Any]) -> tuple[str, str | None]:
    known = [value for value in values if value is not None]
    if known and all(formats.is_number(value) for value in known):
        return ("bigint", "number") if all(isinstance(value, int) for value in known) else ("double", "ratio3")
    return "string", None


def evaluated(
    key: str,
    heading: tuple[str, str],
    columns: Sequence[tuple[str, str, str | None]],
    rows: Sequence[Sequence[Any]],
    spec: ChartSpec,
) -> Card:
    """A card of figures of an evaluation.

    Args:
        key: Identifies it among those of all models.
        heading: Title and question.
        columns: Name, type and unit.
        rows: A value for each column.
        spec: What is drawn.
    """
    query = made_query(key, *heading, [Column(*column) for column in columns], rows)
    return card(query, spec, f"data/models/{key}.csv")
