"""The process that finds, follows and cuts faces: it gives ``Perception`` what decoders send, and sends on what that finds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence, Set
from contextlib import closing
from itertools import count

from engine.config import Config
from engine.contracts.tap import Tap
from engine.inference.client import compute_elsewhere
from engine.perception.models import OpenModels
from engine.perception.perception import Perception
from engine.perception.track_ids import TrackIds
from engine.runtime.actor import Actor
from engine.runtime.channel import Channel, Waitable
from engine.runtime.frame_slots import PoolOpened
from engine.runtime.mailbox import Sender
from engine.runtime.protocol import Drain
from engine.runtime.worker import WorkerContext
from engine.workers.frame_line import FrameLine
from engine.workers.frame_sources import Ordered
from engine.workers.lanes import Lanes
from engine.workers.previews import watched


def perceive_body(
    context: WorkerContext, upstreams: dict[str, Channel], recordings: Set[str], downstreams: dict[str, Channel],
    config: Config, first_id: int, numbered: Sequence[str], rejected: Mapping[str, int], devices: Mapping[str, bytes],
    goes_on: bool, tap: Tap | None, run_id: str,
) -> None:  # fmt: skip
    """Work until every upstream, which decodes, has sent Drain; then pass one on to the enhance processes.

    Args as for ``FrameLine`` and ``Perception``; ``first_id``, ``numbered``: see ``TrackIds``; ``devices``: see
    ``compute_elsewhere``; ``goes_on``: see ``Policy``; ``tap``: where previews go; ``run_id``: see ``Previews``.
    """
    compute_elsewhere(devices)
    with closing(OpenModels(config, context.control.send)) as models:
        ids, beat, drop = TrackIds(first_id, numbered), context.beat, context.telemetry.drop
        core = models.core(context.telemetry, ids, rejected)
        lanes = Lanes(
            downstreams, config.live, count(first_id), core.drop_face, beat, config.publish.traced, track_step=ids.step
        )
        with watched(tap, core, run_id) as show, closing(FrameLine(core, config, recordings, drop, show)) as line:
            worker = PerceiveWorker(context, core, line, lanes, upstreams, goes_on)
            context.ready(models.facts)
            worker.run()


class PerceiveWorker(Actor[Ordered | PoolOpened]):
    """Fills the line of a core, and sends what comes out of it down the lanes."""

    def __init__(
        self, context: WorkerContext, core: Perception, line: FrameLine, lanes: Lanes, upstreams: Mapping[str, Channel],
        goes_on: bool = False,
    ) -> None:  # fmt: skip
        self._core, self._line, self._lanes = core, line, lanes
        super().__init__(context, upstreams, lanes.outlets, replaced=True, goes_on=goes_on)

    def run(self) -> None:
        super().run()
        self.context.telemetry.counters.pop("overload.level", None)  # not a total
        self._lanes.drain(self.last_word())

    @property
    def is_done(self) -> bool:
        return self.inbox.is_over and not len(self._line) and not self._lanes.is_owing

    def begin(self, sender: Sender) -> None:
        self._line.sources.begin(sender)

    def take(self, sender: Sender, message: Ordered | PoolOpened) -> None:
        if not self._line.sources.take(sender, message):
            self.give_up(sender)

    def miss(self, sender: Sender) -> None:
        self._line.sources.miss(sender)

    def lose(self, sender: Sender) -> Drain | None:
        return self._line.sources.lose(sender)

    def leave(self, sender: Sender) -> None:
        self._line.sources.end(sender)

    def reads(self, sender: Sender) -> bool:
        return self._line.reads(sender, backed_up=self._lanes.is_backed_up)

    def wakers(self) -> Sequence[Waitable]:
        return [self._line.pool]

    def work(self) -> None:
        for item in self._line.flow():
            self._lanes.pass_on(item)
        at_the_end = self.inbox.is_over and not len(self._line)  # nothing fresher comes: even what is late goes out
        self._core.note_faces(*self._lanes.flush(0.0 if at_the_end else time.monotonic()))
        if self.stopped is None:
            self._core.adapt(time.monotonic())
        self.context.telemetry.queue_depths["detect"] = len(self._line)
