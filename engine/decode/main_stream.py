"""The main stream of a camera whose sub-stream is analysed: pictures of single moments, decoded only on demand."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from engine.config import DecodeConfig
from engine.contracts.camera import Camera
from engine.contracts.counts import MainMiss
from engine.contracts.frames import Float32, Frame, Planes
from engine.contracts.streams import StreamChanged
from engine.decode.connection import Announce, Connection
from engine.decode.counted import Counted
from engine.decode.lag import Lag, look_of
from engine.decode.live import LiveDecoder
from engine.decode.main_connection import MainConnection
from engine.decode.moments import Moments, Stamp, Timeline
from engine.errors import WorkerError, error_words

_MOST_WISHES = 8
"""Most moments that are waited for at the same time."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The answer to one wish."""

    frame_index: int
    """Index of the sub-stream's frame."""
    planes: Planes | None
    miss: MainMiss | None = None
    """Why there is no picture; empty if there is one."""


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    frame_index: int
    stamp: Stamp
    deadline: float


class MainStream(threading.Thread):
    """Reads the main stream in a thread of its own; connects, reconnects and gives up independently of the sub-stream.

    All methods but ``run`` are for the thread that reads the sub-stream.

    Args:
        camera: the main stream, see ``Camera.main``.
        config: as for ``LiveDecoder``.
        answered: called, in this thread, when there is an answer to take.
        renewed: as for ``LiveDecoder``.
    """

    def __init__(
        self,
        camera: Camera,
        config: DecodeConfig,
        answered: Callable[[], None],
        renewed: Callable[[Camera], Camera] = lambda camera: camera,
    ) -> None:
        super().__init__(name=f"main-{camera.name}", daemon=True)
        self._camera, self._answered = camera, answered
        self._wait_seconds = camera.crop_wait_ms / 1000
        self._decoder = LiveDecoder(camera, config, self._connect, renewed)
        self._connection: MainConnection | None = None
        self._lock = threading.Lock()
        self._moments, self._lag = Moments(), Lag()
        self._wishes: deque[_Wish] = deque()
        self._answers: deque[Answer] = deque()
        self._stopped = threading.Event()
        self.state: StreamChanged | None = None
        """The latest state; None before the first."""
        self.error: WorkerError | None = None
        """Set if the thread hangs or is broken, and its process should end."""
        self.is_wanted = False
        """Whether there are faces to crop; if not, nothing is decoded."""

    @property
    def is_following(self) -> bool:
        """Whether a wish can be granted now."""
        return self.is_wanted and self.is_live

    @property
    def is_live(self) -> bool:
        """Whether packets are arriving."""
        return self.state is not None and self.state.state == "live"

    @property
    def counted(self) -> Counted:
        """Counters of the main stream: ``frames`` are requested pictures."""
        return self._decoder.counted

    @property
    def by_ntp(self) -> bool:
        """Whether the camera's clock decides which pictures belong together."""
        return self._moments.by_ntp

    @property
    def lag_seconds(self) -> float:
        """How much later the main stream's pictures come, as measured if no clock tells."""
        return self._moments.lag_seconds

    def note(self, frame: Frame) -> None:
        """Note the time of a frame of the sub-stream; call it for each."""
        with self._lock:
            self._moments.sub.note(_stamp(frame))

    def begin_anew(self) -> None:
        """Note that the clock of the sub-stream has restarted."""
        with self._lock:
            self._moments.sub = Timeline()

    def expect(self, frame: Frame) -> None:
        """Request the picture of the moment of a noted frame; there will be one ``Answer``, within ``crop_wait_ms`` of the
        frame's arrival or soon after.
        """
        stamp = _stamp(frame)
        with self._lock:
            if not self._moments.by_ntp and (place := self._moments.sub.place(stamp, by_ntp=False)) is not None:
                self._lag.note_sub(place, look_of(frame.planes.y))
            self._wishes.append(_Wish(frame.time.frame_index, stamp, stamp.arrived_seconds + self._wait_seconds))
            while len(self._wishes) > _MOST_WISHES:
                self._answers.append(Answer(self._wishes.popleft().frame_index, None, "behind"))
        self._decoder.wake()

    def take(self) -> list[Answer]:
        """Return the answers since the last call.

        Raises:
            WorkerError: see ``error``.
        """
        if self.error is not None:
            raise self.error
        answers = []
        while self._answers:
            answers.append(self._answers.popleft())
        return answers

    def close(self) -> None:
        """End the thread, and wait for it briefly."""
        self._stopped.set()
        self._decoder.wake()
        if self.ident is not None:
            self.join(2.5)

    def run(self) -> None:
        try:
            with closing(self._decoder):
                for item in self._decoder:
                    if self._stopped.is_set():
                        return
                    if isinstance(item, StreamChanged):
                        self._note_state(item)
                    self._serve()
            while not self._stopped.wait(0.05):  # the camera was given up
                self._serve()
        except WorkerError as error:
            self.error = error
        except Exception as error:  # an error in the thread must reach the caller
            self.error = WorkerError(f"the main stream of {self._camera.name} broke its reader: {error_words(error)}")

    def _connect(self, camera: Camera, counted: Counted, announce: Announce) -> Connection:
        with self._lock:
            self._moments.main = Timeline()
            self._lag.forget()
        self._connection = MainConnection(camera, counted, announce, self._stamped)
        return self._connection

    def _note_state(self, event: StreamChanged) -> None:
        self.state = event

    def _stamped(self, stamp: Stamp) -> None:
        with self._lock:
            self._moments.main.note(stamp)

    def _seen(self, stamp: Stamp, look: Float32) -> None:
        with self._lock:
            if (place := self._moments.main.place(stamp, by_ntp=False)) is not None:
                self._lag.note_main(place, look)
            if self._lag.seconds is not None:
                self._moments.lag_seconds = self._lag.seconds

    def _serve(self) -> None:
        """Answer the wishes that can be answered now, oldest first."""
        answered = False
        while self._wishes:
            wish = self._wishes[0]
            answer = self._answer(wish)
            if answer is None:
                break
            with self._lock:
                if self._wishes and self._wishes[0] is wish:
                    self._wishes.popleft()
                    self._answers.append(answer)
            answered = True
        if answered:
            self._answered()

    def _answer(self, wish: _Wish) -> Answer | None:
        """Return the answer to a wish; None if it must wait."""
        connection, now = self._connection, time.monotonic()
        if not self.is_live or connection is None or connection.kept is None:
            return Answer(wish.frame_index, None, "away")
        with self._lock:
            stamps = connection.kept.stamps
            number = self._moments.choose(wish.stamp, stamps)
            connection.seen = None if self._moments.by_ntp else self._seen
        if number == "none":
            return Answer(wish.frame_index, None, "late")
        if number == "later":
            return Answer(wish.frame_index, None, "late") if now > wish.deadline else None
        planes = connection.picture(connection.kept.first + number, lambda: time.monotonic() > wish.deadline)
        return Answer(wish.frame_index, planes, None if planes is not None else "behind")


def _stamp(frame: Frame) -> Stamp:
    time_ = frame.time
    return Stamp(time_.pts_seconds, time_.arrived_seconds, None if time_.ntp_ns is None else time_.ntp_ns / 1e9)
