"""Churn: `spark-submit --py-files dist/common.zip jobs/train_churn.py --root ROOT`, or with some of its steps."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from common.cli import job_main
from common.stages.churn import STEPS, TRAIN_CHURN, with_steps


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage, or the steps that are named; see common.errors for the exit codes."""
    return job_main(TRAIN_CHURN, argv, steps=STEPS, with_steps=with_steps)


if __name__ == "__main__":
    sys.exit(main())
