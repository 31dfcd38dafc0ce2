"""Count what lies in raw: `spark-submit --py-files dist/common.zip jobs/land_raw.py --root ROOT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from common.cli import job_main
from common.stages.landing import LAND_RAW


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see common.errors for the exit codes."""
    return job_main(LAND_RAW, argv)


if __name__ == "__main__":
    sys.exit(main())
