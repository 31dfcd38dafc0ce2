"""Clean raw users: `spark-submit --py-files dist/common.zip jobs/clean_users.py --root ROOT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from common.cli import job_main
from common.stages.cleaning import CLEAN_USERS


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see common.errors for the exit codes."""
    return job_main(CLEAN_USERS, argv)


if __name__ == "__main__":
    sys.exit(main())
