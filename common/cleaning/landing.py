"""The inventory of the raw zone, kept so that an unchanged file is counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from statistics import median_low

from common.cleaning.mapped_files import check_paths
from common.contracts import CONTRACTS, Contract
from common.errors import InputError
from common.job import StageContext
from common.layout import Layout
from common.settings import SourceSettings
from common.storage.files import read_json, write_json
from common.storage.inventory import RawFile, take_inventory

_USUAL_DAYS = 7
_LEAST_USUAL = 200


def _manifest(layout: Layout, dataset: str) -> tuple[RawFile, ...]:
    """The inventory as last taken; none where none was."""
    path = layout.local("ops", "manifest", f"{dataset}.json")
    return tuple(RawFile.from_json(entry) for entry in read_json(path)) if path.exists() else ()


def take_stock(layout: Layout, contract: Contract) -> tuple[RawFile, ...]:
    """All raw files of a data set, counted at the source; a file that has not changed is counted once.

    Raises:
        InputError: If data is missing or cannot be read.
    """
    known = _manifest(layout, contract.name)
    files = take_inventory(layout, contract, known)
    if files != known:
        write_json(layout.local("ops", "manifest", f"{contract.name}.json"), [file.as_json() for file in files])
    return files


def look_ahead(layout: Layout, source: SourceSettings, contract: Contract) -> None:
    """See what is wrong with the files of a data set without reading the rows of somebody else's.

    Raises:
        ConfigurationError: If a file that a mapping declares is not there.
        InputError: If data is missing or cannot be read.
    """
    if source.is_mapped:
        check_paths(source, contract.name)
    else:
        take_stock(layout, contract)


def land(context: StageContext, contract: Contract) -> tuple[RawFile, ...]:
    """The raw files of a data set up to the date of the run.

    Raises:
        InputError: If data is missing or cannot be read.
    """
    files = take_stock(context.layout, contract)
    if context.date is None:
        return files
    last = context.date.isoformat()
    return tuple(file for file in files if file.delivered_on is None or file.delivered_on <= last)


def newest_delivery(layout: Layout) -> date | None:
    """The last day for which any raw data set has a directory; None where there is none."""
    days: set[date] = set()
    for contract in CONTRACTS.values():
        for path in layout.local("raw", contract.name).rglob(f"{contract.delivered}=*"):
            try:
                days.add(date.fromisoformat(path.name.partition("=")[2]))
            except ValueError as error:
                raise InputError(
                    f"'{path.name}' is not a date", where=str(path), remedy="name the directory by a day, YYYY-MM-DD"
                ) from error
    return max(days, default=None)


def percent_of_usual(files: Iterable[RawFile], day: date) -> int | None:
    """What a day's deliveries hold, in percent of a usual day's: the median of the seven days before that had any.

    None where there are fewer such days, or a usual one has less than 200 rows, which chance alone may halve.
    """
    rows: Counter[str] = Counter()
    for file in files:
        if file.delivered_on is not None:
            rows[file.delivered_on] += file.rows
    before = sorted(each for each in rows if each < day.isoformat())[-_USUAL_DAYS:]
    usual = median_low([rows[each] for each in before]) if len(before) == _USUAL_DAYS else 0
    return rows[day.isoformat()] * 100 // usual if usual >= _LEAST_USUAL else None
