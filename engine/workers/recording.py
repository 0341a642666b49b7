"""The process that decodes recordings, one after the other, into the frame pool.

What goes wrong in a recording is that recording's end, and no other's: whatever decoding it raises makes it ``failed`` here,
and where it kills the process the supervisor starts another one, which says so and goes on with the next recording.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.orders import Assign, WantRecording
from engine.contracts.recording import Recording
from engine.contracts.streams import StreamChanged
from engine.decode.decoder import Decoder
from engine.decode.pacing import Pacer
from engine.decode.recording_reader import RecordingReader
from engine.decode.series import SeriesDecoder
from engine.errors import error_words
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.protocol import Drain
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.workers.frame_writer import FrameWriter
from engine.workers.input_hash import InputHash

_NO_FRAME_HASH_SECONDS = 1.0
"""How long the next recording waits for the hash of one that gave no picture."""


def decode_body(
    context: WorkerContext, downstream: Channel, config: DecodeConfig, detect_every: int, unsaid: Sequence[StreamChanged]
) -> None:
    """Decode what the supervisor assigns until it says Drain.

    Args:
        context: of the worker.
        downstream: to perceive.
        config: how to decode.
        detect_every: every n-th frame is marked for detection.
        unsaid: the last states of recordings whose reader died, which this process says in its place.
    """
    for event in unsaid:
        downstream.send(event)
    writer = FrameWriter(context, downstream, config.pool_slots, live=False)
    context.ready()
    drain: Drain | None = None
    while drain is None:
        context.control.send(WantRecording(context.name))
        order = _next_order(context)
        drain = _Reader(context, downstream, writer, config, detect_every, order).read() if isinstance(order, Assign) else order
    writer.close()
    downstream.send(Drain(drain.outcome, drain.detail, context.telemetry.counts.now()))


def _next_order(context: WorkerContext) -> Assign | Drain:
    while True:
        if context.control.has_message(BEAT_SECONDS):
            order = context.control.receive()
            if isinstance(order, Assign | Drain):
                return order
        context.beat()


def _path(name: bytes) -> Path:
    return Path(os.fsdecode(name))


class _Reader:
    """Reads one recording."""

    def __init__(
        self,
        context: WorkerContext,
        downstream: Channel,
        writer: FrameWriter,
        config: DecodeConfig,
        detect_every: int,
        order: Assign,
    ) -> None:
        self._context = context
        self._downstream = downstream
        self._writer = writer
        self._config = config
        self._order = order
        self._pacer = Pacer()
        self._drain: Drain | None = None
        self._recording = Recording(
            order.stream, _path(order.path), tuple(map(_path, order.pictures)), order.fps, order.reading
        )
        self._decoder: RecordingReader
        if order.pictures:
            self._decoder = SeriesDecoder(self._recording, detect_every)
        else:
            self._decoder = Decoder(order.stream, self._recording.path, config, detect_every, order.reading)

    def read(self) -> Drain | None:
        """Decode to the end, which may be a bad one; return the Drain that cut it short, if one did.

        Raises:
            ChannelClosed: perceive or the supervisor is gone. No other error of the recording leaves this method.
        """
        digest = InputHash(self._recording)
        try:
            try:
                with self._decoder:
                    last = self._hand_over_all(digest)
            except ChannelClosed:
                raise
            except Exception as error:
                last = self._last("failed", "unexpected", f"{self._recording.path}: reading it failed: {error_words(error)}")
            self._wait_for(digest)
            self._announce(last)
        finally:
            digest.stop()
        self._writer.settle()
        return self._drain

    def _hand_over_all(self, digest: InputHash) -> StreamChanged:
        """Pass all but the last state on; return that one."""
        telemetry = self._context.telemetry
        for item in self._items():
            if isinstance(item, StreamChanged):
                if item.is_last:
                    return item
                self._pacer.restart()
                self._announce(item)
                continue
            if item.time.frame_index >= self._order.first_frame:
                telemetry.counts.everywhere(item.stream, "frames")
                self._pace(item)
                self._writer.write(item)
            self._tell(digest)
            self._obey()
            if self._drain is not None:
                return self._last("ended", "drained", "the run was stopped before the end of the recording")
            if refusal := self._writer.refusals.get(item.stream):
                return self._last("failed", "model", refusal)
        raise RuntimeError("the decoder ended without a last state")

    def _items(self) -> Iterator[Frame | StreamChanged]:
        items = iter(self._decoder)
        while True:
            start = time.perf_counter()
            item = next(items, None)
            if item is None:
                return
            if isinstance(item, Frame):
                self._context.telemetry.record("decode", time.perf_counter() - start)
            yield item

    def _last(self, state: str, reason: str, detail: str) -> StreamChanged:
        detail = detail.encode(errors="replace").decode()  # a file name need not be UTF-8, a message must
        return StreamChanged(self._order.stream, state, reason, detail, counters=self._decoder.counters)  # type: ignore[arg-type]

    def _announce(self, event: StreamChanged) -> None:
        self._downstream.send(event)
        self._context.control.send(event)

    def _pace(self, frame: Frame) -> None:
        """With ``--realtime``, wait until the frame is due."""
        if not self._config.realtime:
            return
        wait_seconds = self._pacer.wait_seconds(frame.time.pts_seconds, time.monotonic())
        due = time.monotonic() + wait_seconds
        while (left := due - time.monotonic()) > 0 and self._drain is None:
            if self._context.control.has_message(min(left, BEAT_SECONDS)):
                self._obey()
            self._context.beat()

    def _obey(self) -> None:
        self._context.beat()
        order = self._context.order()
        if isinstance(order, Drain):
            self._drain = order

    def _wait_for(self, digest: InputHash) -> None:
        """Let the hash come before the end of the recording that it is of, unless the run is being stopped meanwhile."""
        gave_frames = self._decoder.counters["frames"] > 0
        deadline = time.monotonic() + _NO_FRAME_HASH_SECONDS
        while self._drain is None and (gave_frames or time.monotonic() < deadline) and not digest.wait(BEAT_SECONDS / 10):
            self._obey()
        self._tell(digest)

    def _tell(self, digest: InputHash) -> None:
        if (found := digest.take()) is not None:
            self._downstream.send(found)
