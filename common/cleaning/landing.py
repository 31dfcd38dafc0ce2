"""The inventory of the raw zone, kept so that an unchanged file is counted once."""

from __future__ import annotations

from datetime import date

from common.contracts import CONTRACTS, Contract
from common.errors import InputError
from common.job import StageContext
from common.layout import Layout
from common.storage.files import read_json, write_json
from common.storage.inventory import RawFile, take_inventory


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
