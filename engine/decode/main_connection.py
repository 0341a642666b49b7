"""A connection whose packets are kept, and decoded only up to the pictures that are requested."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator

import av
import numpy as np

from engine.contracts.camera import Camera
from engine.contracts.frames import Float32, Frame, Planes
from engine.contracts.streams import StreamChanged
from engine.decode.connection import Announce, Connection
from engine.decode.counted import Counted
from engine.decode.kept_packets import KeptPackets
from engine.decode.lag import look_of
from engine.decode.moments import Stamp
from engine.decode.orientation import TURNS
from engine.decode.packet_queue import Arrival
from engine.decode.picture_gate import PictureGate

_KEPT_PICTURES = 4
_NEAR_SECONDS = 0.045
"""A skipped picture is replaced by one that is no farther away than the next one at 25 fps."""
_LATEST_OUTPUT = 16
"""Number of packets after its own with which a picture may come out, if the stream reorders."""
_EIGHT_BITS = {"yuv420p", "yuvj420p", "nv12", "gray", "yuv422p", "yuvj422p", "yuv444p"}
"""Pixel formats whose first plane is 8-bit luma."""


class MainConnection(Connection):
    """See ``Connection``; it yields only states.

    A picture costs the decoding of everything it depends on: from the last decoded picture, or from the last key frame if that
    is later. On the way pictures without dependants are skipped.

    Args:
        camera: the source.
        counted: see ``Connection``; ``frames`` are requested pictures.
        announce: likewise.
        stamped: is told of each packet. seen: is told of each picture decoded on the way, as a small look; None: nobody needs
            them.
    """

    def __init__(self, camera: Camera, counted: Counted, announce: Announce, stamped: Callable[[Stamp], None]) -> None:
        super().__init__(camera, counted, announce)
        self._stamped = stamped
        self.seen: Callable[[Stamp, Float32], None] | None = None
        self.kept: KeptPackets | None = None
        """The kept packets; None before the first."""
        self._next = 0
        self._pictures: OrderedDict[int, tuple[av.VideoFrame, Stamp]] = OrderedDict()
        self._turn = TURNS[camera.appearance.rotate]

    def picture(self, number: int, expired: Callable[[], bool]) -> Planes | None:
        """Return one picture as it is shown, or its neighbour if it was skipped; None if it is damaged, too old, or ``expired``
        on the way.

        Args:
            number: of its packet in ``kept``.
            expired: called before each packet.
        """
        assert self.kept is not None
        gate = self._ready()[0]
        if number not in self._pictures:
            self._decode_to(number, gate, expired)
        if (picture := self._nearest(number)) is None:
            return None
        try:
            note = picture, self.kept[number]
            shown = self._display.show(picture, gate.pixel_aspect(picture), note) or self._display.flush()
        except (av.error.FFmpegError, ValueError):
            self._counted.counts["corrupt_frames"] += 1
            return None
        self._counted.counts["frames"] += 1
        return shown[-1][0] if shown else None

    def _decode_to(self, number: int, gate: PictureGate, expired: Callable[[], bool]) -> None:
        kept = self.kept
        assert kept is not None
        if number < self._next or number < kept.first:
            return
        key = kept.key_before(number)
        if key > self._next or self._next < kept.first:
            gate.broken()
            self._next = key
        numbers = {id(kept[place]): place for place in range(self._next, kept.end)}
        for place in range(self._next, min(kept.end, number + _LATEST_OUTPUT)):
            if expired():
                return
            self._next = place + 1
            # If the looks are needed, every picture is worth decoding.
            passing = place != number and self.seen is None
            for picture, source in gate.pictures(kept[place], passing=passing):
                if (shown := numbers.get(id(source))) is not None:
                    self._remember(shown, picture)
            if number in self._pictures:
                return

    def _nearest(self, number: int) -> av.VideoFrame | None:
        kept = self.kept
        assert kept is not None
        if number in self._pictures or not kept.first <= number < kept.end:
            return self._pictures[number][0] if number in self._pictures else None
        wanted = kept.stamp(number).pts_seconds
        near = [
            (abs(stamp.pts_seconds - wanted), place)
            for place, (_, stamp) in self._pictures.items()
            if wanted is not None and stamp.pts_seconds is not None
        ]
        distance, place = min(near, default=(1.0, -1))
        return self._pictures[place][0] if distance <= _NEAR_SECONDS else None

    def _remember(self, number: int, picture: av.VideoFrame) -> None:
        assert self.kept is not None
        stamp = self.kept.stamp(number)
        self._pictures[number] = picture, stamp
        while len(self._pictures) > _KEPT_PICTURES:
            self._pictures.popitem(last=False)
        if self.seen is not None and picture.format.name in _EIGHT_BITS:
            plane = picture.planes[0]
            if plane.line_size > 0:
                luma = np.ndarray((plane.height, plane.width), np.uint8, memoryview(plane), strides=(plane.line_size, 1))
                small = self._turn.plane(luma[:: max(1, plane.height // 144), :: max(1, plane.width // 256)])
                self.seen(stamp, look_of(small))

    def _take(self, arrival: Arrival) -> Iterator[Frame | StreamChanged]:
        self._counted.counts["packets"] += 1
        self._counted.counts["bytes"] += arrival.size_bytes
        if self.kept is None:
            opened = self.opened
            assert opened is not None, "a packet before the stream"
            self.kept = KeptPackets(float(opened.time_base))
        if (stamp := self.kept.add(arrival)) is not None:
            self._stamped(stamp)
        if self._stalled:
            self._stalled = False
            yield self._state("live", "", "")
        if self.live_since is None and stamp is not None:
            self.live_since = time.monotonic()
            yield self._state("live", "", "")

    def _keyless_seconds(self) -> float:
        """Kept packets begin with a key frame, and are seldom decoded."""
        return 0.0

    def _cut(self) -> None:
        if self.kept is not None:
            self.kept.clear()
