"""What is reduced when the machine is too slow for its cameras, and when it is restored."""

from __future__ import annotations

_WINDOW_SECONDS = 1.0
_LATE_SHARE = 0.02
"""Of what a stage was given in a window: fewer late items than this are a burst, not an overload."""
_CALM_SECONDS = 5.0
_MOST_CALM_SECONDS = 60.0

LEVELS = ((1.0, 1), (2.0, 1), (4.0, 1), (8.0, 1), (8.0, 2), (8.0, 3), (8.0, 5), (8.0, 10))
"""(how many times rarer a face is enhanced, every how many-th due detection runs), from no overload to the most: first fewer
faces are enhanced, then detections become rarer; tracks are carried on in every frame at all levels."""
_FIRST_DETECT_LEVEL = next(level for level, (_, step) in enumerate(LEVELS) if step > 1)


class Governor:
    """Chooses the level from how many items came late; pure, the caller reads the clock.

    It goes up by one level for each window of a second in which a stage was late, from the second one in a row on, as cameras
    send bursts; and down by one after five calm seconds. Where a step down brought the overload back, the next one waits
    twice as long, up to a minute. What came just in time counts as late: less is to be done before anything is dropped.
    """

    def __init__(self) -> None:
        self.level = 0
        self._window_ends = 0.0
        self._given = {"detect": 0, "enhance": 0}
        self._late = {"detect": 0, "enhance": 0}
        self._calm_since = 0.0
        self._calm_seconds = _CALM_SECONDS
        self._stepped_down_at = 0.0
        self._was_late = False

    @property
    def thinning(self) -> float:
        """Factor on the time between two enhanced faces of a track."""
        return LEVELS[self.level][0]

    @property
    def detect_step(self) -> int:
        """Every how many-th detection that is due runs."""
        return LEVELS[self.level][1]

    def note(self, stage: str, *, late: bool) -> None:
        """Count an item of ``detect`` or ``enhance`` that was handed on, or was too late, or nearly."""
        self._given[stage] += 1
        self._late[stage] += late

    def update(self, now_seconds: float) -> bool:
        """Close the window if its time is over; return whether the level changed."""
        if now_seconds < self._window_ends:
            return False
        self._window_ends = now_seconds + _WINDOW_SECONDS
        late = {stage for stage, count in self._late.items() if count > _LATE_SHARE * self._given[stage]}
        faces = self._given["enhance"] > 0
        self._given, self._late = dict.fromkeys(self._given, 0), dict.fromkeys(self._late, 0)
        if not late:
            self._was_late = False
            return self._step_down(now_seconds)
        self._calm_since = now_seconds
        again, self._was_late = self._was_late, True
        return again and self._step_up(now_seconds, late, faces)

    def _step_up(self, now_seconds: float, late: set[str], faces: bool) -> bool:
        before = self.level
        if now_seconds - self._stepped_down_at < 2 * _CALM_SECONDS and self._stepped_down_at:
            self._calm_seconds = min(2 * self._calm_seconds, _MOST_CALM_SECONDS)
            self._stepped_down_at = 0.0
        if "detect" not in late:
            # Rarer detections would not help the stage that is late.
            self.level = min(self.level + 1, max(self.level, _FIRST_DETECT_LEVEL - 1))
        elif faces:
            self.level = min(self.level + 1, len(LEVELS) - 1)
        else:  # nothing is being enhanced: enhancing less would gain nothing
            self.level = min(max(self.level + 1, _FIRST_DETECT_LEVEL), len(LEVELS) - 1)
        return self.level != before

    def _step_down(self, now_seconds: float) -> bool:
        if self.level == 0:
            self._calm_seconds = _CALM_SECONDS
            return False
        if now_seconds - self._calm_since < self._calm_seconds:
            return False
        self.level -= 1
        self._calm_since = self._stepped_down_at = now_seconds
        return True
