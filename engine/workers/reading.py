"""Reads one recording into the frame pool, and says what became of it."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.messages import Reason, StreamState
from engine.contracts.orders import Assign
from engine.contracts.streams import StreamChanged
from engine.decode.pacing import Pacer
from engine.decode.recording import reader_of
from engine.errors import error_words
from engine.runtime.actor import Actor
from engine.runtime.channel import ChannelClosed
from engine.runtime.worker import BEAT_SECONDS
from engine.words.text import readable
from engine.workers.frame_writer import FrameWriter
from engine.workers.input_hash import InputHash

_NO_FRAME_HASH_SECONDS = 1.0
"""How long the next recording waits for the hash of one that gave no picture."""


class Reading:
    """Reads one recording.

    Args:
        actor: whose turn comes between the frames.
        writer: takes the frames, and what is said between them.
        order: what to read.
        config: how to decode.
        detect_every: every n-th frame is marked for detection.
    """

    def __init__(self, actor: Actor[Any], writer: FrameWriter, order: Assign, config: DecodeConfig, detect_every: int) -> None:
        self._actor, self._writer, self._order = actor, writer, order
        self._realtime, self._pacer = config.realtime, Pacer()
        self._recording = order.recording.recording()
        self._decoder = reader_of(self._recording, config, detect_every)
        self._decoder.meanwhile = partial(actor.turn, 0.0)

    def run(self) -> None:
        """Decode to the end, which may be a bad one.

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

    def _hand_over_all(self, digest: InputHash) -> StreamChanged:
        """Pass all but the last state on; return that one."""
        telemetry, items = self._actor.context.telemetry, iter(self._decoder)
        while True:
            start = time.perf_counter()
            if (item := next(items, None)) is None:
                raise RuntimeError("the decoder ended without a final state")
            if isinstance(item, StreamChanged):
                if item.is_last:
                    return item
                self._pacer.restart()
                self._announce(item)
                continue
            telemetry.record("decode", time.perf_counter() - start)
            if item.time.frame_index >= self._order.first_frame:
                telemetry.counts.everywhere(item.stream, "frames")
                self._pace(item)
                self._writer.write(item)
            self._tell(digest)
            self._actor.turn(0.0)
            if (stopped := self._actor.stopped) is not None:
                why = f": {stopped.detail}" if stopped.outcome == "failed" else ""
                return self._last("ended", "drained", f"the run was stopped before the end of the recording{why}")
            if refusal := self._writer.refusals.get(item.stream):
                return self._last("failed", "model", refusal)

    def _last(self, state: StreamState, reason: Reason, detail: str) -> StreamChanged:
        return StreamChanged(self._order.stream, state, reason, readable(detail), counters=self._decoder.counters)

    def _announce(self, event: StreamChanged) -> None:
        self._writer.require(event)
        self._actor.context.control.send(event)

    def _pace(self, frame: Frame) -> None:
        """With ``--realtime``, wait until the frame is due."""
        if not self._realtime:
            return
        due = time.monotonic() + self._pacer.wait_seconds(frame.time.pts_seconds, time.monotonic())
        while (left := due - time.monotonic()) > 0 and self._actor.stopped is None:
            self._actor.turn(min(left, BEAT_SECONDS))

    def _wait_for(self, digest: InputHash) -> None:
        """Let the hash come before the end of the recording that it is of, unless the run is being stopped meanwhile."""
        gave_frames = self._decoder.counters["frames"] > 0
        deadline = time.monotonic() + _NO_FRAME_HASH_SECONDS
        while (
            self._actor.stopped is None and (gave_frames or time.monotonic() < deadline) and not digest.wait(BEAT_SECONDS / 10)
        ):
            self._actor.turn(0.0)
        self._tell(digest)

    def _tell(self, digest: InputHash) -> None:
        if (found := digest.take()) is not None:
            self._writer.require(found)
