"""A tiny Spark session that writes and reads a Delta table: `spark-submit round_trip.py DIRECTORY`."""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession

ROWS = 3


def main() -> int:
    """Writes, deletes one row, reads back. Returns 0 when the rows are right."""
    spark = SparkSession.builder.master("local[1]").appName("doctor").getOrCreate()
    table = sys.argv[1]
    spark.range(ROWS).coalesce(1).write.format("delta").save(table)
    spark.sql(f"DELETE FROM delta.`{table}` WHERE id = 0")
    left = sorted(row.id for row in spark.read.format("delta").load(table).collect())
    spark.stop()
    return 0 if left == list(range(1, ROWS)) else 1


if __name__ == "__main__":
    sys.exit(main())
