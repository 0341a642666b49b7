"""The elements of which Matroska files are made (EBML, RFC 8794)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SEGMENT = 0x18538067


class Head(NamedTuple):
    """What stands before an element's content."""

    identity: int
    begin: int
    """Where the content begins."""
    length: int | None
    """Of the content, in bytes; None: unknown."""


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the elements of a piece; one that reaches over its end, or has no length, is yielded as far as it goes.

    Raises:
        IndexError: the piece ends within a head.
    """
    at = 0
    while at < len(data):
        head = head_at(data, at)
        end = len(data) if head.length is None else head.begin + head.length
        yield head.identity, data[head.begin : end]
        at = end


def head_at(data: bytes, at: int) -> Head:
    """Return the head of the element that begins at a place of a piece.

    Raises:
        IndexError: the piece ends before.
    """
    identity, at = _number(data, at, keep_mark=True)
    length, begin = _number(data, at, keep_mark=False)
    return Head(identity or 0, begin, length)


def _number(data: bytes, at: int, *, keep_mark: bool) -> tuple[int | None, int]:
    """Return a number of variable length, None for the one that means unknown, and where the next begins."""
    first = data[at]
    count = 9 - first.bit_length()
    value = int.from_bytes(data[at : at + count], "big")
    if keep_mark:
        return value, at + count
    most = (1 << 7 * count) - 1
    return (None if value & most == most else value & most), at + count
