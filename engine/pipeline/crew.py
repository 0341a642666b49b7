"""The workers of a run and the pipes between them: does what ``reconcile`` says, and starts each anew that has died."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec

from engine.archive.resume import Resume
from engine.config import Config
from engine.contracts.camera import Camera
from engine.contracts.faces import IDS_PER_PERCEIVE
from engine.contracts.streams import StreamChanged
from engine.contracts.tap import Tap
from engine.delivery.record import Record
from engine.errors import FacestreamError, WorkerError
from engine.inference.messages import MESSAGES
from engine.pipeline.bodies import BODIES, loaded_before
from engine.pipeline.plan import Member, Pipe, Plan, plan_of
from engine.pipeline.reconcile import Start, Stop, reconcile
from engine.pipeline.room import descriptors_needed, devices_of, enhancers_of
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.descriptors import raise_limit, require_descriptors, shortage
from engine.runtime.listener import Listener
from engine.runtime.protocol import Attach, Detach, Drain
from engine.runtime.waits import waits_of
from engine.runtime.worker import Worker, start_worker
from engine.workers.links import LINKS, link_pair
from engine.workers.policy import policy_of


class Crew:
    """Starts the workers, downstream first, connected by pipes that they alone hold.

    Args:
        config: of the run.
        run: what ``run.json`` says of it.
        cameras: each gets a process.
        readers: processes that read recordings.
        resume: what an earlier attempt left.
        goes_on: see ``Policy``.
        tap: where a service listens; None: nowhere.

    Raises:
        FatalError: the system allows fewer open files than so many workers need.
        WorkerError: it starts no more processes.
    """

    def __init__(
        self,
        config: Config,
        run: dict[str, Any],
        cameras: Sequence[Camera],
        readers: int,
        resume: Resume | None = None,
        *,
        goes_on: bool = False,
        tap: Tap | None = None,
    ) -> None:
        self._config, self._run, self._resume, self._tap = config, run, resume, tap
        self._starts: dict[str, int] = {}
        self.policy = policy_of(has_camera=bool(cameras), goes_on=goes_on)
        self._listeners = {device: Listener(MESSAGES) for device in devices_of(config)}
        self.plan = plan_of(cameras, readers, enhancers_of(config), self._listeners)
        """Who should be there."""
        self.workers: dict[str, Worker] = {}
        """Who is there; those that have died or finished too."""
        self._leaving: dict[str, Member] = {}
        self._over: set[str] = set()
        """Those that have ended and have no successor."""
        missing = [action.member for action in reconcile(self.plan, Plan()) if isinstance(action, Start)]
        try:
            self._start(missing)
        except BaseException:
            for worker in self.workers.values():
                worker.process.kill()
            raise

    @property
    def cameras(self) -> dict[str, Camera]:
        """Worker name to camera."""
        return self.plan.cameras

    @property
    def readers(self) -> list[str]:
        """Names of the workers that read recordings."""
        return self.plan.of("reader")

    @property
    def computing(self) -> list[str]:
        """Names of the workers that compute for the others: whoever waits for one that dies asks its successor."""
        return self.plan.of("inference")

    def change_cameras(
        self, cameras: Sequence[Camera], refuse: Callable[[Camera, str], None], why_ended: Callable[[str], str]
    ) -> None:
        """Let these be the cameras, as far as it can be done now: a worker that is still finishing may stand in the way, as its
        name is wanted again.

        Args:
            cameras: all that there should be.
            refuse: is told of each whose worker cannot be started, and why.
            why_ended: says of a stream what its end says.
        """
        for action in reconcile(self.plan.with_cameras(cameras), self.plan):
            if isinstance(action, Stop):
                self.tell(action.name, Drain("completed", why_ended(self.plan.cameras[action.name].name)))
                self.let_go(action.name)
            elif action.member.name not in self.workers and action.member.camera is not None:
                self.plan = Plan({action.member.name: action.member, **self.plan.members})
                try:
                    self._start([action.member])
                except FacestreamError as error:
                    self.plan = self.plan.without(action.member.name)
                    refuse(action.member.camera, str(error))

    def has_all(self, cameras: Sequence[Camera]) -> bool:
        """Whether these are the cameras, and no others."""
        return reconcile(self.plan.with_cameras(cameras), self.plan) == []

    def let_go(self, name: str) -> None:
        """A worker leaves: forget it when it has ended, and start no other in its place."""
        self._leaving[name] = self.plan.members[name]
        self.plan = self.plan.without(name)

    def is_leaving(self, name: str) -> bool:
        """Whether a worker was removed and has not been forgotten."""
        return name in self._leaving

    def forget_those_who_left(self) -> list[Worker]:
        """Let go of the workers that were removed and have ended; return them, for their last words, behind which the caller
        closes them."""
        gone = [name for name in self._leaving if self.workers[name].finished and not self.workers[name].process.is_alive()]
        for name in gone:
            del self._leaving[name]
        return [self.workers.pop(name) for name in gone]

    def note_end(self, name: str) -> None:
        """A worker has ended and will have no successor: those who read what it has sent need not wait for one."""
        self._over.add(name)
        for reader in self.plan.readers_of(self._leaving.get(name) or self.plan.members[name]):
            self.tell(reader, Detach("upstream", name))

    def is_cut_off(self, name: str) -> bool:
        """Whether all have ended that could send a worker anything."""
        member = self.plan.members[name]
        reads = ("enhance", "publish") if self.policy.goes_on else ("perceive", "enhance", "publish")
        return member.role in reads and self._over.issuperset(self.plan.writers_to(member))

    def restart(self, name: str, unsaid: Sequence[StreamChanged] = ()) -> None:
        """Start a dead worker anew and connect its neighbours, which live on, to it.

        Args:
            name: of the worker.
            unsaid: of a reader of recordings: last states that the dead one did not come to say.

        Raises:
            WorkerError: it cannot be started.
        """
        self.workers[name].close()
        self._start([self.plan.members[name]], unsaid)

    def waits_of(self, name: str) -> dict[int, float]:
        """Return how long each thread of a worker has waited for a core, in seconds, by its number."""
        return waits_of(self.workers[name].process.pid or 0)

    def tell(self, name: str, order: msgspec.Struct) -> None:
        """Send an order; a worker that is gone is noticed by its sentinel."""
        if not self.workers[name].finished:
            with suppress(ChannelClosed):
                self.workers[name].tell(order)

    def let_devices_go(self) -> None:
        """Let those finish who compute for the others, once these have."""
        if all(worker.finished for name, worker in self.workers.items() if name not in self.computing):
            for name in self.computing:
                self.tell(name, Drain())

    def kill(self, wait_seconds: float) -> None:
        """Leave no process behind; those that have finished may take so long to end by themselves."""
        for worker in self.workers.values():
            if not worker.finished:
                worker.process.kill()
        for worker in self.workers.values():
            worker.process.join(wait_seconds)
            worker.process.kill()
        for listener in self._listeners.values():
            listener.close()

    def _start(self, members: Sequence[Member], unsaid: Sequence[StreamChanged] = ()) -> None:
        """Start workers and give their ends of the pipes to those that live already."""
        # Those that are forked wait for what they are forked from: the others load meanwhile.
        members = sorted(members, key=lambda member: bool(self._loaded(member)))
        names = {member.name for member in members}
        pipes = [pipe for pipe in self.plan.pipes if pipe.writer in names or pipe.writer not in self._over]
        ends = {name: [pipe for pipe in pipes if name in pipe] for name in names}
        self._make_room([ends[member.name] for member in members])
        pairs: dict[Pipe, tuple[Channel, Channel]] = {}
        started: set[str] = set()
        try:
            for member in members:
                pairs |= {pipe: link_pair() for pipe in ends[member.name] if pipe not in pairs}
                self.workers[member.name] = self._start_one(member, pairs, unsaid)
                started.add(member.name)
                self._over.discard(member.name)
                for pipe in ends[member.name]:
                    pairs[pipe][pipe.reader == member.name].close()  # it has its own now
        except OSError as error:
            missing = ", ".join(name for name in names if name not in started)
            raise WorkerError(f"the worker {missing} cannot be started: {shortage(error) or error.strerror}") from error
        finally:
            for pipe, (writing, reading) in pairs.items():
                lives = all(name in started for name in pipe if name in names)
                for name, end, order in (
                    (pipe.writer, writing, Attach("downstream", pipe.reader)),
                    (pipe.reader, reading, Attach("upstream", pipe.writer)),
                ):
                    self._attach(name, end, order if lives and name not in names else None)

    def _make_room(self, starts: Sequence[Sequence[Pipe]]) -> None:
        """Let this process, and those that it starts, have as many descriptors as they need; with cameras, of which more may
        come, twice as many where the system allows that."""
        needed = descriptors_needed(starts)
        require_descriptors(needed, f"the {len(self.plan.members)} processes of this run")
        if self.cameras:
            raise_limit(2 * needed)

    def _attach(self, name: str, end: Channel, order: Attach | None) -> None:
        """Give a neighbour its end; without an order it has it already, or nobody is at the other end. One that is dead gets
        another when it is restarted."""
        if order is None:
            end.close()
            return
        try:
            self.workers[name].tell(order, end)
        except ChannelClosed:
            end.close()

    def _loaded(self, member: Member) -> Sequence[str]:
        return loaded_before(member.role, replaces_workers=self.policy.replaces_workers)

    def _start_one(self, member: Member, pairs: dict[Pipe, tuple[Channel, Channel]], unsaid: Sequence[StreamChanged]) -> Worker:
        name, config = member.name, self._config
        inputs = {pipe.writer: reading for pipe, (_, reading) in pairs.items() if pipe.reader == name}
        outputs = {pipe.reader: writing for pipe, (writing, _) in pairs.items() if pipe.writer == name}
        start = partial(start_worker, name, BODIES[member.role], codec=LINKS, forked=self._loaded(member))
        devices = {device: listener.address for device, listener in self._listeners.items()}
        earlier = self._starts.get(name, 0)
        self._starts[name] = earlier + 1
        match member.role:
            case "publish":
                tap = self._tap.messages if self._tap else ""
                return start(inputs, config.publish, self._record(earlier), self.policy, earlier > 0, tap)
            case "perceive":
                first_id = (self._resume.first_track_id if self._resume else 1) + earlier * IDS_PER_PERCEIVE
                # Recordings are known beforehand; beside cameras, which come and go, there is no order to rely on.
                numbered = () if self.policy.replaces_workers else tuple(self._run.get("inputs", ()))
                about = config, first_id, numbered, self._rejected_before(), devices, self.policy.goes_on, self._tap
                return start(inputs, set(self.readers), outputs, *about, str(self._run["run_id"]))
            case "enhance":
                threads = self.policy.threads(len(self.plan.of("enhance")))
                return start(inputs["perceive"], outputs["publish"], config, self.policy, threads, devices)
            case "inference":
                wait_ms, stuck_seconds = config.super_resolve.max_wait_ms, config.supervise.stuck_seconds
                return start(self._listeners[member.device], wait_ms, stuck_seconds)
            case "camera":
                return start(outputs["perceive"], self.cameras[name], config.decode)
            case "reader":
                return start(outputs["perceive"], config.decode, config.detect.every, list(unsaid))

    def _record(self, earlier: int) -> Record:
        """Return what the publish worker writes, after so many that were started before it."""
        # What was sent last is only known from an output directory; without one, subscribers see another run.
        suffix = f"-{earlier}" if earlier and not self._config.output.directory else ""
        run = self._run | {"run_id": f"{self._run['run_id']}{suffix}"}
        read_again = tuple(run.get("inputs", ())) if self.policy.replaces_workers else ()
        survives = bool(self._config.publish.endpoint) or self._tap is not None or self.policy.replaces_workers
        return Record(self._config.output, run, self._resume, self.policy.expires, survives, read_again)

    def _rejected_before(self) -> dict[str, int]:
        """Return how many tracks of each stream a run that is resumed had rejected."""
        counted = self._resume.counts.streams if self._resume else {}
        return {stream: counts["rejected"] for stream, counts in counted.items() if "rejected" in counts}
