"""Arguments that are empty, as a variable of the shell that is not set: taken for one that was left out, an empty picture would
mean all of a person, and an empty folder the one where the command was started."""

from __future__ import annotations

from collections.abc import Sequence

_EMPTY_IS_A_VALUE = frozenset(["run", "serve", "check", "ctl"])
"""Commands that take settings, of which an empty one switches something off."""


def empty_word(arguments: Sequence[str]) -> str:
    """Return what to say of the first argument that is empty; nothing where there is none, or it may be.

    Args:
        arguments: of ``facestream``, the command first.
    """
    if arguments[0] in _EMPTY_IS_A_VALUE:
        return ""
    for place, word in enumerate(arguments[1:], 1):
        option, equals, value = word.partition("=")
        if option.startswith("--") and equals and not value:
            return _said(option)
        if not word:
            before = arguments[place - 1]
            return _said(before if before.startswith("--") else f"argument {place}")
    return ""


def _said(what: str) -> str:
    return f"{what} is empty, as where a variable of the shell is not set: give it a value, or leave it out"
