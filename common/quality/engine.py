"""How Great Expectations asks Spark: for counts, as few queries as will do, and for no values that nobody is to see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

from great_expectations.datasource.fluent.spark_datasource import SparkDatasource
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.validator.metric_configuration import MetricConfiguration
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_VALUES = ".unexpected_values"
_CONDITION = "unexpected_condition"
# Of an expectation on rows or keys: how many it is about, and how many of them are not as expected.
_ASKED = {".filtered_row_count": "rows", ".unexpected_count": "unexpected"}
_OF_KEYS = ("column_values.unique", "compound_columns.unique")
_OF_ROWS = ("column_pair_values.equal", "column_pair_values.a_greater_than_b")


class CountingEngine(SparkDFExecutionEngine):
    """Counts all keys that occur twice and all pairs that differ in one query.

    Great Expectations has two queries for each such expectation, and looks for keys that occur twice with a window
    over all rows; here they are grouped. It also asks for a sample of values with each expectation on the values of
    columns, and has Spark plan a query with `LIMIT 0`, a third of the time of a gate over few rows: a sample of no
    values is known to be empty.
    """

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Compute metrics; see ExecutionEngine."""
        asked = list(metrics_to_resolve)
        known: dict[Any, Any] = {each.id: [] for each in asked if _is_empty_sample(each)}
        known |= self._counts([each for each in asked if _is_count(each)], metrics or {})
        rest = [each for each in asked if each.id not in known]
        computed = super().resolve_metrics(rest, metrics, runtime_configuration) if rest else {}
        return {**computed, **known}

    def _counts(self, asked: Sequence[MetricConfiguration], metrics: Mapping[Any, Any]) -> dict[Any, int]:
        """The counts that are asked for, by their ids; none where the query fails.

        Each is then asked for by itself, so that Great Expectations says which of them fails.
        """
        conditions = {_condition(each): _base(each) for each in asked}
        if not conditions:
            return {}
        places = {condition: place for place, condition in enumerate(conditions)}
        try:
            queries = [self._query(place, conditions[each], metrics[each]) for each, place in places.items()]
            found = {row["place"]: row for row in reduce(DataFrame.unionAll, queries).collect()}
        except PySparkException:
            return {}
        return {each.id: found[places[_condition(each)]][_ASKED[_suffix(each)]] for each in asked}

    def _query(self, place: int, base: str, condition: tuple[Column, dict[str, Any], dict[str, Any]]) -> DataFrame:
        """One row: the place, how many rows there are and how many are not as expected."""
        unexpected, domain, accessors = condition
        rows: DataFrame = self.get_domain_records({**domain, **accessors})
        if base in _OF_KEYS:
            keys = accessors["column_list"] if "column_list" in accessors else [accessors["column"]]
            rows = rows.groupBy(*keys).agg(F.count(F.lit(1)).alias("times"))
            counts = F.sum("times"), F.sum(F.when(F.col("times") > 1, F.col("times")))
        else:
            counts = F.count(F.lit(1)), F.count_if(unexpected)
        named = (F.coalesce(count, F.lit(0)).alias(name) for count, name in zip(counts, _ASKED.values(), strict=True))
        return rows.agg(*named).select(F.lit(place).alias("place"), *_ASKED.values())


def use_counting_engine() -> None:
    """Have all Spark data sources of this process ask so."""
    SparkDatasource.execution_engine_override = CountingEngine  # type: ignore[misc]  # generic


def _is_empty_sample(metric: MetricConfiguration) -> bool:
    shown = (metric.metric_value_kwargs.get("result_format") or {}).get("partial_unexpected_count")
    return metric.metric_name.endswith(_VALUES) and shown == 0


def _is_count(metric: MetricConfiguration) -> bool:
    return _suffix(metric) in _ASKED and _base(metric) in (*_OF_KEYS, *_OF_ROWS)


def _base(metric: MetricConfiguration) -> str:
    return metric.metric_name.rpartition(".")[0]


def _suffix(metric: MetricConfiguration) -> str:
    return "".join(metric.metric_name.rpartition(".")[1:])


def _condition(metric: MetricConfiguration) -> Any:  # noqa: ANN401 - an id of Great Expectations'
    return metric.metric_dependencies[_CONDITION].id
