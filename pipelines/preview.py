"""`./build.sh run --source FILE --dry-run`: what a mapping gives, without writing anything."""

from __future__ import annotations

from collections import Counter

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.cleaning.mapped_files import mapped_files
from common.cleaning.mapped_reading import lines_left_out
from common.cleaning.mapping import column_report, read_mapped
from common.cleaning.mapping_failures import evaluating
from common.cleaning.reading import RAW
from common.cleaning.typing_rows import FLAGS, REASONS, type_rows
from common.contracts import CONTRACTS, Contract
from common.settings import SourceSettings
from common.storage.persisting import persisted

_SAMPLES = 3
_USUAL_SHARE = 0.9


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
    with persisted(typed.select(REASONS, FLAGS, contract.key)) as judged:
        rows, good, reasons, flags = _count(judged)
        keys = judged.where(F.size(REASONS) == 0).select(contract.key).distinct().count()
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
    _show_keys(console, contract, keys, good)
    for name, lines in lines_left_out(spark, source, contract.name).items():
        console.print(f"  [yellow]broken lines of {name}, which are left out: {lines:,}[/yellow]")
    console.print(_samples(typed.where(F.size(REASONS) == 0).select(*given)))


def _show_keys(console: Console, contract: Contract, keys: int, rows: int) -> None:
    """How many keys there are; few of them, where one row of each is kept, are a fault of the mapping, as a rule."""
    console.print(f"  keys:       {keys:,} different {contract.key}")
    if not contract.history and keys < rows * _USUAL_SHARE:
        console.print(
            f"  [yellow]one row of each {contract.key} is kept, and {rows - keys:,} are not: "
            "does each line have its own?[/yellow]"
        )


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
    """A few rows, each a column of its own beside the names, as there are more names than a terminal is wide."""
    samples = rows.limit(_SAMPLES).collect()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    for _ in samples:
        table.add_column(overflow="fold")
    for name in rows.columns:
        table.add_row(name, *[Text("" if row[name] is None else str(row[name])) for row in samples])
    return table
