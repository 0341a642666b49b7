"""Shows foreign text so that it cannot control the terminal."""

from __future__ import annotations

import unicodedata

_STEERS = {"Cc", "Cs", "Zl", "Zp"}
_REORDERS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """Return a text with escapes, as ``\\x1b``, for control characters, line breaks, what reorders text, and what is not UTF-8.

    All else stays, also joiners and marks of direction, which belong to names.
    """
    return text if text.isascii() and text.isprintable() else "".join(map(_plain, text))


def plain_lines(text: str) -> str:
    """Return the same of a text of several lines, which stay."""
    return "\n".join(map(plain, text.split("\n")))


def _plain(character: str) -> str:
    if unicodedata.category(character) not in _STEERS and character not in _REORDERS:
        return character
    return character.encode("unicode_escape").decode()
