"""The process that decodes recordings, one after the other, into the frame pool.

What goes wrong in a recording is that recording's end, and no other's: whatever decoding it raises makes it ``failed`` here,
and where it kills the process the supervisor starts another one, which says so and goes on with the next recording.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from engine.config import DecodeConfig
from engine.contracts.orders import Assign, WantRecording
from engine.contracts.streams import StreamChanged
from engine.runtime.actor import Actor
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.workers.frame_writer import FrameWriter
from engine.workers.reading import Reading


def recording_body(
    context: WorkerContext, downstream: Channel, config: DecodeConfig, detect_every: int, unsaid: Sequence[StreamChanged]
) -> None:
    """Decode what the supervisor assigns until it says Drain.

    Args:
        context: of the worker.
        downstream: to perceive.
        config: how to decode.
        detect_every: every n-th frame is marked for detection.
        unsaid: the last states of recordings whose reader died, which this process says in its place.
    """
    worker = RecordingWorker(context, downstream, config, detect_every)
    for event in unsaid:
        worker.writer.require(event)
    context.ready()
    worker.run()


class RecordingWorker(Actor[Struct]):
    """See ``recording_body``."""

    def __init__(self, context: WorkerContext, downstream: Channel, config: DecodeConfig, detect_every: int) -> None:
        self.writer = FrameWriter(context, downstream, config.pool_slots, live=False)
        self._config, self._detect_every = config, detect_every
        self._assigned: Assign | None = None
        self._reads = False
        super().__init__(context, {}, {"perceive": self.writer}, replaced=False)

    def run(self) -> None:
        """Read one recording after the other, and say the last word.

        Raises:
            ChannelClosed: perceive or the supervisor is gone. No error of a recording leaves this method.
        """
        while self.stopped is None:
            self.context.control.send(WantRecording(self.context.name))
            while self._assigned is None and self.stopped is None:
                self.turn(BEAT_SECONDS)
            order, self._assigned = self._assigned, None
            if order is not None:
                self._reads = True
                Reading(self, self.writer, order, self._config, self._detect_every).run()
                self._reads = False
        self.writer.close()
        self.worst = self.stopped
        self.writer.say_last(self.last_word())

    def attached(self, name: str) -> None:
        """Perceive was restarted: what the dead one knew of the recording is gone, and it is to be read again.

        Raises:
            ChannelClosed: one is being read.
        """
        if self._reads:
            raise ChannelClosed

    def obey(self, order: Struct) -> None:
        if isinstance(order, Assign):
            self._assigned = order
