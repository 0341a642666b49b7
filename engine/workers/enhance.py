"""The process that enlarges faces and says whose they are: it gives ``Enhancement`` what perceive sends. Several may run, each
with tracks of its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from engine.config import Config
from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.orders import Warned
from engine.contracts.streams import Checkpoint, InputFile, StreamChanged
from engine.enhancement.enhancement import Enhancement, Said
from engine.enhancement.enlarging import Enlarged
from engine.inference.client import compute_elsewhere
from engine.models import find_model
from engine.runtime.batcher import Batcher
from engine.runtime.channel import Channel, ChannelClosed, Waitable, wait_for_any
from engine.runtime.model_calls import ModelCalls
from engine.runtime.ordered_pool import OrderedPool
from engine.runtime.protocol import Attach, Drain, Taken
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.super_resolve.enhancer import Enhancer
from engine.super_resolve.generator import Generator, open_generator
from engine.verify.embedder import Embedder, open_embedder
from engine.verify.gallery import open_gallery
from engine.verify.verifier import Verifier
from engine.workers.links import outgoing
from engine.workers.output import Output
from engine.workers.policy import Policy

Passed = TrackClosed | StreamChanged | InputFile | Checkpoint
"""Waits until the faces before it are done."""
_HURRIED_THREADS = 2
"""Of a live face that nothing waits behind: a crop of 72 px takes 26 ms instead of 44. More would take cores from the cameras;
and where faces do wait, two at a time on a core each are up to a quarter faster than each on two."""


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
    settings = config.super_resolve
    generator = None if settings.generator == "none" else open_generator(settings, find_model)
    hurried = None
    if policy.is_prompt and generator is not None and generator.profile.best == 1:
        hurried = open_generator(settings, find_model, min(_HURRIED_THREADS, os.cpu_count() or 1))
    embedder = open_embedder(config.verify, find_model)
    gallery = open_gallery(config.verify.gallery) if embedder else None
    if gallery is not None:
        gallery.close()  # it is there now; the verifier opens it when there is something new
    verifier = Verifier(embedder, gallery, config.verify)
    core = core_of(config, context, generator, hurried, verifier)
    best = 1 if generator is None else generator.profile.best
    batch = min(best, settings.max_batch or best)
    worker = EnhanceWorker(context, core, upstream, downstream, config, policy, batch, threads)
    context.ready(_facts(generator, embedder) | ({"names": verifier.naming()} if embedder else {}))
    try:
        worker.run()
    finally:
        for part in (generator, hurried, embedder):
            if part is not None:
                part.close()


def core_of(
    config: Config, context: WorkerContext, generator: Generator | None, hurried: Generator | None, verifier: Verifier
) -> Enhancement:
    """Return the core of a worker, with open models."""
    warn, telemetry = context.control.send, context.telemetry
    calls = ModelCalls(telemetry.counts, lambda stream, words: warn(Warned(stream, words)))
    return Enhancement(config, _enhancer(config, generator), _enhancer(config, hurried), verifier, calls, telemetry, warn)


def _enhancer(config: Config, generator: Generator | None) -> Enhancer | None:
    return None if generator is None else Enhancer(generator, config.super_resolve.strength, config.crop.max_size_px)


def _facts(generator: Generator | None, embedder: Embedder | None) -> dict[str, str]:
    facts: dict[str, str] = {"generator": "none", "embedder": "none"}
    for role, model in (("generator", generator), ("embedder", embedder)):
        if model is not None:
            facts |= {
                role: model.name,
                f"{role}_sha256": model.sha256,
                f"{role}_licence": model.licence,
                f"{role}_runtime": model.runtime,
            }
    return facts


class EnhanceWorker:
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
        self._context, self._core = context, core
        self._upstream: Channel | None = upstream
        self._publish = Output(context, downstream)
        self._replaced = policy.replaces_workers
        """Dead neighbours get successors, until the run ends."""
        self._batcher: Batcher[FaceCrop] = Batcher(batch, config.super_resolve.max_wait_ms / 1000)
        self._pending: OrderedPool[list[FaceCrop] | Passed, list[FaceCrop], Enlarged] = OrderedPool(
            self._enlarge, threads, "enhance"
        )
        self._room = batch * self._pending.capacity + policy.read_ahead
        self._drain: Drain | None = None

    def run(self) -> None:
        """Keep the threads that enlarge fed, and do the rest in order."""
        self._grant(self._room)
        while self._drain is None or len(self._pending) or len(self._batcher):
            left = self._batcher.seconds_left(time.monotonic())
            for source in wait_for_any(self._sources(), BEAT_SECONDS if left is None else min(left, BEAT_SECONDS)):
                if source is self._context.control:
                    self._obey()
                elif source is self._upstream:
                    self._receive()
            if (batch := self._batcher.due(time.monotonic())) is not None:
                self._pending.put(batch, batch)
            while (done := self._pending.take_done()) is not None:
                self._finish(*done)
            self._publish.hear()
            self._context.telemetry.queue_depths["super_resolve"] = len(self._batcher) + len(self._pending)
            self._context.beat()
        self._pending.close()
        counts = self._context.telemetry.counts.copy()
        counts.add(self._drain.counts)
        self._publish.send(Drain(self._drain.outcome, self._drain.detail, counts.now()))
        self._publish.close()

    def _sources(self) -> list[Waitable]:
        reads = self._upstream is not None and self._drain is None and not self._publish.is_backed_up
        return [self._context.control, self._pending, *([self._upstream] if reads and self._upstream else [])]

    def _obey(self) -> None:
        match self._context.order():
            case Attach(side="downstream"):
                self._publish.attach(self._context.control.receive_channel())
            case Attach():
                self._forget_all_tracks()
                self._upstream = self._context.control.receive_channel()
                self._grant(self._room)
            case Drain() as drain:
                self._replaced = False
                if self._upstream is None:
                    self._drain = drain

    def _grant(self, items: int) -> None:
        """Tell perceive that there is room for so many more."""
        if self._upstream is not None:
            self._upstream.confirm(Taken(items))

    def _forget_all_tracks(self) -> None:
        """Perceive was restarted and follows other tracks now: the ones before are over."""
        self._close_batch()
        for track in self._core.open_tracks():
            self._pending.put(track, None)

    def _receive(self) -> None:
        if self._upstream is None:
            return
        try:
            link = self._upstream.receive()
        except ChannelClosed:
            self._upstream = None
            if not self._replaced:
                self._close_batch()
                self._drain = self._drain or Drain("failed", "the worker that finds the faces died")
            return
        if isinstance(link, FaceCrop):
            if (batch := self._batcher.add(link, time.monotonic())) is not None:
                self._pending.put(batch, batch)
            return
        self._close_batch()
        match link:
            case TrackClosed() | StreamChanged() | InputFile() | Checkpoint():
                self._pending.put(link, None)
            case Drain():
                self._drain = link

    def _close_batch(self) -> None:
        if len(self._batcher):
            batch = self._batcher.close()
            self._pending.put(batch, batch)

    def _enlarge(self, batches: Sequence[list[FaceCrop]]) -> list[Enlarged]:
        """Runs in a thread of the pool."""
        return [self._core.enlarge(crops, hurry=len(self._pending) == 1) for crops in batches]

    def _finish(self, tag: list[FaceCrop] | Passed, enlarged: Enlarged | None) -> None:
        match tag:
            case TrackClosed():
                self._say([self._core.close_track(tag)])
            case StreamChanged(is_last=True):
                self._publish.send(self._core.close_stream(tag))
            case StreamChanged() | InputFile() | Checkpoint():
                self._publish.send(tag)
            case _ if enlarged is not None:
                self._say(self._core.finish(tag, enlarged))
        self._grant(len(tag) if isinstance(tag, list) else 1)

    def _say(self, said: list[Said]) -> None:
        for one in said:
            self._publish.send(outgoing(one.body, one.payloads))
