"""A small generated root that the tests of the generator share; they only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from generators.generation import generate

SCALE, SEED = 0.005, 7


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("generated")
    generate(root, SCALE, SEED, jobs=2)
    return root
