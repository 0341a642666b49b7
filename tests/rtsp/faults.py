"""What can go wrong while pictures are sent. A fault happens before frame ``at`` of its connection, counted from 0."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tests.rtsp import rtp
from tests.rtsp.clips import Clip

if TYPE_CHECKING:
    from tests.rtsp.sender import Sender

HEADER_BYTES = 12


class Over(Exception):
    """The connection ends here."""


@dataclass(frozen=True)
class Fault(ABC):
    """Something that happens to a sender."""

    at: int = 0

    @abstractmethod
    async def happen(self, sender: Sender) -> None:
        """Change the sender's state, wait, or raise ``Over``."""


@dataclass(frozen=True)
class Stall(Fault):
    """Send nothing for so long; the connection stays, and keep-alive requests are answered."""

    seconds: float = 1e9
    mid_packet: bool = False
    """Stop within a packet (TCP): its first half is sent, the second after the wait."""

    async def happen(self, sender: Sender) -> None:
        if self.mid_packet:
            sender.halt_within_packet_seconds = self.seconds
        else:
            await asyncio.sleep(self.seconds)
        sender.delay(self.seconds)


@dataclass(frozen=True)
class Reset(Fault):
    """Reset the TCP connection, as a camera that reboots."""

    async def happen(self, sender: Sender) -> None:
        sender.outlet.reset()
        raise Over


@dataclass(frozen=True)
class Close(Fault):
    """Close the connection in good order."""

    bye: bool = False
    """Say so by RTCP first."""

    async def happen(self, sender: Sender) -> None:
        if self.bye:
            await sender.outlet.control(rtp.bye())
        raise Over


@dataclass(frozen=True)
class Bye(Fault):
    """Say by RTCP that the source has ended, keep the connection, and send nothing more."""

    async def happen(self, sender: Sender) -> None:
        await sender.outlet.control(rtp.bye())
        await asyncio.sleep(1e9)


@dataclass(frozen=True)
class Switch(Fault):
    """Go on with another clip, from its first picture: of another resolution, with new parameter sets, or of another codec."""

    clip: Clip | None = None

    async def happen(self, sender: Sender) -> None:
        assert self.clip is not None, "a switch needs a clip"
        sender.switch(self.clip)


@dataclass(frozen=True)
class Jump(Fault):
    """The time stamps jump from here on; negative: back."""

    seconds: float = 3600.0

    async def happen(self, sender: Sender) -> None:
        sender.shift_ticks += round(self.seconds * rtp.CLOCK_HZ)


@dataclass(frozen=True)
class Restart(Fault):
    """The time stamps begin at 0 again, and the sequence numbers too if so wished."""

    sequence: bool = False

    async def happen(self, sender: Sender) -> None:
        sender.shift_ticks -= sender.timestamp
        if self.sequence:
            sender.sequence = 0


@dataclass(frozen=True)
class Unsteady(Fault):
    """The time stamp of every ``every``-th picture goes back by so much, for the picture only."""

    frames: int = 10**9
    every: int = 3
    seconds: float = 0.2

    async def happen(self, sender: Sender) -> None:
        sender.unsteady = (sender.sent + self.frames, self.every, round(self.seconds * rtp.CLOCK_HZ))


@dataclass(frozen=True)
class Garbage(Fault):
    """Damage the packets of the next pictures.

    ``nal``: random bytes behind a right NAL header; ``truncated``: half of each packet; ``header``: random bytes from the RTP
    header on; ``noise``: random bytes between the packets of a TCP connection, where a packet should begin.
    """

    frames: int = 5
    kind: Literal["nal", "truncated", "header", "noise"] = "nal"
    seed: int = 0

    async def happen(self, sender: Sender) -> None:
        sender.damage = (sender.sent + self.frames, self)

    def damaged(self, packets: list[bytes], frame: int) -> tuple[bytes, list[bytes]]:
        """Return noise to send first, and the packets as they will be sent."""
        chance = random.Random(self.seed * 1_000_003 + frame)
        if self.kind == "noise":
            return chance.randbytes(300), packets
        if self.kind == "truncated":
            return b"", [packet[: HEADER_BYTES + max(1, (len(packet) - HEADER_BYTES) // 2)] for packet in packets]
        kept = HEADER_BYTES + 2 if self.kind == "nal" else 0
        return b"", [packet[:kept] + chance.randbytes(len(packet) - kept) for packet in packets]
