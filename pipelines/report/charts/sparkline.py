"""A line without axes, small enough for a tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, _PAD = 96.0, 28.0, 3.0
_FEWEST = 2


@dataclass(frozen=True)
class Sparkline:
    """An SVG path in a box of `WIDTH` by `HEIGHT`, and where its last point is."""

    path: str
    end_x: float
    end_y: float
    width: float = WIDTH
    height: float = HEIGHT


def sparkline(values: Sequence[float]) -> Sparkline | None:
    """The line of some values, the oldest first; None for fewer than two."""
    if len(values) < _FEWEST:
        return None
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = (WIDTH - 2 * _PAD) / (len(values) - 1)
    points = [
        (_PAD + index * step, HEIGHT / 2 if high == low else HEIGHT - _PAD - (value - low) / span * (HEIGHT - 2 * _PAD))
        for index, value in enumerate(values)
    ]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return Sparkline(path, round(points[-1][0], 1), round(points[-1][1], 1))
