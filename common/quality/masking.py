"""Rows shown to people: their form without their content."""

from __future__ import annotations

import re

_JSON_KEY = re.compile(r'("\w+"\s*:)')


def mask(payload: bytes, limit: int | None = None) -> str:
    """A row with its letters as x and its digits as 9; the names of JSON fields and the punctuation stay.

    Args:
        payload: The row as it came.
        limit: Longer texts are cut after so many characters.
    """
    parts = _JSON_KEY.split(readable(payload))
    masked = "".join(part if index % 2 else _blank(part) for index, part in enumerate(parts))
    return shorten(masked, limit)


def readable(payload: bytes) -> str:
    """The bytes as text; those that are none show as their code."""
    return payload.decode("utf-8", errors="backslashreplace")


def shorten(text: str, limit: int | None) -> str:
    """A text cut after so many characters, with a sign that it was."""
    return text if limit is None or len(text) <= limit else f"{text[:limit]}…"


def _blank(text: str) -> str:
    # A literal that is no text says nothing about a person and a lot about the defect.
    kept = re.split(r"\b(null|true|false)\b", text)
    return "".join(
        part if index % 2 else re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "9", part)) for index, part in enumerate(kept)
    )
