"""What the two stages that train models share: what they read, and whether there is anything to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from common.job import StageContext
from common.ml import outputs
from common.settings import configuration_fingerprint
from common.stages.dimensions import DIM_PRODUCTS, DIM_USERS
from common.stages.facts import FACT_CLICKSTREAM, FACT_TRANSACTIONS
from common.stages.origins import Origin, origin_of
from common.stages.tables import read_lake
from common.storage import delta
from common.transforms.customer_days import History

INPUTS = (FACT_TRANSACTIONS, FACT_CLICKSTREAM, DIM_USERS, DIM_PRODUCTS)


def learning_origin(context: StageContext) -> Origin:
    """What a model trained now would be made from: code, settings of models, and the versions of the tables."""
    basis = f"{context.basis}:{configuration_fingerprint(context.settings.ml, context.source.ml)}:{context.date}"
    return origin_of(context, INPUTS, basis)


def is_done(context: StageContext, name: str, origin: Origin) -> bool:
    """Whether a whole run of the stage, from the same, came to its end, and its model is still there.

    Args:
        context: The stage's.
        name: Of the model.
        origin: What it would be made from now.
    """
    if context.rebuild or outputs.read_completion(context.spark, context.layout, name) != origin.as_metadata(""):
        return False
    if context.settings.ml.tracking_uri is not None:
        return True
    return context.layout.local("models", "mlflow.db").is_file() and context.layout.local("models", name).is_dir()


@contextmanager
def completing(context: StageContext, name: str, origin: Origin, *, whole: bool) -> Iterator[None]:
    """Note that a stage came to its end: not before it did, and not while it works.

    Args:
        context: The stage's.
        name: Of the model.
        origin: What it is made from.
        whole: Whether all of its steps are done; some of them alone leave the rest as it was, which may be older.
    """
    outputs.write_completion(context.spark, context.layout, name, None)
    yield
    if whole:
        outputs.write_completion(context.spark, context.layout, name, origin.as_metadata(""))


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
