"""The process that enlarges faces and says whose they are. Several may run, each with tracks of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from engine.config import Config
from engine.contracts.frames import Uint8
from engine.contracts.links import Drain, FaceCrop, InputFile, Outgoing, StreamChanged, TrackClosed
from engine.contracts.messages import Enhanced, Face, Part, Track
from engine.models import find_model
from engine.publish.encode import parts_of
from engine.runtime.batcher import Batcher
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.colour import bgr_from_planes
from engine.runtime.ordered_pool import OrderedPool
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.super_resolve.enhancer import EnhancedFace, Enhancer
from engine.super_resolve.generator import Generator, open_generator
from engine.verify.embedder import Embedder, open_embedder
from engine.verify.gallery import open_gallery
from engine.verify.verifier import FaceScores, Verifier

Passed = TrackClosed | StreamChanged | InputFile
"""Waits until the faces before it are done."""
Enlarged = tuple[list[Uint8], Sequence[EnhancedFace | None], float]
"""Originals (BGR), enhanced faces, seconds that it took."""


def enhance_body(context: WorkerContext, upstream: Channel, downstream: Channel, config: Config) -> None:
    """Work until the upstream sends Drain, then pass it on."""
    generator = None if config.super_resolve.generator == "none" else open_generator(config.super_resolve, find_model)
    embedder = open_embedder(config.verify, find_model)
    gallery = open_gallery(config.verify.gallery) if embedder else None
    verifier = Verifier(embedder, gallery, config.verify)
    worker = _EnhanceWorker(context, upstream, downstream, config, generator, verifier)
    context.ready(_facts(generator, embedder))
    try:
        worker.run()
    finally:
        for part in (generator, embedder, gallery):
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
        verifier: Verifier,
    ) -> None:
        self._context = context
        self._upstream = upstream
        self._downstream = downstream
        self._config = config
        self._verifier = verifier
        settings = config.super_resolve
        self._enhancer = Enhancer(generator, settings.strength, config.crop.max_size_px) if generator else None
        batch = settings.max_batch if generator is not None and generator.prefers_batch else 1
        self._batcher: Batcher[FaceCrop] = Batcher(batch, settings.max_wait_ms / 1000)
        self._pending: OrderedPool[list[FaceCrop] | Passed, list[FaceCrop], Enlarged] = OrderedPool(
            self._enlarge, os.cpu_count() or 1, "enhance"
        )
        self._tracks: dict[tuple[str, int], _TrackSoFar] = {}

    def run(self) -> None:
        """Keep the threads that enlarge fed, and do the rest in order."""
        drain: Drain | None = None
        while drain is None or len(self._pending):
            received = False
            if drain is None and self._pending.has_room:
                received, drain = self._take_input()
            if len(self._pending) and not (received and self._pending.has_room):
                self._finish_next()
            while self._pending.is_next_done:
                self._finish_next()
            self._context.telemetry.queue_depths["super_resolve"] = len(self._batcher) + len(self._pending)
            self._context.beat()
        self._pending.close()
        counters = self._context.telemetry.counters.copy()
        counters.update(drain.counters)
        self._downstream.send(Drain(drain.outcome, drain.detail, dict(counters)))

    def _take_input(self) -> tuple[bool, Drain | None]:
        """Take one message if there is one, and close the batch whose time is over; wait only where nothing is being done."""
        left = self._batcher.seconds_left(time.monotonic())
        wait_seconds = 0.0 if len(self._pending) else BEAT_SECONDS if left is None else left
        received, drain = self._upstream.has_message(wait_seconds), None
        if received:
            drain = self._receive()
        if (batch := self._batcher.due(time.monotonic())) is not None:
            self._pending.put(batch, batch)
        return received, drain

    def _receive(self) -> Drain | None:
        try:
            link = self._upstream.receive()
        except ChannelClosed:
            link = Drain("failed", "the worker that finds the faces died")
        if isinstance(link, FaceCrop):
            if (batch := self._batcher.add(link, time.monotonic())) is not None:
                self._pending.put(batch, batch)
            return None
        if len(self._batcher):
            batch = self._batcher.close()
            self._pending.put(batch, batch)
        match link:
            case TrackClosed() | StreamChanged() | InputFile():
                self._pending.put(link, None)
            case Drain():
                return link
        return None

    def _enlarge(self, crops: list[FaceCrop]) -> Enlarged:
        """Runs in a thread of the pool."""
        start = time.perf_counter()
        originals = [bgr_from_planes(crop.planes) for crop in crops]
        enhanced = self._enhancer.enhance(crops) if self._enhancer else [None] * len(crops)
        return originals, enhanced, time.perf_counter() - start

    def _finish_next(self) -> None:
        tag, enlarged = self._pending.take()
        match tag:
            case TrackClosed():
                self._close_track(tag)
            case StreamChanged() | InputFile():
                self._downstream.send(tag)
            case _ if enlarged is not None:
                self._finish_faces(tag, enlarged)

    def _finish_faces(self, crops: list[FaceCrop], enlarged: Enlarged) -> None:
        telemetry = self._context.telemetry
        originals, enhanced, seconds = enlarged
        telemetry.record("super_resolve", seconds, len(crops))
        with telemetry.stage("verify", len(crops)):
            scores = self._verifier.score(crops, originals, enhanced)
        for crop, original, face, score in zip(crops, originals, enhanced, scores, strict=True):
            with telemetry.stage("encode"):
                parts, payloads = parts_of(
                    self._config.publish, original, face.bgr if face else None, score.embedding, face.model if face else ""
                )
            telemetry.counters["faces"] += 1
            self._downstream.send(Outgoing(_face_message(crop, face, score, parts, self._config), payloads))
            track = self._tracks.setdefault((crop.stream, crop.track_id), _TrackSoFar(crop))
            track.last = crop
            track.faces += 1
            if score.track_decision_changed:
                self._send_track(track.as_closed(), track.faces, ended=False)

    def _close_track(self, closed: TrackClosed) -> None:
        track = self._tracks.pop((closed.stream, closed.track_id), None)
        self._send_track(closed, track.faces if track else 0, ended=True)
        self._verifier.forget(closed.stream, closed.track_id)

    def _send_track(self, closed: TrackClosed, faces: int, *, ended: bool) -> None:
        scores = self._verifier.track_scores(closed.stream, closed.track_id)
        parts, payloads = parts_of(self._config.publish, None, None, scores.embedding)
        message = Track(
            run_id="",
            stream=closed.stream,
            track_id=closed.track_id,
            ended=ended,
            first_pts_seconds=closed.first_pts_seconds,
            last_pts_seconds=closed.last_pts_seconds,
            first_pts=closed.first_pts,
            last_pts=closed.last_pts,
            time_base=closed.time_base,
            frames_seen=closed.frames_seen,
            faces_enhanced=faces,
            best_face_seq=None,
            decision=scores.decision,
            candidates=scores.candidates,
            gallery_version=scores.gallery_version,
            parts=parts,
        )
        self._downstream.send(Outgoing(message, payloads))


class _TrackSoFar:
    """What this worker has seen of a track that goes on."""

    def __init__(self, first: FaceCrop) -> None:
        self.first = first
        self.last = first
        self.faces = 0

    def as_closed(self) -> TrackClosed:
        """Return the track as if it ended with its newest enhanced face."""
        first, last = self.first, self.last
        return TrackClosed(
            stream=first.stream,
            track_id=first.track_id,
            first_pts=first.pts,
            first_pts_seconds=first.pts_seconds,
            last_pts=last.pts,
            last_pts_seconds=last.pts_seconds,
            time_base=first.time_base,
            frames_seen=self.faces,
        )


def _face_message(crop: FaceCrop, face: EnhancedFace | None, score: FaceScores, parts: list[Part], config: Config) -> Face:
    enhanced = None
    if face is not None and face.scale > 1:
        enhanced = Enhanced(face.model, face.scale, face.lr_consistency_db, config.super_resolve.strength)
    return Face(
        run_id="",
        stream=crop.stream,
        track_id=crop.track_id,
        frame_index=crop.frame_index,
        pts=crop.pts,
        time_base=crop.time_base,
        pts_seconds=crop.pts_seconds,
        captured_ns=crop.captured_ns,
        box=crop.box,
        landmarks=crop.landmarks,
        detection_score=crop.detection_score,
        quality=crop.quality,
        crop_box=crop.crop_box,
        enhanced=enhanced,
        decision=score.decision,
        candidates=score.candidates,
        gallery_version=score.gallery_version,
        parts=parts,
    )
