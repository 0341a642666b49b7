"""Refuses empty arguments, such as an unset shell variable: taken as left out, an empty picture would mean every picture of a
person, and an empty folder the current one."""

from __future__ import annotations

from collections.abc import Sequence

_EMPTY_IS_A_VALUE = frozenset(["run", "serve", "check", "ctl"])
"""Commands that take settings, of which an empty one switches something off."""
_NAMES_A_PLACE = frozenset(["--out", "-o", "--keys", "--sign", "--source", "-s", "--credentials", "--crop-uri"])
"""Options of theirs that are no such settings: an empty path is the current folder."""


def empty_word(arguments: Sequence[str]) -> str:
    """Return a sentence about the first argument that is empty and must not be; an empty one if there is none.

    Args:
        arguments: of ``facestream``, the command first.
    """
    takes_settings = arguments[0] in _EMPTY_IS_A_VALUE
    for place, word in enumerate(arguments[1:], 1):
        option, equals, value = word.partition("=")
        if option.startswith("--") and equals and not value and not (takes_settings and option not in _NAMES_A_PLACE):
            return _said(option)
        before = arguments[place - 1]
        if not word and not (takes_settings and before not in _NAMES_A_PLACE):
            return _said(before if before.startswith("-") else f"argument {place}")
    return ""


def _said(what: str) -> str:
    return f"{what} is empty, perhaps because a shell variable is not set: give it a value, or leave it out"
