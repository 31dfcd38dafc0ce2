"""Functions of a mapping's SELECT that cannot take what they are given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from common.cleaning.mapping_failures import evaluating
from common.layout import Layout
from common.settings import load_source
from pipelines import run as runner
from tests.runs import newest_entry
from tests.shops import PEOPLE, people_shop


class TestFunctionsThatFailOnAValue:
    """Exit code 2 and the function; the value, which may be personal, is not told."""

    @pytest.mark.parametrize(
        ("email", "message"),
        [
            ("CAST(mail AS INT)", "CAST(mail AS INT) fails on a value: CAST_INVALID_INPUT"),
            ("2 / (CAST(id AS INT) - 1)", "2 / (CAST(id AS INT) - 1) fails on a value: DIVIDE_BY_ZERO"),
            ("to_timestamp(mail, 'dd.MM.yyyy')", "a function fails on a value: CANNOT_PARSE_TIMESTAMP"),
            ("sequence(1, 2, CAST(id AS INT) - 1)[0]", "a function fails on a value: IllegalArgumentException"),
            ("CAST('x' AS INT)", "CAST('x' AS INT) fails on a value: CAST_INVALID_INPUT"),
            ("sequence(1, 2, 0)[0]", "a function fails on a value: IllegalArgumentException"),
            ("format_string('%d', mail)", "a function fails on a value: IllegalFormatConversionException"),
            ("split(mail, concat('(', mail))[0]", "a function fails on a value: PatternSyntaxException"),
            ("from_json(mail, 'a INT', map('mode', 'FAILFAST')).a", "a function fails on a value: JsonParseException"),
            ("xpath_string(mail, 'a')", "a function fails on a value: SAXParseException"),
        ],
        ids=[
            "cast",
            "division",
            "one that Spark does not name",
            "sequence",
            "constant",
            "constant sequence",
            "format",
            "pattern",
            "JSON",
            "XML",
        ],
    )
    def test_end_with_exit_code_2_in_a_job_and_in_a_dry_run(  # noqa: PLR0917 - fixtures and cases
        self, clean: Callable[..., tuple[int, str]], layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str],
        email: str, message: str,
    ) -> None:  # fmt: skip
        path = tmp_path / "people.csv"
        path.write_text(PEOPLE)
        select = f"SELECT id AS user_id, {email} AS email, changed AS updated_at FROM people"
        source = people_shop(tmp_path, path, select=select)
        code, line = clean(source)
        assert code == 2
        assert message in line
        assert (
            "[source shop: datasets.users.select] -> mend what it is given, or use the function that gives null" in line
        )
        assert newest_entry(layout).exit_code == 2
        assert not layout.local("clean", "users").exists()
        assert runner.main(["--root", layout.root, "--source", source, "--dry-run"]) == 2
        assert line.removeprefix("error: clean_users: ") in capsys.readouterr().err
        (log,) = layout.local("ops", "logs").glob("*.log")
        assert "fails on a value" in log.read_text()
        assert "@x.org" not in log.read_text()

    @pytest.mark.parametrize(
        ("email", "message", "remedy"),
        [
            ("to_utc_timestamp(changed, 'Europe/Berln')", "INVALID_TIMEZONE Europe/Berln", "mend what it is given"),
            ("to_utc_timestamp(changed, mail)", "INVALID_TIMEZONE", "mend what it is given"),
            (
                "date_format(changed, 'dd.MM.yyyy bb')",
                "INVALID_DATETIME_PATTERN.WITH_SUGGESTION dd.MM.yyyy bb",
                "mend its pattern",
            ),
            (
                "try_to_timestamp(mail, 'YYYY-MM')",
                "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION YYYY-MM",
                "mend its pattern",
            ),
        ],
        ids=["a zone", "a zone of the data", "a pattern", "a pattern of old"],
    )
    def test_name_what_the_mapping_itself_has_wrong(
        self, clean: Callable[..., tuple[int, str]], tmp_path: Path, email: str, message: str, remedy: str
    ) -> None:
        path = tmp_path / "people.csv"
        path.write_text(PEOPLE)
        select = f"SELECT id AS user_id, {email} AS email, changed AS updated_at FROM people"
        code, line = clean(people_shop(tmp_path, path, select=select))
        assert code == 2
        assert f"a function fails on a value: {message} [source shop: datasets.users.select] -> {remedy}" in line

    def test_of_data_without_a_mapping_stay_what_they_are(self, spark: SparkSession, tmp_path: Path) -> None:
        path = tmp_path / "people.csv"
        path.write_text(PEOPLE)
        source = load_source(people_shop(tmp_path, path))
        with pytest.raises(Py4JJavaError, match="IllegalFormatConversionException"), evaluating(source, "products"):
            spark.range(2).selectExpr("format_string('%d', CAST(id AS STRING))").collect()
