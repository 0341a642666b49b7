"""Reading that begins in the middle of a recording: what is decoded before the first frame that counts."""

from __future__ import annotations

from pathlib import Path

from engine.contracts.recording import Start
from engine.errors import SourceError


class Lead:
    """Says which pictures come before a start; ask for each, in the order in which they are shown.

    Args:
        start: None: there is nothing before it.
        path: of the recording.
    """

    def __init__(self, start: Start | None, path: Path) -> None:
        self._start, self._path = start, path
        self._newest: int | None = None
        self.is_over = start is None
        """The first frame that counts has come."""

    def is_broken(self, ticks: int | None) -> bool:
        """Whether a picture is shown before the key frame with which decoding began: what it builds on was not decoded."""
        return not self.is_over and (ticks is None or self._start is None or ticks < self._start.seek_ticks)

    def takes(self, ticks: int | None) -> bool:
        """Whether a picture comes before the start.

        Raises:
            SourceError: the one just before the start is missing, so this is another place than was asked for.
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
