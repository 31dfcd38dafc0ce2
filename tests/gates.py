"""Gates of tests in which what a gate says is not the subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame

from common.quality.gate import Gatekeeper, GateResult


class OpenGate(Gatekeeper):
    """Lets everything pass without a look, which takes most of the time where a stage has a handful of rows."""

    def validate(self, suite: str, frame: DataFrame, parameters: Mapping[str, Any] | None = None) -> GateResult:
        return GateResult(suite, 1, (), (), 0.0)
