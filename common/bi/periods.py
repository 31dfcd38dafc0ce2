"""Of which days a query asks: counted back from the newest day in the data, and never from today."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

_DAYS = re.compile(r"(\d+) days")


@dataclass(frozen=True)
class Period:
    """Business days from the first to the last, both included."""

    first: date
    last: date

    def as_json(self) -> dict[str, str]:
        """For the index."""
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


@dataclass(frozen=True)
class Span:
    """How a query's days are found.

    Attributes:
        kind: days: so many up to the newest; all: from the oldest to the newest; none: the state at the newest day.
        days: How many, of the first kind.
    """

    kind: Literal["days", "all", "none"]
    days: int = 0

    @classmethod
    def parse(cls, text: str) -> Span:
        """From an annotation.

        Raises:
            ValueError: If it is not `N days`, `all` or `none`.
        """
        found = _DAYS.fullmatch(text)
        if found and int(found[1]) > 0:
            return cls("days", int(found[1]))
        if text == "all":
            return cls("all")
        if text == "none":
            return cls("none")
        raise ValueError(f"period '{text}' is neither 'N days' nor 'all' nor 'none'")

    def resolve(self, data: Period) -> Period | None:
        """The days, given those that the data has; None where no period is asked for.

        A period of so many days may begin before the data does.
        """
        if self.kind == "none":
            return None
        if self.kind == "all":
            return data
        return Period(data.last - timedelta(days=self.days - 1), data.last)
