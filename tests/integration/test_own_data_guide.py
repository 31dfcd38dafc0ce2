"""The lamp shop of docs/own-data.md: the mapping as it stands there, over files as they are described there."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from common.layout import Layout
from common.quality.ledger import entries
from common.storage.local_frames import local_frame
from jobs import clean_transactions
from pipelines.tables import connect
from tests.runs import PROJECT, run_in_session, run_json

pytestmark = pytest.mark.slow

ORDERS = """order_no;line;customer;sku;qty;price;rebate;paid;state;booked
1001;1;K-17;LAMP-3;2;19,90;;39,80;shipped;14.03.2025 09:12
1001;2;K-17;BULB-7;4;2,50;1,00;9,00;shipped;14.03.2025 09:12
1002;1;K-23;LAMP-9;1;59,00;;59,00;sent back;15.03.2025 17:40
1003;1;K-0;LAMP-3;1;19,90;;19,90;open;16.03.2025 00:30
1004;1;K-17;GIFT-50;1;50,00;;50,00;paid;16.03.2025 00:30
1005;1;K-23;LAMP-9;1;59,00;;60,00;paid;16.03.2025 12:00
"""
CUSTOMERS = """customer;mail;surname;town;postcode;since;changed
K-17;a@example.org;Müller;Lübeck;23552;01.02.2020;10.03.2025 08:00
K-23;b@example.org;Weiß;Köln;50667;03.05.2021;11.03.2025 08:00
"""
ARTICLES = """sku;title;department;price;exported
LAMP-3;Tischlampe;Leuchten;19,90;{day}
LAMP-9;Stehlampe;Leuchten;{price};{day}
BULB-7;Birne;Zubehör;2,50;{day}
"""
CLICKS = (
    '{"id":"c1","happened":"2025-03-14T08:10:02Z","cookie":"a9","customer":"K-17","kind":"view","page":"/lamp-3",'
    '"sku":"LAMP-3","client":{"type":"mobile"}}\n'
    '{"id":"c2","happened":"2025-03-14T08:11:02Z","cookie":"a9","customer":"K-17","kind":"cart","page":"/lamp-3",'
    '"sku":"LAMP-3","client":{"type":"mobile"}}\n'
    '{"id":"c3","happened":"2025-03-14T08:09:02Z","cookie":"a9","kind":"search","page":"/s","words":"lampe",'
    '"client":{"type":"mobile"}}\n'
)


GUIDE = (PROJECT / "docs" / "own-data.md").read_text(encoding="utf-8")
FORMS = re.findall(r"^\| `([^`]+)`[^|]* \| `([^`]+)` \| `([^`]+)` \|$", GUIDE, re.MULTILINE)
SPREAD = {
    "heads": """order_no,customer,code,booked
1,K-17,EUR,2025-03-14 09:12
2,,USD,2025-03-15 10:00
3,K-23,USD,2025-03-16 10:00
""",
    "lines": """order_no,line,sku,qty,price,paid
1,1,L,2,19.90,39.80
1,2,B,4,2.50,9.00
2,1,L,3,21.99,65.97
3,1,L,1,5.00,5.00
4,1,L,1,5.00,5.00
""",
    "refunds": "order_no,line\n1,2\n1,2\n",
    "rates": "day,code,rate\n2025-03-15,USD,0.918300\n",
}


def _block(language: str, beginning: str) -> str:
    """The guide's block of code that begins so."""
    (found,) = re.findall(rf"^```{language}\n({re.escape(beginning)}.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Layout:
    directory = tmp_path_factory.mktemp("lantern")
    files = directory / "files"
    (files / "clicks" / "2025" / "03").mkdir(parents=True)
    for name, text in {
        "orders-2025-03.csv": ORDERS,
        "customers.csv": CUSTOMERS,
        "articles-2025-03-14.csv": ARTICLES.format(day="14.03.2025", price="59,00"),
        "articles-2025-03-15.csv": ARTICLES.format(day="15.03.2025", price="65,00"),
    }.items():
        (files / name).write_text(text, encoding="iso-8859-1")
    (files / "clicks" / "2025" / "03" / "14.jsonl").write_text(CLICKS, encoding="utf-8")
    source = directory / "my-shop.yaml"
    source.write_text(_block("yaml", "name: lantern").replace("/srv/lantern", str(files)), encoding="utf-8")
    layout = Layout.at(directory / "root")
    run_in_session(layout, "--source", str(source))
    return layout


def one(layout: Layout, query: str) -> Any:
    ((value,),) = connect(layout, "ecommerce", "clean. lake.").execute(query).fetchall()
    return value


def test_a_shop_of_three_days_has_everything_but_models(shop: Layout) -> None:
    stages = {stage["name"]: stage for stage in run_json(shop)["stages"]}
    learning = {"train_recommendations", "train_churn"}
    assert {name for name, stage in stages.items() if stage["status"] != "ok"} == learning
    notes = {entry.stage: entry.notes for entry in entries(shop, run_json(shop)["run_id"])}
    assert notes["train_churn"][0].startswith("warning: 3 days of sales are too few to learn churn over 30 days [")
    assert "customers have a past before" in notes["train_recommendations"][0]


def test_what_is_wrong_is_turned_away_with_its_reason(shop: Layout) -> None:
    rows = DeltaTable(shop.quarantine("transactions")).to_pyarrow_table().to_pylist()
    assert {row["record_key"]: row["reasons"] for row in rows} == {
        "1003/1": ["test_order"],
        "1005/1": ["wrong_total"],
    }


def test_sales_count_as_the_mapping_says(shop: Layout) -> None:
    assert one(shop, "SELECT sum(gross_amount) FROM fact_transactions") == Decimal("157.80")
    assert one(shop, "SELECT sum(net_amount) FROM agg_daily_sales") == Decimal("98.80")
    assert one(shop, "SELECT count(*) FROM clean.transactions WHERE list_contains(flags, 'gift_card')") == 1
    assert one(shop, "SELECT count(DISTINCT order_id) FROM fact_transactions") == 3


def test_the_business_day_is_that_of_the_shop(shop: Layout) -> None:
    midnight = "SELECT {} FROM fact_transactions WHERE transaction_id = '1004/1'"
    assert str(one(shop, midnight.format("transaction_date"))) == "2025-03-16"
    assert "2025-03-15 23:30" in str(
        one(shop, midnight.format("strftime(transaction_ts AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M')"))
    )


def test_text_keeps_its_letters_and_prices_their_history(shop: Layout) -> None:
    assert one(shop, "SELECT city FROM dim_users WHERE user_id = 'K-17'") == "Lübeck"
    history = "SELECT list(list_price ORDER BY valid_from) FROM dim_products WHERE product_id = '{}'"
    assert one(shop, history.format("LAMP-9")) == [Decimal("59.00"), Decimal("65.00")]
    assert one(shop, history.format("LAMP-3")) == [Decimal("19.90")]


def test_clicks_without_a_session_make_one_for_each_visitor(shop: Layout) -> None:
    assert one(shop, "SELECT count(*) FROM fact_clickstream") == 3
    assert one(shop, "SELECT sum(events) FROM lake.sessions") == 3
    assert one(shop, "SELECT count(*) FROM lake.cart_items") == 1


def test_forms_come_out_as_the_guide_says(spark: SparkSession) -> None:
    assert len(FORMS) == 8
    for value, expression, expected in FORMS:
        kind = "timestamp" if expected.startswith("20") else "decimal(12,2)"
        frame = local_frame(spark, [(value,)], "x string").select(F.expr(expression).try_cast(kind).cast("string"))
        assert (value, frame.first()) == (value, (expected,))


def test_sales_that_are_spread_over_files(spark: SparkSession, layout: Layout, tmp_path: Path) -> None:
    for name, text in SPREAD.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    files = {name: {"path": str(tmp_path / f"{name}.csv"), "format": "csv"} for name in SPREAD}
    lantern = yaml.safe_load(_block("yaml", "name: lantern"))
    lantern["key_patterns"]["user_id"] = None
    sales = {"files": list(SPREAD), "rows_of": "lines", "select": _block("sql", "SELECT concat")}
    lantern |= {"files": files, "datasets": {"transactions": sales}}
    source = tmp_path / "lantern.yaml"
    source.write_text(yaml.safe_dump(lantern), encoding="utf-8")
    assert clean_transactions.main(["--root", layout.root, "--source", str(source)]) == 0
    columns = ["transaction_id", "user_id", "unit_price", "discount_amount", "total_amount", "status"]
    rows = DeltaTable(layout.clean("transactions")).to_pyarrow_table(columns=columns).to_pylist()
    assert sorted(tuple(str(value) for value in row.values()) for row in rows) == [
        ("1/1", "K-17", "19.90", "0.00", "39.80", "paid"),
        ("1/2", "K-17", "2.50", "1.00", "9.00", "returned"),
        ("2/1", "guest-2", "20.20", "0.02", "60.58", "paid"),
    ]
    turned_away = DeltaTable(layout.quarantine("transactions")).to_pyarrow_table().to_pylist()
    reasons = {row["record_key"]: row["reasons"] for row in turned_away}
    assert {key: "missing_transaction_ts" in found for key, found in reasons.items()} == {"3/1": False, "4/1": True}
    assert all("missing_unit_price" in found for found in reasons.values())
