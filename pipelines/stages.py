"""The platform's own graph."""

from __future__ import annotations

from common.stages.churn import TRAIN_CHURN
from common.stages.cleaning import CLEAN_CLICKSTREAM, CLEAN_PRODUCTS, CLEAN_TRANSACTIONS, CLEAN_USERS
from common.stages.dashboards import BI_DASHBOARDS
from common.stages.dimensions import LOAD_DIMENSIONS
from common.stages.facts import LOAD_FACTS
from common.stages.landing import LAND_RAW
from common.stages.publishing import PUBLISH_HIVE
from common.stages.recommendations import TRAIN_RECOMMENDATIONS
from common.stages.warehouse import ETL_WAREHOUSE
from pipelines.graph import StageGraph

GRAPH = StageGraph.of(
    (
        LAND_RAW,
        CLEAN_USERS,
        CLEAN_PRODUCTS,
        CLEAN_TRANSACTIONS,
        CLEAN_CLICKSTREAM,
        LOAD_DIMENSIONS,
        LOAD_FACTS,
        ETL_WAREHOUSE,
        PUBLISH_HIVE,
        BI_DASHBOARDS,
        TRAIN_RECOMMENDATIONS,
        TRAIN_CHURN,
    ),
    external=("raw/",),
)
