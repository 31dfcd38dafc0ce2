"""Dashboards and evaluations for the report's tests, in the form in which the jobs leave them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from common.layout import Layout
from common.storage.files import write_json

NEW = "20251130T090000Z-bbbbbb"
AS_OF = date(2025, 11, 30)
_MONEY = pa.decimal128(18, 2)


def query(  # noqa: PLR0917 - what the index says of a query
    name: str, title: str, columns: Mapping[str, tuple[pa.DataType, str, str]], rows: Sequence[Sequence[Any]],
    period_days: int | None = 30, empty_because: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A query and its answer: columns are name → (Arrow type, type, unit)."""
    return {
        "name": name, "title": title, "columns": columns, "rows": rows, "period_days": period_days,
        "empty_because": empty_because,
    }  # fmt: skip


def daily(days: int = 30, missing: Iterable[int] = ()) -> dict[str, Any]:
    """Net revenue by day up to the newest one, with its average; `missing` are days counted back from it."""
    left_out = set(missing)
    rows = [
        (AS_OF - timedelta(days=back), Decimal(1000 + 10 * back).quantize(Decimal("0.01")), Decimal("1150.00"))
        for back in range(days - 1, -1, -1)
        if back not in left_out
    ]
    columns = {
        "sales_date": (pa.date32(), "date", "date"),
        "net_revenue": (_MONEY, "decimal(18,2)", "money"),
        "net_revenue_7_day_average": (_MONEY, "decimal(18,2)", "money"),
    }
    return query("daily_revenue", "Revenue by day", columns, rows, days)


def summary() -> dict[str, Any]:
    """Revenue of the period and of the one before."""
    columns = {
        "net_revenue": (_MONEY, "decimal(18,2)", "money"),
        "net_revenue_before": (_MONEY, "decimal(18,2)", "money"),
        "orders": (pa.int64(), "bigint", "count"),
        "orders_before": (pa.int64(), "bigint", "count"),
    }
    rows = [(Decimal("34350.00"), Decimal("30000.00"), 90, 100)]
    return query("revenue_summary", "Revenue at a glance", columns, rows)


def by_category() -> dict[str, Any]:
    """Revenue by category; a name that would break a page that does not escape, one that is not known."""
    columns = {
        "category": (pa.string(), "string", "text"),
        "net_revenue": (_MONEY, "decimal(18,2)", "money"),
        "net_revenue_share": (pa.decimal128(18, 4), "decimal(18,4)", "share"),
    }
    rows = [
        ("Home & </script><b>Kitchen", Decimal("30000.00"), Decimal("0.8734")),
        ("Books", Decimal("3000.50"), Decimal("0.0873")),
        (None, Decimal("1349.50"), Decimal("0.0393")),
    ]
    return query("revenue_by_category", "Revenue by category", columns, rows)


def funnel() -> dict[str, Any]:
    """The steps of the funnel."""
    columns = {
        "step": (pa.int32(), "int", "number"),
        "step_name": (pa.string(), "string", "text"),
        "sessions": (pa.int64(), "bigint", "count"),
        "share_of_visits": (pa.decimal128(18, 4), "decimal(18,4)", "share"),
        "share_of_step_before": (pa.decimal128(18, 4), "decimal(18,4)", "share"),
    }
    rows = [
        (0, "visit", 400, Decimal("1.0000"), None),
        (1, "product view", 300, Decimal("0.7500"), Decimal("0.7500")),
        (2, "add to cart", 90, Decimal("0.2250"), Decimal("0.3000")),
        (3, "purchase", 60, Decimal("0.1500"), Decimal("0.6667")),
    ]
    return query("funnel_steps", "The funnel", columns, rows)


def cohorts() -> dict[str, Any]:
    """Retention of two cohorts."""
    columns = {
        "cohort_month": (pa.date32(), "date", "date"),
        "months_since": (pa.int32(), "int", "number"),
        "retention": (pa.decimal128(18, 4), "decimal(18,4)", "share"),
    }
    rows = [
        (date(2025, 9, 1), 0, Decimal("1.0000")),
        (date(2025, 9, 1), 1, Decimal("0.4000")),
        (date(2025, 9, 1), 2, Decimal("0.3000")),
        (date(2025, 10, 1), 0, Decimal("1.0000")),
        (date(2025, 10, 1), 1, Decimal("0.5000")),
    ]
    return query("cohort_retention", "Retention by cohort", columns, rows, None)


def own_query() -> dict[str, Any]:
    """A query that the report has no chart for."""
    columns = {
        "shelf": (pa.string(), "string", "text"),
        "orders": (pa.int64(), "bigint", "count"),
        "rank": (pa.int64(), "bigint", "number"),
    }
    rows = [(f"shelf {number:02d}", 100 - number, number) for number in range(1, 31)]
    return query("own_shelves", "Orders by shelf", columns, rows)


def empty_query(name: str, because: str | None) -> dict[str, Any]:
    """A query without an answer."""
    columns = {"device_type": (pa.string(), "string", "text"), "conversion": (pa.float64(), "double", "share")}
    return query(name, f"The title of {name}", columns, [], empty_because=because)


def margins() -> dict[str, Any]:
    """The highest and the lowest margins: long names, large gains beside losses of a few units of money."""
    columns = {
        "ranking": (pa.string(), "string", "text"),
        "product_name": (pa.string(), "string", "text"),
        "margin": (_MONEY, "decimal(18,2)", "money"),
    }
    rows = [
        *(("highest", f"Stapleton Ergonomic Mesh Chair - Navy {place}", Decimal(39311 - place)) for place in range(8)),
        *(("lowest", f"Vitalis Advanced Electric Toothbrush - {place}", Decimal(place - 102)) for place in range(8)),
    ]
    return query("products_by_margin", "Highest and lowest margins", columns, rows)


def bottom_products() -> dict[str, Any]:
    """Products with the lowest revenue, some of it below zero."""
    columns = {
        "product_name": (pa.string(), "string", "text"),
        "net_revenue": (_MONEY, "decimal(18,2)", "money"),
    }
    rows = [
        (f"Mossley Heirloom Patio Chair - Black {place}", Decimal(place * 15 - 168).quantize(Decimal("0.01")))
        for place in range(20)
    ]
    return query("bottom_products", "Products with the lowest revenue", columns, rows)


def by_payment() -> dict[str, Any]:
    """Revenue by payment method, with the share that comes back."""
    columns = {
        "payment_method": (pa.string(), "string", "text"),
        "net_revenue": (_MONEY, "decimal(18,2)", "money"),
        "return_share": (pa.decimal128(18, 4), "decimal(18,4)", "share"),
    }
    rows = [("credit_card", Decimal("1193894.47"), Decimal("0.0263")), ("bank_transfer", Decimal(7), None)]
    return query("revenue_by_payment", "Revenue by payment method", columns, rows)


def by_hour_of_day() -> dict[str, Any]:
    """Abandoned carts by the hour of the day: two panels, 24 names along one axis."""
    columns = {
        "hour_of_day": (pa.int32(), "int", "number"),
        "abandonment_rate": (pa.decimal128(18, 4), "decimal(18,4)", "share"),
        "abandoned_sessions": (pa.int64(), "bigint", "count"),
    }
    rows = [(hour, Decimal("0.4"), 100 + hour) for hour in range(24)]
    return query("abandonment_by_hour", "Abandoned carts by hour", columns, rows)


DASHBOARDS = {
    "revenue": ("Revenue", [summary(), daily(), by_category(), own_query()]),
    "product_performance": ("Product performance", [margins(), bottom_products(), by_payment(), by_hour_of_day()]),
    "customer_segmentation": ("Customer segmentation", [cohorts()]),
    "conversion_funnel": ("Conversion funnel", [funnel(), empty_query("funnel_by_device", None)]),
}


def put_dashboards(
    layout: Layout, dashboards: Mapping[str, tuple[str, list[dict[str, Any]]]] = DASHBOARDS, run_id: str = NEW
) -> None:
    """Answers in analytics/bi, and their index."""
    index = {
        "as_of": AS_OF.isoformat(),
        "run_id": run_id,
        "period": {"from": "2025-11-01", "to": AS_OF.isoformat()},
        "currency": "USD",
        "time_zone": "UTC",
        "origin": {},
        "dashboards": [
            {
                "name": name,
                "title": title,
                "summary": f"What {title.lower()} is about.",
                "queries": [_put_query(layout, name, each) for each in queries],
            }
            for name, (title, queries) in dashboards.items()
        ],
    }
    write_json(layout.local("analytics", "bi", "dashboards.json"), index)


def _put_query(layout: Layout, dashboard: str, said: Mapping[str, Any]) -> dict[str, Any]:
    place = f"{dashboard}/{said['name']}"
    directory = layout.local("analytics", "bi", place)
    directory.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([(name, kind) for name, (kind, _, _) in said["columns"].items()])
    names = list(said["columns"])
    table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in said["rows"]], schema=schema)
    pq.write_table(table, directory / "data.parquet")
    pacsv.write_csv(table, directory / "data.csv")
    days = said["period_days"]
    start = (AS_OF - timedelta(days=days - 1)).isoformat() if days else None
    return {
        "name": said["name"],
        "title": said["title"],
        "question": f"What does {said['title'].lower()} say?",
        "grain": "a row of it",
        "key": names[:1],
        "period": {"from": start, "to": AS_OF.isoformat()} if days else None,
        "columns": [
            {"name": name, "type": kind, "unit": unit, "signed": False}
            for name, (_, kind, unit) in said["columns"].items()
        ],
        "rows": table.num_rows,
        "empty_because": said["empty_because"],
        "parquet": f"{place}/data.parquet",
        "csv": f"{place}/data.csv",
    }


def put_churn(layout: Layout) -> None:
    """An evaluation as train_churn writes it."""
    test = {
        "auc": 0.88, "accuracy": 0.81, "majority_accuracy": 0.54, "ece": 0.02, "precision": 0.79, "recall": 0.8,
        "log_loss": 0.42, "brier": 0.13, "positive_share": 0.46, "mean_probability": 0.45, "threshold": 0.51,
        "confusion": {"true_positive": 56, "false_positive": 15, "false_negative": 13, "true_negative": 65},
        "calibration": [
            {"low": place / 10, "high": (place + 1) / 10, "rows": 0 if place == 9 else 10,
             "mean_probability": None if place == 9 else place / 10 + 0.05, "share": None if place == 9 else place / 10}
            for place in range(10)
        ],
        "lift": [
            {"decile": tenth, "rows": 15, "share": 1 - tenth / 10, "lift": 2 - tenth / 5, "captured": tenth / 10}
            for tenth in range(1, 11)
        ],
    }  # fmt: skip
    figures = {
        **{name: test[name] for name in ("auc", "accuracy", "majority_accuracy", "ece")},
        "ceiling_auc": None, "recency_auc": 0.78, "as_of": "2025-11-01", "horizon_days": 30, "rows": 149,
    }  # fmt: skip
    evaluation = {
        "run_id": NEW,
        "origin": {},
        "figures": figures,
        "model": {"version": "3", "mlflow_run": "f00", "tags": {}},
        "dates": {
            "training": ["2025-08-03", "2025-08-18"], "validation": "2025-10-02", "test": "2025-11-01",
            "scoring": "2025-12-01", "horizon_days": 30, "exposure": 1.1,
        },
        "test": test,
        "baselines": {
            "recency": {**test, "auc": 0.78, "accuracy": 0.72, "ece": 0.07, "threshold": 0.5},
            "majority": {"accuracy": 0.54, "says": "stays"},
        },
        "risk_levels": [{"level": "high", "rows": 50, "churned": 0.9}, {"level": "low", "rows": 99, "churned": None}],
        "importance": [{"feature": "recency_days", "importance": 0.7}, {"feature": "orders", "importance": 0.3}],
        "feature_auc": {"orders": 0.6, "recency_days": 0.78},
        "newest": {"version": "3", "mlflow_run": "f00", "promoted": True, "figures": figures},
        "search": {
            "trials": [
                {"max_depth": 4, "max_iter": 40, "step_size": 0.08, "validation_auc": 0.88},
                {"max_depth": 5, "max_iter": 30, "step_size": 0.08, "validation_auc": 0.87},
            ],
            "params": {"max_depth": 4, "max_iter": 40, "step_size": 0.08},
        },
    }  # fmt: skip
    path = layout.local("analytics", "ml", "evaluation", "churn.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(evaluation), encoding="utf-8")


def put_recommendations(layout: Layout, **changes: Any) -> None:
    """An evaluation as train_recommendations writes it."""
    ranked = {
        "precision_at_10": 0.1, "recall_at_10": 0.2, "hit_rate_at_10": 0.4, "coverage_at_10": 0.6, "novelty_at_10": 9.0,
    }  # fmt: skip
    figures = {
        "rmse": 0.86, "mae": 0.66, "bias_rmse": 0.98, "ndcg_at_10": 0.2, "popularity_ndcg_at_10": 0.05,
        "item_item_ndcg_at_10": 0.15, "ceiling_ndcg_at_10": 0.3, "coverage_at_10": 0.6, "users": 90, "items": 19,
        "split": "later purchases and ratings, from 2025-11-01 on",
    }  # fmt: skip
    stars = {"rank": 5, "reg": 0.12, "alpha": 1.0, "biases": False, "logarithmic": False}
    interest = {**stars, "rank": 8, "reg": 0.5, "alpha": 2.0}
    evaluation = {
        "run_id": NEW,
        "origin": {},
        "figures": figures,
        "model": {"version": "1", "mlflow_run": "f00", "tags": {}},
        "newest": {"version": "2", "mlflow_run": "f01", "promoted": False, "figures": figures},
        "split": {"kind": "temporal", "test_from": "2025-11-01", "test_until": "2025-12-01"},
        "ratings": {"rows": 70, "rmse": 0.86, "mae": 0.66, "bias_rmse": 0.98, "bias_mae": 0.77,
                    "mean_only": {"rmse": 1.1, "mae": 0.9}, "warm": {"rows": 60, "rmse": 0.8, "mae": 0.6},
                    "new_customers": {"rows": 7, "rmse": 1.0, "mae": 0.8},
                    "new_products": {"rows": 3, "rmse": 1.2, "mae": 1.0}},
        "ranking": {"customers": 90, "items": 19,
                    **{name: {"ndcg_at_10": value, **ranked}
                       for name, value in (("model", 0.2), ("popularity", 0.05), ("item_item", 0.15))},
                    "new_customers": {"customers": 12, "ndcg_at_10": 0.04},
                    "new_products": {"products": 2, "share_of_purchases": 0.125, "pairs": 5, "ndcg_at_10": 0.03}},
        "search": {
            "trials": [{**stars, "validation_rmse": 0.9}, {**interest, "validation_ndcg_at_10": 0.19}],
            "explicit": stars,
            "implicit": interest,
        },
        **changes,
    }  # fmt: skip
    path = layout.local("analytics", "ml", "evaluation", "recommendations.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(evaluation), encoding="utf-8")
