"""The process that hands results out: numbers them, puts them on the socket, and writes the output directory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import zmq

from engine.archive.resume import Resume, reopen
from engine.archive.writer import DirectorySink
from engine.config import Config
from engine.contracts.counts import Counts
from engine.contracts.envelope import Body
from engine.contracts.frames import Uint8
from engine.contracts.messages import Face, Outcome
from engine.contracts.orders import Begin, CountedBefore
from engine.contracts.streams import Checkpoint, InputFile, RunEnd, StreamChanged
from engine.delivery.barrier import Barrier
from engine.delivery.verdict import judged
from engine.publish.publisher import Publisher
from engine.runtime.channel import Channel, wait_for_any
from engine.runtime.descriptors import raise_limit
from engine.runtime.mailbox import Inbox
from engine.runtime.protocol import Attach, Drain
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
        _PublishWorker(context, upstreams, config, publisher, run, resume, policy).run()
    finally:
        remove_sockets()  # while nobody else can have bound them; libzmq leaves them behind
        publisher.close(_LINGER_MS)
        zmq_context.term()


class _PublishWorker:
    def __init__(
        self,
        context: WorkerContext,
        upstreams: dict[str, Channel],
        config: Config,
        publisher: Publisher,
        run: dict[str, Any],
        resume: Resume | None,
        policy: Policy,
    ) -> None:
        self._context = context
        self._names, self._inbox = list(upstreams), Inbox(upstreams)
        self._expires = policy.forgets_pictures
        self._replaced = policy.replaces_workers
        """Dead neighbours get successors, until the run ends."""
        self._config = config
        self._publisher = publisher
        self._run = run
        self._resume = resume
        self._sink: DirectorySink | None = None
        self._barrier = Barrier(upstreams)
        self._drains: list[Drain] = []
        self._facts: dict[str, Any] = {}
        self._counted_before = Counts()
        self._inputs: set[str] = set()
        self._stop_since: float | None = None
        self._held: deque[Any] = deque()
        """Orders that came while a message waited for its reader: they follow it, in their order."""

    def run(self) -> None:
        self._begin()
        while len(self._drains) < len(self._names):
            for channel in wait_for_any([*self._inbox.channels, self._context.control], _POLL_SECONDS):
                if channel is self._context.control:
                    self._obey()
                else:
                    self._receive(channel)
                self._obey_held()
            self._publisher.poll()
            self._context.beat()
        self._end()

    def _begin(self) -> None:
        """Wait until all workers are ready and, if asked to, until somebody listens."""
        while not self._facts and self._stop_since is None:
            if self._context.control.has_message(_POLL_SECONDS):
                self._obey()
            self._publisher.poll()
            self._context.beat()
        if self._facts and self._config.output.directory:
            # Only now: a run that could not start leaves no directory that the next try would find taken.
            output, run = self._config.output, self._run | {"workers": self._facts}
            self._sink = self._context.alive_during(  # an earlier run that it deletes may be large
                lambda: DirectorySink(output, run, overwrite=output.overwrite, resume=self._resume, expires=self._expires)
            )
        if self._config.publish.wait_seconds and self._publisher.bound_endpoint:
            self._publisher.wait_for_subscriber(self._config.publish.wait_seconds, self._should_stop)

    def _obey(self) -> None:
        self._carry_out(self._context.control.receive())

    def _obey_held(self) -> None:
        while self._held:
            self._carry_out(self._held.popleft())

    def _carry_out(self, order: object) -> None:
        match order:
            case Begin():
                self._facts = dict(order.facts)
            case CountedBefore():
                self._counted_before = order.counts
            case Outgoing():
                self._send(order.body, order.payloads)
            case Attach():
                self._attach(order)
            case Drain():
                self._stop()

    def _attach(self, order: Attach) -> None:
        self._inbox.attach(order.name, self._context.control.receive_channel())

    def _stop(self) -> None:
        """The run ends: nobody is replaced any more, and a ``push`` without a reader does not hold it back for ever."""
        self._stop_since = self._stop_since or time.monotonic()
        self._replaced = False
        for name in self._names:
            if not self._inbox.is_open(name) and not self._barrier.has_left(name):
                self._leave(name, Drain("failed", "a worker that enhances the faces died"))

    def _receive(self, channel: Channel) -> None:
        name, link = self._inbox.receive(channel)
        if isinstance(link, Drain):
            self._inbox.close(name)
            self._leave(name, link)
        elif link is not None:
            self._handle(link, name)
            self._inbox.confirm(name)
        else:
            if self._sink is not None:
                self._sink.stop_vouching()
            if not self._replaced and not self._inbox.is_open(name):
                self._leave(name, Drain("failed", "a worker that enhances the faces died"))

    def _leave(self, name: str, drain: Drain) -> None:
        self._drains.append(drain)
        self._pass(self._barrier.leave(name))

    def _handle(self, link: object, name: str) -> None:
        match link:
            case Outgoing():
                self._send(link.body, link.payloads)
            case StreamChanged() | Checkpoint():
                self._pass(self._barrier.take(link, name))
            case InputFile():
                if self._sink is not None and link.stream not in self._inputs:
                    self._inputs.add(link.stream)
                    self._sink.record_input(link.stream, link.path, link.size_bytes, link.sha256, link.mtime_ns)

    def _pass(self, events: list[StreamChanged | Checkpoint]) -> None:
        for event in events:
            if isinstance(event, StreamChanged):
                verdict = judged(event)
                self._send(verdict, [])
                if verdict is not event:
                    self._context.control.send(verdict)
            elif self._sink is not None:
                with self._context.telemetry.stage("checkpoint"):
                    self._sink.checkpoint(event.stream, event.frame_index, event.next_track_id, event.rejected)

    def _send(self, body: Body, arrays: Sequence[Uint8]) -> None:
        telemetry = self._context.telemetry
        payloads = [array.data for array in arrays]
        with telemetry.stage("publish"):
            sent = self._publisher.send(body, payloads, self._should_stop)
        if isinstance(sent, Face):
            seconds = (sent.sent_ns - sent.captured_ns) / 1e9
            telemetry.record("latency", seconds)
            telemetry.record(f"latency.{sent.stream}", seconds)
        if self._sink is not None:
            with telemetry.stage("write"):
                self._sink.write(sent, payloads)
            for name, total in self._sink.counters.items():
                telemetry.counters[name] = total

    def _should_stop(self) -> bool:
        """Whether a blocked ``push`` gives up; asked while it waits, so orders are read here too.

        None is carried out that sends something: it would overtake the message that waits.
        """
        while self._context.control.has_message():
            order = self._context.control.receive()
            if isinstance(order, Attach):
                self._attach(order)  # the channel follows on the same pipe
                continue
            if isinstance(order, Drain):
                self._stop_since = self._stop_since or time.monotonic()
            self._hold(order)
        self._context.beat()
        return self._stop_since is not None and time.monotonic() - self._stop_since > _GIVE_UP_SECONDS

    def _hold(self, order: object) -> None:
        stats = [held for held in self._held if isinstance(held, Outgoing)] if isinstance(order, Outgoing) else []
        if len(stats) >= _MOST_HELD_STATS:
            self._held.remove(stats[0])
        self._held.append(order)

    def _end(self) -> None:
        counts = self._context.telemetry.counts
        before = self._resume.counts if self._resume else Counts()
        for part in (before, self._counted_before, *(drain.counts for drain in self._drains)):
            counts.add(part)
        worst = next((drain for drain in self._drains if drain.outcome != "completed"), self._drains[0])
        outcome: Outcome = worst.outcome
        self._send(RunEnd(outcome, worst.detail, counts.now().flat()), [])
        counts.run.update(self._publisher.counters)
        if self._sink is not None:
            self._sink.close(outcome, {"workers": self._facts, "counters": counts.now().flat(), "streams": counts.streams})
