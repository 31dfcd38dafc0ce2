"""Where each data set lives below the root.

Paths are absolute: Delta tables and checkpoints break when the working directory changes under a relative one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from common.errors import UsageError

DATASETS = ("users", "products", "transactions", "clickstream")
PUBLISHED_TABLES = (
    "dim_users",
    "dim_products",
    "fact_clickstream",
    "fact_transactions",
    "agg_daily_sales",
    "agg_user_metrics",
    "mv_daily_revenue_by_category",
)
# Names, addresses and raw lines are in these alone; the warehouse has tokens.
PERSONAL_ZONES = ("clean", "quarantine")
_REMOTE = re.compile(r"^(?!file:)[a-z][a-z0-9+.-]*://")


@dataclass(frozen=True)
class Layout:
    """The zones under one root, as absolute paths or URIs without a trailing slash."""

    root: str

    @classmethod
    def at(cls, root: str | Path) -> Layout:
        """The layout under a directory or a URI such as `hdfs://host/ecommerce`.

        Raises:
            UsageError: If the root is empty.
        """
        text = str(root).strip()
        if not text:
            raise UsageError("the root is empty", where="--root", remedy="name a directory or a URI")
        if _REMOTE.match(text):
            return cls(text.rstrip("/"))
        return cls(str(Path(text.removeprefix("file://")).expanduser().resolve()))

    @property
    def is_local(self) -> bool:
        """Whether the root is a directory of this machine."""
        return not _REMOTE.match(self.root)

    def path(self, *parts: str) -> str:
        """A path below the root."""
        return "/".join((self.root, *parts))

    def local(self, *parts: str) -> Path:
        """A path below a local root, as a `Path`."""
        return Path(self.root, *parts)

    def raw(self, dataset: str) -> str:
        """The directory of a raw data set."""
        return self.path("raw", dataset)

    def clean(self, dataset: str) -> str:
        """The Delta table of a cleaned data set."""
        return self.path("clean", dataset)

    def quarantine(self, dataset: str) -> str:
        """The Delta table of the rows of a data set that were turned away."""
        return self.path("quarantine", dataset)

    def lake(self, table: str) -> str:
        """The Delta table that holds the truth of a warehouse table."""
        return self.path("warehouse", "lake", table)

    def hive(self, table: str) -> str:
        """The directory that holds the versions of a published Hive table."""
        return self.path("warehouse", "hive", table)

    def ops(self, *parts: str) -> str:
        """A path in the operational zone."""
        return self.path("ops", *parts)
