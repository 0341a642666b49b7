"""The elements of Matroska files (EBML, RFC 8794)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SEGMENT = 0x18538067


class Head(NamedTuple):
    """The head of an element."""

    identity: int
    begin: int
    """Offset of the content."""
    length: int | None
    """Length of the content in bytes; None: unknown."""


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield id and content of the elements in some data; an element that reaches beyond its end, or has no length, is yielded
    as far as it goes.

    Raises:
        IndexError: the data end within a head.
    """
    at = 0
    while at < len(data):
        head = head_at(data, at)
        end = len(data) if head.length is None else head.begin + head.length
        yield head.identity, data[head.begin : end]
        at = end


def head_at(data: bytes, at: int) -> Head:
    """Return the head of the element at an offset.

    Raises:
        IndexError: the data end within it.
    """
    identity, at = _number(data, at, keep_mark=True)
    length, begin = _number(data, at, keep_mark=False)
    return Head(identity or 0, begin, length)


def _number(data: bytes, at: int, *, keep_mark: bool) -> tuple[int | None, int]:
    """Return a number of variable length, None if it means unknown, and the offset after it."""
    first = data[at]
    count = 9 - first.bit_length()
    value = int.from_bytes(data[at : at + count], "big")
    if keep_mark:
        return value, at + count
    most = (1 << 7 * count) - 1
    return (None if value & most == most else value & most), at + count
