"""Impala's SQL as Spark and Hive get it, and what is not let through."""

from __future__ import annotations

import re

import pytest
import sqlglot
from sqlglot import exp

from common.bi.catalogue import Query, parse_catalogue, read_catalogue
from common.bi.dialects import (
    Maintenance,
    maintenance_for_hive,
    maintenance_for_spark,
    parse_maintenance,
    parse_select,
    to_hive,
    to_spark,
)
from common.errors import ConfigurationError
from common.layout import PUBLISHED_TABLES
from common.settings import conf_root

PARAMETERS = {"from_date": "2025-11-01", "to_date": "2025-11-30", "time_zone": "Europe/Berlin"}
QUERIES = [query for dashboard in parse_catalogue(read_catalogue()) for query in dashboard.queries]
IDS = [query.name for query in QUERIES]
# Words that Impala's documentation lists as reserved and that a query or table might want as a name.
_WORDS = """
    add aggregate all alter and any array as asc at between bigint binary boolean both by cached call cardinality
    case cast change char class column columns comment commit compute condition connect constraint contains convert
    copy create cross cube current cursor cycle data database date datetime dec decimal declare default define delete
    desc describe distinct div double drop each element else empty end equals every except exchange execute exists
    exit explain external false fields file files filter first float following for foreign format formatted free from
    full function get global grant group grouping groups having hold identity if ignore in index indicator initial
    inner insert int integer intersect interval into invalidate is join key language large last leading left less like
    limit lines load local location map match member merge metadata method minus modifies more national natural new no
    none normalize not null nulls numeric of off offset old omit on one only open option or order out outer over
    overlaps overwrite parameter partition partitions pattern per percent period pivot plan portion position precedes
    preceding precision prepare primary procedure range read reads real recover recursive ref references refresh
    regexp release rename replace restrict result return returns revoke right rlike role rollback rollup row rows
    running schema scope scroll search seek select semi sensitive set show similar skip smallint some sort specific
    start static statistics stats stored string struct subset succeeds symbol symmetric system table tables then
    timestamp tinyint to top trailing transform trigger true truncate uncached union unique unknown unnest update
    upsert use user using value values varchar varying view when whenever where while window with within
    without"""
RESERVED = set(_WORDS.split())


def select(expression: str) -> str:
    return f"SELECT {expression} AS x FROM ecommerce.dim_users ORDER BY x LIMIT 1"


def spark(sql: str, **changes) -> str:
    values = {"parameters": PARAMETERS, "databases": {}, "views": {}, **changes}
    return to_spark(parse_select(sql, "a test"), **values)


def tables_of(query: Query) -> list[exp.Table]:
    return [table for table in parse_select(query.sql, query.name).find_all(exp.Table) if table.db]


def hive(sql: str) -> str:
    return to_hive(parse_select(sql, "a test"), PARAMETERS)


class TestParsing:
    @pytest.mark.parametrize("query", QUERIES, ids=IDS)
    def test_what_ships_is_understood(self, query: Query) -> None:
        statement = parse_select(query.sql, query.name)
        assert statement.find(exp.Command) is None
        limit = int(statement.args["limit"].expression.this)
        assert 1 <= limit <= 1000
        columns = [each.alias_or_name for each in statement.expressions]
        assert columns == [column.name for column in query.columns]

    @pytest.mark.parametrize("query", QUERIES, ids=IDS)
    def test_the_order_ends_with_the_key(self, query: Query) -> None:
        order = parse_select(query.sql, query.name).args["order"].expressions
        assert set(query.key) <= {each.this.name for each in order}

    @pytest.mark.parametrize("query", QUERIES, ids=IDS)
    def test_no_name_is_reserved_in_impala(self, query: Query) -> None:
        statement = parse_select(query.sql, query.name)
        names = {each.name.lower() for each in statement.find_all(exp.Identifier)}
        assert names & RESERVED == set()

    @pytest.mark.parametrize("query", QUERIES, ids=IDS)
    def test_a_partitioned_table_is_asked_by_its_partitions_too(self, query: Query) -> None:
        if query.span.kind != "days":
            return
        for table, column in (("fact_transactions", "transaction_month"), ("fact_clickstream", "event_month")):
            assert (table in query.sql) <= (column in query.sql)

    @pytest.mark.parametrize(
        ("sql", "message"),
        [
            ("SELECT 1 AS x FROM t LIMIT 1", "lacks ORDER BY or LIMIT"),
            ("SELECT 1 AS x FROM t ORDER BY x", "lacks ORDER BY or LIMIT"),
            ("REFRESH ecommerce.dim_users", "is Command instead of one SELECT"),
            ("DROP TABLE ecommerce.dim_users", "is Drop instead of one SELECT"),
            ("INSERT INTO a SELECT 1", "is Insert instead of one SELECT"),
            ("SELECT 1 AS x ORDER BY x LIMIT 1; SELECT 2", "is Select, Select instead of one SELECT"),
            ("", "instead of one SELECT"),
            ("SELEC 1", "the SQL"),
            (select("percentile(user_sk, 0.5)"), "calls PERCENTILE, not known to mean the same"),
            (select("now()"), "calls NOW, not known to mean the same"),
            (select("NDV(user_sk)"), "calls NDV"),
        ],
    )
    def test_what_is_refused(self, sql: str, message: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            parse_select(sql, "a test")
        assert message in str(caught.value)
        assert "[a test]" in str(caught.value)


class TestSpark:
    @pytest.mark.parametrize("query", QUERIES, ids=IDS)
    def test_no_parameter_is_left(self, query: Query) -> None:
        assert "${" not in spark(query.sql)

    def test_views_and_databases_by_another_name(self) -> None:
        sql = "SELECT s.a AS x FROM lake.sessions s JOIN ecommerce.dim_users u ON u.a = s.a ORDER BY x LIMIT 1"
        written = spark(sql, databases={"ecommerce": "shop"}, views={"lake.sessions": "lake_sessions"})
        assert "FROM `lake_sessions` AS s JOIN shop.`dim_users` AS u" in written

    def test_a_name_of_a_common_table_expression_stays(self) -> None:
        written = spark("WITH t AS (SELECT 1 AS x) SELECT x FROM t ORDER BY x LIMIT 1", databases={"": "shop"})
        assert written.endswith("FROM t ORDER BY x LIMIT 1")

    def test_hours_stay_hours(self) -> None:
        assert "DATE_TRUNC('HOUR', valid_from)" in spark(select("DATE_TRUNC('hour', valid_from)"))

    def test_a_value_cannot_break_out_of_its_literal(self) -> None:
        written = spark(select("'${var:from_date}'"), parameters={"from_date": "' OR 1 = 1 --"})
        read_back = sqlglot.parse_one(written, read="spark")
        assert [each.this for each in read_back.find_all(exp.Literal) if each.is_string] == ["' OR 1 = 1 --"]
        assert read_back.find(exp.Or) is None

    def test_a_parameter_without_a_value_is_said(self) -> None:
        with pytest.raises(ConfigurationError, match="no value for its parameter nobody"):
            spark(select("'${var:nobody}'"))

    def test_the_statement_that_was_read_stays_as_it_is(self) -> None:
        statement = parse_select(QUERIES[0].sql, "a test")
        before = statement.sql()
        to_spark(statement, PARAMETERS, {"ecommerce": "shop"}, {})
        to_hive(statement, PARAMETERS)
        assert statement.sql() == before


class TestHive:
    @pytest.mark.parametrize("query", QUERIES, ids=IDS)
    def test_what_ships_has_nothing_that_hive_lacks(self, query: Query) -> None:
        written = hive(query.sql)
        assert "${" not in written
        assert "DATE_TRUNC" not in written
        assert "AT TIME ZONE" not in written
        assert not re.search(r"GROUP BY \d", written)
        assert sqlglot.parse_one(written, read="hive").find(exp.Command) is None

    @pytest.mark.parametrize(
        ("expression", "written"),
        [
            ("DATE_TRUNC('hour', ts)", "CAST(DATE_FORMAT(ts, 'yyyy-MM-dd HH:00:00') AS TIMESTAMP)"),
            ("CAST(DATE_TRUNC('month', d) AS DATE)", "CAST(TRUNC(d, 'MM') AS DATE)"),
            (
                "CAST(DATE_TRUNC('week', d) AS DATE)",
                "CAST(DATE_SUB(d, PMOD(DATEDIFF(d, '2001-01-01'), 7)) AS DATE)",
            ),
            ("FROM_UTC_TIMESTAMP(ts, '${var:time_zone}')", "FROM_UTC_TIMESTAMP(ts, 'Europe/Berlin')"),
            ("DATE '${var:to_date}'", "CAST('2025-11-30' AS DATE)"),
        ],
    )
    def test_counterparts(self, expression: str, written: str) -> None:
        assert f"SELECT {written} AS x" in hive(select(expression))

    def test_positions_in_group_by_are_spelled_out(self) -> None:
        written = hive("SELECT a + 1 AS x, COUNT(*) AS n FROM t GROUP BY 1 ORDER BY x LIMIT 1")
        assert "GROUP BY a + 1 ORDER BY x" in written

    def test_a_unit_without_a_counterpart_is_said(self) -> None:
        with pytest.raises(ConfigurationError, match="truncates to QUARTER"):
            hive(select("DATE_TRUNC('quarter', d)"))


class TestMaintenance:
    def test_what_ships_covers_the_tables_that_queries_read(self) -> None:
        text = (conf_root() / "sql" / "impala" / "impala_optimization.sql").read_text(encoding="utf-8")
        steps = parse_maintenance(text, "impala_optimization.sql")
        tables = [("ecommerce", name) for name in sorted(PUBLISHED_TABLES)]
        tables += [("lake", "cart_items"), ("lake", "sessions")]
        found = {
            kind: sorted((step.database, step.table) for step in steps if step.kind == kind)
            for kind in ("invalidate", "refresh", "statistics")
        }
        assert found == {"invalidate": tables, "refresh": [], "statistics": tables}
        assert {(table.db, table.name) for query in QUERIES for table in tables_of(query)} <= set(tables)

    @pytest.mark.parametrize("sql", ["DROP TABLE a.b", "COMPUTE STATS b", "REFRESH a.b; VACUUM a.b", "SELECT 1"])
    def test_anything_else_is_refused(self, sql: str) -> None:
        with pytest.raises(ConfigurationError, match="none of REFRESH, INVALIDATE METADATA, COMPUTE STATS"):
            parse_maintenance(sql, "a test")

    @pytest.mark.parametrize(
        ("kind", "in_spark", "in_hive"),
        [
            ("refresh", "REFRESH TABLE `a`.`b`", None),
            ("invalidate", "REFRESH TABLE `a`.`b`", None),
            (
                "statistics",
                "ANALYZE TABLE `a`.`b` COMPUTE STATISTICS FOR ALL COLUMNS",
                "ANALYZE TABLE `a`.`b` COMPUTE STATISTICS FOR COLUMNS",
            ),
        ],
    )
    def test_counterparts(self, kind: str, in_spark: str, in_hive: str | None) -> None:
        step = Maintenance(kind, "a", "b")
        assert (maintenance_for_spark(step), maintenance_for_hive(step)) == (in_spark, in_hive)


class TestHiveFiles:
    @pytest.mark.parametrize("name", ["hive_ddl_create_tables.sql", "hive_check_loads.sql"])
    def test_hives_own_files_are_understood_and_change_no_data(self, name: str) -> None:
        text = (conf_root() / "sql" / "hive" / name).read_text(encoding="utf-8")
        statements = [each for each in sqlglot.parse(text, read="hive") if each is not None]
        assert {type(each) for each in statements} <= {exp.Create, exp.Select}
        assert not any(each.find(exp.Command) for each in statements)

    def test_the_ddl_declares_the_seven_tables_and_the_lakes_two(self) -> None:
        text = (conf_root() / "sql" / "hive" / "hive_ddl_create_tables.sql").read_text(encoding="utf-8")
        created = [each for each in sqlglot.parse(text, read="hive") if each and each.args.get("kind") == "TABLE"]
        names = {(table.db, table.name) for each in created for table in each.find_all(exp.Table)}
        assert names == {("ecommerce", name) for name in PUBLISHED_TABLES} | {
            ("lake", "sessions"),
            ("lake", "cart_items"),
        }
