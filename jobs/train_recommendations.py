"""Recommendations: `spark-submit --py-files dist/common.zip jobs/train_recommendations.py --root ROOT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from common.cli import job_main
from common.stages.recommendations import STEPS, TRAIN_RECOMMENDATIONS, with_steps


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage, or the steps that are named; see common.errors for the exit codes."""
    return job_main(TRAIN_RECOMMENDATIONS, argv, steps=STEPS, with_steps=with_steps)


if __name__ == "__main__":
    sys.exit(main())
