"""`./build.sh run --source FILE --dry-run`: what a mapping gives, without writing anything."""

from __future__ import annotations

from collections import Counter

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.cleaning.mapping import column_report, evaluating, mapped_files, read_mapped
from common.cleaning.reading import RAW
from common.cleaning.typing_rows import FLAGS, REASONS, type_rows
from common.contracts import CONTRACTS, Contract
from common.settings import SourceSettings

_SAMPLES = 3


def preview(spark: SparkSession, source: SourceSettings, console: Console) -> None:
    """Show for each data set the columns that match, rows by rule, and a few rows as they come out.

    Raises:
        ConfigurationError: If the mapping is wrong.
    """
    for name, contract in CONTRACTS.items():
        if name not in source.datasets:
            console.print(f"[bold]{name}[/bold]: the source {source.name} has none; its table stays empty")
            continue
        with evaluating(source, name):
            _preview_dataset(spark, source, contract, console)


def _preview_dataset(spark: SparkSession, source: SourceSettings, contract: Contract, console: Console) -> None:
    mapped = source.datasets[contract.name]  # type: ignore[index]
    counted = sum(file.rows for file in mapped_files(source, contract.name))
    raw = read_mapped(spark, contract, source)
    given, lacking = column_report(raw.select(f"{RAW}.*"), contract)
    forgotten = [column for column in lacking if column not in mapped.absent]
    typed = type_rows(raw, contract, source)
    rows, good, reasons, flags = _count(typed)
    origin = f"{counted:,} rows in {mapped.rows_of}" if mapped.rows_of else "derived rows"
    console.print(f"[bold]{contract.name}[/bold]: {origin}, {good:,} accepted before duplicates")
    if mapped.rows_of and rows != counted:
        console.print(f"  [yellow]the SELECT makes {rows:,} rows of {counted:,}: the account would be off[/yellow]")
    console.print(f"  matched:    {', '.join(given)}")
    console.print(f"  absent:     {', '.join(mapped.absent) or 'none'}")
    if forgotten:
        console.print(f"  [yellow]missing and not declared absent: {', '.join(forgotten)}[/yellow]")
    for label, counts in (("turned away", reasons), ("flagged", flags)):
        console.print(f"  {label + ':':<11} {', '.join(f'{code} {n:,}' for code, n in counts.most_common()) or 'none'}")
    console.print(_samples(typed.where(F.size(REASONS) == 0).select(*given)))


def _count(typed: DataFrame) -> tuple[int, int, Counter[str], Counter[str]]:
    """All rows, those accepted, and rows by reason and by flag."""
    rows, good, reasons, flags = 0, 0, Counter[str](), Counter[str]()
    for group in typed.groupBy(REASONS, FLAGS).count().collect():
        rows += group["count"]
        if not group[REASONS]:
            good += group["count"]
            flags.update(dict.fromkeys(group[FLAGS], group["count"]))
        reasons.update(dict.fromkeys(set(group[REASONS]), group["count"]))
    return rows, good, reasons, flags


def _samples(rows: DataFrame) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in rows.columns:
        table.add_column(column, overflow="fold")
    for row in rows.limit(_SAMPLES).collect():
        table.add_row(*[Text("" if value is None else str(value)) for value in row])
    return table
