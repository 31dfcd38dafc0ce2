"""Answer the five dashboards: `spark-submit --py-files dist/common.zip jobs/bi_dashboards.py --root ROOT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from common.cli import job_main
from common.stages.dashboards import BI_DASHBOARDS


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see common.errors for the exit codes."""
    return job_main(BI_DASHBOARDS, argv)


if __name__ == "__main__":
    sys.exit(main())
