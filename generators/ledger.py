"""The account of what was planted: one row for each defective row or hard negative."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

Fate = Literal["quarantined", "duplicate", "superseded", "flagged", "kept"]
SCHEMA = pa.schema(
    [
        (name, pa.string())
        for name in ("dataset", "defect_class", "fate", "reason", "source_file", "key", "sha256", "of")
    ]
)


@dataclass(frozen=True)
class Defect:
    """A class of planted rows: what becomes of them, and the code that they are given."""

    fate: Fate
    reason: str | None


def _quarantined(reason: str) -> Defect:
    return Defect("quarantined", reason)


_LINE = {name: _quarantined(name) for name in ("invalid_utf8", "malformed_line", "blank_line", "repeated_header")}
_DUPLICATE = Defect("duplicate", "duplicate")
_KEPT = Defect("kept", None)


def _dimension(key: str) -> dict[str, Defect]:
    return {
        **_LINE,
        "missing_key": _quarantined(f"missing_{key}"),
        "malformed_key": _quarantined(f"malformed_{key}"),
        "missing_updated_at": _quarantined("missing_updated_at"),
        "impossible_updated_at": _quarantined("invalid_updated_at"),
        "unknown_op": _quarantined("unknown_op"),
        "exact_duplicate": _DUPLICATE,
        "repeated_change": _DUPLICATE,
        "out_of_order": _KEPT,
        "delete_first": _KEPT,
    }


CLASSES: dict[str, dict[str, Defect]] = {
    "users": {
        **_dimension("user_id"),
        "impossible_birth_date": _quarantined("impossible_birth_date"),
        "malformed_email": Defect("flagged", "malformed_email"),
        "twins": _KEPT,
    },
    "products": {**_dimension("product_id"), "negative_price": _quarantined("negative_list_price")},
    "transactions": {
        "missing_key": _quarantined("missing_transaction_id"),
        "missing_user": _quarantined("missing_user_id"),
        "missing_product": _quarantined("missing_product_id"),
        "missing_ts": _quarantined("missing_transaction_ts"),
        "malformed_key": _quarantined("malformed_transaction_id"),
        "wrong_total": _quarantined("wrong_total"),
        "negative_quantity": _quarantined("negative_quantity"),
        "zero_quantity": _quarantined("zero_quantity"),
        "negative_price": _quarantined("negative_unit_price"),
        "impossible_date": _quarantined("impossible_transaction_ts"),
        "future_date": _quarantined("future_transaction_ts"),
        "unknown_status": _quarantined("unknown_status"),
        "foreign_currency": _quarantined("currency_without_rate"),
        "impossible_rating": _quarantined("impossible_rating"),
        "exact_duplicate": _DUPLICATE,
        "older_version": Defect("superseded", "superseded"),
        "orphan_user": Defect("flagged", "unknown_user"),
        "orphan_product": Defect("flagged", "unknown_product"),
        "twin_line": _KEPT,
        "repeat_purchase": _KEPT,
    },
    "clickstream": {
        "broken_json": _quarantined("malformed_json"),
        "json_array": _quarantined("not_an_object"),
        "blank_line": _quarantined("blank_line"),
        "invalid_utf8": _quarantined("invalid_utf8"),
        "missing_event_id": _quarantined("missing_event_id"),
        "missing_event_ts": _quarantined("missing_event_ts"),
        "missing_event_type": _quarantined("missing_event_type"),
        "malformed_key": _quarantined("malformed_event_id"),
        "unknown_event_type": _quarantined("unknown_event_type"),
        "missing_actor": _quarantined("missing_actor"),
        "invalid_ts": _quarantined("invalid_event_ts"),
        "impossible_date": _quarantined("impossible_event_ts"),
        "future_event": _quarantined("future_event_ts"),
        "invalid_quantity": _quarantined("invalid_quantity"),
        "exact_duplicate": _DUPLICATE,
        "near_duplicate": Defect("flagged", "near_duplicate"),
        "orphan_product": Defect("flagged", "unknown_product"),
        "orphan_user": Defect("flagged", "unknown_user"),
        "bot": Defect("flagged", "bot"),
        "late_event": _KEPT,
        "quick_repeat": _KEPT,
        "power_user": _KEPT,
    },
}


@dataclass
class Planted:
    """Planted rows of one file or several.

    Attributes:
        rows: dataset, defect_class, fate, reason, source_file, key, sha256, of.
    """

    rows: list[tuple[str | None, ...]] = field(default_factory=list)

    def add(self, dataset: str, name: str, file: str, raw: bytes, key: str | None, of: str | None = None) -> None:  # noqa: PLR0913, PLR0917 - each is a different input
        """Note a planted row.

        Args:
            dataset: The data set.
            name: The class.
            file: The file, relative to the root.
            raw: What the sha256 is taken of: the line without its line feed, or a transaction's identity.
            key: The row's natural key where it has one.
            of: The original of a near duplicate.
        """
        defect = CLASSES[dataset][name]
        digest = hashlib.sha256(raw).hexdigest()
        self.rows.append((dataset, name, defect.fate, defect.reason, file, key or None, digest, of))

    def counts(self) -> dict[str, dict[str, int]]:
        """Rows by data set and class."""
        counts: dict[str, dict[str, int]] = {}
        for dataset, name, *_ in self.rows:
            classes = counts.setdefault(str(dataset), {})
            classes[str(name)] = classes.get(str(name), 0) + 1
        return {dataset: dict(sorted(classes.items())) for dataset, classes in counts.items()}


def to_table(parts: Iterable[Planted]) -> pa.Table:
    """All planted rows as a table."""
    rows = [row for part in parts for row in part.rows]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(SCHEMA)
    return pa.Table.from_arrays([pa.array(column, pa.string()) for column in columns], schema=SCHEMA)
