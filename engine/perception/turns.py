"""On which frames of a stream the detector runs: asked when a frame begins, out of turn with what is said of its stream."""

from __future__ import annotations


class Turns:
    """Counts the frames of one stream on which the detector is due."""

    def __init__(self) -> None:
        self._due = 0
        self._is_owed = False

    def owe(self) -> None:
        """A frame that was to be detected was dropped: the next one takes its place."""
        self._is_owed = True

    def is_due(self, step: int, *, marked: bool) -> bool:
        """Tell whether the detector should run on the next frame.

        Args:
            step: it does on every n-th that is due.
            marked: its decoder has marked it.
        """
        if not (marked or self._is_owed):
            return False
        self._is_owed = False
        self._due += 1
        return self._due % step == 0
