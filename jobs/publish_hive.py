"""Publish the warehouse as Hive tables: `spark-submit --py-files dist/common.zip jobs/publish_hive.py --root ROOT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from common.cli import job_main
from common.stages.publishing import PUBLISH_HIVE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see common.errors for the exit codes."""
    return job_main(PUBLISH_HIVE, argv)


if __name__ == "__main__":
    sys.exit(main())
