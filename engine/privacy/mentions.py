"""Where a person's name stands, however it is written down: as UTF-8 or UTF-16, escaped for JSON, a URL, HTML or CSV."""

from __future__ import annotations

import codecs
import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from engine.archive.files import first_data
from engine.contracts.unreadable import UNREADABLE
from engine.verify.gallery.person_name import spelling

_BLOCK_BYTES, _OVERLAP_BYTES = 1 << 20, 1 << 13
_ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|["\\/])')
_MOST_PEOPLE = 10_000
"""Whose names are remembered as not meant: the same few stand in all lines."""
_JOINERS = "\u200c\u200d"


class Mentions:
    """The names of one person.

    Args:
        names: as given; compared by their spelling. "Ann" is not in "Anna", nor in "Ann\\u0303".
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(dict.fromkeys(filter(None, map(spelling, names))))
        self._is_one = lru_cache(_MOST_PEOPLE)(lambda text: spelling(text) in self.names)

    def is_name(self, text: object) -> bool:
        """Whether a whole text is a name of the person."""
        return isinstance(text, str) and self._is_one(text)

    def found_in(self, data: bytes) -> bool:
        """Whether a name stands in some bytes, as words of their own, in any of the ways to write it down."""
        return any(self._stands_in(text) for text in _readings(data))

    def found_in_file(self, path: Path) -> bool:
        """The same of a file.

        Raises:
            OSError: it cannot be read.
        """
        with path.open("rb") as file:
            file.seek(first_data(path))
            before = b""
            while block := file.read(_BLOCK_BYTES):
                if self.found_in(before + block):
                    return True
                before = block[-_OVERLAP_BYTES:]
        return False

    def hide(self, value: Any) -> Any:
        """Return a tree of mappings, lists and texts without the names, in whose place stands ``[name]``; keys stay, as they
        are those of a format."""
        if isinstance(value, str):
            for name in self.names:
                value = "[name]".join(_split(unicodedata.normalize("NFC", value), name))
            return value
        if isinstance(value, dict):
            return {key: self.hide(below) for key, below in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide(below) for below in value]
        return value

    def _stands_in(self, text: str) -> bool:
        text = unicodedata.normalize("NFC", text)
        return any(len(_split(text, name)) > 1 for name in self.names)


def without_candidates(line: bytes) -> bytes:
    """Return a line of faces or tracks without its candidates, each of which is one name: "Ann" is not "Ann Lee"."""
    try:
        record = msgspec.json.decode(line, type=dict[str, Any])
    except UNREADABLE:
        return line
    record.pop("candidates", None)
    return msgspec.json.encode(record)


def _readings(data: bytes) -> Iterator[str]:
    text = data.decode("utf-8", "surrogateescape")
    yield text
    if "\\" in text:
        yield _ESCAPE.sub(_unescaped, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "%" in text:
        percent = unquote_to_bytes(data).decode("utf-8", "surrogateescape")
        yield percent
        yield percent.replace("+", " ")
    if "&" in text:
        yield html.unescape(text)
    if '""' in text:
        yield text.replace('""', '"')
    if b"\0" in data:
        for order in ("utf-16-le", "utf-16-be"):
            for start in (0, 1):
                yield codecs.decode(data[start:], order, "replace")


def _unescaped(found: re.Match[str]) -> str:
    return found[1] if len(found[1]) == 1 else chr(int(found[1][1:], 16))


def _split(text: str, name: str) -> list[str]:
    """Return what is between the places where a name stands as words of their own."""
    pieces, start, at = [], 0, text.find(name)
    while at >= 0:
        end = at + len(name)
        if not (at and _joins(text[at - 1])) and not (end < len(text) and _joins(text[end])):
            pieces.append(text[start:at])
            start = end
        at = text.find(name, max(end if start == end else at + 1, at + 1))
    return [*pieces, text[start:]]


def _joins(character: str) -> bool:
    """Whether a character beside a name makes it part of another word."""
    return character.isalnum() or character in _JOINERS or unicodedata.category(character)[0] == "M"
