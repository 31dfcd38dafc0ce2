"""The row account: what a stage read equals what it wrote, turned away, and passed over."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from common.errors import AccountError

REBUILD = "rebuild the stage with --rebuild, and report it"


@dataclass(frozen=True)
class Account:
    """Rows of one stage in one run, by what became of them.

    Attributes:
        read: Counted from the source: lines, Parquet footers, or the records in a Delta log.
        written: Counted from the commits' own metrics.
        quarantined: Rows that were turned away and kept aside.
        duplicates: Rows whose content was there already.
        superseded: Rows that a newer version had overtaken.
    """

    read: int
    written: int
    quarantined: int = 0
    duplicates: int = 0
    superseded: int = 0

    @property
    def accounted(self) -> int:
        """Rows whose fate is known."""
        return self.written + self.quarantined + self.duplicates + self.superseded

    def as_json(self) -> dict[str, int]:
        """For the ledger."""
        return asdict(self)

    def check(self, stage: str, remedy: str = REBUILD) -> Account:
        """Return itself if the account balances.

        Args:
            stage: Whose account it is.
            remedy: What to do where it does not.

        Raises:
            AccountError: If a row is missing or there is one too many.
        """
        if self.read == self.accounted:
            return self
        raise AccountError(
            f"the account of {stage} is off by {self.read - self.accounted:+,} rows: read {self.read:,} = written "
            f"{self.written:,} + quarantined {self.quarantined:,} + duplicates {self.duplicates:,} + superseded "
            f"{self.superseded:,}",
            where=stage,
            remedy=remedy,
        )


def expect_equal(what: str, expected: object, found: object, *, where: str) -> None:
    """See that two independently counted figures agree.

    Raises:
        AccountError: If they differ.
    """
    if expected != found:
        raise AccountError(
            f"{what}: {expected} expected, {found} found", where=where, remedy="rebuild the stage with --rebuild"
        )
