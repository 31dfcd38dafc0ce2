"""Compute sessions and aggregates: `spark-submit --py-files dist/common.zip jobs/etl_warehouse.py --root ROOT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from common.cli import job_main
from common.stages.warehouse import ETL_WAREHOUSE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see common.errors for the exit codes."""
    return job_main(ETL_WAREHOUSE, argv)


if __name__ == "__main__":
    sys.exit(main())
