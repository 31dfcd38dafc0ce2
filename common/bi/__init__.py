"""The five dashboards: what they ask (catalogue), of which days (periods), in which dialect (dialects), what comes out.

The job bi_dashboards leaves below `analytics/bi` of a root, for each query, `<dashboard>/<query>/data.parquet` and
`data.csv` (header, UTF-8, empty for null), and `dashboards.json`, which is replaced last, in one rename. Its shape, for
which `common.bi.results` has the dataclasses (`read_index(layout)` gives them):

    {"as_of": "2025-11-30",                 the newest business day in the data
     "run_id": "…",                         the run that computed the answers; a run that changes nothing leaves it
     "period": {"from", "to"},              the thirty days that most queries ask about
     "currency": "USD",
     "time_zone": "UTC",
     "origin": {"basis", "queries", "tables"},   what the answers were made from
     "dashboards": [{"name": "revenue", "title", "summary", "queries": [
       {"name": "hourly_revenue", "title", "question", "grain", "key": ["hour"],
        "period": {"from", "to"} or null,   null where the state at the end of the data is asked for
        "columns": [{"name": "hour", "type": "timestamp", "unit": "time", "signed": false}, …],
        "rows": 192,
        "empty_because": null or "the source has no clickstream",
        "parquet": "revenue/hourly_revenue/data.parquet", "csv": "revenue/hourly_revenue/data.csv"}]}]}

Types are Spark's (string, bigint, int, decimal(18,2), date, timestamp, boolean). Units:

    money     an amount in the currency             share     a part of a whole, 0.25 being a quarter
    count     a whole number of things              growth    a relative change, 0.25 being a quarter more
    ratio     a quotient of two figures             number    a place, step, weekday, month or hour
    score     1 to 5                                seconds, days   durations
    date, time    a day, an instant in UTC          text, flag
"""
