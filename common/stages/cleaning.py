"""clean_users, clean_products, clean_transactions, clean_clickstream: one engine, four contracts."""

from __future__ import annotations

from functools import partial

from common.cleaning.engine import clean
from common.cleaning.landing import look_ahead
from common.contracts import CONTRACTS, Contract
from common.job import Stage


def _stage(contract: Contract) -> Stage:
    return Stage(
        name=f"clean_{contract.name}",
        title=f"accept or turn away raw {contract.name}",
        inputs=(f"raw/{contract.name}", "ops/manifest"),
        outputs=(f"clean/{contract.name}", f"quarantine/{contract.name}"),
        run=partial(clean, contract=contract),
        suites=(f"clean_{contract.name}",),
        preflight=partial(look_ahead, contract=contract),
    )


CLEAN_USERS, CLEAN_PRODUCTS, CLEAN_TRANSACTIONS, CLEAN_CLICKSTREAM = map(_stage, CONTRACTS.values())
