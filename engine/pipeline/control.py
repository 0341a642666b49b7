"""Changes of a run while it goes on, and its end, asked for from any thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import count
from queue import Empty, SimpleQueue
from threading import Lock

from engine.contracts.camera import Camera
from engine.contracts.messages import check_stream_name
from engine.runtime.bell import Bell

REMOVED, PAUSED, CHANGED = "the camera was removed", "the camera was paused", "the camera was changed"


class RunControl:
    """Cameras that come and go. What is asked for is done by the run's own thread, in order."""

    def __init__(self) -> None:
        self._requests: SimpleQueue[tuple[int, str, Camera | None, str]] = SimpleQueue()
        self._numbers = count(1)
        self._asked: dict[str, int] = {}
        """The number of the newest request for each stream."""
        self._taken = self._followed = 0
        """The number of the newest request that the run has taken, and that it has followed."""
        self._present: frozenset[str] | None = None
        self._lock = Lock()
        self._gone: dict[str, str] = {}
        self.bell = Bell()
        """Rings when something is asked for."""
        self.on_gone: Callable[[], None] = lambda: None
        """Is called, by the run's thread, when ``may_read`` has become false of some camera; it must not block."""
        self.end_asked = ""
        """Why the run is to end in good order; empty: it goes on."""

    def add(self, camera: Camera) -> None:
        """Let a camera be read from now on; one of the same name takes the place of the one before. The name of a recording of
        the run is refused, with a warning of the run.

        Raises:
            ConfigError: see ``check_stream_name``.
        """
        check_stream_name(camera.name)
        self._ask(camera.name, camera, "")

    def remove(self, name: str, why: str = REMOVED) -> None:
        """Read a camera no longer; its stream ends in good order, and says why. Nothing happens if there is none."""
        self._ask(name, None, why)

    def may_read(self, name: str) -> bool:
        """Whether something of a camera of this name may still be sent, or may be before long."""
        present = self._present
        return present is None or name in present or self._asked.get(name, 0) > self._followed

    def end(self, why: str) -> None:
        """Let the run end in good order, as a first signal does."""
        self.end_asked = self.end_asked or why
        self.bell.ring()

    def changed(self, cameras: Mapping[str, Camera]) -> dict[str, Camera]:
        """Return the cameras, by stream, that there should be now; for the run."""
        wanted = dict(cameras)
        while True:
            try:
                self._taken, name, camera, why = self._requests.get_nowait()
            except Empty:
                return wanted
            wanted.pop(name, None)
            if camera is not None:
                wanted[name] = camera
                self._gone.pop(name, None)
            else:
                self._gone[name] = why

    def followed(self, present: Iterable[str]) -> None:
        """The run has done what it has taken: of these streams there is something to come; for the run."""
        before, self._present = self._present, frozenset(present)
        followed, self._followed = self._followed, self._taken
        if before is None or before - self._present or self._taken > followed:
            self.on_gone()

    def _ask(self, name: str, camera: Camera | None, why: str) -> None:
        with self._lock:  # numbers are in order of the queue
            number = self._asked[name] = next(self._numbers)
            self._requests.put((number, name, camera, why))
        self.bell.ring()

    @property
    def gone(self) -> frozenset[str]:
        """The streams that were removed, and not added again, as far as the run has been told; for the run."""
        return frozenset(self._gone)

    def why_ended(self, name: str) -> str:
        """Return why the stream of a camera that is read no longer, or not as before, has ended; for the run."""
        return self._gone.get(name, CHANGED)
