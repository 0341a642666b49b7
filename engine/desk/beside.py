"""Which tracks must show different people, because both are in the picture at the same time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from engine.desk.grouping import Apart
from engine.desk.stored import StoredTrack

_BOTH_THERE_SECONDS = 0.5
"""Two tracks of one stream that overlap for longer than this are two people."""


def at_once(tracks: Sequence[StoredTrack]) -> Iterator[Apart]:
    """Yield each track with those of its stream that overlap it in time, as indices into ``tracks``.

    Copies of one run hold the same tracks: a track never overlaps itself.
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
    """Return what two tracks must share to be in the same picture."""
    return track.result.origin, track.stream, track.attempt
