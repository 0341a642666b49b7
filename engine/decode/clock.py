"""Time stamps of a stream in seconds, also where it has none, and where they jump."""

from __future__ import annotations

from fractions import Fraction

JITTER_FRAMES = 1.5
"""Steps back of less than this many frames are careless muxing, not a jump."""


class StreamClock:
    """Follow the time stamps of one stream's frames in the order in which they are shown.

    Args:
        time_base: seconds per tick of its time stamps.
        frame_seconds: nominal duration of a frame; carries the clock on where a frame has no time stamp.
        max_gap_seconds: a longer step forward is a jump.
        held_seconds: steps back of up to this are no jump either; the clock then stands still until they are made up for.
    """

    def __init__(self, time_base: Fraction, frame_seconds: float, max_gap_seconds: float, held_seconds: float = 0.0) -> None:
        self.time_base = (time_base.numerator, time_base.denominator)
        self._frame_seconds = frame_seconds
        self._max_gap_seconds = max_gap_seconds
        self._held_seconds = held_seconds
        self._last_seconds: float | None = None

    def advance(self, ticks: int | None) -> tuple[float, bool]:
        """Return the next frame's time in seconds, and whether it jumped away from the frame before.

        Args:
            ticks: the frame's time stamp, None if it has none.
        """
        last = self._last_seconds
        if ticks is None:
            self._last_seconds = 0.0 if last is None else last + self._frame_seconds
            return self._last_seconds, False
        now = ticks * self.time_base[0] / self.time_base[1]
        if last is not None and 0.0 < last - now <= self._held_seconds:
            return last, False
        self._last_seconds = now
        if last is None:
            return now, False
        step = now - last
        return now, step > self._max_gap_seconds or step < -JITTER_FRAMES * self._frame_seconds
