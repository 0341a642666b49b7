"""The process that decodes one camera: never blocks, never gives up, and outlives restarts of its reader."""

from __future__ import annotations

from contextlib import closing, suppress

from msgspec import Struct
from msgspec.structs import replace

from engine.config import DecodeConfig
from engine.contracts.camera import Camera
from engine.contracts.orders import Begin
from engine.contracts.streams import StreamChanged
from engine.decode.live import LiveDecoder
from engine.runtime.actor import Actor
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.source.cameras import renewed
from engine.workers.camera_main import slots_of, way_of
from engine.workers.frame_writer import FrameWriter
from engine.workers.permitted import permitted


def camera_body(context: WorkerContext, downstream: Channel, camera: Camera, config: DecodeConfig) -> None:
    """Decode until the supervisor says Drain, or the camera is given up."""
    worker = CameraWorker(context, downstream, camera, config)
    context.ready({"camera": camera.shown} | ({"main_stream": camera.crop_shown} if camera.crop_url else {}))
    worker.run()


class CameraWorker(Actor[Struct]):
    """See ``camera_body``."""

    def __init__(self, context: WorkerContext, downstream: Channel, camera: Camera, config: DecodeConfig) -> None:
        self._camera = camera
        self._decoder = LiveDecoder(camera, config, renewed=renewed)
        self._writer = FrameWriter(context, downstream, slots_of(camera, config), live=True)
        self._frames = way_of(context, camera, config, self._writer, self._decoder.wake)
        self._last_event: StreamChanged | None = None
        self._told = self._decoder.counted.copy()
        self._begun = False
        super().__init__(context, {}, {"perceive": self._writer}, replaced=True)

    def run(self) -> None:
        """Connect when the others are ready, as until then pictures could only be dropped; decode; and say the last word."""
        while not self._begun and self.stopped is None:
            self.turn(BEAT_SECONDS)
        with closing(self._decoder), closing(self._frames):
            if self.stopped is None:
                self._frames.start()
            for item in permitted(self._decoder, self._camera) if self.stopped is None else ():
                if isinstance(item, StreamChanged):
                    self._announce(item)
                elif item is not None:
                    self.context.telemetry.counts.everywhere(item.stream, "frames")
                    self._frames.offer(item)
                self._frames.pass_on()
                self._count()
                self.turn(0.0)
                if self.stopped is not None:
                    break
            if self.stopped is not None:  # said before it hangs up, which may take long: somebody may wait for the camera
                was_removed = self.stopped.outcome == "completed"
                detail = self.stopped.detail if was_removed else "the run was stopped"
                self._announce(StreamChanged(self._camera.name, "ended", "drained", detail))
                self.worst = self.stopped
        with suppress(ChannelClosed):
            self._writer.close()
            self._writer.say_last(self.last_word())

    def obey(self, order: Struct) -> None:
        self._begun |= isinstance(order, Begin)

    def attached(self, name: str) -> None:
        """Perceive was restarted: tell it where the stream stands."""
        if self._last_event is not None:
            cut = replace(self._last_event, state="discontinuity", reason="worker_died", detail="a worker was restarted")
            self.context.control.send(cut)
            self._writer.tell(cut)
            self._announce(self._last_event)

    def _announce(self, event: StreamChanged) -> None:
        self._last_event = event
        self.context.control.send(event)
        self._writer.tell(event)
        self._frames.note(event)

    def _count(self) -> None:
        """Carry the decoder's counters over into what the beats tell."""
        now, before, telemetry = self._decoder.counted.copy(), self._told, self.context.telemetry
        if nanoseconds := now.decode_ns - before.decode_ns:
            telemetry.record("decode", nanoseconds / 1e9, now.counts["frames"] - before.counts["frames"])
        for cause, total in now.drops.items():
            if new := total - before.drops[cause]:
                telemetry.drop(self._camera.name, cause, new)
        for what, total in now.counts.items():
            if what != "frames" and (new := total - before.counts[what]):  # those are counted as they are handed over
                telemetry.counts.everywhere(self._camera.name, what, new)
        self._told = now
