"""What a Spark session of tests leaves out, since nobody looks at its pages and its executors are within its driver."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession
from pyspark.traceback_utils import SCCallSiteSync


def lighten(session: SparkSession) -> None:
    """Have this process's session name no lines and carry no sources of Hadoop's properties."""
    _name_no_lines(session)
    _forget_sources(session)


def _name_no_lines(session: SparkSession) -> None:
    """Each RDD that is made is named by the line that made it, for pages that nobody sees: by a stack trace of Java."""
    for form in ("short", "long"):
        session.sparkContext.setLocalProperty(f"callSite.{form}", "tests")
    SCCallSiteSync._spark_stack_depth = 1  # as within an action of PySpark's, which keeps the name of the outermost


def _forget_sources(session: SparkSession) -> None:
    """Each scan and each write takes Hadoop's properties along: 1,103, and where each came from, packed one by one."""
    jsc: Any = session.sparkContext._jsc
    properties = jsc.hadoopConfiguration()
    sources = properties.getClass().getDeclaredField("updatingResource")
    sources.setAccessible(True)
    sources.get(properties).clear()
