"""The score's arithmetic: what was planted against what was found, row by row. No Spark."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from common.layout import DATASETS, Layout
from pipelines import score
from pipelines.score import Score

KEYS = {"users": "user_id", "products": "product_id", "transactions": "transaction_id", "clickstream": "event_id"}


@pytest.mark.parametrize(
    ("planted", "found", "wrong", "figures"),
    [
        (4, 4, 0, (1.0, 1.0, 1.0)),
        (4, 2, 0, (0.5, 1.0, 2 / 3)),
        (4, 4, 4, (1.0, 0.5, 2 / 3)),
        (4, 0, 0, (0.0, 1.0, 0.0)),
        (4, 0, 3, (0.0, 0.0, 0.0)),
        (0, 0, 0, (1.0, 1.0, 1.0)),
        (0, 0, 1, (1.0, 0.0, 0.0)),
    ],
)
def test_arithmetic(planted: int, found: int, wrong: int, figures: tuple[float, float, float]) -> None:
    each = Score("users", "x", planted, found, wrong, 1.0)
    assert (each.recall, each.precision, each.f1) == pytest.approx(figures)
    assert each.passed == (figures[2] == 1.0)


def test_a_statistical_class_may_miss_a_little() -> None:
    assert Score("clickstream", "bot", 100, 95, 3, 0.95).passed
    assert not Score("clickstream", "bot", 100, 90, 5, 0.95).passed


def texts(values: Sequence[object]) -> pa.Array:
    return pa.array(values, pa.string())


def put_truth(
    layout: Layout, defects: Sequence[tuple[str, str, str, str, str | None, bytes]], *, of: str = "users"
) -> None:
    """Defects of a data set as (class, fate, reason, file, key, line)."""
    columns = ("defect_class", "fate", "reason", "source_file", "key")
    table = {name: texts([row[index] for row in defects]) for index, name in enumerate(columns)}
    table["sha256"] = texts([hashlib.sha256(row[5]).hexdigest() for row in defects])
    table["dataset"] = texts([of] * len(defects))
    layout.local("truth").mkdir(parents=True)
    pq.write_table(pa.table(table), layout.local("truth", "defects.parquet"))


def put_cleaned(
    layout: Layout,
    clean: Sequence[tuple[str, list[str]]],
    rejected: Sequence[tuple[bytes, str]],
    *,
    of: str = "users",
    file: str = "raw/f",
) -> None:
    """Clean rows of a data set as (key, flags) and rejected lines as (bytes, reason); the others are empty."""
    for dataset in DATASETS:
        kept = clean if dataset == of else []
        turned_away = rejected if dataset == of else []
        columns: dict[str, pa.Array] = {
            KEYS[dataset]: pa.array([key for key, _ in kept], pa.string()),
            "flags": pa.array([flags for _, flags in kept], pa.list_(pa.string())),
            "_source_file": pa.array([file] * len(kept), pa.string()),
        }
        if dataset == "clickstream":
            columns |= {"is_bot": pa.array([], pa.bool_()), "near_duplicate_of": pa.array([], pa.string())}
        write_deltalake(layout.clean(dataset), pa.table(columns))
        write_deltalake(
            layout.quarantine(dataset),
            pa.table(
                {
                    "payload": pa.array([line for line, _ in turned_away], pa.binary()),
                    "reasons": pa.array([[reason] for _, reason in turned_away], pa.list_(pa.string())),
                    "source_file": pa.array(["raw/f"] * len(turned_away), pa.string()),
                }
            ),
        )


def put_dropped(
    layout: Layout, run_id: str, fates: Sequence[tuple[str, str]], *, of: str = "users", file: str = "raw/f"
) -> None:
    """The log of a run's dropped rows of a data set as (key, fate)."""
    directory = layout.local("ops", "dropped", of, f"run_id={run_id}")
    directory.mkdir(parents=True)
    table = pa.table(
        {
            "record_key": texts([key for key, _ in fates]),
            "fate": texts([fate for _, fate in fates]),
            "source_file": texts([file] * len(fates)),
        }
    )
    pq.write_table(table, directory / "a.parquet")


def commit_of(layout: Layout, **kept: object) -> None:
    """A commit of the clean users that keeps with itself what cleaning keeps."""
    empty = DeltaTable(layout.clean("users")).to_pyarrow_table().slice(0, 0)
    properties = CommitProperties(custom_metadata={"userMetadata": json.dumps(kept)})
    write_deltalake(layout.clean("users"), empty, mode="append", commit_properties=properties)


def scored(layout: Layout) -> dict[str, tuple[int, int, int]]:
    return {each.defect_class: (each.planted, each.found, each.wrong) for each in score.score(Layout.at(layout.root))}


def test_each_fate_is_matched_in_its_own_way(layout: Layout) -> None:
    put_truth(
        layout,
        [
            ("broken", "quarantined", "malformed_line", "raw/f", None, b"one"),
            ("broken", "quarantined", "malformed_line", "raw/f", None, b"one"),
            ("broken", "quarantined", "malformed_line", "raw/f", None, b"missed"),
            ("elsewhere", "quarantined", "invalid_utf8", "raw/other", None, b"two"),
            ("twice", "duplicate", "duplicate", "raw/f", "U1", b""),
            ("strange", "flagged", "malformed_email", "raw/f", "U2", b""),
            ("twin", "kept", "", "raw/f", "U3", b""),
            ("twin", "kept", "", "raw/f", "U4", b""),
            ("twin", "kept", "", "raw/f", "U2", b""),
        ],
    )
    put_cleaned(
        layout,
        [("U1", []), ("U2", ["malformed_email"]), ("U3", [])],
        [(b"one", "malformed_line"), (b"one", "malformed_line"), (b"two", "invalid_utf8"), (b"good", "blank_line")],
    )
    put_dropped(layout, "run-1", [("U1", "duplicate"), ("U1", "duplicate")])
    assert scored(layout) == {
        "broken": (3, 2, 0),
        "elsewhere": (1, 0, 1),  # the same bytes in another file are another row
        "not planted: blank_line": (0, 0, 1),
        "strange": (1, 1, 0),
        "twice": (1, 1, 1),  # dropped twice, planted once
        "twin": (3, 1, 0),  # U4 is gone and U2 is flagged
    }


@pytest.mark.parametrize(("dataset", "found"), [("users", 0), ("transactions", 1)])
def test_a_kept_row_may_be_replaced_by_a_newer_one_where_versions_are_not_kept(
    layout: Layout, dataset: str, found: int
) -> None:
    put_truth(layout, [("twin", "kept", "", "raw/first", "T1", b"")], of=dataset)
    put_cleaned(layout, [("T1", [])], [], of=dataset, file="raw/later")
    assert scored(layout) == {"twin": (1, found, 0)}


@pytest.mark.parametrize(
    ("kept_from", "figures"), [("raw/dt=1", (1, 1, 2)), ("raw/dt=2", (1, 1, 2)), ("raw/dt=3", (1, 1, 0))]
)
def test_a_row_that_a_later_delivery_renews_is_no_defect(
    layout: Layout, kept_from: str, figures: tuple[int, int, int]
) -> None:
    put_truth(layout, [("older", "superseded", "superseded", "raw/dt=2", "T1", b"")], of="transactions")
    put_cleaned(layout, [("T1", []), ("T2", [])], [], of="transactions", file=kept_from)
    dropped = [("T1", "superseded"), ("T1", "superseded"), ("T2", "superseded")]
    put_dropped(layout, "run-1", dropped, of="transactions", file="raw/dt=2")
    assert scored(layout) == {"older": figures}


def test_another_version_of_a_kept_row_may_be_flagged(layout: Layout) -> None:
    put_truth(layout, [("late", "kept", "", "raw/later", "U1", b""), ("odd", "flagged", "x", "raw/first", "U1", b"")])
    put_cleaned(layout, [("U1", [])], [], file="raw/later")
    flagged = pa.table({"user_id": texts(["U1"]), "flags": pa.array([["x"]]), "_source_file": texts(["raw/first"])})
    write_deltalake(layout.clean("users"), flagged, mode="append")
    assert scored(layout) == {"late": (1, 1, 0), "odd": (1, 1, 0)}


def test_a_kept_row_with_two_flags_is_missed_once(layout: Layout) -> None:
    put_truth(layout, [("twin", "kept", "", "raw/f", "T1", b"")], of="transactions")
    put_cleaned(layout, [("T1", ["odd"])], [], of="transactions")
    fact = {
        "transaction_id": texts(["T1"]),
        "is_unknown_user": pa.array([True]),
        "is_unknown_product": pa.array([True]),
    }
    write_deltalake(layout.local("warehouse", "lake", "fact_transactions"), pa.table(fact))
    assert scored(layout)["twin"] == (1, 0, 0)


def test_logs_count_that_the_clean_table_names(layout: Layout) -> None:
    """Whatever runs are called; those before a rebuild and those whose gate failed are not named."""
    put_truth(layout, [("twice", "duplicate", "duplicate", "raw/f", "U1", b"")])
    put_cleaned(layout, [("U1", [])], [])
    for run_id, dropped in (("run-1", 1), ("zebra", 0), ("run-0", 1), ("failed", 1)):
        put_dropped(layout, run_id, [("U1", "duplicate")] * dropped)
    commit_of(layout, dropped=["run-1"])
    commit_of(layout, dropped=["zebra", "run-0"])
    DeltaTable(layout.clean("users")).optimize.compact()
    assert scored(layout) == {"twice": (1, 1, 0)}


def test_all_logs_count_where_the_table_names_none(layout: Layout) -> None:
    put_truth(layout, [("twice", "duplicate", "duplicate", "raw/f", "U1", b"")])
    put_cleaned(layout, [("U1", [])], [])
    put_dropped(layout, "run-1", [("U1", "duplicate")])
    commit_of(layout, basis="b1")
    assert scored(layout) == {"twice": (1, 1, 0)}


def test_the_exit_code_says_whether_it_is_good_enough(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    put_truth(layout, [("broken", "quarantined", "malformed_line", "raw/f", None, b"one")])
    put_cleaned(layout, [], [])
    assert score.main(["--root", layout.root]) == 3
    assert "0 of 1 classes as required" in capsys.readouterr().out


def test_without_truth_or_cleaning_there_is_nothing_to_score(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score.main(["--root", layout.root]) == 4
    assert "no truth" in capsys.readouterr().err
    put_truth(layout, [("broken", "quarantined", "malformed_line", "raw/f", None, b"one")])
    assert score.main(["--root", layout.root]) == 4
    assert "has not been cleaned" in capsys.readouterr().err
