"""A day on which nothing was sold and nobody looked: what is cleaned passes its gate, and stays what it was."""

from __future__ import annotations

import pytest

from common.layout import Layout
from common.quality.ledger import entries
from tests import samples
from tests.contents import contents
from tests.runs import run_in_session

CLEANED = ("transactions", "clickstream")
STAGES = ("land_raw", *(f"clean_{name}" for name in CLEANED))


@pytest.mark.usefixtures("spark")
def test_a_day_without_rows_is_cleaned(layout: Layout) -> None:
    samples.put_shop(layout)
    run_in_session(layout, "--only", *STAGES)
    before = {name: contents(layout.clean(name)) for name in CLEANED}
    assert all(before.values())
    samples.put_events(layout, [], day="2025-12-01")
    samples.put_transactions(layout, [], day="2025-12-01")
    run = run_in_session(layout, "--only", *STAGES)

    found = {entry.stage: entry for entry in entries(layout, run["run_id"])}
    assert run["date"] == "2025-12-01"
    assert {"warning: no clickstream on 2025-12-01", "warning: no transactions on 2025-12-01"} <= set(
        found["land_raw"].notes
    )
    for name in CLEANED:
        cleaning = found[f"clean_{name}"]
        assert (cleaning.status, cleaning.exit_code) == ("ok", 0)
        assert cleaning.rows
        assert set(cleaning.rows.values()) == {0}
        assert [(gate["suite"], gate["passed"]) for gate in cleaning.gates] == [(f"clean_{name}", True)]
    assert {name: contents(layout.clean(name)) for name in CLEANED} == before
