"""Where the zones are: absolute below a directory, as given below a URI."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import UsageError
from common.layout import DATASETS, PUBLISHED_TABLES, Layout


def test_a_relative_root_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    layout = Layout.at("shop/data")
    monkeypatch.chdir("/")
    assert layout.root == str(tmp_path / "shop" / "data")
    assert layout.is_local


@pytest.mark.parametrize(
    ("given", "root", "is_local"),
    [
        ("/srv/data/", "/srv/data", True),
        ("file:///srv/data", "/srv/data", True),
        ("  /srv/data ", "/srv/data", True),
        ("hdfs://name/ecommerce/", "hdfs://name/ecommerce", False),
        ("s3a://bucket/x", "s3a://bucket/x", False),
    ],
)
def test_a_root_is_a_directory_or_a_uri(given: str, root: str, is_local: bool) -> None:
    layout = Layout.at(given)
    assert (layout.root, layout.is_local) == (root, is_local)


def test_a_home_directory_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Layout.at("~/data").root == str(tmp_path / "data")


@pytest.mark.parametrize("empty", ["", "   "])
def test_an_empty_root_is_refused(empty: str) -> None:
    with pytest.raises(UsageError, match="the root is empty"):
        Layout.at(empty)


def test_each_zone_has_its_place() -> None:
    layout = Layout.at("hdfs://name/shop")
    assert layout.raw("users") == "hdfs://name/shop/raw/users"
    assert layout.clean("users") == "hdfs://name/shop/clean/users"
    assert layout.quarantine("users") == "hdfs://name/shop/quarantine/users"
    assert layout.lake("dim_users") == "hdfs://name/shop/warehouse/lake/dim_users"
    assert layout.hive("dim_users") == "hdfs://name/shop/warehouse/hive/dim_users"
    assert layout.ops("ledger", "a") == "hdfs://name/shop/ops/ledger/a"


def test_what_is_published_is_what_the_database_promises() -> None:
    assert DATASETS == ("users", "products", "transactions", "clickstream")
    assert sorted(PUBLISHED_TABLES) == [
        "agg_daily_sales",
        "agg_user_metrics",
        "dim_products",
        "dim_users",
        "fact_clickstream",
        "fact_transactions",
        "mv_daily_revenue_by_category",
    ]
