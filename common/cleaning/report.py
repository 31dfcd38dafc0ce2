"""The quality report of a cleaning job: what came of the rows, why, and from which files the worst of them are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from common.cleaning.reading import PAYLOAD, SOURCE_FILE
from common.cleaning.resolution import FATE, IS_NEW
from common.cleaning.typing_rows import FLAGS, REASONS
from common.contracts.model import Contract, Fate
from common.quality.masking import mask

_WORST_FILES = 5
_EXAMPLES = 3
# A row is to be seen whole: what is wrong with it may stand at its end.
_EXAMPLE_LENGTH = 1_000


@dataclass(frozen=True)
class Tally:
    """How many rows of a frame fared how.

    Attributes:
        fates: New rows by fate.
        reasons: Quarantined rows by reason; a row with two reasons counts under both.
        flags: Written rows by flag.
        files: Rows not written by source file, the worst first.
        replaced: Rows of the clean table that a new row takes the place of.
        refreshed: Rows of the clean table of which only the annotations change.
        examples: By reason a few rows, masked.
    """

    fates: dict[str, int]
    reasons: dict[str, int]
    flags: dict[str, int]
    files: dict[str, int]
    replaced: int
    refreshed: int
    examples: dict[str, list[str]]

    def of(self, fate: Fate) -> int:
        """New rows with a fate."""
        return self.fates.get(fate.value, 0)

    def as_json(self) -> dict[str, Any]:
        """For the report's file."""
        return {
            "fates": self.fates,
            "reasons": self.reasons,
            "flags": self.flags,
            "worst_files": dict(list(self.files.items())[:_WORST_FILES]),
            "replaced": self.replaced,
            "examples": self.examples,
        }


def tally(frame: DataFrame, contract: Contract) -> Tally:
    """Count a resolved frame in one pass over it."""
    marks = {
        name: F.coalesce(F.col(name), F.lit(False)) if kind == "boolean" else F.col(name).isNotNull()
        for name, kind in frame.dtypes
        if name in dict(contract.annotations)
    }
    flags = F.col(FLAGS)
    if marks:
        # Few rows have a mark, and functions over arrays are interpreted.
        named = F.array_compact(F.array(*[F.when(holds, F.lit(name)) for name, holds in marks.items()]))
        flags = F.when(reduce(or_, marks.values()), F.concat(flags, named)).otherwise(flags)
    written_flags = F.when(F.col(FATE) == Fate.WRITTEN.value, flags)
    groups = (
        frame.groupBy(
            FATE, IS_NEW, F.col("_refreshed"), F.col(REASONS), written_flags.alias("_marks"), F.col(SOURCE_FILE)
        )
        .agg(F.count(F.lit(1)).alias("_rows"), F.min(PAYLOAD).alias("_example"))
        .collect()
    )
    return summarise(groups)


def summarise(groups: Sequence[Any]) -> Tally:
    """Sum up rows of (_fate, _is_new, _refreshed, _reasons, _marks, _source_file, _rows, _example)."""
    fates: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    files: Counter[str] = Counter()
    examples: dict[str, set[str]] = {}
    replaced = refreshed = 0
    for group in groups:
        rows = group["_rows"]
        if not group[IS_NEW]:
            replaced += rows if group[FATE] != Fate.WRITTEN.value else 0
            refreshed += rows if group["_refreshed"] else 0
            continue
        fates[group[FATE]] += rows
        for reason in set(group[REASONS] or ()):
            reasons[reason] += rows
            examples.setdefault(reason, set()).add(mask(bytes(group["_example"]), _EXAMPLE_LENGTH))
        for flag in set(group["_marks"] or ()):
            flags[flag] += rows
        if group[FATE] != Fate.WRITTEN.value:
            files[group[SOURCE_FILE]] += rows
    return Tally(
        dict(fates),
        dict(reasons.most_common()),
        dict(flags.most_common()),
        dict(files.most_common()),
        replaced,
        refreshed,
        {reason: sorted(found)[:_EXAMPLES] for reason, found in sorted(examples.items())},
    )
