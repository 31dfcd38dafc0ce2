"""Fixtures that all tests share: one small session, and a root of its own for each test that wants one."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from pyspark.sql import SparkSession
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from common.java_classes import remember_classes
from common.job import StageContext
from common.layout import Layout
from common.ml import registry
from common.quality.gate import Gatekeeper
from common.session import quiet_pyspark
from common.settings import Settings, SourceSettings, load_settings, load_source
from tests.sessions import lighten

# Python workers are started as `python3` otherwise, which need not be the one with our packages.
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)

# PySpark takes a main module without a file, such as that of one of several pytest processes, for a doctest, and ends
# the process.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = pytest.__file__


_WHOLE_RUNS = "tests/integration/whole_run"


class ByRoom(LoadScopeScheduling):
    """Gives the tests of a file to one process, and those of a directory below tests/integration, which share a run.

    The process of whole runs goes on from the end of the list, with tests that need no session; the others, whose Java
    is warm by then, from its beginning.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = PurePosixPath(nodeid.split("::", 1)[0])
        return str(path.parent if path.match("tests/integration/*/*") else path)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if _WHOLE_RUNS in self.assigned_work.get(node, {}):
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRoom:
    """How tests are divided among processes; see pytest-xdist."""
    config.option.loadscopereorder = False  # they are in order, whole runs first
    return ByRoom(config, log)


# Whole runs take longest, and come first, so that no process is left with them alone in the end. Models learn from what
# the first of them leaves.
_FIRST = (
    f"{_WHOLE_RUNS}/",
    *(f"tests/integration/{room}" for room in ("test_completejourney.py", "test_own_data_guide.py", "ml/")),
    "tests/unit/quality/suites/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest before all others, and files that need no session after them."""
    with_session = {item.path for item in items if "spark_session" in getattr(item, "fixturenames", ())}

    def place(item: pytest.Item) -> tuple[int, bool]:
        first = next((n for n, room in enumerate(_FIRST) if item.nodeid.startswith(room)), len(_FIRST))
        return first, first == len(_FIRST) and item.path not in with_session

    items.sort(key=place)


@pytest.fixture(scope="session")
def spark(spark_session: SparkSession) -> SparkSession:
    """pytest-spark's session, under a shorter name."""
    spark_session.sparkContext.setLogLevel("ERROR")
    remember_classes(spark_session)
    quiet_pyspark()
    lighten(spark_session)
    return spark_session


@pytest.fixture(scope="session", autouse=True)
def _registries_are_copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """MLflow makes an empty registry by sixty migrations, in two seconds: once, and copies of it for all roots."""
    really, empty = registry._open, tmp_path_factory.mktemp("registry") / "empty.db"

    def open_copy(uri: str, embedded: Path | None) -> Any:
        if embedded is not None and not embedded.exists():
            if not empty.exists():
                really(f"sqlite:///{empty}", empty)
            embedded.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(empty, embedded)
        return really(uri, embedded)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_open", open_copy)
        yield


@pytest.fixture(scope="module", autouse=True)
def _as_at_first() -> Iterator[None]:
    """Jobs and runs that a test calls take the session over, with as many partitions as they ship with.

    Delta keeps the logs of all tables that it has seen in memory.
    """
    yield
    session = SparkSession.getActiveSession()
    if session is not None:
        session.conf.set("spark.sql.shuffle.partitions", "2")
        jvm: Any = session.sparkContext._jvm
        jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The platform's configuration as it ships."""
    return load_settings()


@pytest.fixture(scope="session")
def source() -> SourceSettings:
    """The generated shop."""
    return load_source("generated")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An empty root."""
    return Layout.at(tmp_path / "root")


@pytest.fixture
def make_context(
    spark: SparkSession, layout: Layout, settings: Settings, source: SourceSettings
) -> Callable[..., StageContext]:
    """Contexts for stages under the test's root: `make_context(run_id="b", day=…, gates=OpenGate, rebuild=…)`."""

    def make(
        *, run_id: str = "test-run", day: date | None = None, gates: type[Gatekeeper] = Gatekeeper, **changes: Any
    ) -> StageContext:
        values: dict[str, Any] = {"settings": settings, "source": source, **changes}
        return StageContext(
            spark=spark, layout=layout, date=day, run_id=run_id, gatekeeper=gates(layout, run_id), **values
        )

    return make
