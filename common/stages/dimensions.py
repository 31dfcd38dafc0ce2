"""load_dimensions: dim_users and dim_products as SCD type 2, from all changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.contracts import PRODUCTS, USERS, Contract
from common.job import Stage, StageContext, StageResult
from common.quality.accounting import Account
from common.stages.tables import Origin, Saved, is_up_to_date, origin_of, read_clean, recorded_rows, save
from common.storage import delta
from common.transforms.dimensions import product_history, user_history
from common.transforms.scd2 import CHANGES_OF_KEY, with_unknown_member
from common.transforms.tokens import load_key

DIM_USERS, DIM_PRODUCTS = "warehouse/lake/dim_users", "warehouse/lake/dim_products"
_UNKNOWN_MEMBERS = 1


@dataclass(frozen=True)
class _Dimension:
    table: str
    contract: Contract
    history: Callable[[DataFrame], DataFrame]
    basis: str

    @property
    def suite(self) -> str:
        return f"load_dimensions.{self.table.rpartition('/')[2]}"


def run(context: StageContext) -> StageResult:
    """Rebuild the dimensions whose changes are new, and commit those that came out differently.

    The account is kept without the unknown member, which is read from nowhere.

    Raises:
        ConfigurationError: If there is no usable token key.
    """
    key = load_key()
    dimensions = (
        # Another key makes other tokens, and with them another table.
        _Dimension(
            DIM_USERS,
            USERS,
            lambda changes: user_history(changes, key, context.source.time_zone),
            f"{context.basis}:{key.identity}",
        ),
        _Dimension(DIM_PRODUCTS, PRODUCTS, product_history, context.basis),
    )
    loaded = [_load(context, dimension) for dimension in dimensions]
    account = sum_accounts(*[account for _, account, _ in loaded])
    is_skipped = not any(saved and saved.is_new for saved, _, _ in loaded)
    tables = {}
    for dimension, (saved, _, _) in zip(dimensions, loaded, strict=True):
        version = delta.version_of(context.spark, context.layout.path(dimension.table))
        tables[dimension.table] = (saved.before if saved else version, version)
    notes = tuple(note for _, _, note in loaded)
    return StageResult("skipped" if is_skipped else "ok", account.check("load_dimensions"), tables, notes)


def sum_accounts(*accounts: Account) -> Account:
    """One account of several tables."""
    return Account(
        read=sum(account.read for account in accounts),
        written=sum(account.written for account in accounts),
        quarantined=sum(account.quarantined for account in accounts),
        duplicates=sum(account.duplicates for account in accounts),
        superseded=sum(account.superseded for account in accounts),
    )


def _load(context: StageContext, dimension: _Dimension) -> tuple[Saved | None, Account, str]:
    source = f"clean/{dimension.contract.name}"
    origin = origin_of(context, [source], dimension.basis)
    name = dimension.table.rpartition("/")[2]
    if is_up_to_date(context, dimension.table, origin):
        return None, Account(0, 0), f"{name}: no new changes"
    read = recorded_rows(context, source)
    changes = _as_of(context, dimension.contract, origin)
    history = dimension.history(changes)
    with context.persisted(with_unknown_member(history, dimension.contract.key)) as versions:
        saved = save(
            context,
            dimension.table,
            versions,
            origin,
            suite=dimension.suite,
            order=(dimension.contract.key, "valid_from"),
            parameters={"earliest_birth_year": context.source.limits.earliest_birth_date.year},
        )
        if not saved.is_new:
            return saved, Account(0, 0), f"{name}: unchanged, {saved.rows - _UNKNOWN_MEMBERS:,} versions"
        counted = versions.agg(F.sum(CHANGES_OF_KEY).alias("changes")).first()
    written = saved.written - _UNKNOWN_MEMBERS
    judged = int(counted["changes"] or 0) if counted else 0
    account = Account(read, written, superseded=judged - (saved.rows - _UNKNOWN_MEMBERS))
    return saved, account, f"{name}: {written:,} versions of {read:,} changes"


def _as_of(context: StageContext, contract: Contract, origin: Origin) -> DataFrame:
    """The changes at the version that the commit will name."""
    version = origin.inputs[f"clean/{contract.name}"]
    if version is None:
        return read_clean(context, contract)
    return delta.read(context.spark, context.layout.clean(contract.name), version)


LOAD_DIMENSIONS = Stage(
    name="load_dimensions",
    title="versions of users and products",
    inputs=("clean/users", "clean/products"),
    outputs=(DIM_USERS, DIM_PRODUCTS),
    run=run,
    suites=("load_dimensions.dim_users", "load_dimensions.dim_products"),
)
