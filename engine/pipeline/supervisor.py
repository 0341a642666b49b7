"""Watches the workers of a run: hands out recordings, collects beats, drains on a signal, and ends the run when one dies."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from types import FrameType

import msgspec

from engine.contracts.links import Assign, Beat, Begin, Drain, Failed, Outgoing, Ready, StreamChanged, WantRecording
from engine.contracts.messages import Outcome
from engine.errors import FacestreamError, WorkerError
from engine.pipeline.status import RunStatus, StreamStatus
from engine.runtime.channel import ChannelClosed
from engine.runtime.worker import Worker
from engine.source.files import Recording

READY_SECONDS = 120.0
"""A worker that has not loaded its models by then is given up."""
_TICK_SECONDS = 0.2
_STATS_SECONDS = 1.0
_FLUSH_SECONDS = 15.0
"""After a worker has died, how long the others may take to bring what they hold to the output."""

Observer = Callable[[RunStatus], None]


class Supervisor:
    """Runs started workers to their end."""

    def __init__(self, workers: Sequence[Worker], recordings: Sequence[Recording], observer: Observer) -> None:
        self._workers = {worker.name: worker for worker in workers}
        self._waiting = deque(recordings)
        self._idle: list[Worker] = []
        self._observer = observer
        self._error: FacestreamError | None = None
        self._flush_until: float | None = None
        self._signals = 0
        self._drained = False
        self.facts: dict[str, dict[str, str]] = {}
        """What each worker has loaded."""
        self.status = RunStatus({recording.name: StreamStatus(recording.name) for recording in recordings})

    def run(self) -> None:
        """Return when every worker has finished.

        Raises:
            FacestreamError: a worker failed; what it produced before has been written as far as the others could.
            KeyboardInterrupt: a second signal came while the run was being drained.
        """
        with self._signal_handlers():
            try:
                self._wait_until_ready()
                self._work()
            finally:
                self._kill_all()
        if self._error is not None:
            raise self._error

    @property
    def was_drained(self) -> bool:
        """Whether a signal ended the run early."""
        return self._drained

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while len(self.facts) < len(self._workers):
            self._listen()
            missing = [name for name in self._workers if name not in self.facts]
            if self._error is not None:
                raise self._error
            if self._signals:
                raise KeyboardInterrupt
            if time.monotonic() > deadline:
                raise WorkerError(f"{', '.join(missing)} did not become ready within {READY_SECONDS:g} s")
        self.status.started = time.monotonic()
        _tell(self._workers["publish"], Begin(self.facts))

    def _work(self) -> None:
        next_stats = 0.0
        while not all(worker.finished for worker in self._workers.values()):
            self._listen()
            self._hand_out()
            if self._signals and not self._drained:
                self._drain()
            if self._signals > 1:
                raise KeyboardInterrupt
            if self._flush_until is not None and time.monotonic() > self._flush_until:
                break
            if time.monotonic() >= next_stats:
                next_stats = time.monotonic() + _STATS_SECONDS
                self._send_stats()
            self._observer(self.status)
        self.status.ended = time.monotonic()
        self._observer(self.status)

    def _listen(self) -> None:
        """Handle what workers say; notice those that end."""
        alive = [worker for worker in self._workers.values() if not worker.finished]
        handles = {worker.control.fileno(): worker for worker in alive} | {worker.sentinel: worker for worker in alive}
        for handle in wait(list(handles), _TICK_SECONDS):
            worker = handles[handle]  # type: ignore[index]
            while not worker.finished and worker.control.has_message():
                try:
                    self._hear(worker)
                except ChannelClosed:
                    self._bury(worker)
            if handle == worker.sentinel and not worker.finished:
                self._bury(worker)

    def _hear(self, worker: Worker) -> None:
        link = worker.control.receive()
        match link:
            case Ready():
                self.facts[worker.name] = link.facts
            case Beat():
                self.status.take_beat(link)
                worker.finished = link.finished
            case StreamChanged():
                self.status.take_event(link)
            case WantRecording():
                self._idle.append(worker)
            case Failed():
                self._fail(FacestreamError(link.message), link.exit_code)

    def _bury(self, worker: Worker) -> None:
        """A worker is gone without a last beat."""
        worker.process.join(_TICK_SECONDS * 10)
        worker.finished = True
        if self._error is None:
            self._fail(WorkerError(f"the worker {worker.name} {worker.describe_end()}: the run is incomplete"), 1)

    def _fail(self, error: FacestreamError, exit_code: int) -> None:
        if self._error is None:
            error.exit_code = exit_code
            self._error = error
            self._flush_until = time.monotonic() + _FLUSH_SECONDS
            self._stop_reading("failed", str(error))

    def _hand_out(self) -> None:
        """Give recordings to the decode workers that want one; a Drain when there is none left."""
        while self._idle:
            worker = self._idle.pop()
            if worker.finished:
                continue
            if self._waiting:
                recording = self._waiting.popleft()
                _tell(worker, Assign(recording.name, str(recording.path)))
            else:
                _tell(worker, Drain("drained", "stopped by a signal") if self._drained else Drain())

    def _drain(self) -> None:
        """First signal: stop reading, finish what is held."""
        self._drained = True
        self._stop_reading("drained", "stopped by a signal")

    def _stop_reading(self, outcome: Outcome, detail: str) -> None:
        self._waiting.clear()
        for worker in self._workers.values():
            if not worker.finished and (worker.name.startswith("decode") or worker.name == "publish"):
                _tell(worker, Drain(outcome, detail))

    def _send_stats(self) -> None:
        publish = self._workers["publish"]
        if not publish.finished:
            _tell(publish, Outgoing(self.status.stats(), []))

    def _kill_all(self) -> None:
        """Leave no process behind."""
        for worker in self._workers.values():
            if not worker.finished:
                worker.process.kill()
        for worker in self._workers.values():
            worker.process.join(_FLUSH_SECONDS)
            worker.process.kill()
            worker.control.close()

    @contextmanager
    def _signal_handlers(self) -> Iterator[None]:
        def count(number: int, frame: FrameType | None) -> None:
            self._signals += 1

        before = {number: signal.signal(number, count) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _tell(worker: Worker, order: msgspec.Struct) -> None:
    """Send an order; a worker that is gone is noticed by its sentinel."""
    with suppress(ChannelClosed):
        worker.control.send(order)
