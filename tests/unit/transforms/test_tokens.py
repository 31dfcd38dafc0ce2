from __future__ import annotations

import hashlib
import hmac

import pytest
from chispa import assert_df_equality
from pyspark.sql import functions as F

from common.errors import ConfigurationError
from common.storage.local_frames import local_frame
from common.transforms.dimensions import user_history
from common.transforms.tokens import (
    TokenKey,
    key_file,
    load_key,
    normalized_email,
    normalized_name,
    normalized_phone,
    with_tokens,
)

SECRET = b"0f1e2d3c4b5a69788796a5b4c3d2e1f7"
KEY = TokenKey(SECRET)


def _token(text: str) -> str:
    return hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()


def _key_file(tmp_path, content: bytes = SECRET + b"\n", mode: int = 0o600):
    path = tmp_path / "token.key"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_tokens_are_keyed_hashes_and_null_stays_null(spark):
    frame = local_frame(spark, [(1, "ann@example.com"), (2, None), (3, "ünï@example.com")], "id int, email string")
    expected = [(1, _token("ann@example.com")), (2, None), (3, _token("ünï@example.com"))]

    assert_df_equality(
        with_tokens(frame, {"email": "email_token"}, KEY), local_frame(spark, expected, "id int, email_token string")
    )


def test_spellings_of_one_value_agree(spark):
    rows = [
        (" Ann@Example.COM ", "+1 (555) 010-99", " Ann ", "van  LEE"),
        ("  ", "n/a", None, " "),
        (None, None, None, None),
    ]
    frame = local_frame(spark, rows, "email string, phone string, first_name string, last_name string")
    found = frame.select(
        normalized_email().alias("email"), normalized_phone().alias("phone"), normalized_name().alias("name")
    )
    expected = [("ann@example.com", "155501099", "ann van lee"), (None, None, None), (None, None, None)]

    assert_df_equality(found, local_frame(spark, expected, "email string, phone string, name string"))


def test_the_key_shows_in_no_plan(spark, capsys):
    schema = """user_id string, email string, phone string, first_name string, last_name string, gender string,
        birth_date date, city string, state string, country string, signup_ts timestamp, marketing_opt_in boolean,
        loyalty_tier string, updated_at timestamp, op string, _payload_hash bigint"""
    frame = user_history(local_frame(spark, [], schema), KEY, "UTC")
    frame.explain("extended")
    frame.collect()
    shown = capsys.readouterr().out + frame._jdf.queryExecution().toString()

    assert "token" in shown
    for form in (SECRET.decode(), SECRET.hex(), repr(list(SECRET)), ", ".join(f"{byte:02X}" for byte in SECRET)):
        assert form not in shown
    assert SECRET.decode() not in repr(KEY)


def test_a_key_is_read_without_its_newline(tmp_path):
    assert load_key(_key_file(tmp_path)) == KEY


def test_keys_are_told_apart_without_being_shown():
    assert KEY.identity == TokenKey(SECRET).identity
    assert KEY.identity != TokenKey(SECRET[::-1]).identity
    assert KEY.identity not in SECRET.decode()


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (SECRET, 0o644, "others can read"),
        (SECRET, 0o640, "others can read"),
        (b"short\n", 0o600, "shorter than 16 bytes"),
        (b"", 0o600, "shorter than 16 bytes"),
    ],
)
def test_a_key_that_is_no_key_is_refused(tmp_path, content, mode, message):
    with pytest.raises(ConfigurationError, match=message) as refused:
        load_key(_key_file(tmp_path, content, mode))
    assert SECRET.decode() not in str(refused.value)


def test_a_missing_key_says_what_to_run(tmp_path):
    with pytest.raises(ConfigurationError, match=r"run \./build\.sh setup") as refused:
        load_key(tmp_path / "none")
    assert refused.value.exit_code == 2


def test_the_key_file_is_the_variables_or_the_users(tmp_path):
    assert key_file({"ECOMMERCE_TOKEN_KEY_FILE": "/k/one.key", "HOME": str(tmp_path)}).name == "one.key"
    usual = tmp_path / "x" / "ecommerce-platform" / "token.key"
    usual.parent.mkdir(parents=True)
    usual.write_bytes(SECRET)
    assert key_file({"XDG_CONFIG_HOME": str(tmp_path / "x"), "HOME": "/nowhere"}) == usual


def test_with_tokens_leaves_other_columns(spark):
    frame = spark.range(1).select(F.lit("a").alias("email"), F.lit(1).alias("other"))
    assert with_tokens(frame, {"email": "email_token"}, KEY).columns == ["email_token", "other"]
