"""Faces of recordings that a worker took along when it died: the last state of their stream tells of them, and has failed."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

from msgspec.structs import replace

from engine.contracts.streams import StreamChanged

Passed = TypeVar("Passed")


class Losses:
    """The account of one way from worker to worker. What a camera loses is counted as dropped and no fault of its stream."""

    def __init__(self) -> None:
        self._faces: Counter[str] = Counter()

    def add(self, stream: str, *, live: bool) -> None:
        """Note a face that is lost."""
        if not live:
            self._faces[stream] += 1

    def tell(self, item: Passed) -> Passed:
        """Return what goes this way now, with the losses of its stream if it is the last of it; call it for each item."""
        if isinstance(item, StreamChanged) and item.is_last and (faces := self._faces.pop(item.stream, 0)):
            return replace(item, lost=item.lost + faces)
        return item
