"""The process that finds, follows and cuts faces: detect (on several frames at once), then track and crop in order."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from engine.config import Config
from engine.contracts.frames import Detections, Frame, FrameTime, Planes, TrackEnd
from engine.contracts.links import (
    Drain,
    FaceCrop,
    FrameReady,
    InputFile,
    PoolOpened,
    SlotReleased,
    StreamChanged,
    TrackClosed,
)
from engine.crop.selector import Selector
from engine.detect import Detector, open_detector
from engine.errors import WorkerError
from engine.models import find_model
from engine.runtime.channel import Channel, ChannelClosed, wait_for_any
from engine.runtime.frame_pool import PoolReader
from engine.runtime.ordered_pool import OrderedPool
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.track.tracker import Tracker

Found = tuple[Detections, float]
Ordered = FrameReady | StreamChanged | InputFile
_DEFAULT_FRAME_RATE = 25.0


def perceive_body(context: WorkerContext, upstreams: list[Channel], downstreams: list[Channel], config: Config) -> None:
    """Work until every upstream has sent Drain, then pass one on."""
    detector = open_detector(config.detect, find_model)
    Tracker(config.track, _DEFAULT_FRAME_RATE, itertools.count().__next__)  # loads its library now, not at the first face
    perceiver = _Perceiver(context, upstreams, downstreams, config, detector)
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


class _StreamState:
    """Tracker and selector of one stream."""

    def __init__(self, config: Config, frame_rate: float, ids: itertools.count[int]) -> None:
        # A track must outlive the frames on which the detector does not run, and one miss.
        lost_seconds = max(config.track.lost_seconds, 2.5 * config.detect.every / frame_rate)
        track = msgspec.structs.replace(config.track, lost_seconds=lost_seconds)
        self.tracker = Tracker(track, frame_rate, ids.__next__)
        self.selector = Selector(config.crop)


class _Perceiver:
    def __init__(
        self,
        context: WorkerContext,
        upstreams: list[Channel],
        downstreams: list[Channel],
        config: Config,
        detector: Detector,
    ) -> None:
        self._context = context
        self._downstreams = downstreams
        self._config = config
        self._detector = detector
        self._open = {channel.fileno(): channel for channel in upstreams}
        self._pools: dict[tuple[int, int], PoolReader] = {}
        self._streams: dict[str, _StreamState] = {}
        self._frame_rates: dict[str, float] = {}
        self._source_of: dict[str, int] = {}
        self._ids = itertools.count(1)
        self._drains: list[Drain] = []
        self._dead_lanes: set[int] = set()
        workers = config.detect.workers or os.cpu_count() or 1
        self._pending: OrderedPool[tuple[Channel, Ordered], Planes, Found] = OrderedPool(self._detect, workers, "detect")

    def run(self) -> None:
        """Keep the detection threads fed, and take their results in order."""
        while self._open or len(self._pending):
            received = self._take_input()
            if len(self._pending) and not (received and self._pending.has_room):
                self._finish_next()
            while self._pending.is_next_done:
                self._finish_next()
            self._context.telemetry.queue_depths["detect"] = len(self._pending)
            self._context.beat()
        self._pass_on_drain()

    def _take_input(self) -> bool:
        """Take one message from each upstream that has one, while there is room for more frames."""
        if not self._open or not self._pending.has_room:
            return False
        ready = wait_for_any(self._open.values(), 0.0 if len(self._pending) else BEAT_SECONDS)
        for channel in ready:
            if self._pending.has_room:
                self._receive(channel)
        return bool(ready)

    def close(self) -> None:
        self._pending.close()
        for pool in self._pools.values():
            pool.close()

    def _receive(self, channel: Channel) -> None:
        try:
            link = channel.receive()
        except ChannelClosed:
            self._lose(channel)
            return
        match link:
            case PoolOpened():
                self._open_pool(channel, link)
            case FrameReady():
                self._source_of[link.stream] = channel.fileno()
                planes = self._pools[channel.fileno(), link.pool_id].view(link)
                self._pending.put((channel, link), planes if link.detect else None)
            case StreamChanged() | InputFile():
                if isinstance(link, StreamChanged) and link.state in ("ended", "failed"):
                    self._source_of.pop(link.stream, None)
                self._pending.put((channel, link), None)
            case Drain():
                self._drains.append(link)
                del self._open[channel.fileno()]
            case _:
                raise WorkerError(f"perceive cannot handle a {type(link).__name__}")

    def _lose(self, channel: Channel) -> None:
        """A decode worker died: its streams fail, what was found in them is kept, the others go on."""
        del self._open[channel.fileno()]
        lost = [stream for stream, source in self._source_of.items() if source == channel.fileno()]
        for stream in lost:
            failed = StreamChanged(stream, "failed", "worker_died", "the process that decoded this stream died")
            self._pending.put((channel, failed), None)
        self._drains.append(Drain("failed", "a decode worker died"))

    def _open_pool(self, channel: Channel, opened: PoolOpened) -> None:
        """Map a new pool; the one before has been read completely, as its writer waits for that."""
        old = self._pools.pop((channel.fileno(), opened.pool_id - 1), None)
        if old is not None:
            old.close()
        self._pools[channel.fileno(), opened.pool_id] = PoolReader(opened)

    def _detect(self, planes: Planes) -> Found:
        start = time.perf_counter()
        (found,) = self._detector.detect([planes])
        return found, time.perf_counter() - start

    def _finish_next(self) -> None:
        (channel, link), found = self._pending.take()
        if isinstance(link, FrameReady):
            self._finish_frame(channel, link, found)
        elif isinstance(link, StreamChanged):
            self._change_stream(link)
        else:
            self._send_to_all(link)

    def _finish_frame(self, channel: Channel, link: FrameReady, found: Found | None) -> None:
        telemetry = self._context.telemetry
        detections = None
        if found is not None:
            detections, seconds = found
            telemetry.record("detect", seconds)
            telemetry.counters["detections"] += len(detections)
        reader = self._pools[channel.fileno(), link.pool_id]
        state = self._stream(link.stream)
        frame = Frame(link.stream, link.time, reader.view(link), link.detect)
        with telemetry.stage("track"):
            faces, ends = state.tracker.update(frame.time, detections)
        with telemetry.stage("crop"):
            crops = state.selector.offer(frame, faces)
        if not reader.is_intact(link):
            raise WorkerError(f"{link.stream}: frame {link.frame_index} was overwritten while it was read")
        with suppress(ChannelClosed):  # a decoder that died needs no slots; its last frames still count
            channel.send(SlotReleased(link.pool_id, link.slot))
        self._send_crops(crops)
        self._close_tracks(link.stream, state, ends)

    def _stream(self, name: str) -> _StreamState:
        if name not in self._streams:
            rate = self._frame_rates.get(name) or _DEFAULT_FRAME_RATE
            self._streams[name] = _StreamState(self._config, rate, self._ids)
        return self._streams[name]

    def _change_stream(self, event: StreamChanged) -> None:
        """End all tracks where the picture is cut; the other states only pass through."""
        if event.frame_rate:
            self._frame_rates[event.stream] = event.frame_rate
        state = self._streams.get(event.stream)
        if state is not None and event.state in ("discontinuity", "ended", "failed"):
            self._close_tracks(event.stream, state, state.tracker.reset())
        if state is not None and event.state in ("ended", "failed"):
            self._context.telemetry.counters.update(state.selector.counters)
            del self._streams[event.stream]
        self._send_to_all(event)

    def _close_tracks(self, stream: str, state: _StreamState, ends: Sequence[TrackEnd]) -> None:
        for end in ends:
            self._send_crops(state.selector.close_track(end.track_id))
            self._context.telemetry.counters["tracks"] += 1
            self._send(self._lane(end.track_id), _closed(stream, end))

    def _send_crops(self, crops: Sequence[FaceCrop]) -> None:
        for crop in crops:
            self._context.telemetry.counters["crops"] += 1
            self._send(self._lane(crop.track_id), crop)

    def _lane(self, track_id: int) -> int:
        """Return the enhance worker of a track: always the same, so that it can fuse over the track."""
        return track_id % len(self._downstreams)

    def _send(self, lane: int, link: FaceCrop | TrackClosed | StreamChanged | InputFile | Drain) -> None:
        """Send to one enhance worker; what was meant for a dead one is counted, the others get theirs."""
        try:
            self._downstreams[lane].send(link)
        except ChannelClosed:
            self._dead_lanes.add(lane)
            self._context.telemetry.counters["drops.worker_died"] += isinstance(link, FaceCrop)

    def _send_to_all(self, link: StreamChanged | InputFile) -> None:
        for lane in range(len(self._downstreams)):
            self._send(lane, link)

    def _pass_on_drain(self) -> None:
        totals = self._context.telemetry.counters.copy()
        for drain in self._drains:
            totals.update(drain.counters)
        worst = next((drain for drain in self._drains if drain.outcome != "completed"), self._drains[0])
        if self._dead_lanes:
            worst = Drain("failed", "a worker that enhances the faces died")
        first = min(set(range(len(self._downstreams))) - self._dead_lanes, default=0)
        for lane in range(len(self._downstreams)):
            self._send(lane, Drain(worst.outcome, worst.detail, dict(totals) if lane == first else {}))


def _closed(stream: str, end: TrackEnd) -> TrackClosed:
    first: FrameTime = end.first
    return TrackClosed(
        stream=stream,
        track_id=end.track_id,
        first_pts=first.pts,
        first_pts_seconds=first.pts_seconds,
        last_pts=end.last.pts,
        last_pts_seconds=end.last.pts_seconds,
        time_base=first.time_base,
        frames_seen=end.frames_seen,
    )
