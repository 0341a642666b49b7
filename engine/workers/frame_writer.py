"""How a decode process hands pictures to perceive: through its pool, also over a restart of perceive."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from typing import Any

from msgspec import Struct

from engine.contracts.frames import Frame, Planes
from engine.contracts.orders import MainWanted, Refused
from engine.errors import WorkerError
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.frame_slots import SlotReleased
from engine.runtime.mailbox import Outbox
from engine.runtime.memory_file import require_memory_files
from engine.runtime.worker import BEAT_SECONDS, WorkerContext
from engine.workers.links import FrameReady, MainReady, MainState
from engine.workers.slot_pool import SlotPool

_MAIN_SLOTS = 4
"""Pictures of a main stream are large, and each is done with when its frame is."""
_Link = FrameReady | MainReady


class FrameWriter:
    """The frame pools of a decode process, which grow when a stream needs larger slots: one of the frames, and one of the
    pictures of a camera's main stream.

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
        self._live = live
        self._outbox: Outbox[_Link] = Outbox(channel, self._is_lost, context.beat, on_credit=False, settled_by=self._settled_by)
        ids = count(1)
        self._frames = SlotPool(slots, ids.__next__, self._outbox.tell)
        self._mains = SlotPool(_MAIN_SLOTS, ids.__next__, self._outbox.tell)
        self._in_hand: dict[tuple[int, int], _Link] = {}
        """What perceive has in hand, by pool and slot."""
        self._unseen = False
        self.main_wanted = False
        """Whether perceive wants pictures of the main stream."""
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
        while self._frames.in_use and not self._frames.fits(frame.planes):
            self._wait()
        while (slot := self._take(self._frames, frame.planes)) is None:
            self._wait()
        self._hand_over(slot, frame)
        self._require_reader()

    def offer(self, frame: Frame, main: MainState = "none") -> bool:
        """Hand over a frame if there is a perceive and a free slot; else count it as dropped, and return False.

        Args:
            frame: of a camera.
            main: see ``MainState``.
        """
        self.hear()
        if self.channel is None:
            self._context.telemetry.drop(frame.stream, "worker_died")
        elif (slot := self._slot_for(self._frames, frame.planes)) is None:
            self._context.telemetry.drop(frame.stream, "no_slot")
        else:
            self._hand_over(slot, frame, main)
            return True
        return False

    def offer_main(self, stream: str, frame_index: int, planes: Planes | None) -> bool:
        """Hand over the picture of the main stream that belongs to a frame, or the word that there is none; return False where
        it had to be that, as there was no slot."""
        self.hear()
        if self.channel is None:
            return True
        slot = None
        if planes is not None:
            with suppress(WorkerError):  # there is no memory: the small picture does
                slot = self._slot_for(self._mains, planes)
        if planes is None or slot is None:
            self._outbox.tell(MainReady(stream, frame_index, None))
            return planes is None
        with self._context.telemetry.stage("hand_over_main"):
            picture = self._mains.write(slot, planes)
        self._send(MainReady(stream, frame_index, picture))
        return True

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
        """Send the last word, see ``Outbox.say_last``.

        Raises:
            ChannelClosed: perceive was gone before.
        """
        self._require_reader()
        self._outbox.say_last(message)

    def hear(self) -> None:
        """Take back the slots that perceive has released."""
        self._outbox.hear()
        self._context.beat()

    def attach(self, channel: Channel) -> None:
        """Perceive has a successor: show it the pools."""
        self._outbox.attach(channel)
        self.main_wanted = False
        self._frames.tell()
        self._mains.tell()

    def settle(self) -> None:
        """Wait until perceive has mapped the pool: from then on what was handed over survives the death of this process.

        Raises:
            ChannelClosed: perceive is gone.
        """
        while self._unseen and self._in_hand:
            self._wait()

    def close(self, *, wait: bool = True) -> None:
        """Wait until every slot has been read, then free the memory.

        Raises:
            ChannelClosed: perceive is gone.
        """
        while wait and self._in_hand:
            self._wait()
        self._frames.close()
        self._mains.close()
        self._in_hand.clear()

    def _slot_for(self, pool: SlotPool, planes: Planes) -> int | None:
        if not pool.fits(planes) and pool.in_use:  # the larger pool comes when the old one has been read
            return None
        return self._take(pool, planes)

    def _take(self, pool: SlotPool, planes: Planes) -> int | None:
        self._unseen |= not pool.fits(planes) or not pool.is_open
        return pool.take(planes)

    def _hand_over(self, slot: int, frame: Frame, main: MainState = "none") -> None:
        with self._context.telemetry.stage("hand_over"):
            picture = self._frames.write(slot, frame.planes)
        self._context.telemetry.queue_depths["hand_over"] = len(self._frames.in_use)
        self._send(FrameReady(frame.stream, frame.time, picture, frame.detect, self._live, frame.damaged, main))

    def _send(self, link: _Link) -> None:
        assert link.picture is not None
        self._in_hand[link.picture.pool_id, link.picture.slot] = link
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

    def _settled_by(self, answer: Any) -> _Link | None:
        """Return the frame that an answer releases."""
        match answer:
            case Refused():
                self.refusals[answer.stream] = answer.detail
            case MainWanted():
                self.main_wanted = answer.wanted
            case SlotReleased(pool_id=pool_id, slot=slot) if (pool_id, slot) in self._in_hand:
                self._unseen = False
                return self._free(pool_id, slot)
        return None

    def _is_lost(self, link: _Link) -> bool:
        assert link.picture is not None
        place = link.picture.pool_id, link.picture.slot
        if self._in_hand.get(place) is link:
            self._free(*place)
        if self._live and isinstance(link, FrameReady):
            self._context.telemetry.drop(link.stream, "worker_died")
        return True

    def _free(self, pool_id: int, slot: int) -> _Link:
        for pool in (self._frames, self._mains):
            if pool.has(pool_id, slot):
                pool.free(slot)
        return self._in_hand.pop((pool_id, slot))
