"""The log of a run: traces go to a file, lines for people go to the terminal."""

from __future__ import annotations

import logging

from common.layout import Layout
from common.storage.files import unwritable

_FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(message)s"


def keep_log(layout: Layout, run_id: str) -> None:
    """Send this platform's log records to ops/logs/<run id>.log, or to standard error where the root is not local.

    Raises:
        UnwritableRootError: If the file cannot be made.
    """
    log = logging.getLogger("ecommerce")
    log.setLevel(logging.INFO)
    log.propagate = False
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    handler = logging.StreamHandler()
    if layout.is_local:
        path = layout.local("ops", "logs", f"{run_id}.log")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handler = logging.FileHandler(path, encoding="utf-8")
        except OSError as error:
            raise unwritable(path.parent, error) from error
    handler.setFormatter(logging.Formatter(_FORMAT))
    log.addHandler(handler)
