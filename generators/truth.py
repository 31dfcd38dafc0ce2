"""What is known about the generated data and may not be told to the jobs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from generators.identifiers import anonymous_ids, column, product_ids, session_ids, user_ids
from generators.ledger import Planted, to_table
from generators.oracle import CEILING_DAYS, HORIZONS, churn_ceiling
from generators.people import EXPOSURE, SEGMENTS, SHAPE
from generators.plan import Plan
from generators.sales import CANCELLED, PENDING, RETURNED, Lines
from generators.sessions import BOT, OUTCOMES, Sessions
from generators.spec import date_of
from generators.text import Bytes2D


def write_truth(plan: Plan, root: Path, planted: list[Planted], surviving: dict[str, int]) -> None:
    """Write truth/, but for generation.json.

    Args:
        plan: The plan.
        root: The directory above truth/.
        planted: What was planted, file by file.
        surviving: Rows by data set that are neither quarantined nor duplicates nor superseded.
    """
    truth = root / "truth"
    truth.mkdir(parents=True, exist_ok=True)
    defects = to_table(planted)
    pq.write_table(defects, truth / "defects.parquet")
    pq.write_table(session_table(plan.sessions, plan, 0), truth / "sessions.parquet")
    pq.write_table(_users(plan), truth / "users.parquet")
    pq.write_table(_products(plan), truth / "products.parquet")
    pq.write_table(_churn(plan), truth / "churn.parquet")
    expected = {
        "surviving": {**surviving, "distinct_users": plan.spec.users, "distinct_products": plan.spec.products},
        "planted": _counts(planted),
        "sums": sums(plan.lines),
    }
    (truth / "expected.json").write_text(json.dumps(expected, indent=2) + "\n", encoding="utf-8")


def _counts(planted: list[Planted]) -> dict[str, dict[str, int]]:
    return Planted([row for part in planted for row in part.rows]).counts()


def sums(lines: Lines) -> dict[str, object]:
    """Sums over surviving lines, amounts as text with two decimals."""
    sold = ~np.isin(lines.status, (PENDING, CANCELLED, RETURNED))
    before_discount = lines.quantity * lines.unit_cents - lines.discount_cents

    def dollars(cents: np.ndarray) -> str:
        total = int(cents.sum())
        return f"{'-' if total < 0 else ''}{abs(total) // 100}.{abs(total) % 100:02d}"

    return {
        "lines": len(lines.user),
        "quantity": int(lines.quantity.sum()),
        "total_amount": dollars(lines.total_cents),
        "gross_revenue": dollars(before_discount[sold]),
        "returns": dollars(before_discount[lines.status == RETURNED]),
        "tax_amount": dollars(lines.tax_cents),
        "shipping_amount": dollars(lines.shipping_cents),
    }


def _text(ids: Bytes2D, present: np.ndarray | None = None) -> pa.Array:
    texts = column(ids).cast(pa.string())
    return texts if present is None else pa.compute.if_else(pa.array(present), texts, pa.scalar(None, pa.string()))


def _vectors(values: np.ndarray) -> pa.Array:
    flat = pa.array(values.astype(np.float64).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1]).cast(pa.list_(pa.float64()))


def session_table(sessions: Sessions, plan: Plan, space: int) -> pa.Table:
    """Planned sessions: session_id, user_id, anonymous_id, outcome, started_at, is_bot."""
    stream, known = plan.stream("sessions"), sessions.user >= 0
    visitor_space = np.where(known, 0, space) << 33
    return pa.table(
        {
            "session_id": _text(session_ids(stream, sessions.key, space)),
            "user_id": _text(user_ids(np.maximum(sessions.user, 0)), known),
            "anonymous_id": _text(anonymous_ids(stream, sessions.visitor + visitor_space, 0)),
            "outcome": pa.array(OUTCOMES).take(pa.array(sessions.kind)),
            "started_at": pa.array(sessions.start_ms * 1000).cast(pa.timestamp("us", tz="UTC")),
            "is_bot": pa.array(sessions.kind == BOT),
        }
    )


def _users(plan: Plan) -> pa.Table:
    people, count = plan.people, plan.spec.users
    purchases = np.bincount(plan.behaviour.buyer, minlength=count)
    return pa.table(
        {
            "user_id": _text(user_ids(np.arange(count))),
            "segment": pa.array(SEGMENTS).take(pa.array(people.segment)),
            "hazard_shape": SHAPE[people.segment],
            "hazard_exposure_days": EXPOSURE[people.segment],
            "level": np.full(count, plan.behaviour.level),
            "discount_share": people.discount_share,
            "return_share": people.return_share,
            "price_sensitivity": people.price_sensitivity,
            "rating_bias": people.rating_bias,
            "taste": _vectors(people.taste),
            "activity": purchases,
        }
    )


def _products(plan: Plan) -> pa.Table:
    catalogue, count = plan.catalogue, plan.spec.products
    return pa.table(
        {
            "product_id": _text(product_ids(np.arange(count))),
            "cluster": catalogue.cluster,
            "cluster_vector": _vectors(catalogue.cluster_vector[catalogue.cluster]),
            "vector": _vectors(catalogue.vector),
            "quality": catalogue.quality,
            "popularity": catalogue.popularity,
            "replenishable": catalogue.replenishable,
        }
    )


def _churn(plan: Plan) -> pa.Table:
    """The best reachable churn probabilities at some dates: as_of, horizon_days, user_id, probability."""
    tables = []
    for day in CEILING_DAYS:
        by_horizon = churn_ceiling(plan, day, HORIZONS)
        for horizon, (users, probability) in by_horizon.items():
            rows = len(users)
            tables.append(
                pa.table(
                    {
                        "as_of": pa.array([date_of(day)], pa.date32()).take(pa.array(np.zeros(rows, dtype=np.int64))),
                        "horizon_days": np.full(rows, horizon, dtype=np.int32),
                        "user_id": _text(user_ids(users)),
                        "probability": probability,
                    }
                )
            )
    return pa.concat_tables(tables)
