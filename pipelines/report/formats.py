"""Figures in plain formats: thousands separators, money with its currency, shares as per cent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeGuard

NO_VALUE = "–"  # noqa: RUF001 - the dash that stands for no value in a table
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_SHORT_SECONDS = 10
_STEPS = ((1_000_000_000, "bn"), (1_000_000, "M"), (10_000, "k"))
_SMALL_SHARE = 0.1
_NUMERIC_UNITS = frozenset(
    {"money", "count", "share", "growth", "seconds", "days", "score", "number", "ratio", "ratio3"}
)
_WHOLE_NAMES = {
    "median_seconds": "median",
    "average_seconds": "average",
    "ninth_tenth_seconds": "90th percentile",
    "p90_seconds": "90th percentile",
    "net_revenue_7_day_average": "net revenue, 7-day average",
}
_SHORT_NAMES = {"auc": "AUC", "rmse": "RMSE", "mae": "MAE", "ndcg": "NDCG", "ece": "calibration error", "rfm": "RFM"}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def is_number(value: object) -> TypeGuard[int | float | Decimal]:
    """Whether a value is a number that can be drawn; a truth value is none."""
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def is_numeric(unit: str | None, kind: str) -> bool:
    """Whether a column holds numbers, by its unit, else by its type (`decimal(18,2)`, `bigint`, …)."""
    if unit in _NUMERIC_UNITS:
        return True
    return kind.startswith(("decimal", "bigint", "int", "smallint", "tinyint", "double", "float", "long"))


def count(value: int | float | Decimal | None) -> str:
    """1,234,567."""
    return NO_VALUE if value is None else f"{value:,.0f}"


def share(value: int | float | Decimal | None, digits: int | None = None) -> str:
    """A fraction as per cent: 0.0133 is 1.33%, 0.266 is 26.6%."""
    if value is None:
        return NO_VALUE
    places = digits if digits is not None else (2 if abs(float(value)) < _SMALL_SHARE else 1)
    return f"{value * 100:,.{places}f}%"


def growth(value: int | float | Decimal | None) -> str:
    """A change as a fraction: 0.074 is +7.4%."""
    return NO_VALUE if value is None else f"{value * 100:+,.1f}%"


def money(value: int | float | Decimal | None, currency: str | None = None) -> str:
    """1,234.50 USD."""
    if value is None:
        return NO_VALUE
    return f"{value:,.2f}" + (f"\u00a0{currency}" if currency else "")


def duration(seconds: int | float | Decimal | None) -> str:
    """1.2 s, 48 s, 5 min 30 s, 2 h 05 min, 3.5 days."""
    if seconds is None:
        return NO_VALUE
    whole = round(float(seconds))
    if abs(float(seconds)) < _SHORT_SECONDS:
        return f"{seconds:.1f} s"
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if whole < 2 * _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole / _DAY:,.1f} days"


def day(value: date | None) -> str:
    """30 Nov 2025."""
    return NO_VALUE if value is None else f"{value.day} {value:%b %Y}"


def moment(value: datetime | None) -> str:
    """30 Nov 2025, 13:05."""
    return NO_VALUE if value is None else f"{value.day} {value:%b %Y, %H:%M}"


def cell(value: Any, unit: str | None) -> str:  # noqa: ANN401 - any value that a query may give
    """A value in a table, where the head names the currency."""
    if is_number(value):
        return _number(value, unit)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(each, unit) for each in value)
    return NO_VALUE if value is None else str(value)


def _number(value: Any, unit: str | None) -> str:  # noqa: ANN401 - int, float or Decimal
    if unit == "money":
        return money(value)
    if unit in {"share", "growth"}:
        return share(value) if unit == "share" else growth(value)
    if unit == "seconds":
        return duration(value)
    if isinstance(value, int) or (value == int(value) and unit in {"count", "days"}):
        return count(value)
    places = {"ratio": 2, "ratio3": 3}.get(unit or "")
    return f"{value:,.{_places(value) if places is None else places}f}"


def _places(value: int | float | Decimal) -> int:
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return min(4, max(0, -exponent)) if isinstance(exponent, int) else 2
    return 3 if abs(float(value)) < 1 else 2


def prose(value: Any, unit: str | None, currency: str | None) -> str:  # noqa: ANN401 - any value that a query may give
    """A value in a sentence: with its currency, and days as people write them."""
    if unit == "money" and is_number(value):
        return compact(value, unit, currency)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return day(value)
    return cell(value, unit)


def compact(value: int | float | Decimal | None, unit: str | None, currency: str | None = None) -> str:
    """A value on a tile: 1.24 M USD, 23,146, 1.33%, 5 min 30 s."""
    if value is None:
        return NO_VALUE
    if unit == "share":
        return share(value)
    if unit in {"seconds", "growth"}:
        return _number(value, unit)
    suffix = f"\u00a0{currency}" if unit == "money" and currency else ""
    for step, name in _STEPS:
        if abs(float(value)) >= step and (unit == "money" or name != "k"):
            divisor = 1000 if name == "k" else step
            return f"{float(value) / divisor:,.{_compact_places(abs(float(value)) / divisor)}f}\u00a0{name}{suffix}"
    if unit == "money":
        return money(value, currency)
    return cell(value, unit)


def _compact_places(scaled: float) -> int:
    return 2 if scaled < 10 else 1  # noqa: PLR2004 - three significant digits, four at most


def plain(value: Any) -> str:  # noqa: ANN401 - any value that a query may give
    """A value as a machine reads it, for sorting and for CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value)


def listed(counts: Mapping[str, int]) -> str:
    """`name 1,234, other 5`."""
    return ", ".join(f"{words(name)} {count(number)}" for name, number in counts.items())


def category(value: Any, column: str) -> str:  # noqa: ANN401 - any value that a query may give
    """A value that names a group, as people say it: Mon for weekday 1, 18:00 for hour 18, Jun 2025 for a month."""
    if value is None:
        return "unknown"
    if column == "weekday" and isinstance(value, int) and 1 <= value <= len(WEEKDAYS):
        return WEEKDAYS[value - 1]
    if column == "hour_of_day" and isinstance(value, int):
        return f"{value:02d}:00"
    if isinstance(value, date):
        return f"{value:%b %Y}" if "month" in column.split("_") else cell(value, None)
    return words(cell(value, None))


def words(name: str) -> str:
    """An identifier as words: net_amount is net amount, ndcg_at_10 is NDCG at 10."""
    if name in _WHOLE_NAMES:
        return _WHOLE_NAMES[name]
    return " ".join(_SHORT_NAMES.get(word, word) for word in name.replace("_", " ").split(" "))


def plural(number: int, one: str, many: str | None = None) -> str:
    """1 run, 2 runs."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"
