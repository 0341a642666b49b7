"""Watches the workers of a run: hands out recordings, collects beats, replaces the dead and the hung, drains on a signal."""

from __future__ import annotations

import time
from collections.abc import Sequence

from engine.config.supervise import SuperviseConfig
from engine.contracts.messages import Outcome
from engine.contracts.orders import Assign, Begin, CountedBefore, Settled, WantRecording, Warned
from engine.contracts.streams import StreamChanged
from engine.errors import FacestreamError, WorkerError
from engine.pipeline.camera_changes import LEAVING_SECONDS, READY_SECONDS, CameraChanges
from engine.pipeline.control import RunControl
from engine.pipeline.crew import Crew
from engine.pipeline.death import Deaths
from engine.pipeline.fate import fate_of
from engine.pipeline.observing import Observer, Observing
from engine.pipeline.readings import Readings
from engine.pipeline.restarts import Restarts
from engine.pipeline.signals import CountedSignals
from engine.pipeline.status import RunStatus
from engine.pipeline.watchdog import Watchdog
from engine.runtime.channel import ChannelClosed, wait_for_handles
from engine.runtime.protocol import Beat, Drain, Failed, Ready
from engine.runtime.worker import Worker
from engine.workers.links import outgoing

_TICK_SECONDS, _STATS_SECONDS = 0.2, 1.0
_FLUSH_SECONDS = 15.0
"""After a worker has died for good, how long the others may take to bring what they hold to the output."""


class Supervisor:
    """Runs started workers to their end.

    A reader of recordings that dies or hangs is replaced, and its recording has failed. So is any other worker where a camera
    is among the sources, and what perceive took along is read again; over recordings alone the run fails. See ``fate_of``.

    Args:
        crew: the workers.
        recordings: what the decode workers read, in this order.
        config: when a worker is taken for hung, how often it is replaced.
        status: of the run, kept up to date here.
        observer: shown the status several times a second, from another thread: it may block.
        duration_seconds: end the run after this time; None: never.
        control: what is asked of the run while it goes on.
    """

    def __init__(
        self,
        crew: Crew,
        recordings: Sequence[Assign],
        config: SuperviseConfig,
        status: RunStatus,
        observer: Observer,
        duration_seconds: float | None = None,
        control: RunControl | None = None,
    ) -> None:
        self._crew, self._workers = crew, crew.workers
        self._readings = Readings(recordings, settles=crew.policy.replaces_workers)
        self._watchdog = Watchdog(config.hung_seconds, crew.cameras, crew.waits_of)
        self._replaces = crew.policy.replaces_workers
        self._restarts = Restarts(config.restarts_per_minute)
        self._failed, self._silent = dict[str, Failed](), dict[str, str]()
        self._duration_seconds = duration_seconds
        self._error: FacestreamError | None = None
        self._flush_until: float | None = None
        self._drained_at: float | None = None
        self._signals, self._observing = CountedSignals(), Observing(observer)
        self._begun, self._next_stats = False, 0.0
        self.facts: dict[str, dict[str, str]] = {}
        """What each worker has loaded."""
        self.status = status
        self._deaths = Deaths(crew, self._readings, status, self.facts)
        self._control = control or RunControl()
        self._changes = CameraChanges(crew, self._watchdog, status, self._control)

    def run(self) -> None:
        """Return when every worker has finished.

        Raises:
            FacestreamError: a worker failed for good; what it produced before has been written as far as the others could.
            KeyboardInterrupt: a second signal came while the run was being drained.
        """
        with self._signals:
            try:
                self._wait_until_ready()
                self._work()
            finally:
                self._crew.kill(_FLUSH_SECONDS)
                for worker in self._workers.values():
                    self.status.events.take_text(worker.name, *worker.text.read())
                    worker.close()
                self._observing.close(self.status if self.status.ended else None)
        if self._error is not None:
            raise self._error

    @property
    def was_drained(self) -> bool:
        """Whether a signal, or the time, ended the run early."""
        return self._drained_at is not None

    @property
    def interrupted(self) -> set[str]:
        """Recordings that failed because their reader was killed from outside; none where the run was to end early."""
        return set() if self.was_drained else self._readings.interrupted

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while len(self.facts) < len(self._workers):
            self._listen()
            missing = [name for name in self._workers if name not in self.facts]
            if self._error is not None:
                raise self._error
            if self._signals.count or self._control.end_asked:
                raise KeyboardInterrupt
            if time.monotonic() > deadline:
                raise WorkerError(f"{', '.join(missing)} did not become ready within {READY_SECONDS:g} s")
        self.status.started = time.monotonic()
        self._begun = True
        for name in ("publish", *self._crew.cameras):
            self._crew.tell(name, Begin(self.facts))

    def _work(self) -> None:
        while not all(worker.finished for worker in self._workers.values()) or self._restarts:
            self._listen()
            self._readings.hand_out(self._crew.tell, Drain("drained", "the run was stopped") if self.was_drained else Drain())
            self._kill_the_hung()
            self._restart_those_due()
            self._drain_if_asked()
            self._change_cameras()
            self._crew.let_devices_go()
            if self._signals.count > 1:
                raise KeyboardInterrupt
            if self._flush_until is not None and time.monotonic() > self._flush_until:
                break
            self._send_stats()
            self._observing.offer(self.status)
        self.status.ended = time.monotonic()

    def _send_stats(self) -> None:
        """Unless publish, as behind a reader that takes nothing, still has some to read: nothing here waits for a worker."""
        if time.monotonic() >= self._next_stats and self._workers["publish"].control.has_room():
            self._next_stats = time.monotonic() + _STATS_SECONDS
            self._crew.tell("publish", outgoing(self.status.stats()))

    def _listen(self) -> None:
        """Handle what workers say; notice those that end."""
        alive = [worker for worker in self._workers.values() if not worker.finished]
        handles = {worker.control.fileno(): worker for worker in alive} | {worker.sentinel: worker for worker in alive}
        printing = {worker.text.fileno(): worker for worker in self._workers.values() if worker.text.is_open}
        for handle in wait_for_handles([*handles, *printing, self._control.bell.fileno()], _TICK_SECONDS):
            if handle in printing:
                self.status.events.take_text(printing[handle].name, *printing[handle].text.read())
                continue
            if (worker := handles.get(handle)) is None:
                self._control.bell.hush()
                continue
            while not worker.finished and worker.control.has_message():
                try:
                    self._hear(worker)
                except ChannelClosed:
                    self._bury(worker)
            if handle == worker.sentinel and not worker.finished:
                self._bury(worker)

    def _hear(self, worker: Worker) -> None:
        link = worker.control.receive()
        self._watchdog.saw(worker.name)
        match link:
            case Ready():
                self.status.worker_started(worker.name, worker.process.pid or 0)
                again = worker.name in self.facts
                self.facts[worker.name] = link.facts
                self._readings.said(worker.name)
                self._watchdog.begin(worker.name)
                if self._begun and (worker.name == "publish" or worker.name in self._crew.cameras):
                    self._crew.tell(worker.name, Begin(self.facts))
                if again:
                    self._crew.tell("publish", CountedBefore(self.status.counted_by_the_dead))
            case Beat():
                self.status.take_beat(link)
                self._watchdog.saw_packets(worker.name, link.counts.run)
                worker.finished = link.finished
                if link.finished:
                    self._crew.note_end(worker.name)
            case StreamChanged():
                self.status.take_event(link)
                self._watchdog.saw_event(worker.name)
            case Warned():
                self.status.events.take_warning(link)
            case WantRecording():
                self._readings.want(worker.name)
            case Settled():
                self._readings.settle(link)
                self._changes.note(link)
            case Failed():
                self._failed[worker.name] = link
                self._bury(worker)

    def _bury(self, worker: Worker) -> None:
        """A worker is gone without a last beat, or going: see ``fate_of``."""
        name = worker.name
        worker.wait_for_end()
        self.status.events.take_text(name, *worker.text.read())
        said, silence = self._failed.pop(name, None), self._silent.pop(name, "")
        told = said.message if said else silence
        reason = told or f"the worker {name} {worker.describe_end()}"
        if self._error is not None:
            return
        self._readings.forget_wish(name)
        hopeless = said is not None and said.fatal
        death = self._deaths.of(name, says_hopeless=hopeless, lost_neighbour=worker.lost_neighbour)
        match fate_of(death, begun=self._begun, ending=self.was_drained, replaces=self._replaces):
            case "again":
                self._readings.read_again(name)
                self._replace(name, reason, at_fault=False)
            case "recording":
                self.status.take_event(self._readings.fail(name, reason, interrupted=worker.was_killed and not told))
                if not self.was_drained:
                    self._replace(name, reason, at_fault=False)
            case "nothing":
                self._crew.note_end(name)
            case "camera":
                words = reason if told or name in self.facts else f"{reason} before it was ready"
                self._changes.give_up(name, words, was_ready=name in self.facts)
                self._crew.note_end(name)
            case "replaced":
                for event in self._readings.note_death(death.role):
                    self.status.take_event(event)
                    self._crew.tell("publish", event)
                self._replace(name, reason)
            case "run":  # which may be begun again after a WorkerError: not where that was of no use, or is not wanted
                kind = FacestreamError if self.was_drained or hopeless else WorkerError
                words = reason if said else f"{reason}: the run is incomplete"
                self._fail(kind(words), said.exit_code if said else 1)

    def _replace(self, name: str, reason: str, *, at_fault: bool = True) -> None:
        """Restart a worker, at once or, where it died too often by its own fault, when the minute is over."""
        now = time.monotonic()
        deaths = self._restarts.note_death(name, now, at_fault=at_fault)
        self._watchdog.forget(name)
        self.status.worker_restarted(name, reason)
        if not self._restarts.died_too_often(name) or name in self._crew.cameras:
            self._restarts.plan(name, now)
        else:
            self._fail(WorkerError(f"{reason}; that was death {deaths} of {name} within a minute, so the run ends"))

    def _restart_those_due(self) -> None:
        for name in self._restarts.take_due(time.monotonic()):
            try:
                self._crew.restart(name, self._readings.unsaid(name))
            except FacestreamError as error:
                if (camera := self._crew.cameras.get(name)) is None:
                    return self._fail(error)
                self.status.events.take_warning(Warned(camera.name, f"{error}; trying again in a minute"))
                self._restarts.postpone(name, time.monotonic())
            else:
                self._watchdog.begin(name, READY_SECONDS)

    def _kill_the_hung(self) -> None:
        for name, silence in self._watchdog.hung():
            if not (worker := self._workers[name]).finished:
                self._silent[name] = f"the worker {name} {silence} and was killed"
                worker.process.kill()

    def _fail(self, error: FacestreamError, exit_code: int = 1) -> None:
        if self._error is None:
            error.exit_code = exit_code
            self._error = error
            self._flush_until = time.monotonic() + _FLUSH_SECONDS
            self._restarts.cancel()
            self._stop_reading("failed", str(error))

    def _drain_if_asked(self) -> None:
        """At the first signal, when that is asked for, or when the time is over: stop reading, finish what is held."""
        over = self._duration_seconds is not None and self.status.seconds >= self._duration_seconds
        now, asked = time.monotonic(), self._control.end_asked
        if (self._signals.count or asked or over) and self._drained_at is None:
            self._drained_at = now
            self._restarts.cancel()
            self._stop_reading("drained", "stopped by a signal" if self._signals.count else asked or "the time is over")
        if self._drained_at is not None and now - self._drained_at > LEAVING_SECONDS:
            for name in self._crew.cameras:
                if not self._workers[name].finished:
                    self._workers[name].process.kill()

    def _change_cameras(self) -> None:
        if self._drained_at is None and self._error is None and self._replaces:  # not where it reads recordings alone
            self._changes.settle()
        for name in self._changes.clear():
            self._restarts.forget(name)
            self.facts.pop(name, None)
            self._crew.tell("publish", CountedBefore(self.status.counted_by_the_dead))

    def _stop_reading(self, outcome: Outcome, detail: str) -> None:
        self._readings.stop()
        for name in self._workers:
            self._crew.tell(name, Drain(outcome, detail))
