"""The process that enlarges faces and says whose they are: it gives ``Enhancement`` what perceive sends. Several may run, each
with tracks of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.config import Config
from engine.contracts.faces import FaceCrop
from engine.contracts.orders import Warned
from engine.enhancement.enhancement import Enhancement
from engine.enhancement.models import OpenModels
from engine.inference.client import compute_elsewhere
from engine.runtime.actor import Actor
from engine.runtime.channel import Channel, Waitable
from engine.runtime.mailbox import Sender
from engine.runtime.model_calls import ModelCalls
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
    """Work until the upstream sends Drain, then pass it on.

    Args:
        context: of the worker.
        upstream: from perceive.
        downstream: to publish.
        config: of the run.
        policy: of the run.
        threads: faces that are enlarged at the same time.
        devices: where the processes are that compute on them, see ``compute_elsewhere``.
    """
    compute_elsewhere(devices)
    models = OpenModels(config, prompt=policy.is_prompt, warn=lambda sentence: context.control.send(Warned("", sentence)))
    calls = ModelCalls(context.telemetry.counts, lambda stream, words: context.control.send(Warned(stream, words)))
    core = Enhancement(config, models.enhancer, models.hurried, models.verifier, calls, context.telemetry, context.control.send)
    worker = EnhanceWorker(context, core, upstream, downstream, config, policy, models.batch, threads)
    context.ready(models.facts)
    try:
        worker.run()
        worker.drain()
    finally:
        models.close()


class EnhanceWorker(Actor[FaceCrop | Passed]):
    """Keeps the threads of a core fed, and its neighbours told.

    Args:
        context: of the worker.
        core: what does the work.
        upstream: from perceive.
        downstream: to publish.
        config: of the run.
        policy: of the run.
        batch: faces that are enlarged together at most.
        threads: batches that are enlarged at the same time.
    """

    def __init__(
        self,
        context: WorkerContext,
        core: Enhancement,
        upstream: Channel,
        downstream: Channel,
        config: Config,
        policy: Policy,
        batch: int,
        threads: int,
    ) -> None:
        self._publish = Output(context, downstream)
        self._line = FaceLine(core, batch, config.super_resolve.max_wait_ms / 1000, threads)
        self._room = self._line.room + policy.read_ahead
        self._reading: Sender | None = None
        super().__init__(context, {"perceive": upstream}, {"publish": self._publish}, replaced=policy.replaces_workers)

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
        return self.stopped or Drain("failed", "the worker that finds the faces died")

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
            if self._reading is not None:
                self._reading.confirm(Taken(done))
        self.context.telemetry.queue_depths["super_resolve"] = len(self._line)

    def drain(self) -> None:
        """Say the last word."""
        self._line.close()
        self._publish.send(self.last_word())
        self._publish.close()
