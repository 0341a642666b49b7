"""How a decode process hands pictures to perceive: through its pool, also over a restart of perceive."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from engine.contracts.frames import Frame
from engine.contracts.orders import Refused
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.frame_pool import PoolWriter, require_memory_files, slot_bytes_for
from engine.runtime.frame_slots import SlotReleased
from engine.runtime.mailbox import Outbox
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.workers.links import FrameReady


class FrameWriter:
    """The frame pool of a decode process; grows when a stream needs larger slots.

    A slot whose picture a dead perceive had in hand is free again; a camera's picture is then counted as dropped.

    Args:
        context: of the worker.
        channel: to perceive.
        slots: pictures that the pool holds.
        live: the stream is a camera's.

    Raises:
        WorkerError: there can be no frame pools here.
    """

    def __init__(self, context: WorkerContext, channel: Channel, slots: int, *, live: bool) -> None:
        require_memory_files()  # now, and not at the first picture: who cannot begin should say so before it is ready
        self._context = context
        self._slots = slots
        self._live = live
        self._outbox: Outbox[FrameReady] = Outbox(
            channel, self._is_lost, context.beat, on_credit=False, settled_by=self._settled_by
        )
        self._pool: PoolWriter | None = None
        self._pools_opened = 0
        self._in_use: dict[int, FrameReady] = {}
        """What perceive has in hand, by slot."""
        self._unseen = False
        self.refusals: dict[str, str] = {}
        """Streams that perceive wants no more of, with the reason."""

    @property
    def channel(self) -> Channel | None:
        """None while there is no perceive."""
        return self._outbox.channel

    def write(self, frame: Frame) -> None:
        """Hand over a frame, waiting for a free slot.

        Raises:
            ChannelClosed: perceive is gone.
        """
        self.hear()
        pool = self._pool_for(frame)
        while (slot := pool.acquire()) is None:
            self._wait()
        self._hand_over(pool, slot, frame)
        self._require_reader()

    def offer(self, frame: Frame) -> None:
        """Hand over a frame if there is a perceive and a free slot; else count it as dropped."""
        self.hear()
        if self.channel is None:
            self._context.telemetry.drop(frame.stream, "worker_died")
        elif self._too_small_for(frame) and self._in_use:  # the larger pool comes when the old one has been read
            self._context.telemetry.drop(frame.stream, "no_slot")
        else:
            pool = self._pool_for(frame)
            if (slot := pool.acquire()) is None:
                self._context.telemetry.drop(frame.stream, "no_slot")
            else:
                self._hand_over(pool, slot, frame)

    def tell(self, message: Struct) -> None:
        """Send what comes between the frames; nothing happens where there is no perceive, to whom all is told when it comes."""
        self._outbox.tell(message)

    def require(self, message: Struct) -> None:
        """Send what comes between the frames.

        Raises:
            ChannelClosed: perceive is gone.
        """
        self._outbox.tell(message)
        self._require_reader()

    def say_last(self, message: Struct) -> None:
        """Send the last word, after which perceive closes the pipe: that is no death.

        Raises:
            ChannelClosed: perceive was gone before.
        """
        self._require_reader()
        self._outbox.tell(message)

    def hear(self) -> None:
        """Take back the slots that perceive has released."""
        self._outbox.hear()
        self._context.beat()

    def attach(self, channel: Channel) -> None:
        """Perceive has a successor: show it the pool."""
        self._outbox.attach(channel)
        if self._pool is not None:
            self._outbox.tell(self._pool.opened())

    def settle(self) -> None:
        """Wait until perceive has mapped the pool: from then on what was handed over survives the death of this process.

        Raises:
            ChannelClosed: perceive is gone.
        """
        while self._unseen and self._in_use:
            self._wait()

    def close(self, *, wait: bool = True) -> None:
        """Wait until every slot has been read, then free the memory.

        Raises:
            ChannelClosed: perceive is gone.
        """
        while wait and self._in_use:
            self._wait()
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
            self._outbox.tell(self._pool.opened())
        return self._pool

    def _hand_over(self, pool: PoolWriter, slot: int, frame: Frame) -> None:
        with self._context.telemetry.stage("hand_over"):
            picture = pool.write(slot, frame.planes)
        link = FrameReady(frame.stream, frame.time, picture, frame.detect, self._live, frame.damaged, frame.arrived_seconds)
        self._in_use[slot] = link
        self._context.telemetry.queue_depths["hand_over"] = len(self._in_use)
        if self.channel is None:
            self._is_lost(link)
        else:
            self._outbox.send(link)

    def _wait(self) -> None:
        """Wait for perceive to release a slot."""
        self._require_reader().has_message(BEAT_SECONDS)
        self.hear()

    def _require_reader(self) -> Channel:
        if self.channel is None:
            raise ChannelClosed
        return self.channel

    def _settled_by(self, answer: Any) -> FrameReady | None:
        """Return the frame that an answer releases."""
        match answer:
            case Refused():
                self.refusals[answer.stream] = answer.detail
            case SlotReleased(pool_id=pool_id, slot=slot) if pool_id == self._pools_opened and slot in self._in_use:
                self._unseen = False
                return self._free(slot)
        return None

    def _is_lost(self, link: FrameReady) -> bool:
        if self._in_use.get(link.picture.slot) is link:
            self._free(link.picture.slot)
        if self._live:
            self._context.telemetry.drop(link.stream, "worker_died")
        return True

    def _free(self, slot: int) -> FrameReady:
        if self._pool is not None:
            self._pool.release(slot)
        return self._in_use.pop(slot)
