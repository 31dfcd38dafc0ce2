"""Load the facts: `spark-submit --py-files dist/common.zip jobs/load_facts.py --root ROOT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from common.cli import job_main
from common.stages.facts import LOAD_FACTS


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see common.errors for the exit codes."""
    return job_main(LOAD_FACTS, argv)


if __name__ == "__main__":
    sys.exit(main())
