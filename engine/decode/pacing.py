"""When a frame of a recording is due if the recording is played in real time."""

from __future__ import annotations


class Pacer:
    """Turns time stamps into waiting times; pure arithmetic, the caller reads the clock and sleeps.

    The first frame is due at once and fixes the schedule. A late consumer does not move the schedule: the frames after a delay
    are due at once until it is made up for, so that playing a recording takes as long as the recording.
    """

    def __init__(self) -> None:
        self._start_seconds: float | None = None

    def wait_seconds(self, pts_seconds: float, now_seconds: float) -> float:
        """Return how long to wait until a frame is due, 0 or more.

        Args:
            pts_seconds: the frame's time stamp.
            now_seconds: a monotonic clock.
        """
        if self._start_seconds is None:
            self._start_seconds = now_seconds - pts_seconds
        return max(0.0, self._start_seconds + pts_seconds - now_seconds)

    def restart(self) -> None:
        """Forget the schedule, as after a discontinuity: the next frame is due at once."""
        self._start_seconds = None
