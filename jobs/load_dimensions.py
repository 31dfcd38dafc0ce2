"""Load the dimensions: `spark-submit --py-files dist/common.zip jobs/load_dimensions.py --root ROOT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from common.cli import job_main
from common.stages.dimensions import LOAD_DIMENSIONS


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see common.errors for the exit codes."""
    return job_main(LOAD_DIMENSIONS, argv)


if __name__ == "__main__":
    sys.exit(main())
