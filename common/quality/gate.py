"""The Great Expectations gate that a stage's frame passes before it is committed.

A suite is a file in conf/expectations, in the JSON that Great Expectations itself reads. `severity` decides: a failed
expectation that is critical closes the gate, any other is a warning. A gate that could not run has failed.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame

from common.errors import ConfigurationError, GateFailedError
from common.layout import Layout
from common.settings import conf_root

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

# Sample values stay out of results, since columns may be personal; the counts of what was unexpected stay in.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
_CRITICAL = "critical"
_SHOWN = 8


@dataclass(frozen=True)
class Finding:
    """An expectation that was not met, or could not be evaluated.

    Attributes:
        expectation: Its type and the columns that it is about.
        severity: critical, or a lesser one.
        observed: What was seen, and what was expected; counts and limits, and no values of the data.
    """

    expectation: str
    severity: str
    observed: str

    def __str__(self) -> str:
        """The expectation and what was seen instead."""
        return f"{self.expectation} ({self.observed})"


@dataclass(frozen=True)
class GateResult:
    """What a gate found.

    Attributes:
        suite: The suite's name.
        evaluated: How many expectations were held against the frame.
        failures: Those of them that close the gate.
        warnings: Those that do not.
        seconds: How long it took.
    """

    suite: str
    evaluated: int
    failures: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the frame may be committed."""
        return not self.failures

    def as_json(self) -> dict[str, Any]:
        """For the ledger."""
        return {
            "suite": self.suite,
            "passed": self.passed,
            "evaluated": self.evaluated,
            "failures": [str(finding) for finding in self.failures],
            "warnings": [str(finding) for finding in self.warnings],
            "seconds": round(self.seconds, 3),
        }

    def require(self) -> GateResult:
        """Return itself if the gate is open.

        Raises:
            GateFailedError: If it is not.
        """
        if self.passed:
            return self
        raise GateFailedError(
            f"gate {self.suite} failed: {'; '.join(str(finding) for finding in self.failures)}",
            where=f"conf/expectations/{self.suite}.json",
            remedy="nothing was committed; see ops/gx/data_docs/index.html, mend the data or the suite, run again",
        )


class Gatekeeper:
    """Validates frames against suites for one run.

    Great Expectations keeps one project for the process, so that there is one context and one lock around what
    changes it; validations themselves overlap.
    """

    def __init__(self, layout: Layout, run_id: str, suites: Traversable | None = None) -> None:
        """Prepare to validate; Great Expectations is loaded with the first frame.

        Args:
            layout: Results and Data Docs go to ops/gx of a local root; on another file system they are not kept.
            run_id: Groups the results of a run.
            suites: The directory of the suites; default conf/expectations.
        """
        self._layout = layout
        self._run_id = run_id
        self._suites = suites or conf_root() / "expectations"
        self._lock = threading.Lock()
        self._context: EphemeralDataContext | None = None
        self._definitions: dict[str, Any] = {}
        self._results: list[GateResult] = []

    def validate(self, suite: str, frame: DataFrame, parameters: Mapping[str, Any] | None = None) -> GateResult:
        """Hold a frame against a suite. The frame should be persisted: it is scanned once or twice.

        Args:
            suite: The name of a file in conf/expectations.
            frame: What is about to be committed.
            parameters: Values for expectations that name a `$PARAMETER`.

        Raises:
            ConfigurationError: If there is no such suite or Great Expectations does not accept it.
            GateFailedError: If it could not run.
        """
        started = time.monotonic()
        try:
            with self._lock:
                definition = self._definition(suite)
            from great_expectations import RunIdentifier  # noqa: PLC0415 - loading it takes seconds

            outcome = definition.run(
                batch_parameters={"dataframe": frame},
                expectation_parameters=dict(parameters or {}),
                result_format=_RESULT_FORMAT,
                # Without a time it takes the run's name for one, and some names for an impossible one.
                run_id=RunIdentifier(run_name=self._run_id, run_time=datetime.now(UTC)),
            )
        except (ConfigurationError, GateFailedError):
            raise
        except Exception as error:
            raise GateFailedError(
                f"gate {suite} could not run: {error}", where=f"conf/expectations/{suite}.json", remedy="mend the suite"
            ) from error
        findings = [_finding(result, parameters or {}) for result in outcome.results if not result.success]
        result = GateResult(
            suite=suite,
            evaluated=len(outcome.results),
            failures=tuple(found for found in findings if found.severity == _CRITICAL),
            warnings=tuple(found for found in findings if found.severity != _CRITICAL),
            seconds=time.monotonic() - started,
        )
        if not outcome.results:
            raise GateFailedError(
                f"gate {suite} evaluated nothing", where=suite, remedy="add expectations to the suite"
            )
        self._results.append(result)
        return result

    def publish_documents(self) -> None:
        """Render the results of this run as Data Docs."""
        if self._context is not None and self._results and self._layout.is_local:
            with self._lock, _quiet():
                self._context.build_data_docs()

    def _definition(self, name: str) -> Any:  # noqa: ANN401 - Great Expectations is imported late
        if name not in self._definitions:
            self._definitions[name] = self._define(name)
        return self._definitions[name]

    def _define(self, name: str) -> Any:  # noqa: ANN401 - Great Expectations is imported late
        import great_expectations as gx  # noqa: PLC0415 - loading it takes seconds

        context = self._project()
        suite = context.suites.add_or_update(_load_suite(self._suites, name))
        source = context.data_sources.add_or_update_spark(name=name, persist=False)
        batch = source.add_dataframe_asset(name=name).add_batch_definition_whole_dataframe(name)
        definition = gx.ValidationDefinition(name=name, data=batch, suite=suite)
        return context.validation_definitions.add_or_update(definition)

    def _project(self) -> EphemeralDataContext:
        if self._context is None:
            self._context = _new_context(self._layout)
        return self._context


def load_great_expectations() -> None:
    """Import the library, which takes seconds: a run does it while something else keeps it waiting."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations  # noqa: F401, PLC0415 - loading it takes seconds


def _new_context(layout: Layout) -> EphemeralDataContext:
    load_great_expectations()
    import great_expectations as gx  # noqa: PLC0415 - loading it takes seconds
    from great_expectations.data_context.types.base import (  # noqa: PLC0415 - loading it takes seconds
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    from common.quality.engine import use_counting_engine  # noqa: PLC0415 - loads the library

    use_counting_engine()
    config = DataContextConfig(store_backend_defaults=InMemoryStoreBackendDefaults(), analytics_enabled=False)
    if layout.is_local:
        results = {"class_name": "TupleFilesystemStoreBackend", "base_directory": layout.ops("gx", "validations")}
        pages = {"class_name": "TupleFilesystemStoreBackend", "base_directory": layout.ops("gx", "data_docs")}
        config.stores[config.validation_results_store_name] = {
            "class_name": "ValidationResultsStore",
            "store_backend": results,
        }
        config.data_docs_sites = {
            "local_site": {
                "class_name": "SiteBuilder",
                "store_backend": pages,
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            }
        }
    with _quiet():
        context = gx.get_context(mode="ephemeral", project_config=config)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _load_suite(suites: Traversable, name: str) -> Any:  # noqa: ANN401 - Great Expectations is imported late
    import great_expectations as gx  # noqa: PLC0415 - loading it takes seconds

    path = suites / f"{name}.json"
    try:
        declared = json.loads(path.read_text(encoding="utf-8"))
        suite = gx.ExpectationSuite(**declared)
    except OSError as error:
        raise ConfigurationError(f"no suite {name}", where=str(path), remedy="add the file") from error
    except Exception as error:
        raise ConfigurationError(
            f"Great Expectations does not accept the suite {name}: {error}", where=str(path), remedy="mend the file"
        ) from error
    # An expectation that it does not know or understand is logged and left out, and would never be held.
    left_out = Counter(each["type"] for each in declared["expectations"])
    left_out.subtract(each.expectation_type for each in suite.expectations)
    if any(left_out.values()):
        refused = ", ".join(sorted(kind for kind, count in left_out.items() if count))
        raise ConfigurationError(
            f"Great Expectations does not accept the suite {name}: {refused}", where=str(path), remedy="mend the file"
        )
    return suite


def _finding(result: Any, parameters: Mapping[str, Any]) -> Finding:  # noqa: ANN401 - imported late
    config = result.expectation_config
    columns = [
        str(config.kwargs[key]) for key in ("column", "column_A", "column_B", "column_list") if key in config.kwargs
    ]
    exception = result.exception_info or {}
    raised = exception.get("raised_exception") or any(
        isinstance(entry, dict) and entry.get("raised_exception") for entry in exception.values()
    )
    if raised:
        return Finding(f"{config.type} {' '.join(columns)}".strip(), _CRITICAL, f"could not run: {_message(exception)}")
    details = result.result or {}
    figures = ("observed_value", "unexpected_count", "unexpected_percent")
    seen = {key: details[key] for key in figures if details.get(key) is not None}
    observed = ", ".join(f"{key} {_without_values(value)}" for key, value in seen.items()) or "no detail"
    expected = _expected(config.type, config.kwargs, parameters)
    return Finding(
        f"{config.type} {' '.join(columns)}".strip(),
        str(getattr(config.severity, "value", config.severity)),
        f"{observed}; expected {expected}" if expected else observed,
    )


def _without_values(observed: object) -> object:
    """What was observed; of the values of a column their number alone."""
    return f"{len(observed)} values" if isinstance(observed, list | set | tuple) else observed


def _expected(kind: str, declared: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """What an expectation asks for, in words; nothing where its name says it all."""
    kwargs = {key: _resolved(value, parameters) for key, value in declared.items()}
    words = []
    if "value" in kwargs:
        words.append(f"{kwargs['value']}")
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    strict_low, strict_high = kwargs.get("strict_min"), kwargs.get("strict_max")
    if low is not None and high is not None and low == high:
        words.append(f"{low}")
    elif low is not None and high is not None and not strict_low and not strict_high:
        words.append(f"{low} to {high}")
    else:
        words += [f"{'above' if strict_low else 'at least'} {low}"] if low is not None else []
        words += [f"{'below' if strict_high else 'at most'} {high}"] if high is not None else []
    if "value_set" in kwargs:
        which = "none of" if "_not_" in kind else "exactly" if kind.endswith("_equal_set") else "one of"
        words.append(f"{which} {_some(kwargs['value_set'])}")
    if "regex" in kwargs:
        words.append(f"a match of {kwargs['regex']}")
    mostly = kwargs.get("mostly", 1)
    if mostly != 1:
        words.append(f"in {float(mostly) * 100:g} % of the rows or more")
    return " ".join(words)


def _resolved(value: Any, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as JSON has it
    if isinstance(value, dict) and "$PARAMETER" in value:
        value = parameters.get(value["$PARAMETER"], value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _some(values: Iterable[object]) -> str:
    shown = [str(value) for value in values]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return (", ".join(shown[:_SHOWN]) or "nothing") + more


def _message(exception: Mapping[str, Any]) -> str:
    if "exception_message" in exception:
        return str(exception["exception_message"])
    return "; ".join(str(entry.get("exception_message")) for entry in exception.values() if isinstance(entry, dict))


@contextlib.contextmanager
def _quiet() -> Any:  # noqa: ANN401 - a context manager of nothing
    """Great Expectations prints to standard output while it sets itself up."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
