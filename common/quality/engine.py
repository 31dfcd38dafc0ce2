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
_CONDITION, _PARTIAL = "unexpected_condition", "metric_partial_fn"
# How many rows an expectation is about, and how many of them are not as expected.
_ASKED = {".filtered_row_count": "rows", ".unexpected_count": "unexpected"}


class CountingEngine(SparkDFExecutionEngine):
    """Counts all keys that occur twice and all pairs that differ in one query.

    Great Expectations counts what is unexpected of single values in one query for all of them, and has one or two for
    each expectation on keys or pairs. It also asks for a sample of values with each expectation on the values of
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
        places = {condition: place for place, condition in enumerate(dict.fromkeys(map(_condition, asked)))}
        if not places:
            return {}
        try:
            queries = [self._query(place, *metrics[condition]) for condition, place in places.items()]
            found = {row["place"]: row for row in reduce(DataFrame.unionAll, queries).collect()}
        except PySparkException:
            return {}
        return {each.id: found[places[_condition(each)]][_ASKED[_suffix(each)]] for each in asked}

    def _query(self, place: int, unexpected: Column, domain: dict[str, Any], accessors: dict[str, Any]) -> DataFrame:
        """One row: the place, how many rows there are and how many are not as expected."""
        rows: DataFrame = self.get_domain_records({**domain, **accessors})
        # By itself first: a condition on keys is a window, which no aggregate may hold.
        counts = rows.select(unexpected.alias("is_unexpected")).agg(F.count(F.lit(1)), F.count_if("is_unexpected"))
        return counts.toDF(*_ASKED.values()).select(F.lit(place).alias("place"), *_ASKED.values())


def use_counting_engine() -> None:
    """Have all Spark data sources of this process ask so."""
    SparkDatasource.execution_engine_override = CountingEngine  # type: ignore[misc]  # generic


def _is_empty_sample(metric: MetricConfiguration) -> bool:
    shown = (metric.metric_value_kwargs.get("result_format") or {}).get("partial_unexpected_count")
    return metric.metric_name.endswith(_VALUES) and shown == 0


def _is_count(metric: MetricConfiguration) -> bool:
    dependencies: Mapping[str, Any] = metric.metric_dependencies or {}
    return _suffix(metric) in _ASKED and _CONDITION in dependencies and _PARTIAL not in dependencies


def _suffix(metric: MetricConfiguration) -> str:
    return "".join(metric.metric_name.rpartition(".")[1:])


def _condition(metric: MetricConfiguration) -> Any:  # noqa: ANN401 - an id of Great Expectations'
    return metric.metric_dependencies[_CONDITION].id
