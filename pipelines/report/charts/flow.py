"""Rows as a flow: nodes in columns, ribbons between them, laid out as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_NODE_WIDTH = 10.0
_THINNEST = 1.5
_LINE = 14.0
_TOP = 26.0
_LABEL_GAP = 6.0


@dataclass(frozen=True)
class Node:
    """A bar of the flow.

    Attributes:
        key: Identifies it.
        column: Its column, from 0.
        label: What it is.
        value: Rows.
        kind: data, or a fate: quarantined, duplicates, superseded.
    """

    key: str
    column: int
    label: str
    value: int
    kind: str = "data"


@dataclass(frozen=True)
class Link:
    """A ribbon from one node to another in a later column."""

    source: str
    target: str
    value: int


@dataclass(frozen=True)
class Extent:
    """How large a drawing is to be.

    Attributes:
        width: Of the whole.
        bars: The height that the values of the fullest column take together.
        gap: Between two nodes of a column; labels need it.
        outside: Room on either side for the labels of the first and the last column, where no ribbon crosses them.
    """

    width: float
    bars: float
    gap: float = 34.0
    outside: float = 0.0


@dataclass(frozen=True)
class PlacedNode:
    """A node with its place and the place of its label; lengths in units of the drawing."""

    node: Node
    x: float
    y: float
    height: float
    label_x: float
    anchor: str

    @property
    def is_thin(self) -> bool:
        """Whether its ribbons are thinner than its label, and would strike it through."""
        return self.height < _LINE


@dataclass(frozen=True)
class PlacedLink:
    """A ribbon as a path."""

    link: Link
    path: str
    kind: str
    title: str


@dataclass(frozen=True)
class Flow:
    """A drawing of `width` by `height`."""

    width: float
    height: float
    node_width: float
    nodes: tuple[PlacedNode, ...]
    links: tuple[PlacedLink, ...]
    heads: tuple[tuple[float, str, str], ...]


def lay_out(
    nodes: Sequence[Node],
    links: Sequence[Link],
    heads: Sequence[str],
    extent: Extent,
) -> Flow:
    """Place nodes and ribbons.

    All columns have the scale of the fullest one. What would be thinner than
    can be seen is drawn as thin as can be seen.

    Args:
        nodes: In each column from top to bottom.
        links: Drawn in their order.
        heads: The name of each column.
        extent: Of the drawing.
    """
    width, gap, outside = extent.width, extent.gap, extent.outside
    columns = [[node for node in nodes if node.column == index] for index in range(len(heads))]
    fullest = max((sum(node.value for node in column) for column in columns), default=0)
    scale = extent.bars / fullest if fullest else 0.0
    step = (width - 2 * outside - _NODE_WIDTH) / max(len(heads) - 1, 1)
    sides = [_side(index, len(heads), outside) for index in range(len(heads))]
    placed: dict[str, PlacedNode] = {}
    height = 0.0
    for index, column in enumerate(columns):
        y = _TOP + gap / 2
        for node in column:
            tall = max(node.value * scale, _THINNEST)
            x = outside + index * step
            label_x = x - _LABEL_GAP if sides[index] == "end" else x + _NODE_WIDTH + _LABEL_GAP
            placed[node.key] = PlacedNode(node, x, y, tall, label_x, sides[index])
            y += max(tall, _THINNEST) + gap
        height = max(height, y - gap / 2)
    ribbons = _ribbons(links, placed, scale)
    marks = tuple(
        (outside + index * step + (_NODE_WIDTH if sides[index] == "end" else 0), sides[index], head)
        for index, head in enumerate(heads)
    )
    return Flow(width, height, _NODE_WIDTH, tuple(placed.values()), ribbons, marks)


def _side(index: int, count: int, outside: float) -> str:
    """Where a column's labels end or start: outside of the drawing's ribbons where there is room for that."""
    if outside:
        return "end" if index == 0 else "start"
    return "end" if index == count - 1 else "start"


def _ribbons(links: Sequence[Link], placed: dict[str, PlacedNode], scale: float) -> tuple[PlacedLink, ...]:
    left: dict[str, float] = {}
    right: dict[str, float] = {}
    made = []
    for link in links:
        source, target = placed[link.source], placed[link.target]
        thick = max(link.value * scale, _THINNEST)
        x0, x1 = source.x + _NODE_WIDTH, target.x
        # A ribbon as thin as can be seen may be thicker than what is left of its bar.
        y0 = min(source.y + right.get(link.source, 0.0), source.y + max(source.height - thick, 0.0))
        y1 = min(target.y + left.get(link.target, 0.0), target.y + max(target.height - thick, 0.0))
        right[link.source] = right.get(link.source, 0.0) + link.value * scale
        left[link.target] = left.get(link.target, 0.0) + link.value * scale
        made.append(
            PlacedLink(
                link,
                _ribbon(x0, y0, x1, y1, thick),
                target.node.kind,
                f"{source.node.label} to {target.node.label}: {link.value:,} rows",
            )
        )
    return tuple(made)


def _ribbon(x0: float, y0: float, x1: float, y1: float, thick: float) -> str:
    middle = (x0 + x1) / 2
    return (
        f"M{x0:.1f} {y0:.1f}C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
        f"V{y1 + thick:.1f}C{middle:.1f} {y1 + thick:.1f} {middle:.1f} {y0 + thick:.1f} {x0:.1f} {y0 + thick:.1f}Z"
    )
