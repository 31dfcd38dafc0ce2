"""What of a source can be checked only as a whole."""

from __future__ import annotations

import difflib

from common.errors import ConfigurationError
from common.settings.source import MappedDataset, SourceSettings


def check_files(source: SourceSettings, dataset: str, mapped: MappedDataset, where: str) -> None:
    """See that a data set is made of files that are declared."""
    unknown = sorted({*mapped.files, *([mapped.rows_of] if mapped.rows_of else [])} - set(source.files))
    if unknown:
        raise ConfigurationError(
            f"'{dataset}' uses files that are not declared: {', '.join(unknown)}",
            where=where,
            remedy=f"declared are {', '.join(sorted(source.files)) or 'none'}",
        )
    if mapped.rows_of and mapped.rows_of not in mapped.files:
        raise ConfigurationError(
            f"'datasets.{dataset}.rows_of': {mapped.rows_of} is not among its files",
            where=where,
            remedy=f"its files are {', '.join(mapped.files)}",
        )


def check_absent(source: SourceSettings, where: str) -> None:
    """See that only optional columns of the contracts are declared absent."""
    if not source.datasets:
        return
    from common.contracts import CONTRACTS  # noqa: PLC0415 - contracts are made of these settings

    for dataset, mapped in source.datasets.items():
        fields = {field.name: field for field in CONTRACTS[dataset].fields}
        for column in mapped.absent:
            if column in fields and not fields[column].required:
                continue
            near = difflib.get_close_matches(column, fields, n=1)
            hint = f" (did you mean '{near[0]}'?)" if near and column not in fields else ""
            what = "is required" if column in fields else f"is no column of {dataset}{hint}"
            raise ConfigurationError(
                f"'datasets.{dataset}.absent': {column} {what}",
                where=where,
                remedy=f"optional are {', '.join(name for name, field in fields.items() if not field.required)}",
            )
