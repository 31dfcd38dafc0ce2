"""The account: it balances, or the stage fails."""

from __future__ import annotations

import pytest

from common.errors import AccountError
from common.quality.accounting import Account, expect_equal


@pytest.mark.parametrize(
    "account", [Account(0, 0), Account(5, 5), Account(10, 1, 2, 3, 4), Account(3, 0, quarantined=3)]
)
def test_a_balanced_account_is_returned(account: Account) -> None:
    assert account.check("stage") is account


@pytest.mark.parametrize(
    ("account", "off"),
    [(Account(10, 9), r"\+1 rows"), (Account(10, 11), r"-1 rows"), (Account(5_000, 1, 1, 1, 1), r"\+4,996 rows")],
    ids=["one missing", "one too many", "many missing"],
)
def test_one_row_off_is_a_failure_that_shows_the_sum(account: Account, off: str) -> None:
    with pytest.raises(AccountError, match=rf"the account of clean_users is off by {off}: read {account.read:,} = "):
        account.check("clean_users")


def test_figures_of_two_counts_must_agree() -> None:
    expect_equal("rows", 3, 3, where="here")
    with pytest.raises(AccountError, match=r"rows: 3 expected, 4 found \[here\]"):
        expect_equal("rows", 3, 4, where="here")


def test_the_ledger_shows_every_kind() -> None:
    assert Account(10, 1, 2, 3, 4).as_json() == {
        "read": 10, "written": 1, "quarantined": 2, "duplicates": 3, "superseded": 4,
    }  # fmt: skip
