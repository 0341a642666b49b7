"""The process that holds all sessions of one device: it gives ``InferenceCore`` what workers ask, and answers them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.contracts.orders import Warned
from engine.errors import FacestreamError
from engine.inference.caller import Caller
from engine.inference.core import Batch, InferenceCore, Result
from engine.inference.messages import Open, Ran, Run, opened_message, refusal
from engine.runtime.channel import ChannelClosed, Waitable, wait_for_any
from engine.runtime.listener import Listener
from engine.runtime.ordered_pool import OrderedPool
from engine.runtime.protocol import Drain
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.sessions.session import Session, SessionSpec, open_session

STAGE = "inference"
_RUNS = 2
"""Batches that are given to the device at the same time: one is brought there while the other is computed."""


def inference_body(
    context: WorkerContext,
    listener: Listener,
    max_wait_ms: float,
    stuck_seconds: float,
    open: Callable[[SessionSpec], Session] = open_session,
) -> None:
    """Answer whoever connects, until the supervisor sends Drain and nobody is connected any more.

    Args:
        context: of the worker.
        listener: where workers connect; it outlives this process.
        max_wait_ms: see ``InferenceCore``.
        stuck_seconds: what one batch takes at most, also where the device prepares itself for its size first.
        open: opens a session on the device.

    Raises:
        DeviceLostError: the device is gone: another process is to take this one's place.
    """
    process = _InferenceProcess(context, listener, InferenceCore(max_wait_ms / 1000, open), stuck_seconds)
    context.ready()
    try:
        process.run()
    finally:
        process.close()


Tag = tuple[Caller, int]
"""Who asked, and the ticket."""


@dataclass(frozen=True)
class _Computed:
    results: list[tuple[Tag, Result]]
    seconds: float


class _InferenceProcess:
    def __init__(self, context: WorkerContext, listener: Listener, core: InferenceCore[Tag], stuck_seconds: float) -> None:
        self._context, self._listener, self._core, self._stuck_seconds = context, listener, core, stuck_seconds
        self._callers: list[Caller] = []
        self._pending: OrderedPool[Batch[Tag], Batch[Tag], _Computed] = OrderedPool(self._compute, _RUNS, STAGE)
        self._is_drained = False
        self._since: dict[int, float] = {}
        """When each batch that is computed now was given to the device."""

    def run(self) -> None:
        """Take what comes and keep the device fed; while it computes, the next batches gather."""
        while not self._is_drained or self._callers:
            left = None if len(self._pending) >= _RUNS else self._core.seconds_left(time.monotonic())
            for source in wait_for_any(self._sources(), BEAT_SECONDS if left is None else min(left, BEAT_SECONDS)):
                self._hear(source)
            while len(self._pending) < _RUNS and (batch := self._core.take(time.monotonic())) is not None:
                self._since[id(batch)] = time.monotonic()
                self._pending.put(batch, batch, key=id(batch))
            while (done := self._pending.take_done()) is not None:
                self._answer(*done)
            self._context.telemetry.queue_depths[STAGE] = len(self._core)
            if not self._is_stuck(time.monotonic()):
                self._context.beat()

    def close(self) -> None:
        self._pending.close()
        self._core.close()
        for caller in self._callers:
            caller.close()
        self._listener.close()

    def _sources(self) -> list[Waitable]:
        return [self._context.control, self._listener, self._pending, *self._callers]

    def _hear(self, source: Waitable) -> None:
        if source is self._context.control:
            self._is_drained |= isinstance(self._context.control.receive(), Drain)
        elif source is self._listener:
            if (channel := self._listener.accept()) is not None:
                self._callers.append(Caller(channel))
        elif isinstance(source, Caller):
            self._receive(source)

    def _receive(self, caller: Caller) -> None:
        try:
            question = caller.receive()
        except ChannelClosed:
            self._callers.remove(caller)  # what it still waits for is computed for nobody
            caller.close()
            return
        match question:
            case Open(ticket):
                spec = question.spec()
                try:
                    session = self._context.alive_during(lambda: self._core.open(spec))
                except FacestreamError as error:
                    caller.answer(refusal(ticket, error))
                    return
                caller.models[ticket] = spec
                caller.answer(opened_message(ticket, session))
            case Run(ticket):
                tensors = dict(zip(question.names, question.tensors, strict=True))
                self._core.put((caller, ticket), caller.models[question.model], tensors, time.monotonic())

    def _compute(self, batches: Sequence[Batch[Tag]]) -> list[_Computed]:
        """Runs in a thread of the pool."""
        computed = []
        for batch in batches:
            start = time.perf_counter()
            results = self._core.compute(batch)
            computed.append(_Computed(results, time.perf_counter() - start))
        return computed

    def _is_stuck(self, now: float) -> bool:
        """Whether the device has not answered for long: then this falls silent too, and is killed as one that hangs."""
        return any(now - since > self._stuck_seconds for since in self._since.values())

    def _answer(self, batch: Batch[Tag], computed: _Computed | None) -> None:
        del self._since[id(batch)]
        if computed is None:
            return
        self._context.telemetry.record(STAGE, computed.seconds, max(1, batch.rows))
        self._context.telemetry.counters[f"{STAGE}.batches"] += 1
        for (caller, ticket), result in computed.results:
            if caller in self._callers:
                answer = Ran(ticket, result) if isinstance(result, list) else refusal(ticket, result)
                caller.answer(answer)
        for sentence in self._core.take_news():
            self._context.control.send(Warned("", sentence))
