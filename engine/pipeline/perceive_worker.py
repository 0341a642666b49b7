"""The process that finds, follows and cuts faces: detect (on several frames at once), then track and crop in order."""

from __future__ import annotations

import os
import time
from itertools import count

from engine.config import Config
from engine.contracts.frames import Detections, Frame, Planes
from engine.contracts.links import (
    Attach,
    Checkpoint,
    Drain,
    FaceCrop,
    FrameReady,
    InputFile,
    PoolOpened,
    StreamChanged,
    TrackClosed,
)
from engine.contracts.messages import StreamState
from engine.detect import Detector, open_detector
from engine.errors import WorkerError
from engine.models import find_model
from engine.pipeline.lanes import Lanes
from engine.pipeline.overload import Governor
from engine.pipeline.stream_faces import StreamFaces
from engine.pipeline.upstream import Upstream
from engine.runtime.channel import Channel, ChannelClosed, Waitable, wait_for_any
from engine.runtime.fair_queue import FairQueue
from engine.runtime.ordered_pool import OrderedPool
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.track.tracker import Tracker

Found = tuple[Detections, float]
Ordered = FrameReady | StreamChanged | InputFile
_DEFAULT_FRAME_RATE = 25.0


def perceive_body(
    context: WorkerContext,
    upstreams: list[Channel],
    live: list[bool],
    downstreams: list[Channel],
    config: Config,
    first_id: int,
) -> None:
    """Work until every upstream has sent Drain, then pass one on.

    Args:
        context: of the worker.
        upstreams: from the decode processes.
        live: for each of them, whether it reads a camera; if one does, dead neighbours are replaced, and waited for.
        downstreams: to the enhance processes.
        config: of the run.
        first_id: track ids begin here, so that none is used twice in a run.
    """
    detector = open_detector(config.detect, find_model)
    Tracker(config.track, _DEFAULT_FRAME_RATE, count().__next__)  # loads its library now, not at the first face
    perceiver = _Perceiver(context, upstreams, live, downstreams, config, detector, first_id)
    context.ready(
        {
            "detector": detector.name,
            "detector_sha256": detector.model_sha256,
            "detector_licence": detector.licence,
            "detector_runtime": detector.runtime,
            "detector_min_score": f"{detector.min_score:g}",
        }
    )
    try:
        perceiver.run()
    finally:
        perceiver.close()
        detector.close()


class _Perceiver:
    def __init__(
        self,
        context: WorkerContext,
        upstreams: list[Channel],
        live: list[bool],
        downstreams: list[Channel],
        config: Config,
        detector: Detector,
        first_id: int,
    ) -> None:
        self._context = context
        self._config = config
        self._detector = detector
        self._upstreams = [Upstream(channel, is_live) for channel, is_live in zip(upstreams, live, strict=True)]
        self._next_track_id = first_id
        self._governor = Governor()
        self._lanes = Lanes(downstreams, config.live, count(first_id), self._drop_face, context.beat)
        self._frames: FairQueue[tuple[Upstream, Ordered]] = FairQueue(
            config.live.waiting_frames, config.live.budget_ms / 1000, self._drop_frame
        )
        self._streams: dict[str, StreamFaces] = {}
        self._drains: list[Drain] = []
        self._replaced = any(live)
        """Dead neighbours get successors, until the run ends."""
        workers = config.detect.workers or os.cpu_count() or 1
        self._pending: OrderedPool[tuple[Upstream, Ordered], Planes, Found] = OrderedPool(self._detect, workers, "detect")

    def run(self) -> None:
        """Take what comes, keep the detection threads fed, and take their results in the order of each stream."""
        while any(upstream.open for upstream in self._upstreams) or len(self._frames) or len(self._pending):
            for source in wait_for_any(self._sources(), BEAT_SECONDS):
                self._hear(source)
            while self._start_next() | self._finish_next():
                pass
            self._flush()
            self._context.telemetry.queue_depths["detect"] = len(self._frames) + len(self._pending)
            self._context.beat()
        self._pass_on_drain()

    def close(self) -> None:
        self._pending.close()
        for upstream in self._upstreams:
            upstream.close()

    def _sources(self) -> list[Waitable]:
        """Whatever may have news; recordings are not read while their faces or frames wait, which holds their decoders back."""
        held_back = self._lanes.is_backed_up or len(self._frames) >= self._pending.capacity
        inputs = [up for up in self._upstreams if up.open and up.alive and (up.live or not held_back)]
        return [self._context.control, self._pending, *self._lanes.open_channels, *(up.channel for up in inputs)]

    def _hear(self, source: Waitable) -> None:
        if source is self._context.control:
            self._obey()
        elif source in self._lanes.open_channels:
            self._lanes.hear(source)
        else:
            for upstream in self._upstreams:
                if upstream.channel is source:
                    self._receive(upstream)

    def _obey(self) -> None:
        match self._context.order():
            case Attach(side="upstream", index=index):
                old = self._upstreams[index]
                self._lose(old)
                self._upstreams[index] = Upstream(self._context.control.receive_channel(), old.live)
            case Attach(index=index):
                self._lanes.attach(index, self._context.control.receive_channel())
            case Drain():
                self._replaced = False
                for upstream in self._upstreams:
                    if not upstream.alive:
                        upstream.open = False

    def _receive(self, upstream: Upstream) -> None:
        try:
            link = upstream.channel.receive()
        except ChannelClosed:
            self._lose(upstream)
            return
        match link:
            case PoolOpened():
                try:
                    upstream.open_pool(link)
                except WorkerError:  # it died before its first picture was seen here
                    self._lose(upstream)
            case FrameReady():
                upstream.streams.add(link.stream)
                self._frames.put(link.stream, (upstream, link), link.captured_ns / 1e9 if link.live else None)
            case StreamChanged() | InputFile():
                if isinstance(link, StreamChanged):
                    upstream.note(link)
                self._frames.put(link.stream, (upstream, link))
            case Drain():
                self._drains.append(link)
                upstream.open = False
            case _:
                raise WorkerError(f"perceive cannot handle a {type(link).__name__}")

    def _lose(self, upstream: Upstream) -> None:
        """A decode worker died: its tracks end here; if no successor comes its streams fail, and the others go on."""
        if not upstream.alive or not upstream.open:
            return
        upstream.alive = False
        upstream.open = self._replaced
        for stream in upstream.streams:
            state: StreamState = "discontinuity" if upstream.open else "failed"
            event = StreamChanged(stream, state, "worker_died", "the process that decoded this stream died")
            self._frames.put(stream, (upstream, event))
        if not upstream.open and not upstream.live:
            self._drains.append(Drain("failed", "a decode worker died"))

    def _drop_frame(self, stream: str, item: tuple[Upstream, Ordered], cause: str) -> None:
        upstream, link = item
        if isinstance(link, FrameReady):
            upstream.release(link)
            if link.detect:
                self._governor.note("detect", late=True)
                self._stream(stream, live=True).owes_detection = True
        self._context.telemetry.drop(stream, cause)

    def _drop_face(self, stream: str, cause: str) -> None:
        self._governor.note("enhance", late=cause != "worker_died")
        self._context.telemetry.drop(stream, cause)

    def _start_next(self) -> bool:
        """Give the next frame to the detection threads, if they have room."""
        if not self._pending.has_room or (item := self._frames.take(time.time())) is None:
            return False
        upstream, link = item
        planes = None
        if isinstance(link, FrameReady) and self._stream(link.stream, link.live).is_detection_due(link, self._governor):
            planes = upstream.pool_of(link).view(link)
        self._pending.put(item, planes, link.stream)
        return True

    def _detect(self, planes: Planes) -> Found:
        """Runs in a thread of the pool."""
        start = time.perf_counter()
        (found,) = self._detector.detect([planes])
        return found, time.perf_counter() - start

    def _finish_next(self) -> bool:
        if (done := self._pending.take_done()) is None:
            return False
        (upstream, link), found = done
        if isinstance(link, FrameReady):
            self._finish_frame(upstream, link, found)
        elif isinstance(link, StreamChanged):
            self._change_stream(link, live=upstream.live)
        else:
            self._lanes.send_to_all(link)
        return True

    def _finish_frame(self, upstream: Upstream, link: FrameReady, found: Found | None) -> None:
        telemetry = self._context.telemetry
        detections = None
        if found is not None:
            detections, seconds = found
            telemetry.record("detect", seconds)
            telemetry.counters["detections"] += len(detections)
            telemetry.counters["frames_detected"] += 1
            if link.live:
                self._governor.note("detect", late=False)
        reader = upstream.pool_of(link)
        faces = self._stream(link.stream, link.live)
        result = faces.update(
            Frame(link.stream, link.time, reader.view(link), link.detect, link.damaged), detections, telemetry
        )
        if not reader.is_intact(link):
            raise WorkerError(f"{link.stream}: frame {link.frame_index} was overwritten while it was read")
        upstream.release(link)
        self._send(result)
        if not link.live and faces.is_checkpoint_due(link.frame_index):
            self._lanes.send_to_all(Checkpoint(link.stream, link.frame_index, self._next_track_id))

    def _new_track_id(self) -> int:
        self._next_track_id += 1
        return self._next_track_id - 1

    def _stream(self, name: str, live: bool) -> StreamFaces:
        if name not in self._streams:
            self._streams[name] = self._new_stream(name, _DEFAULT_FRAME_RATE, live=live)
        return self._streams[name]

    def _new_stream(self, name: str, frame_rate: float, *, live: bool) -> StreamFaces:
        start_score = self._detector.sure_score
        return StreamFaces(name, self._config, frame_rate, self._new_track_id, start_score, live=live)

    def _change_stream(self, event: StreamChanged, *, live: bool) -> None:
        """End all tracks where the picture is cut; the other states only pass through."""
        faces = self._streams.get(event.stream)
        if faces is None and event.frame_rate:
            self._streams[event.stream] = self._new_stream(event.stream, event.frame_rate, live=live)
        if faces is not None and event.state in ("discontinuity", "ended", "failed"):
            self._send(faces.cut())
        if faces is not None and event.state in ("ended", "failed"):
            self._context.telemetry.counters.update(faces.counters)
            del self._streams[event.stream]
        self._lanes.send_to_all(event)

    def _send(self, items: list[FaceCrop | TrackClosed]) -> None:
        for item in items:
            self._context.telemetry.counters["crops" if isinstance(item, FaceCrop) else "tracks"] += 1
            self._lanes.send(item)

    def _flush(self) -> None:
        """Send what the enhance workers have room for; look at what was late."""
        for _ in range(self._lanes.flush(time.time())):
            self._governor.note("enhance", late=False)
        if self._replaced and self._config.live.adapt and self._governor.update(time.monotonic()):
            self._context.telemetry.counters["overload.level"] = self._governor.level
            for faces in self._streams.values():
                faces.thin(self._governor.thinning)

    def _pass_on_drain(self) -> None:
        worst = next((drain for drain in self._drains if drain.outcome != "completed"), None)
        self._lanes.drain(worst or Drain(), self._totals)

    def _totals(self) -> dict[str, int]:
        totals = self._context.telemetry.counters.copy()
        for drain in self._drains:
            totals.update(drain.counters)
        totals.pop("overload.level", None)  # not a total
        return dict(totals)
