"""What travels between the processes of a run; frames themselves stay in the shared pool.

decode --PoolOpened, FrameReady, MainReady--> perceive --FaceCrop, TrackClosed, TrackRejected--> enhance xN
enhance xN --Outgoing--> publish
decode <--SlotReleased, Refused, MainWanted-- perceive <--Taken-- enhance <--Taken-- publish
StreamChanged, Checkpoint, InputFile and Drain go all the way, in order
every worker --Ready, Beat, Warned, Failed--> supervisor    publish --Settled--> supervisor
supervisor --Assign--> decode, --Begin, Outgoing(stats)--> publish
supervisor --Attach--> the neighbours of a worker that was restarted
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from engine.contracts.faces import FaceCrop, FaceResult, TrackClosed, TrackResult
from engine.contracts.frames import FrameTime, Uint8
from engine.contracts.orders import Assign, Begin, CountedBefore, MainWanted, Refused, Settled, WantRecording, Warned
from engine.contracts.rejected import Rejected, TrackRejected
from engine.contracts.streams import Checkpoint, InputFile, RunStats, StreamChanged
from engine.runtime.channel import Channel, channel_pair
from engine.runtime.codec import Codec
from engine.runtime.frame_slots import PoolOpened, SlotPicture, SlotReleased
from engine.runtime.protocol import PROTOCOL

MainState = Literal["none", "possible", "follows"]
"""Of a camera's frame: it has no main stream; it has one, but it is away or nobody wants its pictures; the picture, or the word
that there is none, follows."""


class FrameReady(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A frame of a stream waits in a slot."""

    stream: str
    time: FrameTime
    picture: SlotPicture
    detect: bool
    live: bool = False
    """From a camera: it may be dropped when it is late, a recording's frame may not."""
    damaged: bool = False
    main: MainState = "none"


class MainReady(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The picture of the main stream that belongs to a frame waits in a slot, or there is none."""

    stream: str
    frame_index: int
    picture: SlotPicture | None


class Outgoing(msgspec.Struct, frozen=True, array_like=True, tag=True, eq=False):
    """One message for the publisher, which gives it its number, with its payloads."""

    body: FaceResult | TrackResult | RunStats | Rejected
    payloads: list[Uint8]
    """One for each of its parts: bytes, (length,)."""


LINKS = Codec(
    [
        *PROTOCOL,
        *(PoolOpened, FrameReady, MainReady, SlotReleased, FaceCrop, TrackClosed, TrackRejected, Outgoing),
        *(StreamChanged, Checkpoint, InputFile),
        *(Begin, CountedBefore, WantRecording, Assign, Settled, Refused, MainWanted, Warned),
    ]
)


def outgoing(body: FaceResult | TrackResult | RunStats | Rejected, payloads: Sequence[bytes] = ()) -> Outgoing:
    """Return a message with its payloads, which are not copied."""
    return Outgoing(body, [np.frombuffer(payload, np.uint8) for payload in payloads])


def link_pair() -> tuple[Channel, Channel]:
    """Return the two ends of a new pipe for these messages."""
    return channel_pair(LINKS)
