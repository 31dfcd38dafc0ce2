"""A small generated shop for recommendations and churn, without models and with them.

The shop is that of the first run; the stages of models then run in the tests' session, which has other shuffle
partitions than a run.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from common.job import execute
from common.quality.gate import Gatekeeper
from common.quality.ledger import LedgerEntry
from common.settings import Settings, SourceSettings, load_settings
from common.stages import churn, recommendations
from tests.first_run import first_run
from tests.integration.ml.roots import QUICK, context
from tests.runs import WarmProcess


@pytest.fixture(scope="session")
def settings() -> Settings:
    """As they ship, but for quick models."""
    return load_settings(QUICK)


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root whose facts are loaded, without models."""
    with WarmProcess() as process:
        return first_run(tmp_path_factory, process).copy.local()


@pytest.fixture(scope="session")
def trained(
    loaded: Path,
    tmp_path_factory: pytest.TempPathFactory,
    spark: SparkSession,
    settings: Settings,
    source: SourceSettings,
) -> tuple[Path, dict[str, LedgerEntry]]:
    """A root in which both stages have run once.

    Files are run in the order of their names. `test_analytics.py` and `test_registered.py` look at what the first run
    left; `test_steps.py` comes after them because it changes it, in the end with a worse model and with damaged ones.
    `test_unfit_input.py`, the last, has roots of its own.
    """
    root = tmp_path_factory.mktemp("ml-trained") / "root"
    shutil.copytree(loaded, root)
    given = context(spark, root, settings, source, gates=Gatekeeper)
    entries = {
        stage.name: execute(stage, given) for stage in (recommendations.TRAIN_RECOMMENDATIONS, churn.TRAIN_CHURN)
    }
    assert {name: entry.error for name, entry in entries.items()} == dict.fromkeys(entries)
    return root, entries


@pytest.fixture
def root(trained: tuple[Path, dict[str, LedgerEntry]]) -> Path:
    return trained[0]


@pytest.fixture
def bare(loaded: Path, tmp_path: Path) -> Path:
    """A root of the test's own, without models: the lake alone."""
    target = tmp_path / "root"
    shutil.copytree(loaded / "warehouse" / "lake", target / "warehouse" / "lake")
    return target
