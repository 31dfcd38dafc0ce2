"""Which row of those with one key is kept: a function of the set of rows, whatever order they arrived in."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from common.cleaning.reading import SOURCE_FILE
from common.cleaning.typing_rows import PAYLOAD_HASH, REASONS
from common.contracts.model import Contract, Fate
from common.settings import SourceSettings

FATE, IS_NEW = "_fate", "_is_new"


def resolve(rows: DataFrame, contract: Contract, source: SourceSettings) -> DataFrame:
    """Give each row its fate.

    Rows of one key are ordered from the newest version to the oldest, and within a version by the hash of their
    content. A row with the content of the one before it is a duplicate. Where one version is kept, the first row is
    written and any other is superseded; where history is kept, each distinct one is written. An existing row comes
    before a new one with the same content, so that it is the new one that is the duplicate.

    Args:
        rows: What `type_rows` gives, with `_is_new`: false for rows that the clean table already has.
        contract: The key, and which version is newer.
        source: Settings that the version may depend on.

    Returns:
        The same rows with `_fate`, one of `Fate`.
    """
    bad = F.size(REASONS) > 0
    # Bad rows may have no key: each goes to a partition of its own instead of all to that of null.
    together = F.coalesce(
        F.when(~bad, F.col(contract.key)), F.concat(F.lit("-:"), F.xxhash64("_payload").cast("string"))
    )
    newest_first: list[Column] = [version.desc_nulls_last() for version in contract.version(source)]
    # The hash comes first because rows sort by numbers far faster than by ids that begin alike.
    order = Window.partitionBy(F.xxhash64("_together"), "_together").orderBy(
        *newest_first, F.col(PAYLOAD_HASH).desc(), F.col(IS_NEW).asc(), F.col(SOURCE_FILE).asc()
    )
    same_as_before = F.coalesce(F.lag(PAYLOAD_HASH).over(order) == F.col(PAYLOAD_HASH), F.lit(False))
    is_first = F.row_number().over(order) == 1
    is_kept = F.lit(True) if contract.history else is_first
    fate = F.coalesce(
        F.when(bad, F.lit(Fate.QUARANTINED.value)),
        F.when(same_as_before, F.lit(Fate.DUPLICATE.value)),
        F.when(is_kept, F.lit(Fate.WRITTEN.value)),
        F.lit(Fate.SUPERSEDED.value),
    )
    return rows.withColumn("_together", together).withColumn(FATE, fate).drop("_together")
