"""What the gate of the dashboards looks at: a row of facts for each answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from common.bi.catalogue import Query
from common.bi.results import Answer

FACTS_SCHEMA = """query string, rows bigint, null_keys bigint, repeated_keys bigint, negative_figures bigint,
    shares_out_of_range bigint, days_out_of_period bigint, disagreeing_sums bigint, sums_not_compared bigint,
    is_unexpectedly_empty boolean"""
_FIGURES = ("money", "count", "ratio", "number", "score", "seconds", "days")
_LONGEST_GRAIN = timedelta(days=31)


def facts_of(
    queries: Iterable[Query], answers: Mapping[str, Answer], lacking: Collection[str]
) -> list[tuple[Any, ...]]:
    """The facts about the answers to some queries, in the columns of FACTS_SCHEMA.

    Args:
        queries: From the catalogue.
        answers: By query, also those to others that they are held against.
        lacking: What the data does not have of that which a query may need.
    """
    return [_facts(answers[query.name], answers, lacking) for query in queries]


def oddities(facts: Iterable[tuple[Any, ...]]) -> tuple[str, ...]:
    """Each query with something wrong or odd, and what: a gate says how many there are, and not which."""
    names = [part.split()[0] for part in FACTS_SCHEMA.split(",")]
    found = []
    for query, _, *counts in facts:
        odd = [f"{name} {int(count)}" for name, count in zip(names[2:], counts, strict=True) if count]
        if odd:
            found.append(f"{query}: {', '.join(odd)}")
    return tuple(found)


def _facts(answer: Answer, answers: Mapping[str, Answer], lacking: Collection[str]) -> tuple[Any, ...]:
    query, rows = answer.query, answer.rows
    key = rows.select(list(query.key))
    figures = [column.name for column in query.columns if column.unit in _FIGURES and not column.is_signed]
    shares = [column.name for column in query.columns if column.unit == "share" and not column.is_signed]
    days = [column.name for column in query.columns if column.unit in {"date", "time"}]
    comparable = [each for each in query.agreements if _is_whole(answer) and _is_whole(answers[each.query])]
    return (
        query.name,
        rows.num_rows,
        sum(column.null_count for column in key.columns),
        rows.num_rows - key.group_by(list(query.key)).aggregate([]).num_rows,
        sum(_count(pc.less(rows[name], _like(rows[name], 0))) for name in figures),
        sum(
            _count(pc.or_(pc.less(rows[name], _like(rows[name], 0)), pc.greater(rows[name], _like(rows[name], 1))))
            for name in shares
        ),
        sum(_days_outside(rows[name], answer) for name in days),
        sum(_differs(rows, each.column, answers[each.query].rows, each.other_column) for each in comparable),
        len(query.agreements) - len(comparable),
        rows.num_rows == 0 and query.needs not in lacking,
    )


def _count(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(mask).as_py() or 0)


def _like(column: pa.ChunkedArray, value: int) -> pa.Scalar:
    """A number of the column's type; Arrow compares decimals of one precision and scale only."""
    is_decimal = pa.types.is_decimal(column.type)
    exact = Decimal(value).scaleb(0).quantize(Decimal(1).scaleb(-column.type.scale)) if is_decimal else value
    return pa.scalar(exact, type=column.type)


def _days_outside(column: pa.ChunkedArray, answer: Answer) -> int:
    """Days after the period, or before it by more than the beginning of a week or month can be."""
    if answer.period is None:
        return 0
    earliest, latest = answer.period.first - _LONGEST_GRAIN, answer.period.last + timedelta(days=1)
    found: Sequence[date | datetime | None] = column.to_pylist()
    days = [value.date() if isinstance(value, datetime) else value for value in found if value is not None]
    return sum(not earliest <= day <= latest for day in days)


def _is_whole(answer: Answer) -> bool:
    """Whether no row was cut: a sum over the first rows alone says nothing about the others."""
    return bool(answer.rows.num_rows < answer.query.limit)


def _differs(rows: pa.Table, column: str, others: pa.Table, other_column: str) -> bool:
    if others.num_rows == 0 or rows.num_rows == 0:
        return rows.num_rows != others.num_rows and _total(rows, column) != _total(others, other_column)
    return _total(rows, column) != _total(others, other_column)


def _total(rows: pa.Table, column: str) -> Decimal:
    return sum((Decimal(value) for value in rows[column].to_pylist() if value is not None), Decimal(0))
