"""How Great Expectations asks Spark: counts of what is unexpected, and no query for values that nobody is to see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from great_expectations.datasource.fluent.spark_datasource import SparkDatasource
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.validator.metric_configuration import MetricConfiguration

_VALUES = ".unexpected_values"


class CountingEngine(SparkDFExecutionEngine):
    """Knows without a query that a sample of no values is empty.

    Great Expectations asks for one with each expectation on the values of columns, and has Spark plan a query with
    `LIMIT 0`: a third of the time of a gate over few rows.
    """

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Compute metrics; see ExecutionEngine."""
        asked = list(metrics_to_resolve)
        empty: dict[Any, Any] = {each.id: [] for each in asked if _is_empty_sample(each)}
        rest = [each for each in asked if each.id not in empty]
        computed = super().resolve_metrics(rest, metrics, runtime_configuration) if rest else {}
        return {**computed, **empty}


def use_counting_engine() -> None:
    """Have all Spark data sources of this process ask so."""
    SparkDatasource.execution_engine_override = CountingEngine  # type: ignore[misc]  # generic


def _is_empty_sample(metric: MetricConfiguration) -> bool:
    shown = (metric.metric_value_kwargs.get("result_format") or {}).get("partial_unexpected_count")
    return metric.metric_name.endswith(_VALUES) and shown == 0
