"""What cleaning found: reasons, flags and files, of ops/quality. Examples of rows are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.layout import DATASETS, Layout
from common.storage.files import read_json


@dataclass(frozen=True)
class DatasetQuality:
    """What cleaning said of a data set in a run.

    Attributes:
        dataset: The data set.
        run_id: The run that cleaned it last.
        rows: Its account.
        reasons: Quarantined rows by reason; a row with two reasons counts under both.
        flags: Written rows by flag.
        worst_files: Rows that were not written, by source file.
        replaced: Rows of an earlier run that a newer one took the place of.
    """

    dataset: str
    run_id: str
    rows: Mapping[str, int]
    reasons: Mapping[str, int]
    flags: Mapping[str, int]
    worst_files: Mapping[str, int]
    replaced: int


def read_quality(layout: Layout, run_ids: list[str]) -> list[DatasetQuality]:
    """For each data set the report of the newest run that has one.

    Args:
        layout: The root.
        run_ids: The runs, the newest first.
    """
    found = []
    for dataset in DATASETS:
        paths = (layout.local("ops", "quality", run_id, f"clean_{dataset}.json") for run_id in run_ids)
        newest = next((path for path in paths if path.exists()), None)
        if newest is not None:
            said = read_json(newest)
            found.append(
                DatasetQuality(
                    dataset=dataset,
                    run_id=str(said["run_id"]),
                    rows=said["rows"],
                    reasons=_by_count(said["reasons"]),
                    flags=_by_count(said["flags"]),
                    worst_files=_by_count(said["worst_files"]),
                    replaced=int(said["replaced"]),
                )
            )
    return found


def _by_count(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
