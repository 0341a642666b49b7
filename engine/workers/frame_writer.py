"""How a decode process hands pictures to perceive: through its pool, also over a restart of perceive."""

from __future__ import annotations

from collections import deque

from engine.contracts.frames import Frame
from engine.contracts.orders import Refused
from engine.runtime.channel import Channel
from engine.runtime.frame_pool import PoolWriter, slot_bytes_for
from engine.runtime.frame_slots import SlotReleased
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.workers.links import FrameReady


class FrameWriter:
    """The frame pool of a decode process; grows when a stream needs larger slots.

    Args:
        context: of the worker.
        channel: to perceive.
        slots: pictures that the pool holds.
        live: the stream is a camera's.
    """

    def __init__(self, context: WorkerContext, channel: Channel, slots: int, *, live: bool) -> None:
        self._context = context
        self._channel = channel
        self._slots = slots
        self._live = live
        self._pool: PoolWriter | None = None
        self._pools_opened = 0
        self._in_use: deque[int] = deque()
        self._unseen = False
        self.refusals: dict[str, str] = {}
        """Streams that perceive wants no more of, with the reason."""

    def write(self, frame: Frame) -> None:
        """Hand over a frame, waiting for a free slot.

        Raises:
            ChannelClosed: perceive is gone.
        """
        pool = self._pool_for(frame)
        while (slot := pool.acquire()) is None:
            self._take_back(BEAT_SECONDS)
        self._hand_over(pool, slot, frame)

    def offer(self, frame: Frame) -> bool:
        """Hand over a frame if a slot is free; return whether one was.

        Raises:
            ChannelClosed: perceive is gone.
        """
        if self._too_small_for(frame) and self._in_use:
            self._take_back(0.0)
            if self._in_use:
                return False  # the larger pool comes when the last picture of the old one has been read
        pool = self._pool_for(frame)
        slot = pool.acquire()
        if slot is None:
            return False
        self._hand_over(pool, slot, frame)
        return True

    def lose_reader(self) -> int:
        """Perceive is gone: reclaim the slots that it held; return how many."""
        held = len(self._in_use)
        while self._in_use and self._pool is not None:
            self._pool.release(self._in_use.popleft())
        return held

    def attach(self, channel: Channel) -> None:
        """Perceive has a successor: show it the pool.

        Raises:
            ChannelClosed: it is gone too.
        """
        self._channel = channel
        if self._pool is not None:
            channel.send(self._pool.opened())

    def settle(self) -> None:
        """Wait until perceive has mapped the pool: from then on what was handed over survives the death of this process.

        Raises:
            ChannelClosed: perceive is gone.
        """
        while self._unseen and self._in_use:
            self._take_back(BEAT_SECONDS)

    def close(self, *, wait: bool = True) -> None:
        """Wait until every slot has been read, then free the memory.

        Raises:
            ChannelClosed: perceive is gone.
        """
        while wait and self._in_use:
            self._take_back(BEAT_SECONDS)
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        self._in_use.clear()

    def _too_small_for(self, frame: Frame) -> bool:
        return self._pool is not None and slot_bytes_for(frame.planes.width_px, frame.planes.height_px) > self._pool.slot_bytes

    def _pool_for(self, frame: Frame) -> PoolWriter:
        if self._too_small_for(frame):
            self.close()
        if self._pool is None:
            needed = slot_bytes_for(frame.planes.width_px, frame.planes.height_px)
            self._pool = PoolWriter(self._pools_opened + 1, self._slots, needed)
            self._pools_opened += 1
            self._unseen = True
            self._channel.send(self._pool.opened())
        self._take_back(0.0)
        return self._pool

    def _hand_over(self, pool: PoolWriter, slot: int, frame: Frame) -> None:
        with self._context.telemetry.stage("hand_over"):
            picture = pool.write(slot, frame.planes)
        self._in_use.append(slot)
        self._context.telemetry.queue_depths["hand_over"] = len(self._in_use)
        self._channel.send(FrameReady(frame.stream, frame.time, picture, frame.detect, self._live, frame.damaged))

    def _take_back(self, timeout_seconds: float) -> None:
        """Handle the slots that the reader has released."""
        while self._channel.has_message(timeout_seconds):
            link = self._channel.receive()
            if isinstance(link, Refused):
                self.refusals[link.stream] = link.detail
            if isinstance(link, SlotReleased) and link.pool_id == self._pools_opened and link.slot in self._in_use:
                self._in_use.remove(link.slot)
                self._unseen = False
                if self._pool is not None:
                    self._pool.release(link.slot)
            timeout_seconds = 0.0
        self._context.beat()
