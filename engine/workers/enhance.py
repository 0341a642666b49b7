"""The process that enlarges faces and says whose they are: of several, each has tracks of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

from engine.config import Config
from engine.contracts.faces import FaceCrop
from engine.enhancement.models import OpenModels
from engine.inference.client import compute_elsewhere
from engine.runtime.actor import Actor
from engine.runtime.channel import Channel, Waitable
from engine.runtime.mailbox import Sender
from engine.runtime.protocol import Drain, Taken
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.workers.face_line import FaceLine, Passed
from engine.workers.output import Output
from engine.workers.policy import Policy


def enhance_body(
    context: WorkerContext,
    upstream: Channel,
    downstream: Channel,
    config: Config,
    policy: Policy,
    threads: int,
    devices: Mapping[str, bytes],
) -> None:
    """Work until the upstream, which is perceive, sends Drain; then pass that on to publish.

    Args as for ``EnhanceWorker``, and ``threads``: batches that are enlarged at the same time; ``devices``: where the processes
    are that compute on them, see ``compute_elsewhere``.
    """
    compute_elsewhere(devices)
    with closing(OpenModels(config, context.control.send, prompt=policy.is_prompt)) as models:
        core = models.core(context.telemetry)
        waits, behind = config.super_resolve.max_wait_ms / 1000, config.live.budget_ms / 1000
        line = FaceLine(core, models.batch, waits, threads, behind)
        worker = EnhanceWorker(context, line, upstream, downstream, policy)
        context.ready(models.facts)
        worker.run()


class EnhanceWorker(Actor[FaceCrop | Passed]):
    """Fills the line of a core, and tells its neighbours what comes out of it."""

    def __init__(self, context: WorkerContext, line: FaceLine, upstream: Channel, downstream: Channel, policy: Policy) -> None:
        self._line, self._publish = line, Output(context, downstream)
        self._room = line.room + policy.read_ahead
        super().__init__(context, {"perceive": upstream}, {"publish": self._publish}, replaced=policy.replaces_workers)

    def run(self) -> None:
        super().run()
        self._line.close()
        self._publish.send(self.last_word())
        self._publish.close()

    @property
    def is_done(self) -> bool:
        return self.inbox.is_over and not len(self._line)

    @property
    def wait_seconds(self) -> float:
        left = self._line.seconds_left
        return BEAT_SECONDS if left is None else min(left, BEAT_SECONDS)

    def begin(self, sender: Sender) -> None:
        self._line.forget_tracks()
        self._reading = sender
        sender.confirm(Taken(self._room))

    def take(self, sender: Sender, message: FaceCrop | Passed) -> None:
        self._line.put(message)

    def lose(self, sender: Sender) -> Drain:
        if self.stopped is not None and self.stopped.outcome == "failed":  # of which this death is but a part
            return self.stopped
        return Drain("failed", "the worker that finds the faces died")

    def leave(self, sender: Sender) -> None:
        self._line.close_batch()

    def reads(self, sender: Sender) -> bool:
        return not self._publish.is_backed_up

    def wakers(self) -> Sequence[Waitable]:
        return [self._line.pool]

    def work(self) -> None:
        for done, said in self._line.flow():
            for message in said:
                self._publish.send(message)
            self._reading.confirm(Taken(done))
            self.context.beat()
        for message in self._line.compare_again():
            self._publish.send(message)
        self.context.telemetry.queue_depths["super_resolve"] = len(self._line)
