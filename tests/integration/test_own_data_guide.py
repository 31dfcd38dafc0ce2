"""The lamp shop of docs/own-data.md: the mapping as it stands there, over files as they are described there."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from common.layout import Layout
from common.quality.ledger import entries
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
    guide = (PROJECT / "docs" / "own-data.md").read_text(encoding="utf-8")
    mapping = re.search(r"^```yaml\n(name: lantern\n.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    assert mapping is not None
    source = directory / "my-shop.yaml"
    source.write_text(mapping[1].replace("/srv/lantern", str(files)), encoding="utf-8")
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
