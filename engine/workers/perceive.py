"""The process that finds, follows and cuts faces: it gives ``Perception`` what decoders send, and sends on what that finds."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Set
from itertools import count

from engine.config import Config
from engine.contracts.counts import Counts
from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.frames import Frame, Planes
from engine.contracts.orders import Refused, Warned
from engine.contracts.streams import StreamChanged
from engine.detect.judged import JudgedDetector, open_judged
from engine.errors import WorkerError
from engine.inference.client import compute_elsewhere
from engine.models import find_model
from engine.perception.detecting import Found
from engine.perception.face_judge import FaceJudge
from engine.perception.perception import Item, Models, Perception
from engine.runtime.channel import Channel, Waitable, wait_for_any
from engine.runtime.fair_queue import FairQueue
from engine.runtime.model_calls import ModelCalls
from engine.runtime.ordered_pool import OrderedPool
from engine.runtime.protocol import Attach, Detach, Drain
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.workers.lanes import Lanes
from engine.workers.links import FrameReady
from engine.workers.upstream import Upstream
from engine.workers.upstreams import Ordered, Upstreams


def perceive_body(
    context: WorkerContext,
    upstreams: dict[str, Channel],
    live: Set[str],
    downstreams: dict[str, Channel],
    config: Config,
    first_id: int,
    rejected: Mapping[str, int],
    devices: Mapping[str, bytes],
) -> None:
    """Work until every upstream has sent Drain, then pass one on.

    Args:
        context: of the worker.
        upstreams: from the decode processes, by name.
        live: names of those that read a camera.
        downstreams: to the enhance processes, by name.
        config: of the run.
        first_id: track ids begin here, so that none is used twice in a run.
        rejected: tracks of no face that earlier attempts found in what is kept, by recording.
        devices: where the processes are that compute on them, see ``compute_elsewhere``.
    """
    compute_elsewhere(devices)
    detector, second_look = open_judged(config.detect, find_model)
    judge = FaceJudge(lambda sentence: context.control.send(Warned("", sentence)))
    models = Models(detector, detector.limits if isinstance(detector, JudgedDetector) else None, judge)
    calls = ModelCalls(context.telemetry.counts, lambda stream, words: context.control.send(Warned(stream, words)))
    core = Perception(config, models, calls, context.telemetry, first_id, rejected)
    worker = _PerceiveWorker(context, core, upstreams, live, downstreams, config, first_id)
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
        worker.run()
    finally:
        worker.close()
        judge.close()
        detector.close()


class _PerceiveWorker:
    def __init__(
        self,
        context: WorkerContext,
        core: Perception,
        upstreams: dict[str, Channel],
        live: Set[str],
        downstreams: dict[str, Channel],
        config: Config,
        first_id: int,
    ) -> None:
        self._context, self._core = context, core
        self._upstreams = Upstreams(upstreams, live, self._put)
        self._lanes = Lanes(downstreams, config.live, count(first_id), self._drop_face, context.beat)
        self._frames: FairQueue[tuple[Upstream, Ordered]] = FairQueue(
            config.live.waiting_frames, config.live.budget_ms / 1000, self._drop_frame
        )
        self._adapts = config.live.adapt and bool(live)
        """Until the run ends."""
        workers = config.detect.workers or os.cpu_count() or 1
        self._pending: OrderedPool[tuple[Upstream, Ordered], Planes, Found] = OrderedPool(
            core.detect, workers, "detect", core.together
        )

    def run(self) -> None:
        """Take what comes, keep the detection threads fed, and take their results in the order of each stream."""
        while self._upstreams.any_open or len(self._frames) or len(self._pending):
            for source in wait_for_any(self._sources(), BEAT_SECONDS):
                self._hear(source)
            while self._start_next() | self._finish_next():
                pass
            for _ in range(self._lanes.flush(time.time())):
                self._core.note_face()
            if self._adapts:
                self._core.adapt(time.monotonic())
            self._context.telemetry.queue_depths["detect"] = len(self._frames) + len(self._pending)
            self._context.beat()
        worst = next((drain for drain in self._upstreams.drains if drain.outcome != "completed"), None)
        self._lanes.drain(worst or Drain(), self._totals)

    def close(self) -> None:
        self._pending.close()
        self._upstreams.close()

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
            case Attach(side="upstream", name=name):
                self._upstreams.attach(name, self._context.control.receive_channel())
            case Detach(name=name):
                self._upstreams.detach(name)
            case Attach(name=name):
                self._lanes.attach(name, self._context.control.receive_channel())
            case Drain():
                self._adapts = False
                self._upstreams.stop_replacing()

    def _put(self, upstream: Upstream, link: Ordered) -> None:
        since = link.time.captured_ns / 1e9 if isinstance(link, FrameReady) and link.live else None
        self._frames.put(link.stream, (upstream, link), since)

    def _drop_frame(self, stream: str, item: tuple[Upstream, Ordered], cause: str) -> None:
        upstream, link = item
        if isinstance(link, FrameReady):
            upstream.release(link)
            self._core.miss(stream, marked=link.detect)
        self._upstreams.finished(upstream)
        self._context.telemetry.drop(stream, cause)

    def _drop_face(self, stream: str, cause: str) -> None:
        self._core.miss_face(late=cause != "worker_died")
        self._context.telemetry.drop(stream, cause)

    def _start_next(self) -> bool:
        """Give the next frame to the detection threads, if they have room."""
        if not self._pending.has_room or (item := self._frames.take(time.time())) is None:
            return False
        upstream, link = item
        planes = None
        if isinstance(link, FrameReady) and self._core.is_detection_due(link.stream, marked=link.detect, live=link.live):
            planes = upstream.pool_of(link).view(link.picture)
        self._pending.put(item, planes, link.stream)
        return True

    def _finish_next(self) -> bool:
        if (done := self._pending.take_done()) is None:
            return False
        (upstream, link), found = done
        if isinstance(link, FrameReady):
            self._send(self._finish_frame(upstream, link, found))
        elif isinstance(link, StreamChanged):
            self._send(self._core.change(link, live=upstream.live))
        else:
            self._lanes.send_to_all(link)
        self._upstreams.finished(upstream)
        return True

    def _finish_frame(self, upstream: Upstream, link: FrameReady, found: Found | None) -> list[Item]:
        reader = upstream.pool_of(link)
        frame = Frame(link.stream, link.time, reader.view(link.picture), link.detect, link.damaged)
        items = self._core.take(frame, found, time.monotonic(), live=link.live)
        if not reader.is_intact(link.picture):
            raise WorkerError(f"{link.stream}: frame {link.time.frame_index} was overwritten while it was read")
        upstream.release(link)
        if found is not None and not link.live and (sentence := self._core.take_refusal(link.stream)):
            upstream.channel.confirm(Refused(link.stream, sentence))
        return items

    def _send(self, items: list[Item]) -> None:
        for item in items:
            if isinstance(item, FaceCrop | TrackClosed):
                self._lanes.send(item)
            else:
                self._lanes.send_to_all(item)

    def _totals(self) -> Counts:
        totals = self._context.telemetry.counts.copy()
        for drain in self._upstreams.drains:
            totals.add(drain.counts)
        totals.run.pop("overload.level", None)  # not a total
        return totals.now()
