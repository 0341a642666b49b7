"""Finds the picture of a camera's main stream that shows the same moment as a picture of its sub-stream. Pure arithmetic.

If the camera gives its own time for both (RTCP sender reports), that decides. Otherwise each stream's time stamps are mapped to
this machine's clock by their quickest packets, and ``lag_seconds`` says how much later the main stream arrives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

_RISE_PER_SECOND = 0.002
"""How fast the shortest delay of packets may grow: clocks drift by less, and congestion ends sooner."""
_JUMP_SECONDS = 1.0
"""Time stamps this far from the expected ones have restarted, or the network was stuck: the next ones tell which."""
_TRUSTED_SECONDS = 2.0
"""The two streams of a camera never come this far apart: if their reports say so, one of them is wrong."""
_REPORTS, _REPORT_SECONDS = 15, 0.5
"""Number of reports that are combined, and their shortest distance."""
_SET_SECONDS = 1.0
_USUAL_PERIOD_SECONDS = 0.04
_LONGEST_REACH_SECONDS = 0.12
"""A picture farther away than this shows another moment, however slow the stream is."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is known about when a picture was taken."""

    pts_seconds: float | None
    """Time by the stream's own clock."""
    arrived_seconds: float
    """Arrival by this machine's monotonic clock."""
    ntp_seconds: float | None = None
    """Time by the camera's clock (Unix); None: unknown."""


class Way:
    """Shortest delay of a stream's packets from its clock to ours, including the offset of the two clocks."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        self._last_arrived = 0.0

    def note(self, clock_seconds: float, arrived_seconds: float) -> None:
        """Note a picture's time by the stream's clock, and its arrival."""
        way, before = arrived_seconds - clock_seconds, self.seconds
        since, self._last_arrived = max(0.0, arrived_seconds - self._last_arrived), arrived_seconds
        if before is None or way < before or way > before + _JUMP_SECONDS:
            self.seconds = way
        else:
            self.seconds = min(way, before + _RISE_PER_SECOND * since)


class Clock:
    """How far the camera's clock is ahead of a stream's time stamps: the median of its last reports, because a single one may
    have been delayed by a busy camera.
    """

    def __init__(self) -> None:
        self._told: deque[float] = deque(maxlen=_REPORTS)
        self._last_told = -_REPORT_SECONDS
        self.ahead_seconds: float | None = None

    def note(self, pts_seconds: float, ntp_seconds: float, arrived_seconds: float) -> None:
        """Note both times of a picture, and its arrival."""
        ahead = ntp_seconds - pts_seconds
        if self.ahead_seconds is not None and abs(ahead - self.ahead_seconds) > _SET_SECONDS:
            self._told.clear()  # one of the clocks was set
        elif arrived_seconds < self._last_told + _REPORT_SECONDS:
            return
        self._last_told = arrived_seconds
        self._told.append(ahead)
        self.ahead_seconds = median(self._told)


class Timeline:
    """The moments of one stream's pictures."""

    def __init__(self) -> None:
        self._by_stamps, self.by_ntp = Way(), Way()
        self._clock = Clock()

    def note(self, stamp: Stamp) -> None:
        """Note a picture; call it for each."""
        if stamp.pts_seconds is not None:
            self._by_stamps.note(stamp.pts_seconds, stamp.arrived_seconds)
        if stamp.ntp_seconds is not None:
            self.by_ntp.note(stamp.ntp_seconds, stamp.arrived_seconds)
            if stamp.pts_seconds is not None:
                self._clock.note(stamp.pts_seconds, stamp.ntp_seconds, stamp.arrived_seconds)

    def place(self, stamp: Stamp, *, by_ntp: bool) -> float | None:
        """Return the moment of a picture in seconds: by the camera's clock, or by ours less the shortest delay; None if
        ``by_ntp`` is set and the camera's clock is unknown.
        """
        if by_ntp:
            ahead = self._clock.ahead_seconds
            return stamp.ntp_seconds if ahead is None or stamp.pts_seconds is None else stamp.pts_seconds + ahead
        way = self._by_stamps.seconds
        return stamp.arrived_seconds if way is None or stamp.pts_seconds is None else stamp.pts_seconds + way


class Moments:
    """The two streams of one camera. Not thread-safe."""

    def __init__(self) -> None:
        self.sub, self.main = Timeline(), Timeline()
        self.lag_seconds = 0.0
        """How much later the main stream's pictures come than the sub-stream's of the same moment, if no clock tells."""

    @property
    def by_ntp(self) -> bool:
        """Whether the camera's clock decides."""
        ways = self.sub.by_ntp.seconds, self.main.by_ntp.seconds
        return None not in ways and abs(ways[0] - ways[1]) <= _TRUSTED_SECONDS  # type: ignore[operator]

    def choose(self, wanted: Stamp, offered: Sequence[Stamp]) -> int | Literal["later", "none"]:
        """Find the main stream's picture that shows the moment of one of the sub-stream.

        Args:
            wanted: picture of the sub-stream, noted before.
            offered: all available pictures of the main stream, noted before.

        Returns:
            Index in ``offered``; ``later``: the picture has not come yet; ``none``: none is near enough, and none will come.
        """
        by_ntp = self.by_ntp
        moment = self.sub.place(wanted, by_ntp=by_ntp)
        places = [
            (place, number) for number, one in enumerate(offered) if (place := self.main.place(one, by_ntp=by_ntp)) is not None
        ]
        if not places or moment is None:
            return "later"
        if not by_ntp:
            moment += self.lag_seconds
        newest, oldest = max(places)[0], min(places)[0]
        period = (newest - oldest) / (len(places) - 1) if len(places) > 1 else _USUAL_PERIOD_SECONDS
        if moment > newest + period / 2:
            return "later"
        distance, number = min((abs(place - moment), number) for place, number in places)
        return number if distance <= min(0.6 * period + 0.005, _LONGEST_REACH_SECONDS) else "none"
