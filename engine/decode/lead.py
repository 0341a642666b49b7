"""Reading from the middle of a recording: the pictures decoded before the first frame that counts."""

from __future__ import annotations

from pathlib import Path

from engine.contracts.recording import Start
from engine.errors import SourceError


class Lead:
    """Tells which pictures come before a start; ask about each, in presentation order.

    Args:
        start: where frames begin to count; None: at the first.
        path: of the recording.
    """

    def __init__(self, start: Start | None, path: Path) -> None:
        self._start, self._path = start, path
        self._newest: int | None = None
        self.is_over = start is None
        """Whether the first frame that counts has come."""

    def is_broken(self, ticks: int | None) -> bool:
        """Whether a picture is shown before the key frame at which decoding started: its references were not decoded."""
        return not self.is_over and (ticks is None or self._start is None or ticks < self._start.seek_ticks)

    def takes(self, ticks: int | None) -> bool:
        """Whether a picture comes before the start.

        Raises:
            SourceError: the frame just before the start is missing, so this is not the requested position.
        """
        if self.is_over or self._start is None or ticks is None:
            return not self.is_over
        if ticks <= self._start.after_ticks:
            self._newest = ticks
            return True
        if self._newest != self._start.after_ticks:
            raise SourceError(f"{self._path} cannot be read from frame {self._start.frame_index} on", "codec")
        self.is_over = True
        return False
