"""The workers of a run and the pipes between them: starts them all, and each anew when it has died."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.archive.resume import Resume
from engine.config import Config
from engine.contracts.links import Attach, Camera, StreamChanged
from engine.pipeline.camera_worker import camera_body
from engine.pipeline.decode_worker import decode_body
from engine.pipeline.enhance_worker import enhance_body
from engine.pipeline.perceive_worker import perceive_body
from engine.pipeline.publish_worker import publish_body
from engine.runtime.channel import Channel, ChannelClosed, channel_pair
from engine.runtime.descriptors import open_descriptors, require_descriptors
from engine.runtime.worker import Worker, start_worker

_MOST_ENHANCE_WORKERS = 4
_OF_A_WORKER = 3
"""Descriptors here: the line to it, what it prints, and its end. Pipes to its neighbours are open only while it starts."""
_OF_A_CHILD, _OF_A_PIPE = 24, 3
"""Descriptors there: what it opens by itself; and a neighbour's pipe, its frame pool, and the pipe of a successor."""
_SPARE = 12
"""What is open for a moment, as while a process starts."""
_IDS_PER_PERCEIVE = 1_000_000_000
"""Track ids of a restarted perceive begin so much higher: what the dead one gave out last is not known."""

Start = Callable[[list[Channel], list[Channel]], Worker]
"""Starts a worker, given the pipes from its upstream and to its downstream neighbours."""


@dataclass(frozen=True)
class _Pipe:
    writer: str
    reader: str


class Crew:
    """Starts the workers, downstream first, connected by pipes that they alone hold.

    Args:
        config: of the run.
        run: what ``run.json`` says of it.
        cameras: each gets a process.
        readers: processes that read recordings.
        resume: what an earlier attempt left.

    Raises:
        WorkerError: the system starts no more processes.
    """

    def __init__(
        self, config: Config, run: dict[str, Any], cameras: Sequence[Camera], readers: int, resume: Resume | None
    ) -> None:
        self._config, self._run, self._resume = config, run, resume
        self._cameras = {f"camera-{camera.name}": camera for camera in cameras}
        self._live = bool(cameras)
        self._starts: dict[str, int] = {}
        self.readers = [f"decode-{number + 1}" for number in range(readers)]
        self.enhancers = [f"enhance-{number + 1}" for number in range(_enhancers(config))]
        sources = [*self._cameras, *self.readers]
        self._pipes = [_Pipe(source, "perceive") for source in sources]
        self._pipes += [_Pipe("perceive", enhancer) for enhancer in self.enhancers]
        self._pipes += [_Pipe(enhancer, "publish") for enhancer in self.enhancers]
        self.workers: dict[str, Worker] = {}
        self._start_all(["publish", *self.enhancers, "perceive", *sources])

    @property
    def cameras(self) -> dict[str, Camera]:
        """Worker name to camera."""
        return self._cameras

    def restart(self, name: str, unsaid: Sequence[StreamChanged] = ()) -> None:
        """Start a dead worker anew and connect its neighbours, which live on, to it.

        Args:
            name: of the worker.
            unsaid: of a reader of recordings: last states that the dead one did not come to say.

        Raises:
            WorkerError: it cannot be started.
        """
        self.workers[name].close()
        pairs = {pipe: channel_pair() for pipe in self._pipes if name in (pipe.writer, pipe.reader)}
        try:
            self.workers[name] = self._start(name, pairs, unsaid)
        finally:
            for pipe, (writing, reading) in pairs.items():
                (writing if pipe.writer == name else reading).close()
                self._attach(pipe, name, reading if pipe.writer == name else writing)

    def tell(self, name: str, order: msgspec.Struct) -> None:
        """Send an order; a worker that is gone is noticed by its sentinel."""
        if not self.workers[name].finished:
            with suppress(ChannelClosed):
                self.workers[name].control.send(order)

    def kill(self, wait_seconds: float) -> None:
        """Leave no process behind; those that have finished may take so long to end by themselves."""
        for worker in self.workers.values():
            if not worker.finished:
                worker.process.kill()
        for worker in self.workers.values():
            worker.process.join(wait_seconds)
            worker.process.kill()

    def _attach(self, pipe: _Pipe, restarted: str, end: Channel) -> None:
        """Give the neighbour its end; one that is dead too gets another when it is restarted itself."""
        neighbour = self.workers[pipe.reader if pipe.writer == restarted else pipe.writer]
        if pipe.writer == restarted:
            order = Attach("upstream", [p for p in self._pipes if p.reader == pipe.reader].index(pipe))
        else:
            order = Attach("downstream", [p for p in self._pipes if p.writer == pipe.writer].index(pipe))
        try:
            neighbour.control.send_channel(order, end, neighbour.process.pid or 0)
        except ChannelClosed:
            end.close()

    def _start_all(self, names: list[str]) -> None:
        ends = {name: [pipe for pipe in self._pipes if name in (pipe.writer, pipe.reader)] for name in names}
        require_descriptors(descriptors_needed(list(ends.values())), f"the {len(names)} processes of this run")
        pairs: dict[_Pipe, tuple[Channel, Channel]] = {}
        try:
            for name in names:
                pairs |= {pipe: channel_pair() for pipe in ends[name] if pipe not in pairs}
                self.workers[name] = self._start(name, pairs)
                for pipe in ends[name]:
                    pairs[pipe][pipe.reader == name].close()  # it has its own now
        except BaseException:
            for worker in self.workers.values():
                worker.process.kill()
            raise
        finally:
            for pair in pairs.values():
                for end in pair:
                    end.close()

    def _start(self, name: str, pairs: dict[_Pipe, tuple[Channel, Channel]], unsaid: Sequence[StreamChanged] = ()) -> Worker:
        inputs = [pairs[pipe][1] for pipe in self._pipes if pipe.reader == name]
        outputs = [pairs[pipe][0] for pipe in self._pipes if pipe.writer == name]
        earlier = self._starts.get(name, 0)
        self._starts[name] = earlier + 1
        config = self._config
        if name == "publish":
            # What was sent last is only known from an output directory; without one, subscribers see another run.
            suffix = f"-{earlier}" if earlier and not config.output.directory else ""
            run = self._run | {"run_id": f"{self._run['run_id']}{suffix}"}
            return start_worker(name, publish_body, inputs, config, run, self._resume, self._live, earlier > 0)
        if name == "perceive":
            first_id = (self._resume.first_track_id if self._resume else 1) + earlier * _IDS_PER_PERCEIVE
            live = [pipe.writer in self._cameras for pipe in self._pipes if pipe.reader == name]
            counted = self._resume.counts.streams if self._resume else {}
            rejected = {stream: counts["rejected"] for stream, counts in counted.items() if "rejected" in counts}
            return start_worker(name, perceive_body, inputs, live, outputs, config, first_id, rejected)
        if name in self.enhancers:
            return start_worker(name, enhance_body, inputs[0], outputs[0], config, self._live, self._threads())
        if name in self._cameras:
            return start_worker(name, camera_body, outputs[0], self._cameras[name], config.decode)
        return start_worker(name, decode_body, outputs[0], config.decode, config.detect.every, list(unsaid))

    def _threads(self) -> int:
        """Threads that enlarge in one enhance worker: for recordings more than its share, as verifying leaves cores idle; for
        cameras just that, as a face should be done soon rather than many at once."""
        cores = os.cpu_count() or 1
        return max(1, cores // len(self.enhancers)) if self._live else cores


def descriptors_needed(starts: Sequence[Sequence[Hashable]]) -> int:
    """Return how many descriptors the process that needs most has open at once: this one, or one that it starts.

    Args:
        starts: of each worker, in the order of their starts, the pipes that lead to its neighbours.
    """
    here = peak = open_descriptors()
    seen: set[Hashable] = set()
    for pipes in starts:
        here += 2 * len(set(pipes) - seen)
        seen |= set(pipes)
        peak = max(peak, here + _OF_A_WORKER)
        here += _OF_A_WORKER - len(pipes)
    return max(peak, _OF_A_CHILD + _OF_A_PIPE * max(map(len, starts))) + _SPARE


def _enhancers(config: Config) -> int:
    return config.super_resolve.workers or min(os.cpu_count() or 1, _MOST_ENHANCE_WORKERS)
