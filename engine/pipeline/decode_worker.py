"""The process that decodes recordings, one after the other, into the frame pool."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.links import Assign, Drain, InputFile, StreamChanged, WantRecording
from engine.decode.decoder import Decoder
from engine.decode.pacing import Pacer
from engine.pipeline.frame_writer import FrameWriter
from engine.runtime.channel import Channel
from engine.runtime.worker import BEAT_SECONDS, WorkerContext

_HASH_BLOCK_BYTES = 1 << 20


def decode_body(context: WorkerContext, downstream: Channel, config: DecodeConfig, detect_every: int) -> None:
    """Decode what the supervisor assigns until it says Drain."""
    writer = FrameWriter(context, downstream, config.pool_slots, live=False)
    context.ready()
    drain: Drain | None = None
    while drain is None:
        context.control.send(WantRecording(context.name))
        order = _next_order(context)
        reader = _Reader(context, downstream, writer, config, detect_every)
        drain = reader.read(order) if isinstance(order, Assign) else order
    writer.close()
    downstream.send(Drain(drain.outcome, drain.detail, dict(context.telemetry.counters)))


def _next_order(context: WorkerContext) -> Assign | Drain:
    while True:
        if context.control.has_message(BEAT_SECONDS):
            order = context.control.receive()
            if isinstance(order, Assign | Drain):
                return order
        context.beat()


class _Reader:
    """Reads one recording."""

    def __init__(
        self, context: WorkerContext, downstream: Channel, writer: FrameWriter, config: DecodeConfig, detect_every: int
    ) -> None:
        self._context = context
        self._downstream = downstream
        self._writer = writer
        self._config = config
        self._detect_every = detect_every
        self._pacer = Pacer()

    def read(self, order: Assign) -> Drain | None:
        """Decode to the end; return the Drain that cut it short, if one did."""
        path, drain = Path(order.path), None
        self._record_input(order.stream, path)
        telemetry = self._context.telemetry
        with Decoder(order.stream, path, self._config, self._detect_every, order.reading) as decoder:
            items = iter(decoder)
            while drain is None:
                start = time.perf_counter()
                item = next(items, None)
                if item is None:
                    return None
                if isinstance(item, StreamChanged):
                    self._pacer.restart()
                    self._announce(item)
                    continue
                telemetry.record("decode", time.perf_counter() - start)
                if item.time.frame_index < order.first_frame:
                    drain = self._drain_order()
                    continue
                telemetry.counters["frames"] += 1
                telemetry.counters[f"frames.{order.stream}"] += 1
                drain = self._pace(item)
                self._writer.write(item)
                drain = drain or self._drain_order()
        self._announce(StreamChanged(order.stream, "ended", "drained", "the run was stopped before the end of the recording"))
        return drain

    def _announce(self, event: StreamChanged) -> None:
        self._downstream.send(event)
        self._context.control.send(event)

    def _pace(self, frame: Frame) -> Drain | None:
        """With ``--realtime``, wait until the frame is due."""
        if not self._config.realtime:
            return None
        wait_seconds = self._pacer.wait_seconds(frame.time.pts_seconds, time.monotonic())
        due = time.monotonic() + wait_seconds
        while (left := due - time.monotonic()) > 0:
            if self._context.control.has_message(min(left, BEAT_SECONDS)) and (drain := self._drain_order()):
                return drain
            self._context.beat()
        return None

    def _drain_order(self) -> Drain | None:
        self._context.beat()
        order = self._context.order()
        return order if isinstance(order, Drain) else None

    def _record_input(self, stream: str, path: Path) -> None:
        """Hash the recording for the record of the run; what cannot be read is the decoder's to report."""
        digest = hashlib.sha256()
        try:
            with path.open("rb") as file:
                while block := file.read(_HASH_BLOCK_BYTES):
                    digest.update(block)
                    self._context.beat()
            size_bytes = path.stat().st_size
        except OSError:
            return
        self._downstream.send(InputFile(stream, str(path), size_bytes, digest.hexdigest()))
