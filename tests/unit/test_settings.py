"""Configuration: what is read, what is refused, and by which words. No session is started."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from common.errors import ConfigurationError, ExitCode
from common.settings import Settings, configuration_fingerprint, load_settings, load_source
from common.settings.files import read_yaml

CONF = Path(__file__).resolve().parents[2] / "conf"


def write_yaml(path: Path, values: Any) -> Path:
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A copy of the configuration that a test may spoil."""
    return Path(shutil.copytree(CONF, tmp_path / "conf"))


def test_what_ships_is_complete_and_frozen(settings: Settings) -> None:
    assert (settings.profile, settings.database, settings.source) == ("local", "ecommerce", "generated")
    assert settings.spark.master == "local[*]", "the overlay of the profile lies over the base"
    with pytest.raises(ValidationError, match="frozen"):
        settings.database = "other"


def test_a_file_lies_over_overlay_and_base_key_by_key(tmp_path: Path) -> None:
    extra = write_yaml(tmp_path / "extra.yaml", {"spark": {"master": "local[1]"}, "publish": {"keep_versions": 9}})
    settings = load_settings(extra)
    assert settings.spark.master == "local[1]"
    assert settings.spark.shuffle_partitions == load_settings().spark.shuffle_partitions
    assert (settings.publish.keep_versions, settings.publish.partition_by) == (9, "month")


def test_the_profile_of_the_file_chooses_the_overlay(tmp_path: Path) -> None:
    settings = load_settings(write_yaml(tmp_path / "extra.yaml", {"profile": "yarn"}))
    assert (settings.profile, settings.spark.master, settings.spark.shuffle_partitions) == ("yarn", None, 200)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "empty.yaml"
    empty.write_text("# nothing yet\n", encoding="utf-8")
    assert load_settings(empty) == load_settings()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"colour": "blue"}, r"unknown key 'colour' \["),
        ({"databse": "shop"}, r"unknown key 'databse' \(did you mean 'database'\?\)"),
        ({"publish": {"keep_version": 3}}, r"unknown key 'publish\.keep_version' \(did you mean 'keep_versions'\?\)"),
        ({"spark": {"shuffle_partitions": "many"}}, r"'spark\.shuffle_partitions': .*valid integer"),
        ({"publish": {"partition_by": "week"}}, r"'publish\.partition_by': .*'month' or 'day'"),
        ({"sessions": 30}, r"'sessions': .*SessionSettings"),
        ({"profile": "mesos"}, r"unknown profile 'mesos' .*use local or yarn"),
        (["a", "list"], r"not a mapping of keys to values"),
        ({"zebra": 1, "apple": 2}, r"unknown key 'apple'; unknown key 'zebra'"),
    ],
    ids=["unknown", "near miss", "nested near miss", "wrong type", "no such choice", "no mapping", "profile", "list",
         "sorted"],
)  # fmt: skip
def test_an_impossible_configuration_is_refused_by_its_key(tmp_path: Path, values: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as refused:
        load_settings(write_yaml(tmp_path / "extra.yaml", values))
    assert refused.value.exit_code == ExitCode.USAGE
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("database", "no name"),
        ("source", " "),
        ("spark.shuffle_partitions", 0),
        ("publish.keep_versions", 0),
        ("sessions.inactivity_minutes", 0),
        ("runner.parallel", 0),
        ("runner.keep_runs", -1),
        ("ml.partitions", 0),
        ("ml.churn.calibration_share", 1.0),
        ("ml.churn.low_risk", 0.9),
        ("ml.churn.high_risk", float("nan")),
        ("ml.churn.trials", []),
        ("ml.recommendations.top_n", 0),
        ("ml.recommendations.explicit_trials", [{"rank": 5, "reg": 0.1, "logarithmic": True}]),
        ("ml.recommendations.implicit_trials", [{"rank": 5, "reg": 0.1, "biases": True}]),
        ("ml.recommendations.event_weights.product_view", -1.0),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_key(tmp_path: Path, key: str, value: Any) -> None:
    values: Any = value
    for part in reversed(key.split(".")):
        values = {part: values}
    with pytest.raises(ConfigurationError, match=rf"^'{re.escape(key)}': \S") as refused:
        load_settings(write_yaml(tmp_path / "extra.yaml", values))
    assert refused.value.exit_code == ExitCode.USAGE
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"profile: [", r"^not valid YAML: while .*, line 1, column 11 \[\S+broken\.yaml\] -> mend the file$"),
        (b"? [profile]\n: a", r"^not valid YAML: .*, line 1, column 3 \["),
        (b"profile: \x00", r"^not valid YAML: unacceptable character #x0000: .*, position 9 \["),
        (b"profile: \xff\xfe", "cannot read the configuration"),
    ],
    ids=["broken YAML", "a list as a key", "a control character", "no UTF-8"],
)
def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        load_settings(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read the configuration.*nowhere\.yaml"):
        load_settings(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [("spark: {}\npublish: {}\nspark: {}\n", "spark", 3), ("spark:\n  master: a\n  master: b\n", "master", 3)],
    ids=["above", "below"],
)
def test_a_key_that_is_given_twice_is_named(tmp_path: Path, text: str, key: str, line: int) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=rf"not valid YAML: the key '{key}' is given twice, line {line}, col"):
        load_settings(path)


def test_a_merged_key_may_be_overridden(tmp_path: Path) -> None:
    path = tmp_path / "merged.yaml"
    path.write_text("spark: &all {master: a}\npublish: {<<: *all, master: b}\n", encoding="utf-8")
    assert read_yaml(path) == {"spark": {"master": "a"}, "publish": {"master": "b"}}


def test_a_missing_key_of_the_base_is_named(conf: Path) -> None:
    base = yaml.safe_load((conf / "base.yaml").read_text(encoding="utf-8"))
    del base["runner"], base["publish"]["keep_versions"]
    write_yaml(conf / "base.yaml", base)
    with pytest.raises(ConfigurationError, match=r"missing key 'publish\.keep_versions'; missing key 'runner'"):
        load_settings(root=conf)


PEOPLE = {"people": {"path": "people.csv", "format": "csv"}}


def mapped(**changes: Any) -> dict[str, Any]:
    """A source of one file whose data set is changed."""
    users = {"files": ["people"], "select": "SELECT id AS user_id FROM people", **changes}
    return {"files": PEOPLE, "datasets": {"users": users}}


class TestSource:
    def test_those_that_ship_are_valid(self) -> None:
        for path in sorted((CONF / "sources").glob("*.yaml")):
            assert load_source(path.stem).name == path.stem

    def test_a_mapped_source_is_told_from_raw_data(self) -> None:
        assert not load_source("generated").is_mapped
        assert load_source("completejourney").is_mapped

    def test_can_be_named_by_a_path(self, conf: Path) -> None:
        assert load_source(str(conf / "sources" / "generated.yaml")) == load_source("generated")

    def test_may_use_what_expressions_of_java_know(self, tmp_path: Path) -> None:
        values = yaml.safe_load((CONF / "sources" / "generated.yaml").read_text(encoding="utf-8"))
        values["key_patterns"]["user_id"] = r"^(?<kind>\p{Alpha})\p{Digit}+\z"
        path = write_yaml(tmp_path / "shop.yaml", values)
        assert load_source(str(path)).key_patterns.user_id == values["key_patterns"]["user_id"]

    def test_an_unknown_name_lists_the_known_ones(self) -> None:
        with pytest.raises(ConfigurationError, match=r"no such source: nosuch .*known sources: completejourney, gener"):
            load_source("nosuch")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"time_zone": "Mars/Olympus"}, "no such time zone: Mars/Olympus"),
            ({"time_zone": "../../etc/passwd"}, "no such time zone"),
            ({"currrency": "USD"}, r"unknown key 'currrency' \(did you mean 'currency'\?\)"),
            ({"limits": None}, "'limits'"),
            (
                {"files": {"sales": {"path": "a.csv", "fromat": "csv"}}},
                r"unknown key 'files\.sales\.fromat' \(did you mean 'format'\?\)",
            ),
            (mapped(row_of="people"), r"unknown key 'datasets\.users\.row_of' \(did you mean 'rows_of'\?\)"),
            (
                {"files": {"sales": {"path": "a.csv", "format": "csv", "options": {"multiLine": True}}}},
                r"'files\.sales\.options\.multiLine': YAML takes True for something else than text, put it in quotes",
            ),
            (
                {"files": {"sales": {"path": "a.csv", "format": "excel"}}},
                r"'files\.sales\.format': .*'csv', 'json' or 'parquet'",
            ),
            (
                {"datasets": {"users": {"files": ["people"], "select": "SELECT 1", "rows_of": "folk"}}},
                r"'users' uses files that are not declared: folk, people .*declared are none",
            ),
            ({"datasets": {"orders": {"files": [], "select": "SELECT 1"}}}, r"'datasets\.orders"),
            ({"currency": ""}, "'currency': is empty"),
            ({"currency": "Euro"}, "'currency': Euro is no code of ISO 4217, such as EUR"),
            ({"statuses.lifecycle": []}, r"'statuses\.lifecycle': .*at least 1 item"),
            ({"statuses.lifecycle": ["paid", "paid"]}, r"'statuses\.lifecycle': given twice: paid"),
            ({"statuses.gross": ["payed"]}, r"'statuses\.gross': not in lifecycle, which is pending, paid.*: payed"),
            ({"statuses.returned": ["back"]}, r"'statuses\.returned': not in lifecycle.*: back"),
            ({"key_patterns.user_id": "^[A-Z"}, r"'key_patterns\.user_id': not a regular expression"),
            ({"bots.min_events": 0}, r"'bots\.min_events': .*greater than or equal to 1"),
            ({"bots.max_median_gap_seconds": -0.1}, r"'bots\.max_median_gap_seconds': .*greater than or equal to 0"),
            ({"near_duplicates.window_milliseconds": -1}, r"'near_duplicates\.window_milliseconds'"),
            ({"limits.total_tolerance": "-0.01"}, r"'limits\.total_tolerance'"),
            ({"limits.future_tolerance_days": -1}, r"'limits\.future_tolerance_days'"),
            ({"limits.max_quantity": 0}, r"'limits\.max_quantity'"),
            ({"limits.max_quantity": 2**31}, r"'limits\.max_quantity': .*less than or equal to 2147483647"),
            ({"limits.future_tolerance_days": 36_501}, r"'limits\.future_tolerance_days': .*equal to 36500"),
            ({"limits.total_tolerance": "1e400"}, r"'limits\.total_tolerance': .*no more than 18 digits"),
            ({"limits.min_total_amount": "1e-7"}, r"'limits\.min_total_amount': .*no more than 6 decimal places"),
            ({"ml.churn_horizon_days": 0}, r"'ml\.churn_horizon_days'"),
            (
                {"ml.promotions": [{"first": "2025-07-15", "last": "2025-07-14"}]},
                r"'ml\.promotions\.0\.last': 2025-07-14 is before first, 2025-07-15",
            ),
            ({"files": PEOPLE}, "'datasets': files are declared, and no data set is made of them"),
            (mapped(files=[]), r"'datasets\.users\.files': .*at least 1 item"),
            (mapped(select=" "), r"'datasets\.users\.select': is empty"),
            (
                {**mapped(rows_of="more"), "files": {**PEOPLE, "more": PEOPLE["people"]}},
                r"'datasets\.users\.rows_of': more is not among its files .*its files are people",
            ),
            (
                mapped(absent=["user_id"]),
                r"'datasets\.users\.absent': user_id is required .*optional are email, first_",
            ),
            (
                mapped(absent=["emial"]),
                r"'datasets\.users\.absent': emial is no column of users \(did you mean 'email'",
            ),
        ],
    )
    def test_an_impossible_one_is_refused_by_its_key(
        self, tmp_path: Path, change: dict[str, Any], message: str
    ) -> None:
        values = yaml.safe_load((CONF / "sources" / "generated.yaml").read_text(encoding="utf-8"))
        for key, value in change.items():
            part, _, inner = key.partition(".")
            values[part] = {**values[part], inner: value} if inner else value
        path = write_yaml(tmp_path / "shop.yaml", values)
        with pytest.raises(ConfigurationError, match=message):
            load_source(str(path))


def test_the_fingerprint_tells_settings_apart_and_nothing_else(settings: Settings) -> None:
    again = load_settings()
    other = again.model_copy(update={"database": "shop"})
    source = load_source("generated")
    assert configuration_fingerprint(settings, source) == configuration_fingerprint(again, load_source("generated"))
    assert configuration_fingerprint(settings, source) != configuration_fingerprint(other, source)
