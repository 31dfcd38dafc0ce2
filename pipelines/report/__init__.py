"""The report of a root: a static site under ops/report that opens from the file system.

Reading (`runs`, `quality`, `results`, `evaluations`) gives typed records, `pages` makes page models of them, and
`rendering` writes these with the templates. Nothing here starts Spark.
"""
