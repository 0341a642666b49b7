"""Whole pictures, beside one person's face, on which others may be seen."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable

from engine.privacy.cutting import Record

AROUND_SECONDS = 10.0
"""Somebody may be in the picture before a face is found, and after the last one."""
_SCENE = "scene"


class Presence:
    """When somebody was in the pictures of each stream.

    Args:
        spans: stream, first and last second of each of their tracks, by the stream's clock.
    """

    def __init__(self, spans: Iterable[tuple[str, float, float]]) -> None:
        self._spans: dict[str, list[tuple[float, float]]] = {}
        for stream, first, last in sorted(spans):
            of_stream = self._spans.setdefault(stream, [])
            first, last = first - AROUND_SECONDS, last + AROUND_SECONDS
            if of_stream and first <= of_stream[-1][1]:
                of_stream[-1] = of_stream[-1][0], max(last, of_stream[-1][1])
            else:
                of_stream.append((first, last))

    def covers(self, record: Record) -> bool:
        """Whether somebody may be on the scene of a face: also where its time is not told, and the stream had them."""
        spans = self._spans.get(str(record.get("stream")))
        if not spans:
            return False
        seconds = record.get("pts_seconds")
        if not isinstance(seconds, int | float):
            return True
        place = bisect_right(spans, (float(seconds), math.inf)) - 1
        return place >= 0 and seconds <= spans[place][1]


def without_scene(record: Record) -> Record:
    """Return the record of a face without the whole picture, the same object where it has none."""
    files, parts = record.get("files"), record.get("parts")
    left: Record = {}
    if isinstance(files, dict) and _SCENE in files:
        left["files"] = {name: file for name, file in files.items() if name != _SCENE}
    if isinstance(parts, list) and any(_is_scene(part) for part in parts):
        left["parts"] = [part for part in parts if not _is_scene(part)]
    return record | left if left else record


def _is_scene(part: object) -> bool:
    return isinstance(part, dict) and part.get("name") == _SCENE
