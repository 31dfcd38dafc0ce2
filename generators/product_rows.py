"""Products as lines of CSV: the first load, and later states of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pyarrow as pa

from generators.assortment import SHELVES
from generators.catalogue import SHELF_OF, Catalogue
from generators.identifiers import column, product_ids
from generators.names import NAMES
from generators.randomness import I64, Ids, Stream
from generators.spec import DAY_MS, START_MS
from generators.text import fixed, join, money, numbers, pool, take, timestamps

COLUMNS = (
    "product_id,product_name,category,subcategory,brand,list_price,unit_cost,stock_quantity,is_active,"
    "created_at,updated_at"
)


@dataclass(frozen=True)
class ProductStates:
    """States of products; one row each.

    Attributes:
        product: Number in the id, (n,).
        shelf: Index into SHELVES, (n,).
        name: Index into NAMES, (n,).
        list_cents: Price in cents, (n,).
        cost_cents: Unit cost in cents, (n,).
        stock: Pieces, (n,).
        active: 0 or 1, (n,).
        created_ms: Milliseconds since 1970, (n,).
        updated_ms: Milliseconds since 1970, (n,).
    """

    product: I64
    shelf: I64
    name: I64
    list_cents: I64
    cost_cents: I64
    stock: I64
    active: I64
    created_ms: I64
    updated_ms: I64

    def take(self, rows: Ids) -> ProductStates:
        """Some of the states."""
        return ProductStates(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def updated(self, **columns: I64) -> ProductStates:
        """The same states with other values in some columns."""
        return replace(self, **columns)


def join_products(*parts: ProductStates) -> ProductStates:
    """States one after another."""
    names = [field.name for field in fields(ProductStates)]
    return ProductStates(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def first_states(stream: Stream, catalogue: Catalogue) -> ProductStates:
    """Each product in the state of the first load."""
    ids = np.arange(len(catalogue.cluster))
    age = 1 + (stream.uniform("age", ids) * 1_200).astype(np.int64)
    created = START_MS - age * DAY_MS + stream.below("created_time", ids, DAY_MS)
    updated = created + (stream.uniform("updated_at", ids) * (START_MS - created - 1)).astype(np.int64)
    demand = catalogue.popularity * len(ids)
    return ProductStates(
        product=ids,
        shelf=SHELF_OF[catalogue.cluster],
        name=catalogue.name,
        list_cents=catalogue.list_cents,
        cost_cents=catalogue.cost_cents,
        stock=(np.minimum(20 + 60 * demand, 4_000) * (0.3 + stream.uniform("stock", ids))).astype(np.int64),
        active=np.ones(len(ids), dtype=np.int64),
        created_ms=created,
        updated_ms=updated,
    )


_DEPARTMENT_OF = [shelf.department for shelf in SHELVES]


def to_lines(stream: Stream, states: ProductStates) -> pa.Array:
    """States as lines of CSV without line feeds, binary."""
    return join(
        column(product_ids(states.product)),
        take(NAMES.text, states.name),
        take(pool(_DEPARTMENT_OF), states.shelf),
        take(pool([shelf.name for shelf in SHELVES]), states.shelf),
        take(NAMES.brand, states.name),
        money(states.list_cents),
        money(states.cost_cents),
        numbers(states.stock),
        take(pool(["false", "true"]), states.active),
        fixed(timestamps(states.created_ms)),
        fixed(timestamps(states.updated_ms)),
        separator=b",",
    )
