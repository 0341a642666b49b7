"""The process that hands results out: it gives ``Delivery`` what the enhance processes say."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zmq
from msgspec import Struct

from engine.archive.resume import Resume, reopen
from engine.archive.writer import DirectorySink
from engine.config import Config
from engine.contracts.counts import Counts
from engine.contracts.orders import Begin, CountedBefore
from engine.contracts.streams import Checkpoint, InputFile, StreamChanged
from engine.delivery.delivery import Delivery
from engine.publish.publisher import Publisher
from engine.runtime.actor import Actor
from engine.runtime.channel import Channel
from engine.runtime.descriptors import raise_limit
from engine.runtime.mailbox import Sender
from engine.runtime.protocol import Drain
from engine.runtime.worker import WorkerContext
from engine.workers.links import Outgoing
from engine.workers.policy import Policy

_POLL_SECONDS = 0.05
_GIVE_UP_SECONDS = 10.0
"""How long a ``push`` without a reader may hold back the end of a run that is being stopped."""
_LINGER_MS = 5_000
_MOST_FILES = 65_536
_MOST_HELD_STATS = 60
"""A minute of them: later ones take the place of the oldest, and have the totals of all."""


def publish_body(
    context: WorkerContext,
    upstreams: dict[str, Channel],
    config: Config,
    run: dict[str, Any],
    resume: Resume | None,
    policy: Policy,
    again: bool,
) -> None:
    """Work until every upstream has sent Drain, then publish ``end``.

    Args:
        context: of the worker.
        upstreams: from the enhance processes, by name.
        config: of the run.
        run: what ``run.json`` says of it.
        resume: what an earlier attempt of the run left in the output directory.
        policy: of the run.
        again: this process replaces one that died.
    """
    if again and config.output.directory:
        resume = reopen(Path(config.output.directory))
    raise_limit(_MOST_FILES)  # a crowd of connections must not cost this process the files that it writes
    zmq_context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    next_seq = resume.next_seq if resume else None
    publisher = Publisher(config.publish, str(run["run_id"]), zmq_context, live=policy.is_prompt, next_seq=next_seq)
    sockets = [Path(end[6:]) for end in (publisher.bound_endpoint, publisher.bound_replay) if end.startswith("ipc:///")]

    def remove_sockets() -> None:
        for path in sockets:
            path.unlink(missing_ok=True)

    context.clean_up_after_parent(remove_sockets)
    try:
        context.ready({"endpoint": publisher.bound_endpoint, "replay": publisher.bound_replay})
        PublishWorker(context, upstreams, config, publisher, run, resume, policy).run()
    finally:
        remove_sockets()  # while nobody else can have bound them; libzmq leaves them behind
        publisher.close(_LINGER_MS)
        zmq_context.term()


class PublishWorker(Actor[Any]):
    """See ``publish_body``."""

    def __init__(
        self,
        context: WorkerContext,
        upstreams: Mapping[str, Channel],
        config: Config,
        publisher: Publisher,
        run: dict[str, Any],
        resume: Resume | None,
        policy: Policy,
    ) -> None:
        self._config, self._run, self._resume, self._policy = config, run, resume, policy
        self._publisher = publisher
        self.delivery = Delivery(publisher, context.telemetry, upstreams, self._should_stop, context.control.send)
        self._facts: dict[str, Any] = {}
        self._counted_before = Counts()
        self._stop_since: float | None = None
        self._held: deque[Struct] = deque()
        """Orders that came while a message waited for its reader: they follow it, in their order."""
        super().__init__(context, upstreams, {}, replaced=policy.replaces_workers)

    def run(self) -> None:
        """Work until every upstream has said its last word, and then say that of the run."""
        while not self._facts and self.stopped is None:
            self.turn(_POLL_SECONDS)
        self._open_directory()
        if self._config.publish.wait_seconds and self._publisher.bound_endpoint:
            self._publisher.wait_for_subscriber(self._config.publish.wait_seconds, self._should_stop)
        super().run()
        counts = self.context.telemetry.counts
        for part in (self._resume.counts if self._resume else Counts(), self._counted_before, self.heard.now()):
            counts.add(part)
        self.delivery.end(self.worst.outcome, self.worst.detail, self._facts)

    @property
    def wait_seconds(self) -> float:
        return _POLL_SECONDS

    def reads(self, sender: Sender) -> bool:
        return bool(self._facts) or self.stopped is not None

    def take(self, sender: Sender, message: object) -> None:
        match message:
            case Outgoing():
                self.delivery.send(message.body, message.payloads)
            case StreamChanged() | Checkpoint():
                self.delivery.pass_on(message, sender.name)
            case InputFile():
                self.delivery.note_input(message)
        sender.confirm()

    def miss(self, sender: Sender) -> None:
        self.delivery.miss()

    def lose(self, sender: Sender) -> Drain:
        self.delivery.miss()
        return Drain("failed", "a worker that enhances the faces died")

    def leave(self, sender: Sender) -> None:
        self.delivery.leave(sender.name)

    def obey(self, order: Struct) -> None:
        match order:
            case Begin():
                self._facts = dict(order.facts)
            case CountedBefore():
                self._counted_before = order.counts
            case Outgoing():
                self.delivery.send(order.body, order.payloads)
            case StreamChanged():  # of a stream of which nothing ever came
                self.delivery.send(order, [])

    def work(self) -> None:
        while self._held:
            self.follow(self._held.popleft())
        self._publisher.poll()

    def _open_directory(self) -> None:
        """Only now: a run that could not start leaves no directory that the next try would find taken."""
        if self._facts and self._config.output.directory:
            output, run, resume = self._config.output, self._run | {"workers": self._facts}, self._resume
            expires = self._policy.forgets_pictures
            self.delivery.sink = self.context.alive_during(  # an earlier run that it deletes may be large
                lambda: DirectorySink(output, run, overwrite=output.overwrite, resume=resume, expires=expires)
            )

    def _should_stop(self) -> bool:
        """Whether a blocked ``push`` gives up; asked while it waits, so orders are read here too. None is followed that sends
        something: it would overtake the message that waits."""
        while self.context.control.has_message():
            if (order := self.receive_order()) is not None:
                self._hold(order)
        self.context.beat()
        if self.stopped is None:
            return False
        self._stop_since = self._stop_since or time.monotonic()
        return time.monotonic() - self._stop_since > _GIVE_UP_SECONDS

    def _hold(self, order: Struct) -> None:
        stats = [held for held in self._held if isinstance(held, Outgoing)] if isinstance(order, Outgoing) else []
        if len(stats) >= _MOST_HELD_STATS:
            self._held.remove(stats[0])
        self._held.append(order)
