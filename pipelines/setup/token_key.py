"""The key that turns personal data into tokens: outside data and repository, readable by its owner only."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from common.errors import ConfigurationError

VARIABLE = "ECOMMERCE_TOKEN_KEY_FILE"
_KEY_BYTES = 32


def key_path(environment: Mapping[str, str], venv: Path) -> Path:
    """Where the key is: the variable's file, the one of the last set-up, or the user's configuration directory.

    Without a home directory to write in it is in the environment. The one of the last set-up goes first so that a job
    which a scheduler starts with another home makes the same tokens.
    """
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE]).expanduser().absolute()
    recorded = _recorded(venv / "platform.env")
    if recorded is not None and recorded.is_file():
        return recorded
    home = environment.get("XDG_CONFIG_HOME") or (f"{environment['HOME']}/.config" if environment.get("HOME") else "")
    usual = Path(home, "ecommerce-platform", "token.key") if home else None
    fallback = venv / "token.key"
    if usual is None or (not usual.exists() and (fallback.exists() or not _can_create(usual))):
        return fallback
    return usual


def place_key(environment: Mapping[str, str], venv: Path) -> tuple[Path, bool]:
    """Makes sure that there is a key, in the environment where the user's directories refuse it.

    Returns:
        Where it is, and whether it was made.

    Raises:
        ConfigurationError: If it cannot be written where the variable says, or anywhere.
    """
    path = key_path(environment, venv)
    try:
        return path, ensure_key(path)
    except ConfigurationError:
        if environment.get(VARIABLE):
            raise
        return venv / "token.key", ensure_key(venv / "token.key")


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


def _recorded(environment_file: Path) -> Path | None:
    if not environment_file.is_file():
        return None
    text = environment_file.read_text(encoding="utf-8")
    found = re.search(rf"^: \"\$\{{{VARIABLE}:=(.*)\}}\"$", text, re.MULTILINE)
    return Path(found.group(1)) if found else None


def _can_create(path: Path) -> bool:
    existing = next(parent for parent in path.parents if parent.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
