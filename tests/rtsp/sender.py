"""Sends a clip's pictures to one client, on time, with the faults of its script."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count

from tests.rtsp import rtp
from tests.rtsp.clips import Clip, without_parameters
from tests.rtsp.faults import Fault, Garbage
from tests.rtsp.listener import reset
from tests.rtsp.script import Behaviour


class Outlet(ABC):
    """Where packets go."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    @abstractmethod
    async def media(self, packets: list[bytes]) -> None:
        """Send RTP."""

    @abstractmethod
    async def control(self, packet: bytes) -> None:
        """Send RTCP."""

    async def halt_within(self, packet: bytes, seconds: float) -> None:
        """Send a packet with a pause in its middle (only where there is a middle)."""
        await asyncio.sleep(seconds)
        await self.media([packet])

    async def noise(self, junk: bytes) -> None:
        """Send what is no packet (where there is something between packets)."""
        return

    def reset(self) -> None:
        """Reset the RTSP connection."""
        reset(self._writer)

    def close(self) -> None:
        """Free what this outlet opened itself."""
        return


class Interleaved(Outlet):
    """RTP in the RTSP connection."""

    def __init__(self, writer: asyncio.StreamWriter, channel: int) -> None:
        super().__init__(writer)
        self._channel = channel

    async def media(self, packets: list[bytes]) -> None:
        self._writer.write(b"".join(self._framed(self._channel, packet) for packet in packets))
        await self._writer.drain()

    async def control(self, packet: bytes) -> None:
        self._writer.write(self._framed(self._channel + 1, packet))
        await self._writer.drain()

    async def halt_within(self, packet: bytes, seconds: float) -> None:
        framed = self._framed(self._channel, packet)
        middle = len(framed) // 2
        await self.noise(framed[:middle])
        await asyncio.sleep(seconds)
        await self.noise(framed[middle:])

    async def noise(self, junk: bytes) -> None:
        self._writer.write(junk)
        await self._writer.drain()

    def _framed(self, channel: int, packet: bytes) -> bytes:
        return b"$" + channel.to_bytes(1, "big") + len(packet).to_bytes(2, "big") + packet


class Datagrams(Outlet):
    """RTP by UDP, with losses and reordering."""

    def __init__(self, writer: asyncio.StreamWriter, client_port: int, behaviour: Behaviour) -> None:
        super().__init__(writer)
        self._sockets = _pair()
        self.port: int = self._sockets[0].getsockname()[1]
        for index, one in enumerate(self._sockets):
            one.connect((writer.get_extra_info("peername")[0], client_port + index))
        self._loss, self._reorder = behaviour.loss, behaviour.reorder
        self._chance = random.Random(behaviour.seed)
        self._late: list[bytes] = []

    async def media(self, packets: list[bytes]) -> None:
        for packet in packets:
            if self._chance.random() < self._loss:
                continue
            if not self._late and self._chance.random() < self._reorder:
                self._late = [packet]
                continue
            for one in (packet, *self._late):
                self._send(0, one)
            self._late = []

    async def control(self, packet: bytes) -> None:
        self._send(1, packet)

    def close(self) -> None:
        for one in self._sockets:
            one.close()

    def _send(self, index: int, packet: bytes) -> None:
        # Full, or nobody there: the packet is lost, as UDP is.
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            self._sockets[index].send(packet)


def _pair() -> tuple[socket.socket, socket.socket]:
    """Return sockets on an even port and the next one."""
    while True:
        media, control = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
        media.setblocking(False)
        control.setblocking(False)
        try:
            media.bind(("127.0.0.1", 0))
            port = media.getsockname()[1]
            if port % 2 == 0:
                control.bind(("127.0.0.1", port + 1))
                return media, control
        except OSError:
            pass
        media.close()
        control.close()


class Sender:
    """The state that faults change."""

    def __init__(
        self, clip: Clip, behaviour: Behaviour, outlet: Outlet, injected: deque[Fault], sent_one: Callable[[], None]
    ) -> None:
        self.outlet = outlet
        self.sent = 0
        """Pictures sent on this connection."""
        self.sequence = 1
        self.shift_ticks = behaviour.first_timestamp
        self.halt_within_packet_seconds = 0.0
        self.unsteady = (0, 1, 0)
        self.damage: tuple[int, Garbage] | None = None
        self._behaviour, self._injected, self._sent_one = behaviour, injected, sent_one
        self._clip = clip
        self._units: Iterator[bytes] = iter(())
        self._ticks = 0
        self._due_seconds = 0.0
        self._packets, self._bytes = 0, 0
        self._report_due_seconds = 0.0
        self.switch(clip)

    @property
    def timestamp(self) -> int:
        """RTP time of the next picture."""
        return self._ticks + self.shift_ticks

    def switch(self, clip: Clip) -> None:
        self._clip = clip
        bare = [] if self._behaviour.dialect.sets_sent else [without_parameters(unit, clip.codec) for unit in clip.units]
        units = bare or clip.units
        self._units = (units[index % clip.frames] for index in count())

    def delay(self, seconds: float) -> None:
        """The camera's clock went on while nothing was sent."""
        self._ticks += round(seconds * rtp.CLOCK_HZ)
        self._due_seconds += seconds

    async def run(self) -> None:
        """Send until the task is cancelled, the connection breaks or a fault raises ``Over``."""
        loop = asyncio.get_running_loop()
        self._due_seconds = loop.time()
        while True:
            await asyncio.sleep(self._due_seconds - loop.time())
            faults = [fault for fault in self._behaviour.faults if fault.at == self.sent]
            while self._injected:
                faults.append(self._injected.popleft())
            for fault in faults:
                await fault.happen(self)
            await self._send(next(self._units))
            self.sent += 1
            self._sent_one()
            self._ticks += rtp.CLOCK_HZ // self._clip.fps
            self._due_seconds += 1 / (self._clip.fps * self._behaviour.speed)

    async def _send(self, unit: bytes) -> None:
        timestamp = self.timestamp
        until, every, back = self.unsteady
        if self.sent < until and self.sent % every == every - 1:
            timestamp -= back
        await self._report(timestamp)
        dialect = self._behaviour.dialect
        packets = rtp.packets(unit, self._clip.codec, self.sequence, timestamp, dialect.packing, dialect.payload_type)
        self.sequence += len(packets)
        self._packets += len(packets)
        self._bytes += sum(map(len, packets)) - 12 * len(packets)
        if self.damage and self.sent < self.damage[0]:
            noise, packets = self.damage[1].damaged(packets, self.sent)
            await self.outlet.noise(noise)
        if self.halt_within_packet_seconds:
            seconds, self.halt_within_packet_seconds = self.halt_within_packet_seconds, 0.0
            await self.outlet.halt_within(packets[0], seconds)
            del packets[0]
        await self.outlet.media(packets)

    async def _report(self, timestamp: int) -> None:
        offset = self._behaviour.ntp_offset_seconds
        if offset is None or time.monotonic() < self._report_due_seconds:
            return
        self._report_due_seconds = time.monotonic() + self._behaviour.report_every_seconds
        late_seconds = asyncio.get_running_loop().time() - self._due_seconds
        taken = time.time() - late_seconds  # a camera tells when it took the picture, however late that leaves it
        await self.outlet.control(rtp.sender_report(taken + offset, timestamp, self._packets, self._bytes))
