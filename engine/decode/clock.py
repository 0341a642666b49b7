"""Turns a stream's time stamps into seconds, even if some are missing or jump."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

JITTER_FRAMES = 1.5
"""Steps back by fewer frames than this are put down to careless muxing, not a jump."""
FIRST_STEP_SECONDS = 1.0
"""A longer step from frames without time stamps to the first stamp means that the stamps have another origin."""
_MOST_AHEAD_SECONDS = 0.5
"""How far time may run ahead of repeated stamps and then wait for them; if they stood still for longer it goes on."""
_WRAPS_TICKS = (1 << 33, 1 << 32, -(1 << 31))
"""Where counters of time stamps wrap: in MPEG-2 systems, and in containers with 32 bits. FLV has 31 bits, which FFmpeg takes
for 32: time then runs ahead by the difference.
"""
Bridge = Literal["none", "backward", "both"]


class StreamClock:
    """Follows the time stamps of one stream's frames in presentation order.

    Args:
        time_base: seconds per tick of its time stamps.
        frame_seconds: nominal duration of a frame; advances the clock if a frame has no time stamp.
        max_gap_seconds: a longer step forward is a jump.
        held_seconds: steps back of up to this are no jump either; the clock then stands still until the stamps catch up.
        starts_at_seconds: the time stamp at which the clock is 0, or the first one if that is earlier; None: its time is that
            of the time stamps.
        bridge: jumps over which time continues with the next frame, as in a player; other jumps move the clock. With any of
            them time never runs backwards: it waits where stamps step back a little, and goes on where they keep doing so.
        unstamped_first: frames before the first time stamp are taken to precede it directly, however far from 0 it is.
        unstamped_repeats: a repeated time stamp counts as missing: in some joined recordings time stands still.
    """

    def __init__(
        self,
        time_base: Fraction,
        frame_seconds: float,
        max_gap_seconds: float,
        held_seconds: float = 0.0,
        *,
        starts_at_seconds: float | None = None,
        bridge: Bridge = "none",
        unstamped_first: bool = False,
        unstamped_repeats: bool = False,
    ) -> None:
        self.time_base = (time_base.numerator, time_base.denominator)
        self._frame_seconds, self._jitter_seconds = frame_seconds, JITTER_FRAMES * frame_seconds
        self._max_gap_seconds = max_gap_seconds
        self._held_seconds = held_seconds
        self._starts_at_seconds = starts_at_seconds
        self._bridge = bridge
        self._joins = unstamped_first
        self._skips_repeats = unstamped_repeats
        self._ticks: int | None = None
        """The newest time stamp."""
        self._repeats = False
        """Whether the newest time stamp came again."""
        self._newest_seconds: float | None = None
        """Its time."""
        self._is_back = False
        """Whether it is a little before the one that came before it."""
        self._stamped_seconds: float | None = None
        """The time of the newest one that was believed."""
        self._wraps_seconds = [float(ticks * time_base) for ticks in _WRAPS_TICKS]
        self._shift_seconds = 0.0
        """Offset that is added to a time stamp."""
        self._last_seconds: float | None = None

    @property
    def origin_seconds(self) -> float:
        """The time stamp that is now time 0: a clock that starts at it continues like this one."""
        return -self._shift_seconds

    def advance(self, ticks: int | None) -> tuple[float, bool]:
        """Return the next frame's time in seconds, and whether it jumped from the frame before.

        Args:
            ticks: the frame's time stamp, None if it has none.
        """
        last = self._last_seconds
        if ticks is None or (self._skips_repeats and ticks == self._ticks):
            self._repeats = self._repeats or ticks is not None
            self._last_seconds = 0.0 if last is None else last + self._frame_seconds
            return self._last_seconds, False
        stood_still, self._repeats, self._ticks = self._repeats, False, ticks
        stamp = ticks * self.time_base[0] / self.time_base[1]
        if last is None:
            if self._starts_at_seconds is not None:
                self._shift_seconds = -min(self._starts_at_seconds, stamp)
            self._joins = False
            self._last_seconds = self._stamped_seconds = self._newest_seconds = stamp + self._shift_seconds
            return self._last_seconds, False
        if self._joins:
            origin = self._starts_at_seconds or 0.0
            is_near = 0.0 < stamp - origin - last <= FIRST_STEP_SECONDS
            self._shift_seconds = -origin if is_near else last + self._frame_seconds - stamp
        self._joins = False
        now = self._unwrapped(stamp + self._shift_seconds, last)
        step = now - last
        stamped, newest, self._newest_seconds = self._stamped_seconds, self._newest_seconds, now
        if stamped is not None and stamped <= now < last:
            stood_still = stood_still and -step > _MOST_AHEAD_SECONDS and now - stamped <= self._jitter_seconds
            return (self._go_on(now, last) if stood_still else last), False
        if 0.0 < -step <= self._held_seconds:
            return last, False
        jumped = not self._continues(step)
        before, self._is_back = self._is_back, newest is not None and -self._jitter_seconds <= now - newest < 0.0
        if step < 0.0 and self._bridge != "none" and (self._is_back or not jumped):
            return (self._go_on(now, last) if self._is_back and (before or jumped) else last), False
        if jumped and (self._bridge == "both" or (self._bridge == "backward" and step < 0)):
            return self._go_on(now, last), True
        self._last_seconds = self._stamped_seconds = now
        return now, jumped

    def _go_on(self, now: float, last: float) -> float:
        """Let a frame follow the last one, whatever its time stamp, and return its time."""
        self._shift_seconds += last + self._frame_seconds - now
        self._last_seconds = self._stamped_seconds = self._newest_seconds = last + self._frame_seconds
        return self._last_seconds

    def _continues(self, step_seconds: float) -> bool:
        late = max(self._max_gap_seconds, self._jitter_seconds)  # the frames of a time lapse are far apart
        return -self._jitter_seconds <= step_seconds <= late

    def _unwrapped(self, now: float, last: float) -> float:
        """Return the time of a stamp whose counter may have wrapped since the last one."""
        if self._continues(now - last) or self._bridge == "none":
            return now
        for wrap_seconds in self._wraps_seconds:
            if self._continues(now + wrap_seconds - last):
                self._shift_seconds += wrap_seconds
                return now + wrap_seconds
        return now
