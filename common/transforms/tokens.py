"""Tokens in place of personal data: HMAC-SHA256 under a key that lives outside of data and repository.

A plain hash of an e-mail address or a phone number is found again by hashing all of them; without the key a token is
not. The key travels in the closure of a function and never as a literal, which `explain` and event logs would show.
"""

from __future__ import annotations

import hmac
import os
import stat
import sys
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf

from common.errors import ConfigurationError

VARIABLE = "ECOMMERCE_TOKEN_KEY_FILE"
_MIN_KEY_BYTES = 16


@dataclass(frozen=True)
class TokenKey:
    """The key; its content stays out of `repr` and of messages."""

    secret: bytes = field(repr=False)

    @property
    def identity(self) -> str:
        """Tells two keys apart without giving either away: tokens of another key mean that the table is made anew."""
        return hmac.digest(self.secret, b"identity of this key", "sha256").hex()[:16]


def key_file(environment: Mapping[str, str] | None = None) -> Path:
    """Where the key is: the variable's file, the user's configuration directory, or the Python environment.

    The last is where set-up puts it when there is no home directory to write to.
    """
    known = os.environ if environment is None else environment
    if known.get(VARIABLE):
        return Path(known[VARIABLE]).expanduser()
    home = known.get("XDG_CONFIG_HOME") or (f"{known['HOME']}/.config" if known.get("HOME") else "")
    in_environment = Path(sys.prefix, "token.key")
    usual = Path(home, "ecommerce-platform", "token.key") if home else in_environment
    return in_environment if not usual.exists() and in_environment.exists() else usual


def load_key(path: Path | None = None) -> TokenKey:
    """Read the key.

    Args:
        path: The file; default `key_file()`.

    Raises:
        ConfigurationError: If it is missing, too short, or others can read it.
    """
    path = path or key_file()
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            secret = stream.read().strip()
    except OSError as error:
        raise ConfigurationError(
            f"no token key: {error.strerror}",
            where=str(path),
            remedy=f"run ./build.sh setup, or name a file in {VARIABLE}",
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError("others can read the token key", where=str(path), remedy=f"chmod 600 {path}")
    if len(secret) < _MIN_KEY_BYTES:
        raise ConfigurationError(
            f"the token key is shorter than {_MIN_KEY_BYTES} bytes",
            where=str(path),
            remedy="remove it and run ./build.sh setup",
        )
    return TokenKey(secret)


def normalized_email() -> Column:
    """The address as two spellings of it agree: trimmed, lower case; null when nothing is left."""
    return F.nullif(F.lower(F.trim("email")), F.lit(""))


def normalized_phone() -> Column:
    """The digits of the number; null when there are none."""
    return F.nullif(F.regexp_replace("phone", "[^0-9]", ""), F.lit(""))


def normalized_name() -> Column:
    """First and last name in lower case, one space between words; null when both are missing."""
    words = F.lower(F.trim(F.concat_ws(" ", "first_name", "last_name")))
    return F.nullif(F.regexp_replace(words, r"\s+", " "), F.lit(""))


def with_tokens(frame: DataFrame, columns: Mapping[str, str], key: TokenKey) -> DataFrame:
    """Replace columns by their tokens (64 hexadecimal digits; null stays null).

    Args:
        frame: Has the columns, as normalised text.
        columns: From the column to the name of its token.
        key: The key.
    """
    tokenize = _tokenizer(key.secret)
    return frame.withColumns({name: tokenize(F.col(name)) for name in columns}).withColumnsRenamed(dict(columns))


def _tokenizer(secret: bytes) -> Callable[[Column], Column]:
    def token(values: pa.Array) -> pa.Array:
        texts = [None if text is None else text.encode() for text in values.to_pylist()]
        tokens = [b"" if text is None else hmac.digest(secret, text, "sha256").hex().encode() for text in texts]
        ends = array("i", accumulate((len(each) for each in tokens), initial=0))
        # `pa.array` asks whether it is given an object of pandas, and imports that in each worker: a second or two.
        return pa.StringArray.from_buffers(
            len(tokens),
            pa.py_buffer(ends),
            pa.py_buffer(b"".join(tokens)),
            values.is_valid().buffers()[1],
            values.null_count,
        )

    # The annotations of pyspark tell kinds of function apart by a protocol that a plain function does not match.
    return arrow_udf(token, "string")  # type: ignore[call-overload, no-any-return]
