"""Changes of a run while it goes on, and its end, asked for from any thread."""

from __future__ import annotations

from collections.abc import Mapping
from queue import Empty, SimpleQueue

from engine.contracts.camera import Camera
from engine.contracts.messages import check_stream_name


class RunControl:
    """Cameras that come and go. What is asked for is done by the run's own thread, in order."""

    def __init__(self) -> None:
        self._requests: SimpleQueue[tuple[str, Camera | None]] = SimpleQueue()
        self.end_asked = ""
        """Why the run is to end in good order; empty: it goes on."""

    def add(self, camera: Camera) -> None:
        """Let a camera be read from now on; one of the same name takes the place of the one before. The name of a recording of
        the run is refused, with a warning of the run.

        Raises:
            ConfigError: see ``check_stream_name``.
        """
        check_stream_name(camera.name)
        self._requests.put((camera.name, camera))

    def remove(self, name: str) -> None:
        """Read a camera no longer; its stream ends in good order. Nothing happens if there is none of this name."""
        self._requests.put((name, None))

    def end(self, why: str) -> None:
        """Let the run end in good order, as a first signal does."""
        self.end_asked = self.end_asked or why

    def changed(self, cameras: Mapping[str, Camera]) -> dict[str, Camera]:
        """Return the cameras, by stream, that there should be now; for the run."""
        wanted = dict(cameras)
        while True:
            try:
                name, camera = self._requests.get_nowait()
            except Empty:
                return wanted
            wanted.pop(name, None)
            if camera is not None:
                wanted[name] = camera
