"""Lines about a run that scroll past above its live display."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from engine.cli.run.words import event_words
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus


class News:
    """Prints deaths of workers and warnings, which stay as lines above what is shown in place.

    Args:
        console: a terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console, self._run_id, self._last_number = console, "", 0
        self.has_begun = False
        """Whether a run was shown."""

    def show(self, status: RunStatus) -> None:
        """Print what has happened since the last call."""
        if not self.has_begun or status.run_id != self._run_id:
            self.has_begun, self._run_id, self._last_number = True, status.run_id, 0
        for event in status.events.after(self._last_number):
            self._last_number = event.number
            if event.name in ("worker_died", "worker_output", "warning"):
                self._console.print(Text(f"note: {event_words(event)}", "yellow"), soft_wrap=True)


def was_read(stream: StreamStatus) -> bool:
    """Whether a recording was read to its end."""
    return stream.state == "ended" and stream.reason == "end_of_file"


def is_stopped(stream: StreamStatus) -> bool:
    """Whether a recording was stopped before its end."""
    return stream.state == "ended" and not was_read(stream)
