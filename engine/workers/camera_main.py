"""The main stream of a camera beside its sub-stream, in the camera's process."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace

from engine.config import DecodeConfig
from engine.contracts.camera import Camera
from engine.contracts.counts import MainMiss
from engine.contracts.frames import Frame
from engine.contracts.orders import Warned
from engine.contracts.streams import StreamChanged
from engine.decode.main_stream import MainStream
from engine.runtime.worker import WorkerContext
from engine.source.cameras import renewed
from engine.workers.frame_writer import FrameWriter

_LATE_IN_A_ROW = 30
"""So many pictures that came too late are no accident."""
AWAY = "faces are cut from its sub-stream: its main stream is away"
"""The detail of the stream's state for so long."""


class OneStream:
    """Hands the frames of a camera over that has no main stream."""

    def __init__(self, writer: FrameWriter) -> None:
        self._writer = writer

    def start(self) -> None:
        """See ``CameraMain``, as for the others."""

    def offer(self, frame: Frame) -> None:
        """Hand a frame over."""
        self._writer.offer(frame)

    def note(self, event: StreamChanged) -> None:
        """Nothing follows from it."""

    def pass_on(self) -> None:
        """Nothing comes later."""

    def close(self) -> None:
        """Nothing is open."""


class CameraMain:
    """Asks for the pictures that belong to frames, hands them over, and counts and says what does not come.

    Args:
        context: of the worker.
        camera: with a main stream.
        config: as of ``LiveDecoder``.
        writer: hands frames and pictures over.
        wake: called from another thread when ``pass_on`` has something to do.
    """

    def __init__(
        self, context: WorkerContext, camera: Camera, config: DecodeConfig, writer: FrameWriter, wake: Callable[[], None]
    ) -> None:
        assert camera.main is not None
        self._context, self._camera, self._writer = context, camera, writer
        self._stream = MainStream(camera.main, config, wake, renewed)
        self._said_away = self._said_late = False
        self._late_in_a_row = 0
        self._live_since: float | None = None
        self._told_ns = 0
        self._event: StreamChanged | None = None
        self._is_away = False
        self._told_detail = ""

    def start(self) -> None:
        """Connect."""
        self._stream.start()

    def offer(self, frame: Frame) -> None:
        """Hand a frame over, and ask for its picture where there is somebody to be cut from it."""
        stream = self._stream
        stream.note(frame)
        stream.is_wanted = self._writer.main_wanted
        follows = frame.detect and stream.is_following
        if self._writer.offer(frame, "follows" if follows else "possible") and follows:
            stream.expect(frame)
        elif frame.detect and stream.is_wanted and not follows:
            self._miss("away")

    def note(self, event: StreamChanged) -> None:
        """The sub-stream entered a state, and the supervisor was told."""
        self._event, self._told_detail = event, event.detail
        if event.state in ("connecting", "discontinuity"):
            self._stream.begin_anew()

    def pass_on(self) -> None:
        """Hand over the pictures that have come.

        Raises:
            WorkerError: the main stream hangs in FFmpeg.
        """
        for answer in self._stream.take():
            if not self._writer.offer_main(self._camera.name, answer.frame_index, answer.planes):
                self._miss("no_slot")
            elif answer.miss is not None:
                self._miss(answer.miss)
            else:
                self._late_in_a_row = 0
                self._context.telemetry.counters["main.pictures"] += 1
        self._look_after()

    def close(self) -> None:
        """Disconnect."""
        self._stream.close()

    def _miss(self, cause: MainMiss) -> None:
        self._context.telemetry.counters[f"main.missed.{cause}"] += 1
        self._late_in_a_row = self._late_in_a_row + 1 if cause == "late" else 0
        if self._late_in_a_row >= _LATE_IN_A_ROW and not self._said_late:
            self._said_late = True
            self._warn("arrives too late: faces are cut from its sub-stream; a larger live.crop_wait_ms waits longer")

    def _look_after(self) -> None:
        """Say once that the main stream is away, and that it is back when it was there for long; measure its decoding."""
        counted = self._stream.counted
        if new := counted.decode_ns - self._told_ns:
            self._told_ns += new
            self._context.telemetry.record("decode_main", new / 1e9)
        state, now = self._stream.state, time.monotonic()
        if self._stream.is_live:
            self._is_away = False
            self._live_since = self._live_since or now
            if self._said_away and now - self._live_since >= self._camera.stable_seconds:
                self._said_away = False
                self._warn("is back: faces are cut from it again")
        elif state is not None:
            self._live_since = None
            self._is_away |= bool(state.reason)
            if self._is_away and not self._said_away:
                self._said_away = True
                self._warn(f"is away, faces are cut from its sub-stream until it is back: {state.detail}")
        self._tell_state()

    def _tell_state(self) -> None:
        """Let the status say whether the main stream is away: the supervisor's alone, as nothing changes for the stages."""
        event = self._event
        if event is None or event.state not in ("live", "discontinuity"):
            return
        detail = AWAY if self._is_away else event.detail
        if detail != self._told_detail:
            self._told_detail = detail
            self._context.control.send(replace(event, state="live", reason="", detail=AWAY) if self._is_away else event)

    def _warn(self, what: str) -> None:
        self._context.control.send(Warned(self._camera.name, f"its main stream {what}"))


def way_of(
    context: WorkerContext, camera: Camera, config: DecodeConfig, writer: FrameWriter, wake: Callable[[], None]
) -> OneStream | CameraMain:
    """Return what hands the frames of a camera over; for the arguments see ``CameraMain``."""
    return CameraMain(context, camera, config, writer, wake) if camera.crop_url else OneStream(writer)


def slots_of(camera: Camera, config: DecodeConfig) -> int:
    """Return how many frames may be on their way: with a main stream more, as they wait for its pictures."""
    return config.pool_slots * (2 if camera.crop_url else 1)
