"""The process that hands results out: numbers them, puts them on the socket, and writes the output directory."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import zmq

from engine.config import Config
from engine.contracts.links import Begin, Drain, InputFile, Outgoing, StreamChanged
from engine.contracts.messages import AnyMessage, End, Face, Outcome, Stream
from engine.publish.directory import DirectorySink
from engine.publish.publisher import Publisher
from engine.runtime.channel import Channel, ChannelClosed, wait_for_any
from engine.runtime.worker import WorkerContext

_POLL_SECONDS = 0.05
_GIVE_UP_SECONDS = 10.0
"""How long a ``push`` without a reader may hold back the end of a run that is being stopped."""
_LINGER_MS = 5_000


def publish_body(context: WorkerContext, upstreams: list[Channel], config: Config, run: dict[str, Any]) -> None:
    """Work until every upstream has sent Drain, then publish ``end``."""
    zmq_context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    publisher = Publisher(config.publish, str(run["run_id"]), zmq_context)
    try:
        context.ready({"endpoint": publisher.bound_endpoint, "replay": publisher.bound_replay})
        _PublishWorker(context, upstreams, config, publisher, run).run()
    finally:
        publisher.close(_LINGER_MS)
        zmq_context.term()


class _PublishWorker:
    def __init__(
        self,
        context: WorkerContext,
        upstreams: list[Channel],
        config: Config,
        publisher: Publisher,
        run: dict[str, Any],
    ) -> None:
        self._context = context
        self._upstreams = upstreams
        self._open = list(upstreams)
        self._config = config
        self._publisher = publisher
        self._run = run
        self._sink: DirectorySink | None = None
        self._barrier = _Barrier(len(upstreams))
        self._drains: list[Drain] = []
        self._facts: dict[str, Any] = {}
        self._inputs: dict[str, dict[str, Any]] = {}
        self._stop_since: float | None = None

    def run(self) -> None:
        self._begin()
        while self._open:
            for channel in wait_for_any([*self._open, self._context.control], _POLL_SECONDS):
                if channel is self._context.control:
                    self._obey()
                else:
                    self._receive(channel)
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
            self._sink = DirectorySink(self._config.output, self._run, overwrite=self._config.output.overwrite)
        if self._config.publish.wait_seconds and self._publisher.bound_endpoint:
            self._publisher.wait_for_subscriber(self._config.publish.wait_seconds, self._should_stop)

    def _obey(self) -> None:
        order = self._context.control.receive()
        match order:
            case Begin():
                self._facts = dict(order.facts)
            case Outgoing():
                self._send(order.message, order.payloads)
            case Drain():
                self._stop_since = self._stop_since or time.monotonic()

    def _receive(self, channel: Channel) -> None:
        try:
            link = channel.receive()
        except ChannelClosed:
            link = Drain("failed", "a worker that enhances the faces died")
        match link:
            case Outgoing():
                self._send(link.message, link.payloads)
            case StreamChanged():
                self._send_events(self._barrier.take(link, self._upstreams.index(channel)))
            case InputFile():
                self._inputs[link.stream] = {"path": link.path, "size_bytes": link.size_bytes, "sha256": link.sha256}
            case Drain():
                self._drains.append(link)
                self._open.remove(channel)
                self._send_events(self._barrier.leave(self._upstreams.index(channel)))

    def _send_events(self, events: list[StreamChanged]) -> None:
        for event in events:
            self._send(_stream_message(event), [])

    def _send(self, message: AnyMessage, payloads: list[bytes]) -> None:
        telemetry = self._context.telemetry
        with telemetry.stage("publish"):
            sent = self._publisher.send(message, payloads, self._should_stop)
        if isinstance(sent, Face):
            telemetry.record("latency", (sent.sent_ns - sent.captured_ns) / 1e9)
        if self._sink is not None:
            with telemetry.stage("write"):
                self._sink.write(sent, payloads)

    def _should_stop(self) -> bool:
        """Whether a blocked ``push`` gives up; asked while it waits, so orders are read here too."""
        if self._context.control.has_message():
            order = self._context.control.receive()
            if isinstance(order, Drain):
                self._stop_since = self._stop_since or time.monotonic()
        self._context.beat()
        return self._stop_since is not None and time.monotonic() - self._stop_since > _GIVE_UP_SECONDS

    def _end(self) -> None:
        counters: Counter[str] = Counter()
        for drain in self._drains:
            counters.update(drain.counters)
        worst = next((drain for drain in self._drains if drain.outcome != "completed"), self._drains[0])
        outcome: Outcome = worst.outcome
        end = End(run_id="", stream="", outcome=outcome, detail=worst.detail, last_seq={}, counters=dict(counters))
        self._send(end, [])
        counters.update(self._publisher.counters)
        self._context.telemetry.counters.update(counters)
        if self._sink is not None:
            self._sink.close(outcome, {"workers": self._facts, "inputs": self._inputs, "counters": dict(counters)})


class _Barrier:
    """Lets each stream event pass once: a first state with its first copy, a last one with the copy of the last worker."""

    def __init__(self, workers: int) -> None:
        self._alive = set(range(workers))
        self._arrived: dict[str, Counter[int]] = {}
        self._passed: Counter[str] = Counter()
        self._held: dict[str, StreamChanged] = {}

    def take(self, event: StreamChanged, worker: int) -> list[StreamChanged]:
        """Take one copy of an event and return what may go out; every worker sends a stream's events in the same order."""
        arrived = self._arrived.setdefault(event.stream, Counter())
        arrived[worker] += 1
        if event.state in ("ended", "failed"):
            self._held[event.stream] = event
            return self._release()
        if arrived[worker] > self._passed[event.stream]:
            self._passed[event.stream] += 1
            return [event]
        return []

    def leave(self, worker: int) -> list[StreamChanged]:
        """A worker will send no more; return what waited for it alone."""
        self._alive.discard(worker)
        return self._release()

    def _release(self) -> list[StreamChanged]:
        whole = []
        for stream, event in list(self._held.items()):
            arrived = self._arrived[stream]
            if all(arrived[worker] == max(arrived.values()) for worker in self._alive):
                whole.append(event)
                del self._held[stream], self._arrived[stream], self._passed[stream]
        return whole


def _stream_message(event: StreamChanged) -> Stream:
    return Stream(
        run_id="",
        stream=event.stream,
        state=event.state,
        reason=event.reason,
        detail=event.detail,
        width_px=event.width_px,
        height_px=event.height_px,
        counters=event.counters,
    )
