"""The process that enlarges faces and says whose they are. Several may run, each with tracks of its own."""

from __future__ import annotations

import os
import time

from engine.config import Config
from engine.contracts.links import (
    Attach,
    Checkpoint,
    Drain,
    FaceCrop,
    InputFile,
    Outgoing,
    StreamChanged,
    Taken,
    TrackClosed,
    Warned,
)
from engine.models import find_model
from engine.pipeline.enlarging import Enlarged, enlarge
from engine.pipeline.face_messages import face_message, track_message
from engine.pipeline.model_calls import ModelCalls
from engine.pipeline.output import Output
from engine.pipeline.track_so_far import TrackSoFar
from engine.publish.encode import parts_of
from engine.runtime.batcher import Batcher
from engine.runtime.channel import Channel, ChannelClosed, Waitable, wait_for_any
from engine.runtime.ordered_pool import OrderedPool
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.super_resolve.enhancer import Enhancer
from engine.super_resolve.generator import Generator, open_generator
from engine.verify.embedder import Embedder, open_embedder
from engine.verify.gallery import open_gallery
from engine.verify.verifier import FaceScores, Verifier

Passed = TrackClosed | StreamChanged | InputFile | Checkpoint
"""Waits until the faces before it are done."""
_READ_AHEAD = 4
"""Items of recordings that wait here, so that the threads never do."""
_HURRIED_THREADS = 2
"""Of a live face that nothing waits behind: a crop of 72 px takes 26 ms instead of 44. More would take cores from the cameras;
and where faces do wait, two at a time on a core each are up to a quarter faster than each on two."""


def enhance_body(
    context: WorkerContext, upstream: Channel, downstream: Channel, config: Config, live: bool, threads: int
) -> None:
    """Work until the upstream sends Drain, then pass it on.

    Args:
        context: of the worker.
        upstream: from perceive.
        downstream: to publish.
        config: of the run.
        live: a source is a camera: dead neighbours are replaced, and waited for.
        threads: faces that are enlarged at the same time.
    """
    settings = config.super_resolve
    generator = None if settings.generator == "none" else open_generator(settings, find_model)
    hurried = None
    if live and generator is not None and not generator.prefers_batch:
        hurried = open_generator(settings, find_model, min(_HURRIED_THREADS, os.cpu_count() or 1))
    embedder = open_embedder(config.verify, find_model)
    gallery = open_gallery(config.verify.gallery) if embedder else None
    if gallery is not None:
        gallery.close()  # it is there now; the verifier opens it when there is something new
    verifier = Verifier(embedder, gallery, config.verify)
    worker = _EnhanceWorker(context, upstream, downstream, config, generator, hurried, verifier, live, threads)
    context.ready(_facts(generator, embedder) | ({"names": verifier.naming()} if embedder else {}))
    try:
        worker.run()
    finally:
        for part in (generator, hurried, embedder):
            if part is not None:
                part.close()


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


class _EnhanceWorker:
    def __init__(
        self,
        context: WorkerContext,
        upstream: Channel,
        downstream: Channel,
        config: Config,
        generator: Generator | None,
        hurried: Generator | None,
        verifier: Verifier,
        live: bool,
        threads: int,
    ) -> None:
        self._context = context
        self._upstream: Channel | None = upstream
        self._publish = Output(context, downstream)
        self._config = config
        self._verifier = verifier
        self._calls = ModelCalls(context)
        self._replaced = live
        """Dead neighbours get successors, until the run ends."""
        settings = config.super_resolve
        self._enhancer = Enhancer(generator, settings.strength, config.crop.max_size_px) if generator else None
        self._hurried = Enhancer(hurried, settings.strength, config.crop.max_size_px) if hurried else self._enhancer
        batch = settings.max_batch if generator is not None and generator.prefers_batch else 1
        self._batcher: Batcher[FaceCrop] = Batcher(batch, settings.max_wait_ms / 1000)
        self._pending: OrderedPool[list[FaceCrop] | Passed, list[FaceCrop], Enlarged] = OrderedPool(
            self._enlarge, threads, "enhance"
        )
        self._room = batch * self._pending.capacity + (0 if self._replaced else _READ_AHEAD)
        self._tracks: dict[tuple[str, int], TrackSoFar] = {}
        self._drain: Drain | None = None

    def run(self) -> None:
        """Keep the threads that enlarge fed, and do the rest in order."""
        self._grant(self._room)
        while self._drain is None or len(self._pending) or len(self._batcher):
            sources: list[Waitable] = [self._context.control, self._pending]
            if self._upstream is not None and self._drain is None:
                sources.append(self._upstream)
            left = self._batcher.seconds_left(time.monotonic())
            for source in wait_for_any(sources, BEAT_SECONDS if left is None else min(left, BEAT_SECONDS)):
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
        for track in list(self._tracks.values()):
            self._pending.put(track.as_closed(), None)

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

    def _enlarge(self, crops: list[FaceCrop]) -> Enlarged:
        """Runs in a thread of the pool."""
        return enlarge(self._hurried if len(self._pending) == 1 else self._enhancer, crops)

    def _finish(self, tag: list[FaceCrop] | Passed, enlarged: Enlarged | None) -> None:
        match tag:
            case TrackClosed():
                self._close_track(tag)
            case StreamChanged(state="ended" | "failed"):
                self._publish.send(self._calls.close(tag))
            case StreamChanged() | InputFile() | Checkpoint():
                self._publish.send(tag)
            case _ if enlarged is not None:
                self._finish_faces(tag, enlarged)
        self._grant(len(tag) if isinstance(tag, list) else 1)

    def _finish_faces(self, crops: list[FaceCrop], enlarged: Enlarged) -> None:
        """Verify and send; a face that a model fails on goes on without what that model would have given."""
        telemetry = self._context.telemetry
        telemetry.record("super_resolve", enlarged.seconds, len(crops))
        for place, crop in enumerate(crops):
            if place in enlarged.errors:
                self._calls.failed(crop.stream, "super_resolve", enlarged.errors[place])
            elif self._enhancer is not None:
                self._calls.worked(crop.stream, "super_resolve")
        with telemetry.stage("verify", len(crops)):
            scores = self._scores(crops, enlarged)
        self._say_gallery()
        for crop, original, face, score in zip(crops, enlarged.originals, enlarged.faces, scores, strict=True):
            with telemetry.stage("encode"):
                parts, payloads = parts_of(
                    self._config.publish,
                    original,
                    face.bgr if face else None,
                    score.embedding,
                    face.model if face else "",
                )
            telemetry.counts.everywhere(crop.stream, "faces")
            self._publish.send(Outgoing(face_message(crop, face, score, parts, self._config), payloads))
            track = self._tracks.setdefault((crop.stream, crop.track_id), TrackSoFar(crop))
            track.last = crop
            track.faces += 1
            if score.track_decision_changed:
                self._send_track(track.as_closed(), track.faces, ended=False)

    def _scores(self, crops: list[FaceCrop], enlarged: Enlarged) -> list[FaceScores]:
        try:
            scores = self._verifier.score(crops, enlarged.originals, enlarged.faces)
        except Exception as error:
            if len(crops) == 1:
                self._calls.failed(crops[0].stream, "verify", error)
                return [self._verifier.no_score()]
            ones = [
                Enlarged([original], [face], {}, 0.0) for original, face in zip(enlarged.originals, enlarged.faces, strict=True)
            ]
            return [score for crop, one in zip(crops, ones, strict=True) for score in self._scores([crop], one)]
        for crop in crops:
            self._calls.worked(crop.stream, "verify")
        return scores

    def _say_gallery(self) -> None:
        """Pass on what is wrong with the gallery, and that it is well again."""
        for sentence in self._verifier.take_news():
            self._context.telemetry.counters["errors.gallery"] += self._verifier.gallery_fault != ""
            self._context.control.send(Warned("", sentence))

    def _close_track(self, closed: TrackClosed) -> None:
        track = self._tracks.pop((closed.stream, closed.track_id), None)
        self._send_track(closed, track.faces if track else 0, ended=True)
        self._verifier.forget(closed.stream, closed.track_id)

    def _send_track(self, closed: TrackClosed, faces: int, *, ended: bool) -> None:
        scores = self._verifier.track_scores(closed.stream, closed.track_id)
        self._say_gallery()
        parts, payloads = parts_of(self._config.publish, None, None, scores.embedding)
        self._publish.send(Outgoing(track_message(closed, scores, faces, parts, ended=ended), payloads))
