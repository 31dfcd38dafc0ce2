"""The one Spark session of a run.

What must stand before the JVM starts (memory, Java options, Delta's extension) is in spark-defaults.conf, which set-up
puts in place; here is what depends on the configuration and on the root.
"""

from __future__ import annotations

import logging
import os
import sys

from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from common.java_classes import remember_classes
from common.layout import Layout
from common.settings import Settings

_FIXED = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # Text files of a shop may be in any encoding that Java knows, windows-1252 among them.
    "spark.sql.legacy.javaCharsets": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.sources.partitionOverwriteMode": "static",
    # A persisted frame lives for one stage: finding out how each column compresses best costs more than it saves.
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
    "spark.databricks.delta.snapshotPartitions": "2",
    # Several calls into the JVM for each operation on a column, so that an error can name its line of Python; and a
    # stack trace in the JVM for each, so that it can name that of Scala, which is Py4J's.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    "spark.sql.dataFrameQueryContext.enabled": "false",
}


def start_session(settings: Settings, layout: Layout, app_name: str) -> SparkSession:
    """Start, or take over, the session of this process.

    The metastore of a local root is an embedded Derby below it. It is opened by publish_hive and by readers alone.

    Args:
        settings: Master, shuffle partitions and further properties.
        layout: Where the metastore and the warehouse are.
        app_name: As the cluster's pages show it.
    """
    quiet_pyspark()
    builder = SparkSession.builder.appName(app_name)
    if settings.spark.master is not None:
        builder = builder.master(settings.spark.master)
    options = {**_FIXED, "spark.sql.shuffle.partitions": str(settings.spark.shuffle_partitions)}
    if layout.is_local:
        options |= _embedded_metastore(layout)
        # Python workers are started as `python3` otherwise, which need not be the one with our packages.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    for key, value in {**options, **settings.spark.properties}.items():
        builder = builder.config(key, value)
    spark = builder.enableHiveSupport().getOrCreate()
    remember_classes(spark)
    _quiet_derby(spark)
    return spark


def quiet_pyspark() -> None:
    """Keep PySpark from writing out the traces of a query's mistakes, which are said in a line."""
    PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True


def stage_session(spark: SparkSession) -> SparkSession:
    """A session of its own for a stage that runs beside others: threads of one session share its configuration."""
    session = spark.newSession()
    for key in ("spark.sql.session.timeZone", "spark.sql.shuffle.partitions"):
        session.conf.set(key, spark.conf.get(key) or "")
    return session


def _embedded_metastore(layout: Layout) -> dict[str, str]:
    database = layout.path("warehouse", "metastore_db")
    return {
        "spark.sql.warehouse.dir": layout.path("warehouse", "hive"),
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={database};create=true",
        "spark.hadoop.datanucleus.schema.autoCreateTables": "true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
        # Nothing is put there; by default each session leaves an empty directory of its own in the system's /tmp.
        "spark.hadoop.hive.downloaded.resources.dir": layout.path("ops", "hive_resources"),
    }


def _quiet_derby(spark: SparkSession) -> None:
    """Derby leaves a derby.log in the working directory unless it is told otherwise."""
    jvm = spark.sparkContext._jvm
    if jvm is None:
        logging.getLogger(__name__).warning("no JVM to set Derby's log file in")
        return
    jvm.System.setProperty("derby.stream.error.file", "/dev/null")
