"""An independent client for the servers' own tests: PyAV alone, nothing of the engine."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import pairwise

import av
import av.error
import numpy as np

from tests.patience import PATIENCE_SECONDS
from tests.rtsp.clips import frame_number

AT_ONCE = {"probesize": "32", "analyzeduration": "0"}
"""Take the first picture as it comes, without looking at the stream for a second first."""


@dataclass
class Seen:
    """What a client saw before it left."""

    numbers: list[int] = field(default_factory=list)
    """As ``frame_number`` reads them."""
    pts: list[int | None] = field(default_factory=list)
    sizes: set[tuple[int, int]] = field(default_factory=set)
    codec: str = ""
    corrupt: int = 0
    bad_packets: int = 0
    """Packets that the decoder refused."""
    clock_seconds: list[float] = field(default_factory=list)
    """The sender's clock (Unix) for each packet whose time it told."""
    end: str = "enough"
    """``enough``, ``closed``, ``deadline``, or the name of PyAV's error."""
    seconds: float = 0.0

    @property
    def steps(self) -> set[int]:
        """Differences of neighbouring time stamps."""
        known = [pts for pts in self.pts if pts is not None]
        return {after - before for before, after in pairwise(known)}


def watch(
    url: str,
    frames: int = 10,
    transport: str = "tcp",
    open_seconds: float = PATIENCE_SECONDS,
    read_seconds: float = PATIENCE_SECONDS,
    **options: str,
) -> Seen:
    """Open a live source, decode so many frames, and leave in good order; an error of FFmpeg is what was seen, too.

    Who looks at a silence says how long it is waited for: a busy machine makes a healthy server silent, too.
    """
    seen = Seen()
    begun = time.monotonic()
    own = {"rtsp_transport": transport} if url.startswith("rtsp:") else {}
    try:
        with av.open(url, options=own | AT_ONCE | options, timeout=(open_seconds, read_seconds)) as container:
            if not container.streams.video:
                seen.end = "no video"
            else:
                seen.codec = container.streams.video[0].codec_context.name
                seen.end = _decode(container, frames, begun + PATIENCE_SECONDS, seen)
    except av.error.FFmpegError as error:
        seen.end = type(error).__name__
    seen.seconds = time.monotonic() - begun
    return seen


def _decode(container: av.container.InputContainer, frames: int, deadline: float, seen: Seen) -> str:
    for packet in container.demux(video=0):
        if time.monotonic() > deadline:
            return "deadline"
        if packet.has_sidedata("prft"):
            seen.clock_seconds.append(int.from_bytes(bytes(packet.get_sidedata("prft"))[:8], "little") / 1e6)
        try:
            pictures = packet.decode()
        except av.error.InvalidDataError:
            seen.bad_packets += 1
            continue
        for picture in pictures:
            luma = np.asarray(picture.to_ndarray(), np.uint8)[: picture.height, : picture.width]
            seen.numbers.append(frame_number(luma))
            seen.pts.append(picture.pts)
            seen.sizes.add((picture.width, picture.height))
            seen.corrupt += picture.is_corrupt
            if len(seen.numbers) >= frames:
                return "enough"
    return "closed"
