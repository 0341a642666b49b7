"""Segments of a recording: where each begins, and behind which frame it may end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from engine.contracts.recording import Start
from engine.jobs.scan import Key, Scan

_LEAD_FRAMES = 12
"""At least so many pictures are decoded before the first that counts: what a decoder, and the filters behind it, remember of
earlier ones is by then what it would be."""
_PATIENCE, _LEAST_PATIENCE = 3, 250
"""A segment gives up that has met no join point in the first third of its length, and at least so many frames: if
it never does, this is in vain."""


class Segment(msgspec.Struct, frozen=True):
    """A part of a recording. It ends at its first join point (``Point``) that is at or behind ``stop_after``, or one of
    ``joins``, or with the recording."""

    start: Start | None = None
    """None: the beginning of the recording."""
    stop_after: int | None = None
    """Frame index; None: no join point ends it but those of ``joins``."""
    frames: int = 0
    """About how many frames that are; 0: not known."""
    patience: int | None = None
    """It gives up where it has met no join point after so many frames: nothing of it could be used up to there. None: never."""
    joins: tuple[int, ...] = ()
    """Frames at which a later segment has a join point, in order."""

    @property
    def first_frame(self) -> int:
        """Index of its first frame."""
        return 0 if self.start is None else self.start.frame_index


WHOLE = Segment()
"""A whole recording."""


def segments_of(scan: Scan, seconds: float) -> list[Segment]:
    """Return the segments of a recording, in order; one that cannot be cut, or is hardly longer than a segment, is one.

    Args:
        scan: of the recording.
        seconds: that a segment should have.
    """
    starts = list(_starts(scan, seconds))
    bounds = [0, *(start.frame_index for start in starts), scan.frames]
    found = []
    for number, start in enumerate([None, *starts]):
        frames, is_last = bounds[number + 1] - bounds[number], number == len(starts)
        patience = None if start is None else max(_LEAST_PATIENCE, frames // _PATIENCE)
        found.append(Segment(start, None if is_last else bounds[number + 1] - 1, frames, patience))
    return found


def start_before(keys: Sequence[Key], frame_index: int, after_ticks: int, since_mark: int) -> Start | None:
    """Return how a recording is read from a frame on; None: from its beginning, as there is no key frame to begin with.

    Args:
        keys: of its scan.
        frame_index: of the frame.
        after_ticks: time stamp of the one before it.
        since_mark: see ``Start``.
    """
    ahead = (key for key in reversed(keys) if key.ticks <= after_ticks and frame_index - key.frame_index >= _LEAD_FRAMES)
    lead = next(ahead, None)
    return None if lead is None else Start(frame_index, after_ticks, since_mark, lead.ticks, lead.origin_seconds)


def _starts(scan: Scan, seconds: float) -> Iterator[Start]:
    """Yield where the segments but the first begin: with the first key frame behind each multiple of their length."""
    due = seconds
    for number, key in enumerate(() if scan.whole else scan.keys):
        if key.seconds < due:
            continue
        if scan.seconds - key.seconds < seconds / 2:
            return
        before = scan.keys[max(0, number - _LEAD_FRAMES - 1) : number]
        if (start := start_before(before, key.frame_index, key.before_ticks, key.since_mark)) is not None:
            yield start
            due = key.seconds + seconds
