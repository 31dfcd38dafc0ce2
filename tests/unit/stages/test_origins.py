"""What a table is known to be made from: by its commit, and by what was noted for that commit."""

from __future__ import annotations

from dataclasses import replace

from common.stages.origins import Origin, is_up_to_date, note_same, recorded_origin
from common.storage import delta

TABLE = "warehouse/lake/agg_daily_sales"
MADE, SAME, OTHER = (Origin("basis", {"warehouse/lake/fact_transactions": version}) for version in (1, 2, 3))


def _commit(context, origin):
    rows = context.spark.createDataFrame([(1,)], "n int")
    delta.overwrite(rows, context.layout.path(TABLE), origin.as_metadata(context.run_id))


def test_a_table_that_is_not_there_is_made_from_nothing(make_context):
    context = make_context()
    note_same(context, TABLE, SAME)
    assert recorded_origin(context, TABLE) is None
    assert not is_up_to_date(context, TABLE, SAME)


def test_what_was_noted_is_up_to_date_until_the_next_commit(make_context):
    context = make_context()
    _commit(context, MADE)
    assert recorded_origin(context, TABLE) == MADE
    note_same(context, TABLE, SAME)
    assert recorded_origin(context, TABLE) == SAME
    assert is_up_to_date(context, TABLE, SAME)
    assert not is_up_to_date(context, TABLE, MADE)
    assert not is_up_to_date(replace(context, rebuild=True), TABLE, SAME)
    _commit(context, OTHER)
    assert recorded_origin(context, TABLE) == OTHER


def test_a_note_is_not_that_of_another_run_s_table(make_context):
    _commit(make_context(run_id="one"), MADE)
    note_same(make_context(run_id="one"), TABLE, SAME)
    other = make_context(run_id="other")
    _commit(other, MADE)
    assert recorded_origin(other, TABLE) == MADE
