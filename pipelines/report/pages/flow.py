"""A run's rows from raw to published, with what is set aside on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from common.layout import DATASETS
from pipelines.report import formats
from pipelines.report.charts.flow import Extent, Flow, Link, Node, lay_out
from pipelines.report.runs import Run

HEADS = ("Raw", "Clean", "Warehouse", "Published")
_FATES = ("quarantined", "duplicates", "superseded")
_FED_BY = {"load_dimensions": ("users", "products"), "load_facts": ("transactions", "clickstream")}
_KINDS = {"load_dimensions": "dimensions", "load_facts": "facts"}
_WIDE, _NARROW = Extent(1060.0, 290.0, 24.0, 150.0), Extent(340.0, 240.0, 36.0, 74.0)
_WAREHOUSE = HEADS.index("Warehouse")


@dataclass(frozen=True)
class RowFlow:
    """The flow for a wide and for a narrow screen, and in words."""

    wide: Flow
    narrow: Flow
    summary: str


def row_flow(run: Run, published: Mapping[str, int]) -> RowFlow | None:
    """The flow of a run, or None when no row moved.

    Args:
        run: Its stages have the accounts.
        published: Rows of each published table.
    """
    nodes, links = _raw_and_clean(run)
    if not nodes:
        return None
    _warehouse(run, nodes, links)
    _published(run, published, nodes, links)
    heads = HEADS[: max(node.column for node in nodes) + 1]
    return RowFlow(
        wide=lay_out(nodes, links, heads, _WIDE),
        narrow=lay_out(*_narrowed(nodes, links, heads), _NARROW),
        summary=_summary(run),
    )


def _narrowed(
    nodes: list[Node], links: list[Link], heads: tuple[str, ...]
) -> tuple[list[Node], list[Link], tuple[str, ...]]:
    """Without the warehouse between clean and published: four columns of labels do not fit a phone."""
    if len(heads) < len(HEADS):
        return nodes, links, heads
    onward = {link.source: link.target for link in links if link.target.startswith("published ")}
    kept = [
        replace(node, column=min(node.column, _WAREHOUSE))
        for node in nodes
        if node.column != _WAREHOUSE and node.key != "no version"
    ]
    direct = [link for link in links if link.source not in _KINDS]
    redirected = [replace(link, target=onward.get(link.target, link.target)) for link in direct]
    keys = {node.key for node in kept}
    return kept, [link for link in redirected if link.target in keys], (*heads[:2], heads[-1])


def _raw_and_clean(run: Run) -> tuple[list[Node], list[Link]]:
    nodes: list[Node] = []
    links: list[Link] = []
    fates = dict.fromkeys(_FATES, 0)
    stages = {name: run.stage(f"clean_{name}") for name in DATASETS}
    reached = {name: stage for name, stage in stages.items() if stage is not None and stage.count("read")}
    for name, stage in sorted(reached.items(), key=lambda item: -item[1].count("read")):
        nodes.append(Node(f"raw {name}", 0, name, stage.count("read")))
        nodes.append(Node(f"clean {name}", 1, name, stage.count("written")))
        links.append(Link(f"raw {name}", f"clean {name}", stage.count("written")))
        for fate in _FATES:
            if stage.count(fate):
                fates[fate] += stage.count(fate)
                links.append(Link(f"raw {name}", f"all {fate}", stage.count(fate)))
    nodes += [Node(f"all {fate}", 1, fate, count, fate) for fate, count in fates.items() if count]
    return nodes, links


def _warehouse(run: Run, nodes: list[Node], links: list[Link]) -> None:
    superseded = 0
    for name in ("load_facts", "load_dimensions"):
        stage = run.stage(name)
        if stage is None or not stage.count("read"):
            continue
        left = stage.count("read")
        nodes.append(Node(name, 2, _KINDS[name], left))
        for dataset in _FED_BY[name]:
            clean = next((node for node in nodes if node.key == f"clean {dataset}"), None)
            if clean is not None and min(clean.value, left):
                links.append(Link(clean.key, name, min(clean.value, left)))
                left -= min(clean.value, left)
        superseded += stage.count("superseded")
    if superseded:
        nodes.append(Node("no version", 3, "made no version", superseded, "superseded"))
        links.append(Link("load_dimensions", "no version", superseded))


def _published(run: Run, published: Mapping[str, int], nodes: list[Node], links: list[Link]) -> None:
    # Changes that make no version stand below what is published, and without it they have no column.
    below = [node for node in nodes if node.key == "no version"]
    nodes[:] = [node for node in nodes if node not in below]
    if run.published_rows is None or not published:
        links[:] = [link for link in links if link.target != "no version"]
        return
    for name, prefix in (("load_facts", "fact_"), ("load_dimensions", "dim_")):
        rows = sum(count for table, count in published.items() if table.startswith(prefix))
        nodes.append(Node(f"published {prefix}", 3, _KINDS[name], rows))
        stage = run.stage(name)
        if stage is not None and stage.count("written"):
            links.insert(0, Link(name, f"published {prefix}", min(stage.count("written"), rows)))
    aggregates = sum(count for table, count in published.items() if not table.startswith(("fact_", "dim_")))
    nodes.append(Node("published aggregates", 3, "aggregates", aggregates))
    nodes.extend(below)


def _summary(run: Run) -> str:
    parts = [
        f"{name}: {formats.count(stage.count('read'))} rows read, {formats.count(stage.count('written'))} accepted, "
        + ", ".join(f"{formats.count(stage.count(fate))} {fate}" for fate in _FATES)
        for name, stage in ((name, run.stage(f"clean_{name}")) for name in DATASETS)
        if stage is not None and stage.count("read")
    ]
    return "; ".join(parts) + "."
