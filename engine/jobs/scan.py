"""Asks a recording's container for its packets, and decodes none: how many pictures there are, and where reading can begin."""

from __future__ import annotations

from collections.abc import Callable

import av
import msgspec
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from msgspec.structs import replace
from numpy.typing import NDArray

from engine.config import DecodeConfig
from engine.contracts.recording import Recording
from engine.decode.container import open_recording, recording_clock
from engine.decode.gaps import Gaps, Missing
from engine.decode.packets import packets_of
from engine.decode.rates import FALLBACK_TIME_BASE
from engine.decode.stamps import SecondFields, stamp_of
from engine.decode.transport_stream import pieces_of
from engine.errors import SourceError

_ASK_PACKETS = 4096
_BACK_SECONDS = 2.0
"""So far from the newest one a picture may be shown that is decoded after it; more is a jump."""
_ROUNDING_SECONDS = 1e-6


class Key(msgspec.Struct, frozen=True, array_like=True):
    """A key frame."""

    ticks: int
    before_ticks: int
    """Of the picture that is shown before it."""
    frame_index: int
    """So many pictures are shown before it."""
    seconds: float
    """By the recording's clock."""
    since_mark: int
    origin_seconds: float
    """Both as of ``Start``."""


class Scan(msgspec.Struct, frozen=True):
    """What the packets tell."""

    frames: int
    """About how many there are; 0: not known."""
    seconds: float = 0.0
    keys: list[Key] = []
    """Those at which it may be cut, in order."""
    whole: str = ""
    """Why it cannot be cut; empty: it can."""
    missing: Missing = Missing()
    """Where it can be cut: pictures that are missing, of which its segments know nothing."""


def scan(recording: Recording, config: DecodeConfig, alive: Callable[[], None] = lambda: None) -> Scan:
    """Return what the packets of a recording tell. One that cannot be read is not cut: whoever reads it says what is wrong.

    Args:
        recording: of any kind.
        config: how it will be decoded.
        alive: called now and then.
    """
    if recording.pictures:
        return Scan(len(recording.pictures), whole="it is made of pictures")
    if config.skip_frame != "none":
        return Scan(0, whole="not all of its pictures are decoded")
    if pieces_of(recording.path):
        return Scan(0, whole="its video changes to another one part way through")
    try:
        container, stream = open_recording(recording.path, recording.reading.video_stream)
    except SourceError:
        return Scan(0, whole="it cannot be read")
    with container:
        try:
            gaps = Gaps(container, stream)
            stamps, are_keys = _packets(container, stream, gaps, alive)
        except _CannotCut as error:
            return Scan(0, whole=str(error))
        return replace(_scanned(container, stream, stamps, are_keys), missing=gaps.missing)


class _CannotCut(Exception):
    pass


def _packets(
    container: InputContainer, stream: VideoStream, gaps: Gaps, alive: Callable[[], None]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return of each packet its time stamp, and whether it is a key frame, in the order of the file."""
    stamps: list[int] = []
    keys: list[bool] = []
    second_fields = SecondFields(stream)
    newest, back = None, round(_BACK_SECONDS / (stream.time_base or FALLBACK_TIME_BASE))
    try:
        for packet in packets_of(container, meanwhile=alive):
            gaps.note(packet)
            if packet.stream.index != stream.index or packet.is_discard or second_fields.has(packet):
                continue
            stamp = stamp_of(packet, container)
            if stamp is None:
                raise _CannotCut("some of its pictures have no time stamp")
            if newest is not None and stamp < newest - back:
                raise _CannotCut("its time stamps jump back")
            newest = stamp if newest is None else max(newest, stamp)
            stamps.append(stamp)
            keys.append(packet.is_keyframe and not packet.is_corrupt)
            if len(stamps) % _ASK_PACKETS == 0:
                alive()
    except av.error.FFmpegError:
        pass  # what comes before can be cut all the same
    return np.array(stamps, np.int64), np.array(keys, np.bool_)


def _scanned(container: InputContainer, stream: VideoStream, stamps: NDArray[np.int64], are_keys: NDArray[np.bool_]) -> Scan:
    shown = np.sort(stamps)
    clock = recording_clock(container, stream)
    wanted = set(stamps[are_keys].tolist())
    keys: list[Key] = []
    marked, seconds = 0, 0.0
    for index, ticks in enumerate(shown.tolist()):
        seconds, jumped = clock.advance(ticks)
        if jumped:
            marked = index
        before = int(shown[index - 1]) if index else ticks - 1
        # Behind stamps that repeat the clock is ahead of them for a while, which one that begins here would not know.
        is_ahead = seconds - (ticks * clock.time_base[0] / clock.time_base[1] - clock.origin_seconds) > _ROUNDING_SECONDS
        if ticks in wanted and before < ticks and not is_ahead:
            keys.append(Key(ticks, before, index, seconds, index - marked, clock.origin_seconds))
    return Scan(len(shown), seconds, keys, "" if len(keys) > 1 else "it has only one key frame")
