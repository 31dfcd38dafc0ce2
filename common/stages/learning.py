"""What the two stages that train models share: what they read, and whether there is anything to do."""

from __future__ import annotations

from common.job import StageContext
from common.ml import outputs
from common.settings import configuration_fingerprint
from common.stages.dimensions import DIM_PRODUCTS, DIM_USERS
from common.stages.facts import FACT_CLICKSTREAM, FACT_TRANSACTIONS
from common.stages.tables import Origin, origin_of, read_lake
from common.storage import delta
from common.transforms.customer_days import History

INPUTS = (FACT_TRANSACTIONS, FACT_CLICKSTREAM, DIM_USERS, DIM_PRODUCTS)


def learning_origin(context: StageContext) -> Origin:
    """What a model trained now would be made from: code, settings of models, and the versions of the tables."""
    basis = f"{context.basis}:{configuration_fingerprint(context.settings.ml, context.source.ml)}:{context.date}"
    return origin_of(context, INPUTS, basis)


def is_done(context: StageContext, name: str, origin: Origin, output: str) -> bool:
    """Whether model, evaluation and output were made from the same, and are still there.

    Args:
        context: The stage's.
        name: Of the model.
        origin: What they would be made from now.
        output: A directory of Parquet files, relative to the root.
    """
    layout = context.layout
    found = outputs.read_evaluation(layout, name)
    if context.rebuild or found is None or not layout.local(output, "_SUCCESS").exists():
        return False
    return found.get("origin") == origin.as_metadata("") and layout.local("models", name).is_dir()


def read_history(context: StageContext, origin: Origin) -> History:
    """The facts and dimensions, at the versions of the origin.

    Raises:
        InputError: If one of them is not there.
    """
    frames = []
    for table in INPUTS:
        if origin.inputs[table] is None:
            frames.append(read_lake(context, table.rpartition("/")[2]))
        else:
            frames.append(delta.read(context.spark, context.layout.path(table), origin.inputs[table]))
    return History(*frames)
