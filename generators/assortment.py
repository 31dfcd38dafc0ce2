"""What the shop sells: departments, their shelves, and what stands on them in which sizes."""

from __future__ import annotations

from dataclasses import dataclass

from generators import shelves


@dataclass(frozen=True)
class Variant:
    """A size, colour or model.

    Attributes:
        name: What it is called.
        factor: Its price against that of the others.
    """

    name: str
    factor: float


@dataclass(frozen=True)
class Item:
    """What a product of a shelf is.

    Attributes:
        noun: What it is called.
        level: Its price against that of other things on the shelf.
        adjectives: Words that fit before it.
        variants: What it comes in.
    """

    noun: str
    level: float
    adjectives: tuple[str, ...]
    variants: tuple[Variant, ...]


@dataclass(frozen=True)
class Shelf:
    """A subcategory.

    Attributes:
        department: Its category.
        name: The subcategory.
        weight: Share of the demand.
        low: Usual lowest list price, in whole dollars.
        high: Usual highest list price.
        replenishable: Whether people buy the same product again and again.
        items: What stands there.
    """

    department: str
    name: str
    weight: float
    low: float
    high: float
    replenishable: bool
    items: tuple[Item, ...]


# Titles stand for themselves: the brand, which is the publisher, is not part of the name.
UNBRANDED = ("Books",)


def words(text: str) -> tuple[str, ...]:
    """The entries of a list of words; an underscore stands for a blank inside one."""
    return tuple(word.replace("_", " ").replace("&", " & ") for word in text.split())


def _item(line: str) -> Item:
    noun, level, adjectives, variants = line.removeprefix("- ").split(";")
    pairs = [entry.rsplit(" ", 1) for entry in shelves.VARIANTS.get(variants, variants).split("|")]
    return Item(
        noun,
        float(level),
        words(shelves.WORDS.get(adjectives, adjectives)),
        tuple(Variant(name, float(factor)) for name, factor in pairs),
    )


def _shelves() -> tuple[Shelf, ...]:
    found: list[Shelf] = []
    for block in shelves.SHELVES.strip().replace("\n- ", "\t").splitlines():
        head, *items = block.split("\t")
        department, name, weight, low, high, replenishable = head.split(";")
        entries = tuple(_item(line) for line in items)
        limits = float(weight), float(low), float(high)
        found.append(Shelf(department, name, *limits, bool(replenishable), entries))
    return tuple(found)


SHELVES = _shelves()
DEPARTMENTS = tuple(dict.fromkeys(shelf.department for shelf in SHELVES))
