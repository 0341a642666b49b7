"""Which frames of a camera are marked for detection, so that no more than a given number a second are."""

from __future__ import annotations

_TOLERANCE_PERIODS = 0.5
"""A frame may come this much before its time: cameras are not punctual, and one of 10 fps should give 10
detections a second.
"""


class DetectionPace:
    """Marks frames by their time stamps: at most ``per_second`` on average, and at most two more in any second."""

    def __init__(self, per_second: float) -> None:
        self._period_seconds = 1.0 / per_second
        self._due_seconds: float | None = None

    def mark(self, pts_seconds: float) -> bool:
        """Return whether to detect on this frame; time stamps go backwards only after ``restart``."""
        due, period = self._due_seconds, self._period_seconds
        if due is None:
            due = pts_seconds
        elif pts_seconds < due - _TOLERANCE_PERIODS * period:
            return False
        # Detections missed in a pause are not made up for.
        self._due_seconds = max(due, pts_seconds - _TOLERANCE_PERIODS * period) + period
        return True

    def restart(self) -> None:
        """Time stamps start again: mark the next frame."""
        self._due_seconds = None
