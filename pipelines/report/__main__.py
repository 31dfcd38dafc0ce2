"""`./build.sh report`: the report of a root as pages that open from the file system."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Sequence

from common.arguments import HelpShown, Parser, default_root, print_error
from common.errors import ExitCode, PlatformError, UsageError
from common.layout import Layout
from pipelines.report.site import write_report


def main(argv: Sequence[str] | None = None) -> int:
    """Make the report and say where it is.

    Returns:
        0; 2 for a wrong argument or a root that cannot be written; 4 when there is nothing to report on; 5 when
        another process is making it.
    """
    try:
        arguments = _parser().parse_args(argv)
        layout = Layout.at(arguments.root)
        if not layout.is_local:
            raise UsageError("the report reads a directory", where="--root", remedy="name a local root")
        first = write_report(layout)
    except HelpShown:
        return int(ExitCode.DONE)
    except PlatformError as error:
        print_error(error)
        return int(error.exit_code)
    sys.stdout.write(f"report: {first}\n")
    if arguments.open and not webbrowser.open(first.as_uri()):
        sys.stderr.write("no browser was found to open it with\n")
    return int(ExitCode.DONE)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="build.sh report", description="Make the report of a root.")
    parser.add_argument("--root", default=default_root(), help="directory of the zones (default: data)")
    parser.add_argument("--open", action="store_true", help="open it in a browser")
    return parser


if __name__ == "__main__":
    sys.exit(main())
