"""What a gate found, in words: counts and limits, and no values of the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CRITICAL = "critical"
_SHOWN = 8


@dataclass(frozen=True)
class Finding:
    """An expectation that was not met, or could not be evaluated.

    Attributes:
        expectation: Its type and the columns that it is about.
        severity: critical, or a lesser one.
        observed: What was seen, and what was expected; counts and limits, and no values of the data.
    """

    expectation: str
    severity: str
    observed: str

    def __str__(self) -> str:
        """The expectation and what was seen instead."""
        return f"{self.expectation} ({self.observed})"


def finding_of(result: Any, parameters: Mapping[str, Any]) -> Finding:  # noqa: ANN401 - imported late
    """What Great Expectations says of an expectation that was not met."""
    config = result.expectation_config
    columns = [
        str(config.kwargs[key]) for key in ("column", "column_A", "column_B", "column_list") if key in config.kwargs
    ]
    exception = result.exception_info or {}
    raised = exception.get("raised_exception") or any(
        isinstance(entry, dict) and entry.get("raised_exception") for entry in exception.values()
    )
    if raised:
        return Finding(f"{config.type} {' '.join(columns)}".strip(), CRITICAL, f"could not run: {_message(exception)}")
    observed = _observed(result.result or {})
    expected = _expected(config.type, config.kwargs, parameters)
    return Finding(
        f"{config.type} {' '.join(columns)}".strip(),
        str(getattr(config.severity, "value", config.severity)),
        f"{observed}; expected {expected}" if expected else observed,
    )


def _observed(details: Mapping[str, Any]) -> str:
    """What was seen, in words; of the values of a column their number alone."""
    value, count, percent = (details.get(key) for key in ("observed_value", "unexpected_count", "unexpected_percent"))
    words = []
    if value is not None:
        words.append(f"observed {f'{len(value)} values' if isinstance(value, list | set | tuple) else value}")
    if count is not None:
        words.append(f"{count:,} unexpected")
    if percent is not None:
        words.append(f"{percent:.4g} %")
    return ", ".join(words) or "no detail"


def _expected(kind: str, declared: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """What an expectation asks for, in words; nothing where its name says it all."""
    kwargs = {key: _resolved(value, parameters) for key, value in declared.items()}
    words = []
    if "value" in kwargs:
        words.append(f"{kwargs['value']}")
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    strict_low, strict_high = kwargs.get("strict_min"), kwargs.get("strict_max")
    if low is not None and high is not None and low == high:
        words.append(f"{low}")
    elif low is not None and high is not None and not strict_low and not strict_high:
        words.append(f"{low} to {high}")
    else:
        words += [f"{'above' if strict_low else 'at least'} {low}"] if low is not None else []
        words += [f"{'below' if strict_high else 'at most'} {high}"] if high is not None else []
    if "value_set" in kwargs:
        which = "none of" if "_not_" in kind else "exactly" if kind.endswith("_equal_set") else "one of"
        words.append(f"{which} {_some(kwargs['value_set'])}")
    if "regex" in kwargs:
        words.append(f"a match of {kwargs['regex']}")
    mostly = kwargs.get("mostly", 1)
    if mostly != 1:
        words.append(f"in {float(mostly) * 100:g} % of the rows or more")
    return " ".join(words)


def _resolved(value: Any, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as JSON has it
    if isinstance(value, dict) and "$PARAMETER" in value:
        value = parameters.get(value["$PARAMETER"], value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _some(values: Iterable[object]) -> str:
    shown = [str(value) for value in values]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return (", ".join(shown[:_SHOWN]) or "nothing") + more


def _message(exception: Mapping[str, Any]) -> str:
    if "exception_message" in exception:
        return str(exception["exception_message"])
    return "; ".join(str(entry.get("exception_message")) for entry in exception.values() if isinstance(entry, dict))
