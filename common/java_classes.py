"""Classes of Java that PySpark names over and over, looked up once.

Py4J keeps nothing of what it finds: for each `F.col("a")` it asks the JVM what the name of the class stands for and
whether that has such a method, before it calls it.
"""

from __future__ import annotations

from typing import Any

from py4j.java_gateway import JavaClass, JavaMember
from pyspark.sql import SparkSession

DELTA_LOG = "org.apache.spark.sql.delta.DeltaLog"
_OFTEN_NAMED = ("org.apache.spark.sql.functions", "functions", "PythonUtils", DELTA_LOG)


def remember_classes(spark: SparkSession) -> None:
    """Have this process ask for the classes, and for each of their static methods, once; a second time does nothing.

    Args:
        spark: A session; where it has no JVM, there is nothing to ask.
    """
    view: Any = spark.sparkContext._jvm
    for name in _OFTEN_NAMED if view is not None else ():
        found = getattr(view, name)
        if not isinstance(found, _Remembered):
            # An attribute of its own comes before what Py4J asks the JVM for.
            setattr(view, name, _Remembered(found._fqn, found._gateway_client))


class _Remembered(JavaClass):  # type: ignore[misc]  # Py4J has no types
    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a field is of any type
        member = super().__getattr__(name)
        if isinstance(member, JavaMember):
            setattr(self, name, member)
        return member
