"""Which tracks show different people because both are there at one time, in one picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from engine.desk.grouping import Apart
from engine.desk.stored import StoredTrack

_BOTH_THERE_SECONDS = 0.5
"""Two tracks of one stream that are both there for longer are two people."""


def at_once(tracks: Sequence[StoredTrack]) -> Iterator[Apart]:
    """Yield a track and those of its stream that are there at the same time, by their places in ``tracks``.

    Copies of one run hold the same tracks: a track is never beside itself.
    """
    numbered = sorted(enumerate(tracks), key=lambda one: (*_picture(one[1]), one[1].first_seconds))
    for _, group in groupby(numbered, key=lambda one: _picture(one[1])):
        there: list[tuple[int, StoredTrack]] = []
        for at, track in group:
            there = [(other, one) for other, one in there if one.last_seconds - track.first_seconds > _BOTH_THERE_SECONDS]
            if track.last_seconds - track.first_seconds <= _BOTH_THERE_SECONDS:
                continue
            if others := [other for other, one in there if one.track_id != track.track_id]:
                yield [at], others
            there.append((at, track))


def _picture(track: StoredTrack) -> tuple[str, str, str]:
    """Return what two tracks have in common that can be in one picture."""
    return track.result.origin, track.stream, track.attempt
