"""The process that finds, follows and cuts faces: detect (on several frames at once), then track and crop in order."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from itertools import count

from msgspec.structs import replace

from engine.config import Config
from engine.contracts.counts import Counts
from engine.contracts.frames import Frame, Planes
from engine.contracts.links import (
    Attach,
    Checkpoint,
    Drain,
    FaceCrop,
    FrameReady,
    StreamChanged,
    TrackClosed,
    Warned,
)
from engine.detect import Detector
from engine.detect.judged import JudgedDetector, open_judged
from engine.detect.second_look import Faceness
from engine.errors import WorkerError
from engine.models import find_model
from engine.pipeline.detecting import Detecting, Found
from engine.pipeline.face_judge import FaceJudge
from engine.pipeline.lanes import Lanes
from engine.pipeline.model_calls import ModelCalls
from engine.pipeline.overload import Governor
from engine.pipeline.stream_faces import StreamFaces
from engine.pipeline.upstream import Upstream
from engine.pipeline.upstreams import Ordered, Upstreams
from engine.runtime.channel import Channel, Waitable, wait_for_any
from engine.runtime.fair_queue import FairQueue
from engine.runtime.ordered_pool import OrderedPool
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.track.tracker import Tracker

_DEFAULT_FRAME_RATE = 25.0


def perceive_body(
    context: WorkerContext,
    upstreams: list[Channel],
    live: list[bool],
    downstreams: list[Channel],
    config: Config,
    first_id: int,
    rejected: Mapping[str, int],
) -> None:
    """Work until every upstream has sent Drain, then pass one on.

    Args:
        context: of the worker.
        upstreams: from the decode processes.
        live: for each of them, whether it reads a camera; if one does, dead neighbours are replaced, and waited for.
        downstreams: to the enhance processes.
        config: of the run.
        first_id: track ids begin here, so that none is used twice in a run.
        rejected: tracks of no face that earlier attempts found in what is kept, by recording.
    """
    detector, second_look = open_judged(config.detect, find_model)
    Tracker(config.track, _DEFAULT_FRAME_RATE, count().__next__)  # loads its library now, not at the first face
    limits = detector.limits if isinstance(detector, JudgedDetector) else None
    perceiver = _Perceiver(context, upstreams, live, downstreams, config, detector, limits, first_id, rejected)
    context.ready(
        {
            "detector": detector.name,
            "detector_sha256": detector.model_sha256,
            "detector_licence": detector.licence,
            "detector_runtime": detector.runtime,
            "detector_min_score": f"{detector.min_score:g}",
        }
        | ({} if second_look is None else second_look.facts())
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
        limits: Faceness | None,
        first_id: int,
        rejected: Mapping[str, int],
    ) -> None:
        self._context = context
        self._config = config
        self._detector, self._limits = detector, limits
        self._upstreams = Upstreams(upstreams, live, self._put)
        self._next_track_id = first_id
        self._rejected_before = dict(rejected)
        self._governor = Governor()
        self._lanes = Lanes(downstreams, config.live, count(first_id), self._drop_face, context.beat)
        self._frames: FairQueue[tuple[Upstream, Ordered]] = FairQueue(
            config.live.waiting_frames, config.live.budget_ms / 1000, self._drop_frame
        )
        self._streams: dict[str, StreamFaces] = {}
        self._adapts = config.live.adapt and any(live)
        """Until the run ends."""
        self._calls = ModelCalls(context)
        self._judge = FaceJudge(lambda sentence: context.control.send(Warned("", sentence)))
        workers = config.detect.workers or os.cpu_count() or 1
        self._detecting = Detecting(detector, self._calls, context.telemetry, self._governor)
        self._pending: OrderedPool[tuple[Upstream, Ordered], Planes, Found] = OrderedPool(
            self._detecting.detect, workers, "detect"
        )

    def run(self) -> None:
        """Take what comes, keep the detection threads fed, and take their results in the order of each stream."""
        while self._upstreams.any_open or len(self._frames) or len(self._pending):
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
        self._upstreams.close()
        self._judge.close()

    def _sources(self) -> list[Waitable]:
        """Whatever may have news; recordings are not read while their faces or frames wait, which holds their decoders back."""
        held_back = self._lanes.is_backed_up or len(self._frames) >= self._pending.capacity
        inputs = self._upstreams.readable(live_only=held_back)
        return [self._context.control, self._pending, *self._lanes.open_channels, *inputs]

    def _hear(self, source: Waitable) -> None:
        if source is self._context.control:
            self._obey()
        elif source in self._lanes.open_channels:
            self._lanes.hear(source)
        else:
            self._upstreams.hear(source)

    def _obey(self) -> None:
        match self._context.order():
            case Attach(side="upstream", index=index):
                self._upstreams.attach(index, self._context.control.receive_channel())
            case Attach(index=index):
                self._lanes.attach(index, self._context.control.receive_channel())
            case Drain():
                self._adapts = False
                self._upstreams.stop_replacing()

    def _put(self, upstream: Upstream, link: Ordered) -> None:
        since = link.captured_ns / 1e9 if isinstance(link, FrameReady) and link.live else None
        self._frames.put(link.stream, (upstream, link), since)

    def _drop_frame(self, stream: str, item: tuple[Upstream, Ordered], cause: str) -> None:
        upstream, link = item
        if isinstance(link, FrameReady):
            upstream.release(link)
            if link.detect:
                self._governor.note("detect", late=True)
                self._stream(stream, live=True).owes_detection = True
        self._upstreams.finished(upstream)
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
        self._upstreams.finished(upstream)
        return True

    def _finish_frame(self, upstream: Upstream, link: FrameReady, found: Found | None) -> None:
        detections = None if found is None else self._detecting.note(upstream, link, found)
        reader = upstream.pool_of(link)
        faces = self._stream(link.stream, link.live)
        frame = Frame(link.stream, link.time, reader.view(link), link.detect, link.damaged)
        result: list[FaceCrop | TrackClosed] = []
        try:
            result = faces.update(frame, detections, self._context.telemetry)
            self._calls.worked(link.stream, "track")
        except Exception as error:  # costs this frame's faces, see ModelCalls
            self._calls.failed(link.stream, "track", error)
        if not reader.is_intact(link):
            raise WorkerError(f"{link.stream}: frame {link.frame_index} was overwritten while it was read")
        upstream.release(link)
        self._send(link.stream, faces, result)
        if not link.live and faces.is_checkpoint_due(link.frame_index):
            self._lanes.send_to_all(Checkpoint(link.stream, link.frame_index, self._next_track_id, faces.rejected))

    def _new_track_id(self) -> int:
        self._next_track_id += 1
        return self._next_track_id - 1

    def _stream(self, name: str, live: bool) -> StreamFaces:
        if name not in self._streams:
            self._streams[name] = self._new_stream(name, _DEFAULT_FRAME_RATE, live=live)
        return self._streams[name]

    def _new_stream(self, name: str, frame_rate: float, *, live: bool) -> StreamFaces:
        start_score = self._detector.sure_score
        return StreamFaces(
            name,
            self._config,
            frame_rate,
            self._new_track_id,
            start_score,
            self._limits,
            self._rejected_before.pop(name, 0),
            self._judge,
            live=live,
        )

    def _change_stream(self, event: StreamChanged, *, live: bool) -> None:
        """End all tracks where the picture is cut; the other states only pass through."""
        faces = self._streams.get(event.stream)
        if faces is None and event.frame_rate:
            self._streams[event.stream] = self._new_stream(event.stream, event.frame_rate, live=live)
        if faces is not None and event.state in ("discontinuity", "ended", "failed"):
            self._send(event.stream, faces, faces.cut())
        if faces is not None and event.state in ("ended", "failed"):
            self._context.telemetry.counters.update(faces.counters)
            event = replace(event, counters=event.counters | {"rejected": faces.rejected})
            del self._streams[event.stream]
        is_over = event.state in ("ended", "failed")
        self._lanes.send_to_all(self._calls.close(event) if is_over else event)

    def _send(self, stream: str, faces: StreamFaces, items: list[FaceCrop | TrackClosed]) -> None:
        counts = self._context.telemetry.counts
        for item in items:
            counts.run["crops" if isinstance(item, FaceCrop) else "tracks"] += 1
            self._lanes.send(item)
        if rejected := faces.take_rejected():
            counts.everywhere(stream, "rejected", rejected)

    def _flush(self) -> None:
        """Send what the enhance workers have room for; look at what was late."""
        for _ in range(self._lanes.flush(time.time())):
            self._governor.note("enhance", late=False)
        if self._adapts and self._governor.update(time.monotonic()):
            self._context.telemetry.counters["overload.level"] = self._governor.level
            for faces in self._streams.values():
                faces.thin(self._governor.thinning)

    def _pass_on_drain(self) -> None:
        worst = next((drain for drain in self._upstreams.drains if drain.outcome != "completed"), None)
        self._lanes.drain(worst or Drain(), self._totals)

    def _totals(self) -> Counts:
        totals = self._context.telemetry.counts.copy()
        for drain in self._upstreams.drains:
            totals.add(drain.counts)
        totals.run.pop("overload.level", None)  # not a total
        return totals.now()
