"""The process that finds, follows and cuts faces: it gives ``Perception`` what decoders send, and sends on what that finds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence, Set
from itertools import count

from engine.config import Config
from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.orders import Warned
from engine.errors import WorkerError
from engine.inference.client import compute_elsewhere
from engine.perception.models import OpenModels
from engine.perception.perception import Perception
from engine.runtime.actor import Actor
from engine.runtime.channel import Channel, Waitable
from engine.runtime.cores import usable_cores
from engine.runtime.frame_slots import PoolOpened
from engine.runtime.mailbox import Sender
from engine.runtime.model_calls import ModelCalls
from engine.runtime.protocol import Drain
from engine.runtime.worker import WorkerContext
from engine.workers.frame_line import FrameLine
from engine.workers.frame_sources import FrameSources, Ordered
from engine.workers.lanes import Lanes


def perceive_body(
    context: WorkerContext,
    upstreams: dict[str, Channel],
    recordings: Set[str],
    downstreams: dict[str, Channel],
    config: Config,
    first_id: int,
    rejected: Mapping[str, int],
    devices: Mapping[str, bytes],
) -> None:
    """Work until every upstream has sent Drain, then pass one on.

    Args:
        context: of the worker.
        upstreams: from the processes that decode, by name.
        recordings: names of those that read recordings; the others, and all that come later, read a camera.
        downstreams: to the enhance processes, by name.
        config: of the run.
        first_id: track ids begin here, so that none is used twice in a run.
        rejected: tracks of no face that earlier attempts found in what is kept, by recording.
        devices: where the processes are that compute on them, see ``compute_elsewhere``.
    """
    compute_elsewhere(devices)
    opened = OpenModels(config, lambda sentence: context.control.send(Warned("", sentence)))
    calls = ModelCalls(context.telemetry.counts, lambda stream, words: context.control.send(Warned(stream, words)))
    core = Perception(config, opened.models, calls, context.telemetry, first_id, rejected)
    worker = PerceiveWorker(context, core, upstreams, recordings, downstreams, config, first_id)
    context.ready(opened.facts)
    try:
        worker.run()
        worker.drain()
    finally:
        worker.close()
        opened.close()


class PerceiveWorker(Actor[Ordered | PoolOpened]):
    """See ``perceive_body``."""

    def __init__(
        self,
        context: WorkerContext,
        core: Perception,
        upstreams: Mapping[str, Channel],
        recordings: Set[str],
        downstreams: Mapping[str, Channel],
        config: Config,
        first_id: int,
    ) -> None:
        self._core, self._adapts = core, config.live.adapt and recordings < upstreams.keys()
        self._lanes = Lanes(downstreams, config.live, count(first_id), self._drop_face, context.beat)
        threads = config.detect.workers or usable_cores()
        self._sources = FrameSources(recordings, lambda source, link: self._line.put(source, link))
        self._line = FrameLine(core, config.live, threads, context.telemetry.drop, self._sources.finished)
        super().__init__(context, upstreams, self._lanes.outlets, replaced=True)

    @property
    def is_done(self) -> bool:
        return self.inbox.is_over and not len(self._line) and not self._lanes.is_owing

    def begin(self, sender: Sender) -> None:
        self._sources.begin(sender)

    def take(self, sender: Sender, message: Ordered | PoolOpened) -> None:
        try:
            self._sources.take(sender, message)
        except WorkerError:  # it died before its first picture was seen here
            self.give_up(sender)
            if not self._sources.is_live(sender):
                sender.channel.close()  # one that lives ends by it, and is replaced

    def miss(self, sender: Sender) -> None:
        self._sources.miss(sender)

    def lose(self, sender: Sender) -> Drain | None:
        self._sources.lose(sender)
        return None if self._sources.is_live(sender) else Drain("failed", "a decode worker died")

    def leave(self, sender: Sender) -> None:
        self._sources.end(sender)

    def reads(self, sender: Sender) -> bool:
        """Recordings are not read while their faces or frames wait, which holds their decoders back."""
        return self._sources.is_live(sender) or not (self._lanes.is_backed_up or self._line.is_full)

    def wakers(self) -> Sequence[Waitable]:
        return [self._line.pool]

    def work(self) -> None:
        for item in self._line.flow():
            if isinstance(item, FaceCrop | TrackClosed):
                self._lanes.send(item)
            else:
                self._lanes.send_to_all(item)
        at_the_end = self.inbox.is_over and not len(self._line)  # nothing fresher comes: even what is late goes out
        for _ in range(self._lanes.flush(0.0 if at_the_end else time.monotonic())):
            self._core.note_face()
        if self._adapts and self.stopped is None:
            self._core.adapt(time.monotonic())
        self.context.telemetry.queue_depths["detect"] = len(self._line)

    def drain(self) -> None:
        """Say the last word."""
        self.context.telemetry.counters.pop("overload.level", None)  # not a total
        self._lanes.drain(self.last_word())

    def close(self) -> None:
        """Free what the decoders have left, and the threads."""
        self._line.close()
        self._sources.close()

    def _drop_face(self, stream: str, cause: str) -> None:
        self._core.miss_face(late=cause != "worker_died")
        self.context.telemetry.drop(stream, cause)
