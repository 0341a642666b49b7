"""Breaking a text into lines, where each letter stands for itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_WORD = re.compile(r"\S+(?:(?<=\d) (?:%|px)(?!\w)\S*)?")
"""A number stays with its unit."""


def lines_of(text: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    """Yield the lines of a text: broken at spaces and line breaks, and within what is longer than a line.

    Args:
        text: any; spaces at the end of a line are left out.
        width: of a line.
        measure: tells the width of a piece of text, which is the sum of its characters'.
    """
    space = measure(" ")
    for paragraph in text.split("\n"):
        line, used = list[str](), 0.0
        for word in _WORD.findall(paragraph):
            for piece in _pieces(word, width, measure):
                room = measure(piece)
                if line and used + space + room > width:
                    yield " ".join(line)
                    line, used = [], 0.0
                used += room + (space if line else 0.0)
                line.append(piece)
        yield " ".join(line)


def _pieces(word: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    """Yield a word, in several pieces where it is longer than a line."""
    if measure(word) <= width:
        yield word
        return
    start, used = 0, 0.0
    for end, character in enumerate(word):
        used += (room := measure(character))
        if used > width and end > start:
            yield word[start:end]
            start, used = end, room
    yield word[start:]
