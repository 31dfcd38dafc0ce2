"""The data sets that the platform takes in, one module each."""

from __future__ import annotations

from types import MappingProxyType

from common.contracts.clickstream import CLICKSTREAM
from common.contracts.model import Contract, Fate, Field, Rule
from common.contracts.products import PRODUCTS
from common.contracts.transactions import TRANSACTIONS
from common.contracts.users import USERS

CONTRACTS = MappingProxyType({contract.name: contract for contract in (USERS, PRODUCTS, TRANSACTIONS, CLICKSTREAM)})

__all__ = [
    "CLICKSTREAM",
    "CONTRACTS",
    "PRODUCTS",
    "TRANSACTIONS",
    "USERS",
    "Contract",
    "Fate",
    "Field",
    "Rule",
]
