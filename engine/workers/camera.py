"""The process that decodes one camera: never blocks, never gives up, and outlives restarts of its reader."""

from __future__ import annotations

from collections import Counter
from contextlib import closing, suppress

from msgspec.structs import replace

from engine.config import DecodeConfig
from engine.contracts.camera import Camera
from engine.contracts.frames import Frame
from engine.contracts.orders import Begin
from engine.contracts.streams import StreamChanged
from engine.decode.live import LiveDecoder
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.protocol import Attach, Drain
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.workers.frame_writer import FrameWriter


def camera_body(context: WorkerContext, downstream: Channel, camera: Camera, config: DecodeConfig) -> None:
    """Decode until the supervisor says Drain, or the camera is given up."""
    worker = _CameraWorker(context, downstream, camera, config)
    context.ready({"camera": camera.shown})
    worker.run()


class _CameraWorker:
    def __init__(self, context: WorkerContext, downstream: Channel, camera: Camera, config: DecodeConfig) -> None:
        self._context = context
        self._downstream: Channel | None = downstream
        self._camera = camera
        self._decoder = LiveDecoder(camera, config)
        self._writer = FrameWriter(context, downstream, config.pool_slots, live=True)
        self._last_event: StreamChanged | None = None
        self._counted: Counter[str] = Counter()
        self._drain: Drain | None = None
        self._begun = False

    def run(self) -> None:
        self._wait_for_begin()
        with closing(self._decoder):
            for item in self._decoder if self._drain is None else ():
                if isinstance(item, StreamChanged):
                    self._announce(item)
                elif item is not None:
                    self._hand_over(item)
                self._count()
                self._obey()
                self._context.beat()
                if self._drain is not None:
                    break
        if self._drain is not None:
            was_removed = self._drain.outcome == "completed"
            detail = self._drain.detail if was_removed else "the run was stopped"
            self._announce(StreamChanged(self._camera.name, "ended", "drained", detail))
        self._finish(self._drain or Drain())

    def _hand_over(self, frame: Frame) -> None:
        telemetry = self._context.telemetry
        telemetry.counts.everywhere(frame.stream, "frames")
        if self._downstream is None:
            self._drop("worker_died")
            return
        try:
            if not self._writer.offer(frame):
                self._drop("no_slot")
        except ChannelClosed:
            self._drop("worker_died")
            self._lose_reader()

    def _drop(self, cause: str, count: int = 1) -> None:
        self._context.telemetry.drop(self._camera.name, cause, count)

    def _announce(self, event: StreamChanged) -> None:
        self._last_event = event
        self._context.control.send(event)
        if self._downstream is not None:
            try:
                self._downstream.send(event)
            except ChannelClosed:
                self._lose_reader()

    def _lose_reader(self) -> None:
        self._downstream = None
        if held := self._writer.lose_reader():
            self._drop("worker_died", held)

    def _wait_for_begin(self) -> None:
        """Connect only when the others are ready: until then pictures could only be dropped."""
        while not self._begun and self._drain is None:
            if self._context.control.has_message(BEAT_SECONDS):
                self._obey()
            self._context.beat()

    def _obey(self) -> None:
        match self._context.order():
            case Begin():
                self._begun = True
            case Drain() as drain:
                self._drain = drain
            case Attach():
                self._attach(self._context.control.receive_channel())

    def _attach(self, channel: Channel) -> None:
        """Perceive was restarted: show it the pool, and where the stream stands."""
        self._lose_reader()
        self._downstream = channel
        try:
            self._writer.attach(channel)
            if self._last_event is not None:
                cut = replace(self._last_event, state="discontinuity", reason="worker_died", detail="a worker was restarted")
                self._context.control.send(cut)
                channel.send(cut)
                self._announce(self._last_event)
        except ChannelClosed:
            self._lose_reader()

    def _count(self) -> None:
        """Carry the decoder's counters over into what the beats tell."""
        now = Counter(self._decoder.counters)
        for name, total in now.items():
            new = total - self._counted[name]
            if not new or name == "frames":
                continue
            if name == "decode_ns":
                self._context.telemetry.record("decode", new / 1e9, now["frames"] - self._counted["frames"])
            elif name.startswith("drops."):
                self._drop(name.removeprefix("drops."), new)
            else:
                self._context.telemetry.counts.everywhere(self._camera.name, name, new)  # type: ignore[arg-type]
        self._counted = now

    def _finish(self, drain: Drain) -> None:
        with suppress(ChannelClosed):
            if self._downstream is not None:
                self._writer.close()
                self._downstream.send(Drain(drain.outcome, drain.detail, self._context.telemetry.counts.now()))
