"""Faces that a worker had in hand when it died: which of them are lost, and what their streams report in the end."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import TypeVar

from msgspec.structs import replace

from engine.contracts.faces import Sighting
from engine.contracts.streams import StreamChanged

Passed = TypeVar("Passed")
_MOST_DEATHS = 3
"""A face that so many workers died with may be what they die of: it must not end a run that has cameras."""
_REMEMBERED = 1024
"""More than one worker has in hand."""


class Losses:
    """The account of one way from worker to worker.

    A camera's face is lost with the worker, counted as dropped, and no fault of its stream. A recording's goes to the
    successor, unless it was in hand of ``_MOST_DEATHS`` that died: then its stream has failed, in its last state.
    """

    def __init__(self) -> None:
        self._faces: Counter[str] = Counter()
        self._deaths: OrderedDict[tuple[str, int, int], int] = OrderedDict()

    def dies_with(self, face: Sighting) -> bool:
        """Return whether a face is lost that a worker had in hand when it died, and note it."""
        if not face.live:
            key = face.stream, face.track_id, face.time.frame_index
            deaths = self._deaths.pop(key, 0) + 1
            if deaths < _MOST_DEATHS:
                self._deaths[key] = deaths
                if len(self._deaths) > _REMEMBERED:
                    self._deaths.popitem(last=False)
                return False
        self.add(face)
        return True

    def add(self, face: Sighting) -> None:
        """Note a face that is lost."""
        if not face.live:
            self._faces[face.stream] += 1

    def tell(self, item: Passed) -> Passed:
        """Return what goes this way now, with the losses of its stream if it is the last of it; call it for each item."""
        if isinstance(item, StreamChanged) and item.is_last and (faces := self._faces.pop(item.stream, 0)):
            return replace(item, lost=item.lost + faces)
        return item
