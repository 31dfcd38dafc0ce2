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
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame

from common.errors import ConfigurationError, GateFailedError
from common.layout import Layout
from common.quality.documents import write_index
from common.quality.findings import CRITICAL, Finding, finding_of
from common.settings import conf_root

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

# Sample values stay out of results, since columns may be personal; the counts of what was unexpected stay in.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
# Where the results are that a run renders; all of them, though by default some names of runs have another meaning.
_OF_THIS_RUN = "results_of_this_run"
_PAGES = {"source_store_name": _OF_THIS_RUN, "run_name_filter": {"matches_regex": "."}}


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

            # Without a time it takes the run's name for one, and some names for an impossible one.
            run = RunIdentifier(run_name=self._run_id, run_time=datetime.now(UTC))
            outcome = definition.run(
                batch_parameters={"dataframe": frame},
                expectation_parameters=dict(parameters or {}),
                result_format=_RESULT_FORMAT,
                run_id=run,
            )
            with self._lock:
                self._keep_for_documents(suite, run, outcome)
        except (ConfigurationError, GateFailedError):
            raise
        except Exception as error:
            raise GateFailedError(
                f"gate {suite} could not run: {error}", where=f"conf/expectations/{suite}.json", remedy="mend the suite"
            ) from error
        findings = [finding_of(result, parameters or {}) for result in outcome.results if not result.success]
        result = GateResult(
            suite=suite,
            evaluated=len(outcome.results),
            failures=tuple(found for found in findings if found.severity == CRITICAL),
            warnings=tuple(found for found in findings if found.severity != CRITICAL),
            seconds=time.monotonic() - started,
        )
        if not outcome.results:
            raise GateFailedError(
                f"gate {suite} evaluated nothing", where=suite, remedy="add expectations to the suite"
            )
        return result

    def publish_documents(self) -> None:
        """Render the results of this run as Data Docs, and index them with those of earlier runs that are there."""
        if self._context is None or not self._layout.is_local:
            return
        with self._lock, _quiet():
            self._context.build_data_docs(build_index=False)
            write_index(self._layout)

    def _keep_for_documents(self, suite: str, run: Any, outcome: Any) -> None:  # noqa: ANN401 - imported late
        """Note a result where Data Docs look for them, apart from those of all other runs."""
        if not self._layout.is_local:
            return
        from great_expectations.data_context.types.resource_identifiers import (  # noqa: PLC0415 - takes seconds
            ExpectationSuiteIdentifier,
            ValidationResultIdentifier,
        )

        key = ValidationResultIdentifier(ExpectationSuiteIdentifier(suite), run, outcome.batch_id)
        self._project().stores[_OF_THIS_RUN].set(key, outcome)

    def _definition(self, name: str) -> Any:  # noqa: ANN401 - Great Expectations is imported late
        if name not in self._definitions:
            self._definitions[name] = self._define(name)
        return self._definitions[name]

    def _define(self, name: str) -> Any:  # noqa: ANN401 - Great Expectations is imported late
        import great_expectations as gx  # noqa: PLC0415 - loading it takes seconds

        context = self._project()
        suite = context.suites.add(_load_suite(self._suites, name))
        source = context.data_sources.add_spark(name=name, persist=False)
        batch = source.add_dataframe_asset(name=name).add_batch_definition_whole_dataframe(name)
        definition = gx.ValidationDefinition(name=name, data=batch, suite=suite)
        return context.validation_definitions.add(definition)

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
        # Otherwise each run would render the results of all others anew.
        config.stores[_OF_THIS_RUN] = {
            "class_name": "ValidationResultsStore",
            "store_backend": {"class_name": "InMemoryStoreBackend"},
        }
        config.data_docs_sites = {
            "local_site": {
                "class_name": "SiteBuilder",
                "store_backend": pages,
                "site_section_builders": {"profiling": "None", "validations": _PAGES},
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


@contextlib.contextmanager
def _quiet() -> Any:  # noqa: ANN401 - a context manager of nothing
    """Great Expectations prints to standard output while it sets itself up."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
