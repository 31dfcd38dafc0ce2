"""The key that turns personal data into tokens: outside data and repository, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from common.errors import ConfigurationError

VARIABLE = "ECOMMERCE_TOKEN_KEY_FILE"
_KEY_BYTES = 32


def key_path(environment: Mapping[str, str], venv: Path) -> Path:
    """Where the key is: the variable's file, the user's configuration directory, or the environment without a home."""
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE]).expanduser()
    home = environment.get("XDG_CONFIG_HOME") or (f"{environment['HOME']}/.config" if environment.get("HOME") else "")
    usual = Path(home, "ecommerce-platform", "token.key") if home else None
    fallback = venv / "token.key"
    if usual is None or (not usual.exists() and (fallback.exists() or not _can_create(usual))):
        return fallback
    return usual


def ensure_key(path: Path) -> bool:
    """Makes a key of 32 random bytes in hex where there is none.

    Returns:
        Whether one was made.

    Raises:
        ConfigurationError: If it cannot be written.
    """
    if path.exists():
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made complete beside and linked into place: two set-ups at once agree on one key, and none is ever half.
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(_KEY_BYTES) + "\n")
        try:
            os.link(beside, path)
        except FileExistsError:
            return False
        finally:
            beside.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"cannot write the token key: {error.strerror}",
            where=str(path),
            remedy=f"name a file you can write in {VARIABLE}",
        ) from error
    return True


def _can_create(path: Path) -> bool:
    existing = next(parent for parent in path.parents if parent.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
