"""The generator as a stage of a run: what it says while it works, and how it ends."""

from __future__ import annotations

from common.layout import Layout
from pipelines.generation import Generation, GeneratorProcess


def test_its_steps_are_heard_in_order_and_its_rows_are_counted(layout: Layout) -> None:
    heard: list[str] = []
    entry = GeneratorProcess(layout, Generation(0.001, 3), "run-1", heard.append).wait()
    assert [step.split()[0] for step in heard] == ["plan", "users", "products", "transactions", "clickstream", "truth"]
    assert (entry.stage, entry.status, entry.exit_code, entry.error) == ("generate", "ok", 0, None)
    assert entry.rows is not None
    assert (entry.rows["written"] or 0) > 1_500


def test_its_complaint_is_the_error_of_the_stage(layout: Layout) -> None:
    raw = layout.local("raw")
    raw.parent.mkdir(parents=True)
    raw.write_text("a file where a directory should be", encoding="utf-8")
    entry = GeneratorProcess(layout, Generation(0.001, 3), "run-1").wait()
    assert entry.status == "failed"
    assert entry.exit_code == 2
    assert entry.error == f"error: is no directory [{raw}] -> remove it, or use another --root"
