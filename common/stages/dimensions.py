"""load_dimensions: dim_users and dim_products as SCD type 2, from all changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from common.contracts import PRODUCTS, USERS, Contract
from common.job import Stage, StageContext, StageResult
from common.quality.accounting import Account, expect_equal
from common.stages.origins import Origin, is_up_to_date, origin_of
from common.stages.tables import Saved, read_clean, recorded_rows, save
from common.storage import delta
from common.storage.persisting import persisted
from common.transforms.dimensions import product_history, user_history
from common.transforms.scd2 import BEGINNING, CHANGES_OF_KEY, END, with_unknown_member
from common.transforms.tokens import load_key

DIM_USERS, DIM_PRODUCTS = "warehouse/lake/dim_users", "warehouse/lake/dim_products"
_UNKNOWN_MEMBERS = 1


@dataclass(frozen=True)
class _Dimension:
    table: str
    contract: Contract
    history: Callable[[DataFrame], DataFrame]
    basis: str
    checks: Mapping[str, Column]

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
            {},
        ),
        _Dimension(
            DIM_PRODUCTS,
            PRODUCTS,
            product_history,
            context.basis,
            {"is_above_cost": F.col("list_price") >= F.col("unit_cost")},
        ),
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
    with persisted(with_unknown_member(history, dimension.contract.key)) as versions:
        judged = _judged_changes(versions, dimension)
        saved = save(
            context,
            dimension.table,
            versions,
            origin,
            suite=dimension.suite,
            order=(dimension.contract.key, "valid_from"),
            checks={"is_interval": F.col("valid_from") < F.col("valid_to"), **dimension.checks},
            parameters={"earliest_birth_year": context.source.limits.earliest_birth_date.year},
        )
        if not saved.is_new:
            return saved, Account(0, 0), f"{name}: unchanged, {saved.rows - _UNKNOWN_MEMBERS:,} versions"
    written = saved.written - _UNKNOWN_MEMBERS
    account = Account(read, written, superseded=judged - (saved.rows - _UNKNOWN_MEMBERS))
    return saved, account, f"{name}: {written:,} versions of {read:,} changes"


def _judged_changes(versions: DataFrame, dimension: _Dimension) -> int:
    """How many changes the versions stand for, after a look at how their intervals fit together.

    Intervals of a key that have one open end and add up to all time leave no gap without an overlap elsewhere; that
    they do not overlap follows from each one's end being the beginning of the next.
    """
    length = (F.unix_micros("valid_to") - F.unix_micros("valid_from")).cast("decimal(38,0)")
    # The unknown member has no changes; a shop may have a key of its own that is spelt like it.
    found = (
        versions.where(F.col(CHANGES_OF_KEY).isNotNull())
        .agg(
            F.sum(CHANGES_OF_KEY).alias("changes"),
            F.count_distinct(dimension.contract.key).alias("keys"),
            F.count_if(F.col("valid_to") == F.lit(END)).alias("open"),
            F.sum(length).alias("length"),
        )
        .first()
    )
    if found is None:  # an aggregate without groups always has its row
        raise RuntimeError("an aggregate came back without a row")
    all_time = (END - BEGINNING) // timedelta(microseconds=1)
    expect_equal(f"open versions of {dimension.table}", found["keys"], found["open"], where=dimension.table)
    expect_equal(
        f"time covered by {dimension.table}", found["keys"] * all_time, int(found["length"] or 0), where=dimension.table
    )
    return int(found["changes"] or 0)


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
