"""Says what is wrong with a file that is no YAML, where, and what to do: PyYAML speaks of its own parser."""

from __future__ import annotations

import re
import unicodedata

from yaml.reader import ReaderError

_UNLIKE = re.compile(
    r"^(?:[ \t]*(?P<space>[\u00a0\u2000-\u200b\u202f\u3000\ufeff])"
    r"|[ ]*(?P<dash>[\u2010-\u2015\u2212])[ ]"
    r"|[ ]*(?:- +)?\w+(?P<colon>\uff1a))"
)
"""A character that is put there by a word processor or a page, and looks like one that YAML knows."""
_SECTION_OF_TOML = re.compile(r"\s*(?:#.*\n\s*)*\[\[?(?P<name>[\w.]+)\]\]?[ \t]*(?:#.*)?\n")
_WORDS = (
    ("'\\\\t'", "there is a tab in it: use spaces"),
    ("^found unhashable key$", "a key must be text"),
    ("^but found another document$", "it holds more than one document: use `---` only at its beginning"),
    ("^expected <block end>", "this line does not begin in the same column as those beside it: indent them alike"),
    (
        "^mapping values are not allowed",
        "a key cannot begin here: indent it like those beside it, and put a value that holds `: ` in quotes",
    ),
    ("^could not find expected ':'", "this is no `key: value`: write a colon and a space behind the key"),
    (r"^found character '(.)' that cannot start", r"a value that begins with \1 must be in quotes"),
    (r"^found undefined alias", "a value that begins with * must be in quotes"),
    (r"^could not determine a constructor", "a value that begins with ! must be in quotes"),
    (r"^found unexpected end of stream", "the quotes that begin here do not end"),
)
_FROM_THE_BEGINNING = ("while scanning a simple key", "while scanning a quoted scalar")
"""What PyYAML notices lines below the one that is wrong."""


def odd_in_key(key: str) -> str:
    """Return a clause on a character of a key that nobody sees; empty where there is none."""
    odd = next((one for one in key if (one.isspace() and one != " ") or unicodedata.category(one) == "Cf"), "")
    return f"there is a character U+{ord(odd):04X} in it that only looks like a space: type a plain one" if odd else ""


def unusable(error: Exception, text: str) -> tuple[int | None, str]:
    """Return the line (from 1) of what is wrong, None where it is not known, and a clause that says what to do as far as known.

    Args:
        error: what PyYAML raised.
        text: what it was given.
    """
    for number, written in enumerate(text.removeprefix("\ufeff").splitlines(), 1):  # which editors of Windows put there
        if unlike := _UNLIKE.match(written):
            code = ord(unlike[kind := str(unlike.lastgroup)])
            return number, f"there is a character U+{code:04X} that only looks like a {kind}: type a plain one"
    if toml := _SECTION_OF_TOML.match(text):
        name = toml["name"]
        return text.count("\n", 0, toml.start("name")) + 1, f"it looks like TOML: write {name}: and its keys indented below"
    if isinstance(error, ReaderError) and isinstance(error.character, int):
        number = text.count("\n", 0, error.position) + 1
        return number, f"there is a character U+{error.character:04X} that YAML does not allow: delete it"
    if isinstance(error, RecursionError):
        return None, "its lists and sections are nested too deeply"
    problem = " ".join(str(getattr(error, "problem", None) or error).split())
    context, begins, noticed = (getattr(error, name, None) for name in ("context", "context_mark", "problem_mark"))
    in_brackets = "while parsing a flow" in (context or "")
    mark = begins if begins and (in_brackets or context in _FROM_THE_BEGINNING) else noticed
    line = mark.line + 1 if mark else None
    if line and re.match(r" *\t", "".join(text.splitlines()[line - 1 : line])):
        return line, "it is indented with tabs: use spaces"
    if in_brackets:
        return line, "the { or [ that begins here does not end, or a comma is missing in it"
    said = ((re.search(pattern, problem), words) for pattern, words in _WORDS)
    return line, next((found.expand(words) for found, words in said if found), problem)
